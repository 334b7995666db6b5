//! The icon as pixels, drawn from the state alone: one silhouette per group of states, so that it can be read
//! without colour; colour only repeats what the shape says.

use tiny_skia::{
    BlendMode, Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash,
    Transform,
};

use crate::supervisor::verdict::Health;

/// Width and height in pixels: 22 points at two pixels each, the height of a macOS menu-bar icon.
pub const SIZE: u32 = 44;

/// The grid on which the shapes are laid out, whatever the size they are drawn at.
const GRID: f32 = 44.0;
const CENTRE: f32 = GRID / 2.0;
const LIFEBUOY_RADIUS: f32 = 13.6;
const LIFEBUOY_WIDTH: f32 = 10.2;

/// What is to be told apart at a glance. States that ask the same of a person share a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A whole lifebuoy.
    Healthy,
    /// A turning arrow: on its way up, or being healed.
    Working,
    /// A lifebuoy with a quarter missing, and an exclamation mark in its place.
    Degraded,
    /// A disc with a cross.
    Down,
    /// A shield with a bar.
    SafeMode,
    /// A triangle with an exclamation mark.
    Blocked,
    /// A ring with two bars.
    Paused,
    /// A square within a square: stopped, or not there at all.
    Stopped,
    /// A broken ring with a question mark.
    Stale,
}

/// What the shapes are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ink {
    /// A colour for each shape, of middle lightness: it shows on light and on dark bars.
    Colour,
    /// Black and transparent, for a system that recolours the icon to fit its bar (macOS).
    Template,
    /// One grey that shows on light and on dark bars, for systems that draw the icon as it is.
    Grey,
}

impl Shape {
    /// Every shape, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Healthy,
        Self::Working,
        Self::Degraded,
        Self::Down,
        Self::SafeMode,
        Self::Blocked,
        Self::Paused,
        Self::Stopped,
        Self::Stale,
    ];

    /// The shape of a state.
    #[must_use]
    pub fn of(health: Health) -> Self {
        match health {
            Health::Healthy => Self::Healthy,
            Health::Starting | Health::Healing => Self::Working,
            Health::Degraded => Self::Degraded,
            Health::Down => Self::Down,
            Health::SafeMode => Self::SafeMode,
            Health::Blocked => Self::Blocked,
            Health::Paused => Self::Paused,
            Health::Stopped | Health::NotInstalled => Self::Stopped,
            Health::Stale => Self::Stale,
        }
    }

    fn colour(self) -> Color {
        let (red, green, blue) = match self {
            Self::Healthy => (0x2E, 0xA4, 0x4F),
            Self::Working => (0x2F, 0x81, 0xE8),
            Self::Degraded => (0xE3, 0x8B, 0x06),
            Self::Down => (0xE0, 0x3A, 0x3E),
            Self::SafeMode => (0x96, 0x5C, 0xDE),
            Self::Blocked => (0xE0, 0x3A, 0x3E),
            Self::Paused => (0x5B, 0x86, 0xA8),
            Self::Stopped | Self::Stale => (0x86, 0x8C, 0x95),
        };
        Color::from_rgba8(red, green, blue, 0xFF)
    }
}

impl Ink {
    /// The ink for the configuration's `tray.monochrome` on this system.
    #[must_use]
    pub fn choose(monochrome: bool) -> Self {
        match (monochrome, cfg!(target_os = "macos")) {
            (false, _) => Self::Colour,
            (true, true) => Self::Template,
            (true, false) => Self::Grey,
        }
    }

    fn colour(self, shape: Shape) -> Color {
        match self {
            Self::Colour => shape.colour(),
            Self::Template => Color::BLACK,
            Self::Grey => Color::from_rgba8(0x84, 0x8A, 0x93, 0xFF),
        }
    }
}

/// The icon of a shape as `size` × `size` pixels, straight (not premultiplied) RGBA.
#[must_use]
pub fn rgba(shape: Shape, ink: Ink, size: u32) -> Vec<u8> {
    let Some(mut pixmap) = Pixmap::new(size.max(1), size.max(1)) else { return Vec::new() };
    #[expect(clippy::cast_precision_loss, reason = "icon sizes are far below 2^24")]
    let scale = size as f32 / GRID;
    Canvas { pixmap: &mut pixmap, transform: Transform::from_scale(scale, scale), colour: ink.colour(shape) }
        .shape(shape);
    pixmap
        .pixels()
        .iter()
        .flat_map(|pixel| {
            let straight = pixel.demultiply();
            [straight.red(), straight.green(), straight.blue(), straight.alpha()]
        })
        .collect()
}

/// One drawing in one colour; "cutting" makes pixels transparent again.
struct Canvas<'a> {
    pixmap: &'a mut Pixmap,
    transform: Transform,
    colour: Color,
}

/// Whether a path puts colour down or takes it away.
#[derive(Clone, Copy)]
enum Mode {
    Draw,
    Cut,
}

