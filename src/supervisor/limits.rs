//! Sliding-window limits: at most so many of a thing in any window of a length.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::moment::{Moment, Shift};

/// When the newest things happened, oldest first. Windows are measured in awake time, which is the stricter
/// clock: sleep does not free a place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Window {
    stamps: Vec<Moment>,
}

impl Window {
    /// Notes one at `now`, and forgets those that `span` has left behind.
    pub fn note(&mut self, now: Moment, span: Duration) {
        self.stamps.retain(|stamp| now.awake_since(*stamp) < span);
        self.stamps.push(now);
    }

    /// How many happened within `span` before `now`.
    #[must_use]
    pub fn count(&self, now: Moment, span: Duration) -> u32 {
        let count = self.stamps.iter().filter(|stamp| now.awake_since(**stamp) < span).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// How long from `now` until another one fits: zero if it does already.
    #[must_use]
    pub fn wait(&self, now: Moment, limit: u32, span: Duration) -> Duration {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).max(1);
        let Some(index) = self.stamps.len().checked_sub(limit) else { return Duration::ZERO };
        self.stamps.get(index).map_or(Duration::ZERO, |oldest| span.saturating_sub(now.awake_since(*oldest)))
    }

    /// Takes the newest one back: it did not come to pass.
    pub fn take_back(&mut self) {
        self.stamps.pop();
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.stamps.clear();
    }

    /// Moves every stamp onto the clocks of another boot.
    pub fn shift(&mut self, shift: Shift) {
        for stamp in &mut self.stamps {
            *stamp = stamp.shifted(shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(awake: i64) -> Moment {
        Moment { awake, elapsed: awake, wall: awake }
    }

    proptest! {
        #[test]
        fn waiting_as_told_never_exceeds_the_limit(
            limit in 1_u32..6,
            gaps in proptest::collection::vec(0_i64..400_000, 1..60),
        ) {
            let span = Duration::from_mins(5);
            let mut window = Window::default();
            let mut now = at(0);
            let mut taken: Vec<Moment> = Vec::new();
            for gap in gaps {
                now = at(now.awake + gap);
                let wait = window.wait(now, limit, span);
                now = now.after(wait);
                window.note(now, span);
                taken.push(now);
                let inside = taken.iter().filter(|stamp| now.awake_since(**stamp) < span).count();
                prop_assert!(inside <= limit as usize, "{inside} in one window");
                prop_assert_eq!(window.count(now, span) as usize, inside);
            }
        }
    }

    #[test]
    fn an_empty_window_lets_everything_in() {
        assert_eq!(Window::default().wait(at(0), 3, Duration::from_mins(5)), Duration::ZERO);
    }
}
