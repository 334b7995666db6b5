//! The crash counter: up by one per crash, down by one per spell of health, zero after six quiet hours.

use serde::{Deserialize, Serialize};

use super::limits::Window;
use super::moment::{Moment, Shift};
use super::policy::Policy;

/// Counts crashes: unexpected ends, confirmed outages, failed attempts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CrashCounter {
    count: u32,
    last: Option<Moment>,
    /// The last moment at which the counter fell, or the spell of health began.
    decayed: Option<Moment>,
    recent: Window,
}

impl CrashCounter {
    /// The count: 0 to the policy's limit.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Counts one crash.
    pub fn strike(&mut self, now: Moment, policy: &Policy) {
        self.count = self.count.saturating_add(1).min(policy.crash_limit);
        self.last = Some(now);
        self.decayed = None;
        self.recent.note(now, policy.crash_window);
    }

    /// Crashes within `span` before `now`, however much the counter has decayed since.
    #[must_use]
    pub fn recent(&self, now: Moment, span: std::time::Duration) -> u32 {
        self.recent.count(now, span)
    }

    /// Takes one crash back that proved to be none of the gateway's fault.
    pub fn forgive(&mut self) {
        self.count = self.count.saturating_sub(1);
        self.recent.take_back();
    }

    /// Whether crashes are too many, by count or by rate.
    #[must_use]
    pub fn is_exceeded(&self, now: Moment, policy: &Policy) -> bool {
        self.count >= policy.crash_limit || self.recent.count(now, policy.crash_window) >= policy.crash_limit
    }

    /// Lets time work: `healthy_since` is the begin of the unbroken spell of health, if one lasts.
    pub fn settle(&mut self, now: Moment, healthy_since: Option<Moment>, policy: &Policy) {
        if self.count == 0 {
            return;
        }
        if self.last.is_some_and(|last| now.elapsed_since(last) >= policy.crash_reset) {
            self.clear();
            return;
        }
        let Some(healthy_since) = healthy_since else {
            self.decayed = None;
            return;
        };
        // A fall within an earlier spell says nothing of this one, even if nobody saw that spell end.
        let from = self.decayed.filter(|decayed| decayed.awake >= healthy_since.awake).unwrap_or(healthy_since);
        if now.awake_since(from) >= policy.decay_interval {
            self.count -= 1;
            self.decayed = Some(now);
        }
    }

    /// When the counter will be zero if no crash comes: by the long reset.
    #[must_use]
    pub fn clears(&self, policy: &Policy) -> Option<Moment> {
        if self.count == 0 { None } else { self.last.map(|last| last.after(policy.crash_reset)) }
    }

    /// Back to zero.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Moves every stamp onto the clocks of another boot.
    pub fn shift(&mut self, shift: Shift) {
        self.last = self.last.map(|last| last.shifted(shift));
        self.decayed = self.decayed.map(|decayed| decayed.shifted(shift));
        self.recent.shift(shift);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Moment {
        let millis = seconds * 1_000;
        Moment { awake: millis, elapsed: millis, wall: millis }
    }

    #[test]
    fn the_counter_falls_by_one_per_half_hour_of_health() {
        let policy = Policy::default();
        let mut counter = CrashCounter::default();
        counter.strike(at(0), &policy);
        counter.strike(at(1), &policy);
        let healthy = Some(at(10));
        counter.settle(at(10 + 1_799), healthy, &policy);
        assert_eq!(counter.count(), 2);
        counter.settle(at(10 + 1_800), healthy, &policy);
        assert_eq!(counter.count(), 1);
        counter.settle(at(10 + 3_599), healthy, &policy);
        assert_eq!(counter.count(), 1);
        counter.settle(at(10 + 3_600), healthy, &policy);
        assert_eq!(counter.count(), 0);
    }

    #[test]
    fn six_hours_without_a_crash_clear_it_even_while_down() {
        let policy = Policy::default();
        let mut counter = CrashCounter::default();
        for second in 0..6 {
            counter.strike(at(second), &policy);
        }
        counter.settle(at(5 + 6 * 3_600 - 1), None, &policy);
        assert_eq!(counter.count(), 6);
        counter.settle(at(5 + 6 * 3_600), None, &policy);
        assert_eq!(counter.count(), 0);
    }

    #[test]
    fn slow_flapping_is_exceeded_by_rate_although_the_counter_decays() {
        let policy = Policy { decay_interval: Duration::from_secs(30), ..Policy::default() };
        let mut counter = CrashCounter::default();
        for crash in 0..6 {
            let now = at(crash * 300);
            counter.strike(now, &policy);
            for second in 0..299 {
                counter.settle(at(crash * 300 + second), Some(now), &policy);
            }
            assert_eq!(counter.count(), 0, "it decays between two crashes");
        }
        assert!(counter.is_exceeded(at(1_799), &policy));
        assert!(!counter.is_exceeded(at(3_600), &policy), "the first crash has left the window");
    }

    proptest! {
        #[test]
        fn the_count_stays_within_its_bounds(
            events in proptest::collection::vec((0_i64..4_000, any::<bool>()), 1..200),
        ) {
            let policy = Policy::default();
            let mut counter = CrashCounter::default();
            let mut seconds = 0;
            let mut healthy = None;
            for (gap, crash) in events {
                seconds += gap;
                if crash {
                    counter.strike(at(seconds), &policy);
                    healthy = None;
                } else {
                    healthy.get_or_insert(at(seconds));
                }
                counter.settle(at(seconds), healthy, &policy);
                prop_assert!(counter.count() <= policy.crash_limit);
            }
        }
    }
}