impl Canvas<'_> {
    fn shape(&mut self, shape: Shape) {
        match shape {
            Shape::Healthy => self.lifebuoy(),
            Shape::Working => self.turning_arrow(),
            Shape::Degraded => {
                self.stroke_with(
                    arc(LIFEBUOY_RADIUS, 0.0, 270.0),
                    &Stroke { width: LIFEBUOY_WIDTH, line_cap: LineCap::Butt, ..Stroke::default() },
                    Mode::Draw,
                );
                self.band(-1.0, 1.0);
                self.exclamation(32.4, 1.8, 17.6, 5.4, Mode::Draw);
            }
            Shape::Down => {
                self.fill(PathBuilder::from_circle(CENTRE, CENTRE, 18.5), Mode::Draw);
                self.stroke(polyline(&[(15.0, 15.0), (29.0, 29.0)]), 5.6, Mode::Cut);
                self.stroke(polyline(&[(29.0, 15.0), (15.0, 29.0)]), 5.6, Mode::Cut);
            }
            Shape::SafeMode => {
                self.fill(shield(), Mode::Draw);
                self.stroke(polyline(&[(15.0, 20.5), (29.0, 20.5)]), 5.6, Mode::Cut);
            }
            Shape::Blocked => {
                let corners = polygon(&[(22.0, 6.5), (39.0, 36.5), (5.0, 36.5)]);
                self.fill(corners.clone(), Mode::Draw);
                self.stroke(corners, 5.0, Mode::Draw);
                self.exclamation(22.0, 14.0, 20.5, 5.0, Mode::Cut);
            }
            Shape::Paused => {
                self.thin_ring();
                self.stroke(polyline(&[(17.0, 16.0), (17.0, 28.0)]), 5.4, Mode::Draw);
                self.stroke(polyline(&[(27.0, 16.0), (27.0, 28.0)]), 5.4, Mode::Draw);
            }
            Shape::Stopped => {
                self.stroke(rectangle(7.5, 7.5, 36.5, 36.5), 4.4, Mode::Draw);
                self.fill(rectangle(15.5, 15.5, 28.5, 28.5), Mode::Draw);
            }
            Shape::Stale => {
                self.broken_ring();
                self.question();
            }
        }
    }

    /// A thick ring with four bands, left open.
    fn lifebuoy(&mut self) {
        self.stroke(PathBuilder::from_circle(CENTRE, CENTRE, LIFEBUOY_RADIUS), LIFEBUOY_WIDTH, Mode::Draw);
        for (across, down) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
            self.band(across, down);
        }
    }

    /// Opens the lifebuoy along a diagonal, towards the given corner.
    fn band(&mut self, across: f32, down: f32) {
        let (near, far) = (4.0, 16.0);
        let diagonal =
            polyline(&[(CENTRE + across * near, CENTRE + down * near), (CENTRE + across * far, CENTRE + down * far)]);
        self.stroke_with(diagonal, &Stroke { width: 3.4, line_cap: LineCap::Butt, ..Stroke::default() }, Mode::Cut);
    }

    fn turning_arrow(&mut self) {
        let (radius, from, to) = (13.4, 12.0, 282.0_f32);
        self.stroke_with(
            arc(radius, from, to),
            &Stroke { width: 6.6, line_cap: LineCap::Butt, ..Stroke::default() },
            Mode::Draw,
        );
        let (sine, cosine) = to.to_radians().sin_cos();
        let at = |outwards: f32, ahead: f32| {
            let outwards = radius + outwards;
            (CENTRE + outwards * cosine - ahead * sine, CENTRE + outwards * sine + ahead * cosine)
        };
        let head = polygon(&[at(6.6, 0.0), at(-6.6, 0.0), at(0.0, 9.6)]);
        self.fill(head.clone(), Mode::Draw);
        self.stroke(head, 2.0, Mode::Draw);
        self.fill(PathBuilder::from_circle(CENTRE, CENTRE, 4.4), Mode::Draw);
    }

    fn thin_ring(&mut self) {
        self.stroke(PathBuilder::from_circle(CENTRE, CENTRE, 16.4), 4.2, Mode::Draw);
    }

    fn broken_ring(&mut self) {
        let radius = 16.4;
        let dash = std::f32::consts::TAU * radius / 8.0;
        let stroke = Stroke {
            width: 4.2,
            line_cap: LineCap::Butt,
            dash: StrokeDash::new(vec![dash * 0.58, dash * 0.42], dash * 0.29),
            ..Stroke::default()
        };
        self.stroke_with(PathBuilder::from_circle(CENTRE, CENTRE, radius), &stroke, Mode::Draw);
    }

    fn exclamation(&mut self, across: f32, top: f32, height: f32, width: f32, mode: Mode) {
        let half = width / 2.0;
        let bottom = top + height;
        self.stroke(polyline(&[(across, top + half), (across, bottom - width * 1.75)]), width, mode);
        self.fill(PathBuilder::from_circle(across, bottom - half, half * 1.06), mode);
    }

    fn question(&mut self) {
        let mut hook = PathBuilder::new();
        hook.move_to(17.4, 18.6);
        hook.cubic_to(17.4, 12.4, 26.8, 12.2, 26.8, 18.2);
        hook.cubic_to(26.8, 21.6, 22.1, 21.4, 22.1, 25.2);
        self.stroke(hook.finish(), 4.2, Mode::Draw);
        self.fill(PathBuilder::from_circle(22.1, 31.2, 2.5), Mode::Draw);
    }

    fn fill(&mut self, path: Option<Path>, mode: Mode) {
        let paint = self.paint(mode);
        if let Some(path) = path {
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, self.transform, None);
        }
    }

    fn stroke(&mut self, path: Option<Path>, width: f32, mode: Mode) {
        let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.stroke_with(path, &stroke, mode);
    }

    fn stroke_with(&mut self, path: Option<Path>, stroke: &Stroke, mode: Mode) {
        let paint = self.paint(mode);
        if let Some(path) = path {
            self.pixmap.stroke_path(&path, &paint, stroke, self.transform, None);
        }
    }

    fn paint(&self, mode: Mode) -> Paint<'static> {
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        match mode {
            Mode::Draw => paint.set_color(self.colour),
            Mode::Cut => paint.blend_mode = BlendMode::DestinationOut,
        }
        paint
    }
}

