//! A report's picture: a band of states and a line of memory for each gateway, as a PNG. It has no words, so that it
//! needs no translation; heights repeat what colours say.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform};
use ttf_parser::{Face, OutlineBuilder};

use crate::supervisor::report::{GatewayReport, Period, Report};
use crate::supervisor::verdict::Health;

/// Gateways that are drawn; the text has all of them.
const GATEWAYS: usize = 4;
/// Width in pixels.
const WIDTH: f32 = 1200.0;
/// Height of one gateway's part.
const PART: f32 = 420.0;
const LEFT: f32 = 104.0;
const RIGHT: f32 = WIDTH - 32.0;
const BAND_TOP: f32 = 36.0;
const BAND: f32 = 64.0;
const LINE_TOP: f32 = 136.0;
const LINE_BOTTOM: f32 = 364.0;
const LABEL: f32 = 22.0;

/// Digits and a few signs: a subset of `DejaVu` Sans (`chart/LICENSE-labels.txt`).
const LABELS: &[u8] = include_bytes!("chart/labels.ttf");

const BACKGROUND: u32 = 0x1F_23_2B;
const GRID: u32 = 0x3A_40_4D;
const INK: u32 = 0xB9_C0_CC;
const MEMORY: u32 = 0x6C_B6_FF;
const LIMIT: u32 = 0xE0_A4_3B;

/// Why a picture could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// Its size is none.
    #[error("a picture of no size")]
    NoSize,
    /// It could not be written as PNG.
    #[error("the picture could not be written: {0}")]
    Png(String),
}

/// Draws the report as a PNG, with times of the zone.
pub fn png(report: &Report, zone: &TimeZone) -> Result<Vec<u8>, ChartError> {
    let parts = report.gateways.len().clamp(1, GATEWAYS);
    let mut canvas = Canvas::new(WIDTH, PART * whole(parts))?;
    for (place, gateway) in report.gateways.iter().take(GATEWAYS).enumerate() {
        canvas.offset = PART * whole(place);
        canvas.times(report, zone);
        canvas.band(gateway);
        canvas.memory(gateway);
    }
    canvas.pixmap.encode_png().map_err(|error| ChartError::Png(error.to_string()))
}

struct Canvas {
    pixmap: Pixmap,
    /// Where the gateway that is being drawn begins.
    offset: f32,
}

impl Canvas {
    fn new(width: f32, height: f32) -> Result<Self, ChartError> {
        let mut pixmap = Pixmap::new(pixels(width), pixels(height)).ok_or(ChartError::NoSize)?;
        pixmap.fill(colour(BACKGROUND));
        Ok(Self { pixmap, offset: 0.0 })
    }

    /// Lines and labels of the time.
    fn times(&mut self, report: &Report, zone: &TimeZone) {
        let (step, format) = match report.period {
            Period::Day => (3 * 3_600_000, "%H:%M"),
            Period::Week => (86_400_000, "%m-%d"),
        };
        let (from, length) = (report.from(), report.period.length());
        // Whole hours or days where the machine is.
        let offset =
            Timestamp::from_millisecond(from).map_or(0, |from| i64::from(zone.to_offset(from).seconds()) * 1000);
        let mut at = from + (step - (from + offset).rem_euclid(step)) % step;
        while at <= report.to {
            let x = LEFT + (RIGHT - LEFT) * ratio(at - from, length);
            self.line(&[(x, BAND_TOP), (x, LINE_BOTTOM)], GRID, 1.0, false);
            if let Ok(moment) = Timestamp::from_millisecond(at) {
                let label = moment.to_zoned(zone.clone()).strftime(format).to_string();
                self.label(&label, x, LINE_BOTTOM + 34.0, Align::Middle);
            }
            at += step;
        }
    }

    fn band(&mut self, gateway: &GatewayReport) {
        let healths = &gateway.course.healths;
        let width = (RIGHT - LEFT) / whole(healths.len().max(1));
        for (place, health) in healths.iter().enumerate() {
            let Some((height, hue)) = health.and_then(look) else { continue };
            let (x, height) = (LEFT + width * whole(place), BAND * height);
            self.rectangle(x, BAND_TOP + BAND - height, width + 0.5, height, hue);
        }
        self.line(&[(LEFT, BAND_TOP + BAND), (RIGHT, BAND_TOP + BAND)], GRID, 2.0, false);
    }

