//! Draws the app icon (`icons/`) and the contact sheet of all tray icons (`docs/img/icons.png`).
//!
//! `cargo run --example draw_icons`; the labels of the sheet are set by `convert` of `ImageMagick`.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use lifeguard::tray::icon::{Ink, SIZE, Shape, rgba};
use tiny_skia::{
    Color, FillRule, FilterQuality, GradientStop, LineCap, LineJoin, LinearGradient, Paint, PathBuilder, Pixmap,
    PixmapPaint, Point, PremultipliedColorU8, Rect, SpreadMode, Stroke, Transform,
};

/// Sizes that an `.icns` and a hicolor theme want.
const APP_SIZES: [u32; 7] = [16, 32, 64, 128, 256, 512, 1024];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for size in APP_SIZES {
        let icon = app_icon(size).ok_or("the app icon could not be drawn")?;
        icon.save_png(root.join(format!("icons/lifeguard-{size}.png")))?;
    }
    contact_sheet(&root.join("docs/img/icons.png"))
}

/// A lifebuoy on the sea, with a pulse inside.
fn app_icon(size: u32) -> Option<Pixmap> {
    let mut pixmap = Pixmap::new(size, size)?;
    #[expect(clippy::cast_precision_loss, reason = "icon sizes are far below 2^24")]
    let transform = Transform::from_scale(size as f32 / 1024.0, size as f32 / 1024.0);
    let mut paint = Paint { anti_alias: true, ..Paint::default() };

    // Apple's grid: an 824-pixel rounded square on a 1024-pixel canvas.
    paint.shader = LinearGradient::new(
        Point::from_xy(512.0, 100.0),
        Point::from_xy(512.0, 924.0),
        vec![
            GradientStop::new(0.0, Color::from_rgba8(0x2B, 0xA6, 0xC9, 0xFF)),
            GradientStop::new(1.0, Color::from_rgba8(0x0B, 0x3C, 0x6B, 0xFF)),
        ],
        SpreadMode::Pad,
        Transform::identity(),
    )?;
    pixmap.fill_path(&rounded_square(100.0, 824.0, 185.0)?, &paint, FillRule::Winding, transform, None);

    let ring = PathBuilder::from_circle(512.0, 512.0, 240.0)?;
    let shadow = Transform::from_translate(0.0, 14.0).post_concat(transform);
    paint.set_color(Color::from_rgba8(0x04, 0x1E, 0x38, 0x70));
    pixmap.stroke_path(&ring, &paint, &Stroke { width: 148.0, ..Stroke::default() }, shadow, None);
    paint.set_color(Color::from_rgba8(0xFF, 0xFF, 0xFF, 0xFF));
    pixmap.stroke_path(&ring, &paint, &Stroke { width: 144.0, ..Stroke::default() }, transform, None);

    paint.set_color(Color::from_rgba8(0xF0, 0x4E, 0x37, 0xFF));
    for quarter in [0.0_f32, 90.0, 180.0, 270.0] {
        let band = arc(240.0, quarter - 24.0, quarter + 24.0)?;
        pixmap.stroke_path(&band, &paint, &Stroke { width: 144.0, ..Stroke::default() }, transform, None);
    }

    let mut pulse = PathBuilder::new();
    pulse.move_to(388.0, 520.0);
    for (across, down) in [(456.0, 520.0), (490.0, 438.0), (538.0, 596.0), (568.0, 520.0), (636.0, 520.0)] {
        pulse.line_to(across, down);
    }
    paint.set_color(Color::WHITE);
    let line = Stroke { width: 34.0, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
    pixmap.stroke_path(&pulse.finish()?, &paint, &line, transform, None);
    Some(pixmap)
}

fn rounded_square(origin: f32, side: f32, radius: f32) -> Option<tiny_skia::Path> {
    let (near, far) = (origin, origin + side);
    // The distance at which a cubic curve comes closest to a quarter of a circle.
    let pull = radius * 0.447_7;
    let mut path = PathBuilder::new();
    path.move_to(near + radius, near);
    path.line_to(far - radius, near);
    path.cubic_to(far - pull, near, far, near + pull, far, near + radius);
    path.line_to(far, far - radius);
    path.cubic_to(far, far - pull, far - pull, far, far - radius, far);
    path.line_to(near + radius, far);
    path.cubic_to(near + pull, far, near, far - pull, near, far - radius);
    path.line_to(near, near + radius);
    path.cubic_to(near, near + pull, near + pull, near, near + radius, near);
    path.close();
    path.finish()
}

fn arc(radius: f32, from: f32, to: f32) -> Option<tiny_skia::Path> {
    let mut path = PathBuilder::new();
    let mut degrees = from;
    while degrees <= to {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let (across, down) = (512.0 + radius * cosine, 512.0 + radius * sine);
        if path.is_empty() {
            path.move_to(across, down);
        } else {
            path.line_to(across, down);
        }
        degrees += 1.0;
    }
    path.finish()
}

const LEFT: i32 = 190;
const TOP: i32 = 64;
const ROW: i32 = 64;
const COLUMN: i32 = 170;

/// How one column of the sheet shows the shapes.
struct Column {
    title: &'static str,
    ink: Ink,
    bar: (u8, u8, u8),
    /// A template's black is recoloured by the system: on a dark bar it turns white.
    recolour: Option<u8>,
}

const LIGHT: (u8, u8, u8) = (0xF2, 0xF2, 0xF4);
const DARK: (u8, u8, u8) = (0x1F, 0x21, 0x26);
const COLUMNS: [Column; 6] = [
    Column { title: "colour, light bar", ink: Ink::Colour, bar: LIGHT, recolour: None },
    Column { title: "colour, dark bar", ink: Ink::Colour, bar: DARK, recolour: None },
    Column { title: "template, light", ink: Ink::Template, bar: LIGHT, recolour: None },
    Column { title: "template, dark", ink: Ink::Template, bar: DARK, recolour: Some(0xFF) },
    Column { title: "grey, light bar", ink: Ink::Grey, bar: LIGHT, recolour: None },
    Column { title: "grey, dark bar", ink: Ink::Grey, bar: DARK, recolour: None },
];

fn label(shape: Shape) -> &'static str {
    match shape {
        Shape::Healthy => "healthy",
        Shape::Working => "starting, healing",
        Shape::Degraded => "degraded",
        Shape::Down => "down",
        Shape::SafeMode => "safe mode",
        Shape::Blocked => "needs you",
        Shape::Paused => "paused",
        Shape::Stopped => "stopped, no gateway",
        Shape::Stale => "not known (stale)",
    }
}