fn polyline(points: &[(f32, f32)]) -> Option<Path> {
    lines(points, false)
}

fn polygon(points: &[(f32, f32)]) -> Option<Path> {
    lines(points, true)
}

fn lines(points: &[(f32, f32)], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = points.split_first()?;
    builder.move_to(first.0, first.1);
    for (across, down) in rest {
        builder.line_to(*across, *down);
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

fn rectangle(left: f32, top: f32, right: f32, bottom: f32) -> Option<Path> {
    Rect::from_ltrb(left, top, right, bottom).map(PathBuilder::from_rect)
}

/// Part of a circle around the centre, clockwise, in degrees from three o'clock.
fn arc(radius: f32, from: f32, to: f32) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let mut degrees = from;
    while degrees <= to {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let (across, down) = (CENTRE + radius * cosine, CENTRE + radius * sine);
        if builder.is_empty() {
            builder.move_to(across, down);
        } else {
            builder.line_to(across, down);
        }
        degrees += 2.0;
    }
    builder.finish()
}

fn shield() -> Option<Path> {
    let mut builder = PathBuilder::new();
    builder.move_to(22.0, 2.5);
    builder.cubic_to(27.0, 6.0, 32.5, 7.5, 38.0, 7.8);
    builder.cubic_to(39.0, 22.0, 34.5, 34.5, 22.0, 41.5);
    builder.cubic_to(9.5, 34.5, 5.0, 22.0, 6.0, 7.8);
    builder.cubic_to(11.5, 7.5, 17.0, 6.0, 22.0, 2.5);
    builder.close();
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(shape: Shape) -> Vec<bool> {
        rgba(shape, Ink::Template, 22).chunks(4).map(|pixel| pixel[3] > 127).collect()
    }

    #[test]
    fn every_icon_has_the_size_that_the_systems_expect() {
        for shape in Shape::ALL {
            assert_eq!(rgba(shape, Ink::Colour, SIZE).len(), 44 * 44 * 4);
        }
    }

    #[test]
    fn any_two_shapes_differ_by_silhouette_alone_even_at_22_pixels() {
        for (index, one) in Shape::ALL.into_iter().enumerate() {
            for other in Shape::ALL.into_iter().skip(index + 1) {
                let differing = covered(one).iter().zip(covered(other)).filter(|(a, b)| **a != *b).count();
                assert!(differing >= 40, "{one:?} and {other:?} differ in {differing} of 484 pixels only");
            }
        }
    }

    #[test]
    fn no_shape_is_cut_off_at_the_edge() {
        for shape in Shape::ALL {
            let pixels = rgba(shape, Ink::Template, SIZE);
            let alpha = |across: usize, down: usize| pixels[(down * SIZE as usize + across) * 4 + 3];
            for step in 0..SIZE as usize {
                let edge = SIZE as usize - 1;
                let border = [alpha(step, 0), alpha(step, edge), alpha(0, step), alpha(edge, step)];
                assert!(border.iter().all(|alpha| *alpha == 0), "{shape:?} touches the border");
            }
        }
    }

    #[test]
    fn a_template_is_black_and_the_colours_are_not() {
        for shape in Shape::ALL {
            let black = |ink| rgba(shape, ink, SIZE).chunks(4).all(|pixel| pixel[..3] == [0, 0, 0]);
            assert!(black(Ink::Template));
            assert!(!black(Ink::Colour));
            assert!(!black(Ink::Grey));
        }
    }
}