    fn memory(&mut self, gateway: &GatewayReport) {
        let course = &gateway.course;
        let most = course.memory.iter().flatten().copied().max().unwrap_or(0);
        // A limit that is far away would flatten the line.
        let limits: Vec<u32> = course.limits.iter().copied().filter(|limit| *limit <= most.saturating_mul(2)).collect();
        let top = limits.iter().copied().chain([most]).max().unwrap_or(0);
        let (top, step) = scale(top);
        let y = |megabytes: u32| LINE_BOTTOM - (LINE_BOTTOM - LINE_TOP) * ratio(megabytes.into(), top.into());
        for mark in (0..=top).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            self.line(&[(LEFT, y(mark)), (RIGHT, y(mark))], GRID, 1.0, false);
            self.label(&size(mark), LEFT - 12.0, y(mark) + 8.0, Align::End);
        }
        for limit in limits {
            self.line(&[(LEFT, y(limit)), (RIGHT, y(limit))], LIMIT, 2.0, true);
        }
        let width = (RIGHT - LEFT) / whole(course.memory.len().max(1));
        let points = course.memory.iter().enumerate();
        let points: Vec<_> = points
            .map(|(place, memory)| memory.map(|memory| (LEFT + width * (whole(place) + 0.5), y(memory))))
            .collect();
        for run in points.split(Option::is_none) {
            let run: Vec<(f32, f32)> = run.iter().flatten().copied().collect();
            match run.as_slice() {
                [] => {}
                [(x, y)] => self.rectangle(x - 2.0, y - 2.0, 4.0, 4.0, MEMORY),
                run => self.line(run, MEMORY, 3.0, false),
            }
        }
    }

    fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, hue: u32) {
        if let Some(rectangle) = Rect::from_xywh(x, y + self.offset, width, height) {
            self.pixmap.fill_rect(rectangle, &paint(hue), Transform::identity(), None);
        }
    }

    fn line(&mut self, points: &[(f32, f32)], hue: u32, width: f32, dashed: bool) {
        let mut path = PathBuilder::new();
        for (place, (x, y)) in points.iter().enumerate() {
            let y = y + self.offset;
            if place == 0 { path.move_to(*x, y) } else { path.line_to(*x, y) }
        }
        let Some(path) = path.finish() else { return };
        let dash = if dashed { StrokeDash::new(vec![10.0, 8.0], 0.0) } else { None };
        let stroke = Stroke { width, dash, ..Stroke::default() };
        self.pixmap.stroke_path(&path, &paint(hue), &stroke, Transform::identity(), None);
    }

    fn label(&mut self, text: &str, x: f32, y: f32, align: Align) {
        let Some((path, width)) = outline(text, LABEL) else { return };
        let x = match align {
            Align::Middle => x - width / 2.0,
            Align::End => x - width,
        };
        let at = Transform::from_translate(x, y + self.offset);
        self.pixmap.fill_path(&path, &paint(INK), FillRule::Winding, at, None);
    }
}

#[derive(Debug, Clone, Copy)]
enum Align {
    Middle,
    End,
}

/// How high and in which colour a state stands in the band; `None`: a gap.
fn look(health: Health) -> Option<(f32, u32)> {
    match health {
        Health::Healthy => Some((0.3, 0x2E_A0_5A)),
        Health::Starting | Health::Healing => Some((0.6, 0x4A_8F_E0)),
        Health::Degraded => Some((0.6, 0xE0_B8_3B)),
        Health::Paused | Health::Stopped => Some((0.15, 0x7A_82_90)),
        Health::Down | Health::Blocked => Some((1.0, 0xE0_4F_4F)),
        Health::SafeMode => Some((1.0, 0xB0_6C_E8)),
        Health::NotInstalled | Health::Stale => None,
    }
}

/// A round end of the memory's axis, and the distance of its marks, in binary megabytes.
fn scale(most: u32) -> (u32, u32) {
    let steps = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 65_536];
    let step = steps.into_iter().find(|step| most <= step * 4).unwrap_or(1 << 20);
    (step * 4, step)
}

fn size(megabytes: u32) -> String {
    let gigabytes = f64::from(megabytes) / 1024.0;
    if megabytes < 1024 {
        format!("{megabytes} MB")
    } else if megabytes.is_multiple_of(1024) {
        format!("{gigabytes:.0} GB")
    } else {
        format!("{gigabytes:.1} GB")
    }
}

