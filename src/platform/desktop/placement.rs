//! Whether the icon can be seen, by where the system says that it is. macOS parks an item that is not allowed into the menu
//! bar, or for which there is no room, beyond the screens, and tells nobody.

/// A rectangle in points; the origin is the lower left corner of the first screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    /// Its left edge.
    pub left: f64,
    /// Its lower edge.
    pub bottom: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// Where an item and the screens are.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// The item.
    pub item: Rectangle,
    /// The screens.
    pub screens: Vec<Rectangle>,
}

/// How far below the upper edge of a screen its menu bar reaches at most, in points: 24 without a notch, 37 or 38 with one,
/// and more where the display is scaled.
const BAND: f64 = 60.0;

impl Placement {
    /// Whether the item's middle lies in the menu bar of some screen.
    #[must_use]
    pub fn is_in_a_menu_bar(&self) -> bool {
        let Rectangle { left, bottom, width, height } = self.item;
        let (across, up) = (left + width / 2.0, bottom + height / 2.0);
        width > 0.0
            && height > 0.0
            && self.screens.iter().any(|screen| {
                let top = screen.bottom + screen.height;
                (screen.left..=screen.left + screen.width).contains(&across) && (top - BAND..=top).contains(&up)
            })
    }
}

/// When it is looked whether the icon can be seen, in milliseconds after its start: a menu bar that has just come up
/// takes some seconds to find a place.
const LOOKS: [i64; 2] = [5_000, 20_000];

/// Looks for the icon a few times after the start, and tells once if it was never seen.
#[derive(Debug, Clone, Copy)]
pub struct Lookout {
    /// Of the awake clock, in milliseconds.
    began: i64,
    looks: usize,
}

impl Lookout {
    /// Begins at this time of the awake clock, in milliseconds.
    #[must_use]
    pub fn begin(awake: i64) -> Self {
        Self { began: awake, looks: 0 }
    }

    /// Looks if it is time for it; `true`, once: it was the last look, and the icon is not to be seen.
    pub fn look(&mut self, awake: i64, is_seen: impl FnOnce() -> bool) -> bool {
        let Some(due) = LOOKS.get(self.looks) else { return false };
        if awake.saturating_sub(self.began) < *due {
            return false;
        }
        if is_seen() {
            self.looks = LOOKS.len();
            return false;
        }
        self.looks += 1;
        self.looks == LOOKS.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rectangle(left: f64, bottom: f64, width: f64, height: f64) -> Rectangle {
        Rectangle { left, bottom, width, height }
    }

    #[test]
    fn an_item_is_seen_in_the_upper_band_of_any_screen() {
        let screens = vec![rectangle(0.0, 0.0, 1512.0, 982.0), rectangle(-1920.0, 200.0, 1920.0, 1080.0)];
        let seen = |item| Placement { item, screens: screens.clone() }.is_in_a_menu_bar();
        assert!(seen(rectangle(1100.0, 945.0, 30.0, 37.0)), "below a notch");
        assert!(seen(rectangle(-300.0, 1256.0, 30.0, 24.0)), "on the second screen");
        assert!(!seen(rectangle(-4000.0, 945.0, 30.0, 37.0)), "parked beside the screens");
        assert!(!seen(rectangle(0.0, -22.0, 30.0, 22.0)), "parked below");
        assert!(!seen(rectangle(1100.0, 400.0, 30.0, 24.0)), "in the middle");
        assert!(!seen(rectangle(1100.0, 945.0, 0.0, 0.0)), "without a size");
    }

    #[test]
    fn an_icon_that_is_never_seen_is_told_once() {
        let times = [0, 4_999, 5_000, 6_000, 19_999, 20_000, 21_000, 90_000];
        let mut lookout = Lookout::begin(1_000);
        let told: Vec<i64> = times.into_iter().filter(|time| lookout.look(1_000 + time, || false)).collect();
        assert_eq!(told, [20_000]);
        let mut lookout = Lookout::begin(0);
        assert!(!times.into_iter().any(|time| lookout.look(time, || time >= 20_000)), "late, and seen");
        let mut lookout = Lookout::begin(0);
        assert!(!times.into_iter().any(|time| lookout.look(time, || time == 5_000)), "seen once: a full menu bar");
    }

    #[test]
    fn without_a_screen_nothing_is_seen() {
        assert!(!Placement { item: rectangle(10.0, 10.0, 30.0, 24.0), screens: Vec::new() }.is_in_a_menu_bar());
    }
}
