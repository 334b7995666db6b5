//! The machine's clocks, each in milliseconds.

use rustix::time::{ClockId, clock_gettime};

use super::system;

/// Awake time since boot: stands still in sleep. Linux: `CLOCK_MONOTONIC`. macOS: `CLOCK_UPTIME_RAW`.
#[must_use]
pub fn awake() -> i64 {
    system::awake()
}

/// Time since boot, sleep included. Linux: `CLOCK_BOOTTIME`. macOS: `CLOCK_MONOTONIC_RAW`, which goes on "while
/// the system is asleep" and is never adjusted (`clock_gettime(3)`).
#[must_use]
pub fn elapsed() -> i64 {
    system::elapsed()
}

/// Unix time.
#[must_use]
pub fn wall() -> i64 {
    let time = clock_gettime(ClockId::Realtime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
