//! The three clocks, read together and handed to the core: it never reads one itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One reading of the three clocks, in milliseconds.
///
/// `awake` and `elapsed` count from the machine's boot, so two readings compare across a restart of
/// Lifeguard on the same boot. They are signed because a state that was saved before a reboot is shifted
/// onto the new boot's clocks, where its moments lie before zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Time that the machine was awake: stands still in sleep, never steps.
    pub awake: i64,
    /// Time that passed, sleep included: never steps.
    pub elapsed: i64,
    /// Unix time. Steps whenever somebody sets the clock: for people to read, and to compare with files' times, never for
    /// deciding on heals and alerts.
    pub wall: i64,
}

impl Moment {
    /// Awake time since `earlier`; zero if `earlier` lies ahead.
    #[must_use]
    pub fn awake_since(self, earlier: Self) -> Duration {
        difference(self.awake, earlier.awake)
    }

    /// Time since `earlier`, sleep included; zero if `earlier` lies ahead.
    #[must_use]
    pub fn elapsed_since(self, earlier: Self) -> Duration {
        difference(self.elapsed, earlier.elapsed)
    }

    /// The moment that lies `wait` ahead of this one, if nothing sleeps in between.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        let wait = milliseconds(wait);
        Self {
            awake: self.awake.saturating_add(wait),
            elapsed: self.elapsed.saturating_add(wait),
            wall: self.wall.saturating_add(wait),
        }
    }

    /// The moment that lies `back` before this one, if nothing slept in between.
    #[must_use]
    pub fn before(self, back: Duration) -> Self {
        let back = milliseconds(back);
        Self {
            awake: self.awake.saturating_sub(back),
            elapsed: self.elapsed.saturating_sub(back),
            wall: self.wall.saturating_sub(back),
        }
    }

    /// Moves a moment of an earlier boot onto this boot's clocks; the wall clock stays as it was.
    #[must_use]
    pub fn shifted(self, shift: Shift) -> Self {
        Self {
            awake: self.awake.saturating_add(shift.awake),
            elapsed: self.elapsed.saturating_add(shift.elapsed),
            wall: self.wall,
        }
    }
}

/// How far the boot clocks moved between two boots, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Added to [`Moment::awake`].
    pub awake: i64,
    /// Added to [`Moment::elapsed`].
    pub elapsed: i64,
}

/// Whole milliseconds of a duration, capped at the largest `i64`.
#[must_use]
pub fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn difference(later: i64, earlier: i64) -> Duration {
    Duration::from_millis(u64::try_from(later.saturating_sub(earlier)).unwrap_or(0))
}
