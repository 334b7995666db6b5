//! What one channel has still to tell, and when it may try. Pure: time and chance come in.
//!
//! An alert stays until the receiving side has confirmed it, is refused for what it says, or is a day old.

use std::collections::VecDeque;
use std::time::Duration;

use super::GatewayAlert;
use super::channel::Failure;
use super::route::same_incident;
use crate::supervisor::event::{AlertKind, Level};
use crate::supervisor::moment::milliseconds;

/// Alerts that wait at most.
pub const CAPACITY: usize = 100;
/// An alert older than this interests nobody any more.
pub const MAX_AGE: Duration = Duration::from_hours(24);
/// A server that asks for more patience than this is asked again anyway.
const LONGEST_ASKED_WAIT: Duration = Duration::from_hours(1);

/// How patiently a channel tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Wait after the first failure; doubles with each further one.
    pub first: Duration,
    /// Longest wait of the doubling.
    pub longest: Duration,
    /// After failing for so long, or when the channel is refused for good …
    pub patience: Duration,
    /// … it is tried only once in this time: late perhaps, never hammering.
    pub slow: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            longest: Duration::from_mins(5),
            patience: Duration::from_mins(30),
            slow: Duration::from_mins(30),
        }
    }
}

/// One alert that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number of the entry; grows for ever.
    pub number: u64,
    /// When it was put in, in milliseconds on the injected clock.
    pub queued: i64,
    /// What to tell.
    pub alert: GatewayAlert,
}

