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
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, each stored by itself")]
pub struct Entry {
    /// Number of the delivery; grows for ever.
    pub number: i64,
    /// When it was put in, in milliseconds on the injected clock.
    pub queued: i64,
    /// What to tell.
    pub alert: GatewayAlert,
    /// It changes the incident's message instead of making a new one.
    pub edit: bool,
    /// It stands for alerts of the incident that could not be sent.
    pub folded: bool,
    /// A request was sent, and nobody knows whether it arrived.
    pub unsure: bool,
    /// A request is on its way.
    pub in_hand: bool,
}

impl Entry {
    /// Nobody can have received it.
    fn is_untouched(&self) -> bool {
        !self.unsure && !self.in_hand
    }

    fn tells_outage(&self) -> bool {
        let kind = &self.alert.alert.kind;
        let outage = matches!(
            kind,
            AlertKind::Down { .. }
                | AlertKind::Degraded { .. }
                | AlertKind::SafeMode { .. }
                | AlertKind::Blocked { .. }
                | AlertKind::ConfigSuspect { .. }
        );
        outage && !self.edit
    }
}

/// The alerts that wait, oldest first.
#[derive(Debug, Clone)]
pub struct Outbox {
    pace: Pace,
    entries: VecDeque<Entry>,
    failures: u32,
    failing_since: Option<i64>,
    attempt_at: i64,
}

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self { pace, entries: VecDeque::new(), failures: 0, failing_since: None, attempt_at: i64::MIN }
    }

    /// Makes room for what an alert of the same incident makes obsolete: a newer change replaces the one that waits,
    /// and a recovery tells of all that could not be sent. Gives what was taken out; if a message of its own was
    /// among it, the entry to come is [`Entry::folded`].
    pub fn fold(&mut self, alert: &GatewayAlert, edit: bool) -> Vec<Entry> {
        let recovered = matches!(alert.alert.kind, AlertKind::Recovered { .. });
        let obsolete = |entry: &Entry| {
            let replaced = entry.edit && (edit || recovered);
            entry.is_untouched()
                && same_incident(&entry.alert, alert)
                && (replaced || (recovered && !edit && entry.tells_outage()))
        };
        let (folded, rest) = std::mem::take(&mut self.entries).into_iter().partition(obsolete);
        self.entries = rest;
        Vec::from(folded)
    }

    /// Puts an entry in; gives back the one that had to make room, if any.
    pub fn push(&mut self, entry: Entry) -> Option<Entry> {
        self.entries.push_back(entry);
        if self.entries.len() <= CAPACITY {
            return None;
        }
        let place = self.least_needed();
        self.entries.remove(place)
    }

    /// Whether a message of its own about the alert's incident waits or is on its way.
    #[must_use]
    pub fn has_outage(&self, alert: &GatewayAlert) -> bool {
        self.entries.iter().any(|entry| entry.tells_outage() && same_incident(&entry.alert, alert))
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

    /// A request is about to be sent.
    pub fn claim(&mut self, number: i64) {
        if let Some(entry) = self.find(number) {
            entry.in_hand = true;
        }
    }

    /// An entry is over: confirmed, or not worth telling.
    pub fn remove(&mut self, number: i64) {
        self.entries.retain(|entry| entry.number != number);
    }

    /// The channel has shown that it works: what waits may go at once.
    pub fn works_again(&mut self) {
        self.failures = 0;
        self.failing_since = None;
        self.attempt_at = i64::MIN;
    }

    /// An attempt failed. `chance` (0 to 1) spreads the attempts of many machines.
    pub fn failed(&mut self, number: i64, failure: &Failure, now: i64, chance: f64) {
        if let Failure::Rejected(_) | Failure::Gone = failure {
            self.remove(number);
            return;
        }
        if let Some(entry) = self.find(number) {
            entry.in_hand = false;
            entry.unsure |= matches!(failure, Failure::Unsure(_));
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
    pub fn expire(&mut self, now: i64) -> Vec<Entry> {
        let limit = milliseconds(MAX_AGE);
        let mut expired = Vec::new();
        while let Some(entry) = self.entries.pop_front_if(|entry| now.saturating_sub(entry.queued) > limit) {
            expired.push(entry);
        }
        expired
    }

    fn find(&mut self, number: i64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.number == number)
    }

    fn doubled(&self) -> Duration {
        let factor = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        self.pace.first.saturating_mul(factor).min(self.pace.longest)
    }

    /// The entry that is missed least: first a change of a message, then a `down` whose `recovered` waits behind it
    /// and tells the whole story, then the oldest that is neither critical nor a recovery, then the oldest. Never the
    /// one being tried.
    fn least_needed(&self) -> usize {
        let later = || self.entries.iter().enumerate().skip(1).filter(|(_, entry)| !entry.in_hand);
        let change = later().find(|(_, entry)| entry.edit);
        let told_elsewhere = || {
            later().find(|(_, entry)| {
                matches!(entry.alert.alert.kind, AlertKind::Down { .. } | AlertKind::Degraded { .. })
                    && self.entries.iter().any(|other| {
                        matches!(other.alert.alert.kind, AlertKind::Recovered { .. })
                            && same_incident(&other.alert, &entry.alert)
                    })
            })
        };
        let minor = || {
            later().find(|(_, entry)| {
                entry.alert.alert.kind.level() != Level::Critical
                    && !matches!(entry.alert.alert.kind, AlertKind::Recovered { .. })
            })
        };
        change.or_else(told_elsewhere).or_else(minor).map_or(1, |(place, _)| place)
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

    fn entry(number: i64, alert: GatewayAlert, queued: i64) -> Entry {
        Entry { number, queued, alert, edit: false, folded: false, unsure: false, in_hand: false }
    }

    fn seconds(milliseconds: i64) -> i64 {
        milliseconds / 1000
    }

    #[test]
    fn an_alert_stays_until_it_is_confirmed() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(entry(1, sample::down(1), 0));
        let number = outbox.ready(0).unwrap().number;
        outbox.failed(number, &later(), 0, 0.0);
        assert!(outbox.ready(1_999).is_none());
        assert_eq!(outbox.ready(2_000).unwrap().alert, sample::down(1));
        outbox.remove(number);
        assert!(outbox.is_empty());
        assert_eq!(outbox.next_attempt(), None);
    }

    #[test]
    fn the_waits_double_and_then_become_slow() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(entry(1, sample::down(1), 0));
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
        outbox.push(entry(1, sample::down(1), 0));
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
        outbox.push(entry(1, sample::down(1), 0));
        outbox.push(entry(2, sample::recovered(1), 0));
        outbox.failed(1, &Failure::Parked(remote(RemoteProblem::Unknown(404))), 0, 0.0);
        assert_eq!(outbox.next_attempt(), Some(1_800_000));
        outbox.failed(1, &Failure::Rejected(remote(RemoteProblem::Unknown(404))), 0, 0.0);
        assert_eq!(outbox.len(), 1);
        outbox.works_again();
        assert_eq!(outbox.ready(0).unwrap().alert, sample::recovered(1));
    }

    #[test]
    fn a_full_outbox_folds_what_is_missed_least() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(entry(1, sample::down(0), 0));
        outbox.push(entry(1, sample::down(1), 0));
        outbox.push(entry(1, sample::test(), 0));
        outbox.push(entry(1, sample::down(2), 0));
        for id in 3..CAPACITY as u64 - 3 {
            outbox.push(entry(1, sample::down(id), 0));
        }
        outbox.push(entry(1, sample::recovered(2), 0));
        assert_eq!(outbox.len(), CAPACITY - 1);
        let mut push = |id| outbox.push(entry(1, sample::safe_mode(id), 0)).map(|entry| entry.alert);
        assert_eq!(push(1000), None);
        assert_eq!(push(1001), Some(sample::down(2)), "its recovery tells it");
        assert_eq!(push(1002), Some(sample::test()));
        assert_eq!(push(1003), Some(sample::down(1)), "the oldest but the one in hand");
    }

    #[test]
    fn what_is_a_day_old_expires() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(entry(1, sample::down(1), 0));
        outbox.push(entry(1, sample::down(2), 1));
        assert!(outbox.expire(milliseconds(MAX_AGE)).is_empty());
        let expired = outbox.expire(milliseconds(MAX_AGE) + 1);
        assert_eq!(expired.into_iter().map(|entry| entry.alert).collect::<Vec<_>>(), [sample::down(1)]);
        assert_eq!(outbox.len(), 1);
    }

    #[test]
    fn a_recovery_tells_of_what_could_not_be_sent_but_never_of_what_may_have_arrived() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(entry(1, sample::down(1), 0));
        outbox.push(entry(2, sample::safe_mode(1), 0));
        outbox.push(entry(3, sample::down(2), 0));
        outbox.claim(1);
        let numbers = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.number).collect::<Vec<_>>();
        assert_eq!(numbers(outbox.fold(&sample::recovered(1), false)), [2]);
        outbox.failed(1, &Failure::Unsure(remote(RemoteProblem::Cut)), 0, 0.0);
        assert!(outbox.fold(&sample::recovered(1), false).is_empty(), "it may have arrived");
        assert_eq!(numbers(outbox.fold(&sample::recovered(2), false)), [3]);
        assert_eq!(outbox.len(), 1);
    }

    #[test]
    fn a_newer_change_of_a_message_replaces_the_one_that_waits() {
        let mut outbox = Outbox::new(Pace::default());
        outbox.push(entry(1, sample::down(1), 0));
        outbox.push(Entry { edit: true, ..entry(2, sample::progress(1), 0) });
        assert_eq!(outbox.fold(&sample::progress(1), true).len(), 1);
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
                outbox.push(entry(1, sample::down(id as u64), 0));
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
