//! Virtual time: a count of awake milliseconds that never goes back, and the three clocks that are made of it.

use lifeguard::supervisor::moment::Moment;

/// Awake milliseconds since the history began. The queue of things to come is ordered by it.
pub(crate) type Time = i64;

/// A second of it.
pub(crate) const SECOND: Time = 1_000;
/// A minute of it.
pub(crate) const MINUTE: Time = 60 * SECOND;
/// An hour of it.
pub(crate) const HOUR: Time = 60 * MINUTE;

/// How long the machine had been up when the history began.
const UPTIME: i64 = 1_000_000;

/// The machine's clocks.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Awake time.
    pub(crate) now: Time,
    /// Begin of this boot.
    boot: Time,
    /// Sleep since this boot.
    slept: i64,
    /// What the wall clock is ahead of `now`.
    wall: i64,
    boots: u32,
    /// Time that has really passed, sleep and the time between two boots included.
    passed: Time,
    /// How often somebody has set the wall clock.
    pub(crate) steps: u32,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { now: 0, boot: -UPTIME, slept: 0, wall: 1_790_000_000_000, boots: 0, passed: 0, steps: 0 }
    }

    /// The three clocks, read together.
    pub(crate) fn moment(&self) -> Moment {
        let awake = self.now - self.boot;
        Moment { awake, elapsed: awake + self.slept, wall: self.now + self.wall }
    }

    /// Time that has really passed since the history began.
    pub(crate) fn passed(&self) -> Time {
        self.now + self.passed
    }

    /// The machine sleeps for so long.
    pub(crate) fn sleep(&mut self, length: Time) {
        self.slept += length;
        self.wall += length;
        self.passed += length;
    }

    /// Somebody sets the wall clock.
    pub(crate) fn step_wall(&mut self, by: i64) {
        self.wall += by;
        self.steps += 1;
    }

    /// The machine starts anew, after being off for so long.
    pub(crate) fn reboot(&mut self, off: Time) {
        self.boot = self.now - 20 * SECOND;
        self.slept = 0;
        self.wall += off;
        self.passed += off;
        self.boots += 1;
    }

    /// Names this boot.
    pub(crate) fn boot_name(&self) -> String {
        format!("boot-{}", self.boots)
    }
}