/// The alerts that wait, oldest first.
#[derive(Debug, Clone)]
pub struct Outbox {
    pace: Pace,
    entries: VecDeque<Entry>,
    numbers: u64,
    failures: u32,
    failing_since: Option<i64>,
    attempt_at: i64,
}

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self { pace, entries: VecDeque::new(), numbers: 0, failures: 0, failing_since: None, attempt_at: i64::MIN }
    }

    /// Puts an alert in; gives back the one that had to make room, if any.
    pub fn push(&mut self, alert: GatewayAlert, now: i64) -> Option<GatewayAlert> {
        self.numbers += 1;
        self.entries.push_back(Entry { number: self.numbers, queued: now, alert });
        if self.entries.len() <= CAPACITY {
            return None;
        }
        let place = self.least_needed();
        self.entries.remove(place).map(|entry| entry.alert)
    }

    /// The alert to try now, if any may be tried.
    #[must_use]
    pub fn ready(&self, now: i64) -> Option<&Entry> {
        self.entries.front().filter(|_| self.attempt_at <= now)
    }

    /// When the next attempt may be made; `None` if nothing waits.
    #[must_use]
    pub fn next_attempt(&self) -> Option<i64> {
        (!self.entries.is_empty()).then_some(self.attempt_at)
    }

    /// Alerts that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The receiving side confirmed an entry.
    pub fn delivered(&mut self, number: u64) {
        self.entries.retain(|entry| entry.number != number);
        self.works_again();
    }

    /// The channel has shown that it works: what waits may go at once.
    pub fn works_again(&mut self) {
        self.failures = 0;
        self.failing_since = None;
        self.attempt_at = i64::MIN;
    }

    /// An attempt failed. `chance` (0 to 1) spreads the attempts of many machines.
    pub fn failed(&mut self, number: u64, failure: &Failure, now: i64, chance: f64) {
        if let Failure::Rejected(_) | Failure::Gone = failure {
            self.entries.retain(|entry| entry.number != number);
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let since = *self.failing_since.get_or_insert(now);
        let tired = now.saturating_sub(since) >= milliseconds(self.pace.patience);
        let own = if tired || matches!(failure, Failure::Parked(_)) { self.pace.slow } else { self.doubled() };
        let wait = match failure {
            // A server that names a time knows best; one that goes on naming short ones does not.
            Failure::Later { after: Some(asked), .. } if self.failures <= 3 => (*asked).min(LONGEST_ASKED_WAIT),
            Failure::Later { after: Some(asked), .. } => own.max((*asked).min(LONGEST_ASKED_WAIT)),
            _ => own,
        };
        self.attempt_at = now.saturating_add(milliseconds(wait.mul_f64(1.0 + 0.2 * chance.clamp(0.0, 1.0))));
    }

    /// The next attempt may be made at once.
    pub fn hurry(&mut self) {
        self.attempt_at = i64::MIN;
    }

    /// Takes out what is too old.
    pub fn expire(&mut self, now: i64) -> Vec<GatewayAlert> {
        let limit = milliseconds(MAX_AGE);
        let mut expired = Vec::new();
        while let Some(entry) = self.entries.pop_front_if(|entry| now.saturating_sub(entry.queued) > limit) {
            expired.push(entry.alert);
        }
        expired
    }

    fn doubled(&self) -> Duration {
        let factor = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        self.pace.first.saturating_mul(factor).min(self.pace.longest)
    }

    /// The entry that is missed least: first a `down` whose `recovered` waits behind it and tells the whole story,
    /// then the oldest that is neither critical nor a recovery, then the oldest. Never the one being tried.
    fn least_needed(&self) -> usize {
        let later = || self.entries.iter().enumerate().skip(1);
        let folded = later().find(|(_, entry)| {
            matches!(entry.alert.alert.kind, AlertKind::Down { .. } | AlertKind::Degraded { .. })
                && self.entries.iter().any(|other| {
                    matches!(other.alert.alert.kind, AlertKind::Recovered { .. })
                        && same_incident(&other.alert, &entry.alert)
                })
        });
        let minor = || {
            later().find(|(_, entry)| {
                entry.alert.alert.kind.level() != Level::Critical
                    && !matches!(entry.alert.alert.kind, AlertKind::Recovered { .. })
            })
        };
        folded.or_else(minor).map_or(1, |(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::sample;
    use crate::text::problem::{Problem, RemoteProblem};

    fn later() -> Failure {
        Failure::later(remote(RemoteProblem::Unreachable))
    }

    fn remote(problem: RemoteProblem) -> Problem {
        Problem::Remote { service: "Discord", problem }
    }

    fn seconds(milliseconds: i64) -> i64 {
        milliseconds / 1000
    }

    #[test]
    fn an_alert_stays_until_it_is_confirmed() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(sample::down(1), 0);
        let number = outbox.ready(0).unwrap().number;
        outbox.failed(number, &later(), 0, 0.0);
        assert!(outbox.ready(1_999).is_none());
        assert_eq!(outbox.ready(2_000).unwrap().alert, sample::down(1));
        outbox.delivered(number);
        assert!(outbox.is_empty());
        assert_eq!(outbox.next_attempt(), None);
    }

    #[test]
    fn the_waits_double_and_then_become_slow() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(sample::down(1), 0);
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..16 {
            outbox.failed(1, &later(), now, 0.0);
            let next = outbox.next_attempt().unwrap();
            waits.push(seconds(next - now));
            now = next;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300, 1800, 1800, 1800]);
    }

    #[test]
    fn the_server_is_obeyed_but_not_for_ever() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(sample::down(1), 0);
        let limited = |wait| Failure::Later { problem: remote(RemoteProblem::RateLimited(wait)), after: Some(wait) };
        outbox.failed(1, &limited(Duration::from_secs(77)), 0, 0.0);
        assert_eq!(outbox.next_attempt(), Some(77_000));
        outbox.failed(1, &limited(Duration::from_secs(1_000_000)), 0, 0.0);
        assert_eq!(outbox.next_attempt(), Some(3_600_000));
        for _ in 0..6 {
            outbox.failed(1, &limited(Duration::ZERO), 0, 0.0);
        }
        assert!(outbox.next_attempt().unwrap() >= 100_000, "a server that always says `at once` is not hammered");
    }

    #[test]
    fn a_refused_channel_is_tried_slowly_and_a_refused_alert_never_again() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(sample::down(1), 0);
        outbox.push(sample::recovered(1), 0);
        outbox.failed(1, &Failure::Parked(remote(RemoteProblem::Unknown)), 0, 0.0);
        assert_eq!(outbox.next_attempt(), Some(1_800_000));
        outbox.failed(1, &Failure::Rejected(remote(RemoteProblem::Unknown)), 0, 0.0);
        assert_eq!(outbox.len(), 1);
        outbox.works_again();
        assert_eq!(outbox.ready(0).unwrap().alert, sample::recovered(1));
    }

    #[test]
    fn a_full_outbox_folds_what_is_missed_least() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(sample::down(0), 0);
        outbox.push(sample::down(1), 0);
        outbox.push(sample::test(), 0);
        outbox.push(sample::down(2), 0);
        for id in 3..CAPACITY as u64 - 3 {
            outbox.push(sample::down(id), 0);
        }
        outbox.push(sample::recovered(2), 0);
        assert_eq!(outbox.len(), CAPACITY - 1);
        assert_eq!(outbox.push(sample::safe_mode(1000), 0), None);
        assert_eq!(outbox.push(sample::safe_mode(1001), 0), Some(sample::down(2)), "its recovery tells it");
        assert_eq!(outbox.push(sample::safe_mode(1002), 0), Some(sample::test()));
        assert_eq!(outbox.push(sample::safe_mode(1003), 0), Some(sample::down(1)), "the oldest but the one in hand");
    }

    #[test]
    fn what_is_a_day_old_expires() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(sample::down(1), 0);
        outbox.push(sample::down(2), 1);
        assert!(outbox.expire(milliseconds(MAX_AGE)).is_empty());
        assert_eq!(outbox.expire(milliseconds(MAX_AGE) + 1), [sample::down(1)]);
        assert_eq!(outbox.len(), 1);
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_an_attempt_is_always_ahead(
            pushes in 0_usize..300,
            failures in 0_u32..200,
            chance in 0.0_f64..1.0,
        ) {
            let mut outbox = Outbox::new(Pace::default());
            for id in 0..pushes {
                outbox.push(sample::down(id as u64), 0);
            }
            prop_assert!(outbox.len() <= CAPACITY);
            for _ in 0..failures {
                outbox.failed(1, &later(), 0, chance);
            }
            if let Some(next) = outbox.next_attempt() {
                prop_assert!(next <= 2_160_000, "at most half an hour and the jitter");
            }
        }
    }
}