/// A line of text as a shape that begins at zero and stands on zero, and its width.
fn outline(text: &str, height: f32) -> Option<(Path, f32)> {
    let face = Face::parse(LABELS, 0).ok()?;
    let scale = height / f32::from(face.units_per_em());
    let mut pen = Pen { path: PathBuilder::new(), x: 0.0, scale };
    for character in text.chars() {
        let glyph = face.glyph_index(character)?;
        // A space has no outline.
        let _drawn = face.outline_glyph(glyph, &mut pen);
        pen.x += f32::from(face.glyph_hor_advance(glyph)?) * scale;
    }
    let width = pen.x;
    Some((pen.path.finish()?, width))
}

struct Pen {
    path: PathBuilder,
    x: f32,
    scale: f32,
}

impl Pen {
    /// Fonts count upwards.
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, -y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

fn paint(hue: u32) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(colour(hue));
    paint
}

fn colour(hue: u32) -> Color {
    let [_, red, green, blue] = hue.to_be_bytes();
    Color::from_rgba8(red, green, blue, 255)
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn whole(count: usize) -> f32 {
    count as f32
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "places on a picture")]
fn ratio(part: i64, whole: i64) -> f32 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64) as f32 }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive sizes")]
fn pixels(size: f32) -> u32 {
    size as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::sample;

    #[test]
    fn a_report_becomes_a_picture_whatever_is_in_it() {
        let zone = TimeZone::UTC;
        let full = sample::daily();
        let empty = Report { gateways: Vec::new(), ..full.clone() };
        let mut many = full.clone();
        many.gateways = vec![many.gateways[0].clone(); 9];
        let mut extreme = full.clone();
        extreme.gateways[0].course.memory = vec![Some(u32::MAX), None, Some(0)];
        extreme.gateways[0].course.healths = Health::ALL.into_iter().map(Some).collect();
        for (report, height) in [(full, 420), (empty, 420), (many, 1680), (extreme, 420)] {
            let png = png(&report, &zone).unwrap();
            let picture = Pixmap::decode_png(&png).unwrap();
            assert_eq!((picture.width(), picture.height()), (1200, height));
        }
    }

    #[test]
    fn an_outage_is_seen_and_stands_higher_than_health() {
        let picture = Pixmap::decode_png(&png(&sample::daily(), &TimeZone::UTC).unwrap()).unwrap();
        let at = |x: f32, y: f32| picture.pixel(pixels(x), pixels(y)).unwrap();
        let healths = &sample::daily().gateways[0].course.healths;
        let down = healths.iter().position(|health| *health == Some(Health::Down)).unwrap();
        let x = LEFT + (RIGHT - LEFT) / whole(healths.len()) * (whole(down) + 0.5);
        assert_eq!(at(x, BAND_TOP + 4.0).red(), 0xE0);
        assert_ne!(at(LEFT + 10.0, BAND_TOP + 4.0).red(), 0xE0);
    }

    #[test]
    fn the_picture_in_the_docs_is_what_is_drawn() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/img/report.png");
        let drawn = png(&sample::daily(), &TimeZone::UTC).unwrap();
        if std::env::var_os("RENEW_PICTURES").is_some() {
            std::fs::write(file, &drawn).unwrap();
        }
        let shown = Pixmap::decode_png(&std::fs::read(file).unwrap()).unwrap();
        let drawn = Pixmap::decode_png(&drawn).unwrap();
        // Another processor may round an edge otherwise.
        let differ = shown.data().iter().zip(drawn.data()).filter(|(one, other)| one.abs_diff(**other) > 8).count();
        assert!(
            shown.data().len() == drawn.data().len() && differ < 500,
            "renew it: RENEW_PICTURES=1 cargo test --lib chart"
        );
    }

    #[test]
    fn every_label_has_its_signs() {
        for text in ["0 MB", "1.5 GB", "23:59", "12-31"] {
            let (_, width) = outline(text, LABEL).unwrap();
            assert!(width > 30.0, "{text}");
        }
        assert_eq!((scale(700), scale(0), scale(2560)), ((1024, 256), (256, 64), (4096, 1024)));
    }
}