fn contact_sheet(path: &Path) -> Result<(), Box<dyn Error>> {
    let columns = i32::try_from(COLUMNS.len())?;
    let rows = i32::try_from(Shape::ALL.len())?;
    let (width, height) = (u32::try_from(LEFT + columns * COLUMN)?, u32::try_from(TOP + rows * ROW)?);
    let mut sheet = Pixmap::new(width, height).ok_or("no memory for the sheet")?;
    sheet.fill(Color::WHITE);
    let mut labels = Vec::new();
    for (index, column) in (0..).zip(&COLUMNS) {
        let left = LEFT + index * COLUMN;
        labels.push((left + 12, TOP - 22, column.title));
        let bar = i16::try_from(left).ok().zip(i16::try_from(TOP).ok());
        let (bar_left, bar_top) = bar.ok_or("the sheet is too wide")?;
        let (bar_width, bar_height) = (i16::try_from(COLUMN)?, i16::try_from(rows * ROW)?);
        let area = Rect::from_xywh(bar_left.into(), bar_top.into(), bar_width.into(), bar_height.into());
        let mut paint = Paint::default();
        paint.set_color_rgba8(column.bar.0, column.bar.1, column.bar.2, 0xFF);
        sheet.fill_rect(area.ok_or("an empty bar")?, &paint, Transform::identity(), None);
        for (row, shape) in (0..).zip(Shape::ALL) {
            let icon = pixmap(shape, column).ok_or("an icon could not be drawn")?;
            let top = TOP + row * ROW;
            // Full size (Retina) beside the 22 pixels of an ordinary display.
            sheet.draw_pixmap(left + 28, top + 10, icon.as_ref(), &PixmapPaint::default(), Transform::identity(), None);
            let half = PixmapPaint { quality: FilterQuality::Bilinear, ..PixmapPaint::default() };
            let place = Transform::from_scale(0.5, 0.5);
            sheet.draw_pixmap((left + 104) * 2, (top + 21) * 2, icon.as_ref(), &half, place, None);
        }
    }
    for (row, shape) in (0..).zip(Shape::ALL) {
        labels.push((16, TOP + row * ROW + 38, label(shape)));
    }
    annotate(&sheet, &labels, path)
}

fn pixmap(shape: Shape, column: &Column) -> Option<Pixmap> {
    let mut pixmap = Pixmap::new(SIZE, SIZE)?;
    let pixels = rgba(shape, column.ink, SIZE);
    for (target, source) in pixmap.pixels_mut().iter_mut().zip(pixels.chunks(4)) {
        let [red, green, blue] = column.recolour.map_or([source[0], source[1], source[2]], |tone| [tone; 3]);
        let alpha = source[3];
        let multiply = |part: u8| u8::try_from(u16::from(part) * u16::from(alpha) / 255).unwrap_or(alpha);
        *target = PremultipliedColorU8::from_rgba(multiply(red), multiply(green), multiply(blue), alpha)?;
    }
    Some(pixmap)
}

fn annotate(sheet: &Pixmap, labels: &[(i32, i32, &str)], path: &Path) -> Result<(), Box<dyn Error>> {
    let plain = tempfile::Builder::new().suffix(".png").tempfile()?;
    sheet.save_png(plain.path())?;
    let mut convert = Command::new("convert");
    convert.arg(plain.path()).args(["-font", "DejaVu-Sans", "-pointsize", "15", "-fill", "#24292f"]);
    for (across, down, text) in labels {
        convert.args(["-annotate", &format!("+{across}+{down}"), text]);
    }
    let status = convert.args(["-strip", "+dither", "-colors", "255"]).arg(path).status()?;
    if status.success() { Ok(()) } else { Err(format!("convert: {status}").into()) }
}
