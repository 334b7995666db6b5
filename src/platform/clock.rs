//! The machine's clocks, each in milliseconds.

use rustix::time::{ClockId, clock_gettime};

/// Awake time since boot: stands still in sleep. Linux: `CLOCK_MONOTONIC`.
#[must_use]
pub fn awake() -> i64 {
    read(ClockId::Monotonic)
}

/// Time since boot, sleep included. Linux: `CLOCK_BOOTTIME`. macOS: `CLOCK_MONOTONIC`, which "will continue to
/// increment while the system is asleep" (`clock_gettime(3)`).
#[must_use]
pub fn elapsed() -> i64 {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    read(clock)
}

/// Unix time.
#[must_use]
pub fn wall() -> i64 {
    read(ClockId::Realtime)
}

fn read(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
