//! What is not told one by one but gathered for a digest: a storm, and what comes while nobody is to be disturbed.
//! Pure: time comes in.
//!
//! | | told at once | the digest comes |
//! | --- | --- | --- |
//! | more than 5 in 10 min | `safe_mode`, `blocked`, what somebody asked for | 10 min after the first that was gathered |
//! | muted, quiet hours | the same | when they end |

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::GatewayAlert;
use crate::supervisor::event::{AlertKind, DigestEntry, DigestReason};
use crate::supervisor::moment::milliseconds;

/// The window in which alerts are counted, and the time that a storm's digest takes.
const WINDOW: Duration = Duration::from_mins(10);
/// Lines of a digest at most; what is beyond is only counted.
const LINES: usize = 50;

/// What one channel gathers: this outlives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Gatherer {
    /// When the newest alerts were told.
    told: VecDeque<i64>,
    /// When the first entry was gathered.
    since: Option<i64>,
    hushed: bool,
    entries: Vec<DigestEntry>,
    more: u32,
}

/// A digest that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Why it was gathered.
    pub reason: DigestReason,
    /// The alerts, the oldest first.
    pub entries: Vec<DigestEntry>,
    /// Further ones.
    pub more: u32,
}

impl Gatherer {
    /// Whether an alert is to be told now; if not, it is gathered. So many alerts in 10 min are `calm`; `hushed`:
    /// nobody is to be disturbed.
    pub fn admit(&mut self, alert: &GatewayAlert, now: i64, calm: usize, hushed: bool) -> bool {
        if is_exempt(&alert.alert.kind) {
            return true;
        }
        let window = milliseconds(WINDOW);
        while self.told.pop_front_if(|told| now.saturating_sub(*told) >= window).is_some() {}
        if hushed || self.since.is_some() || self.told.len() >= calm {
            self.gather(alert, now);
            self.hushed |= hushed;
            return false;
        }
        self.told.push_back(now);
        true
    }

    /// The digest, once it is due.
    pub fn due(&mut self, now: i64, hushed: bool) -> Option<Digest> {
        let due = if hushed { false } else { self.hushed || self.next_due().is_some_and(|due| due <= now) };
        if !due {
            return None;
        }
        let reason = if self.hushed { DigestReason::Quiet } else { DigestReason::Storm };
        let gathered = std::mem::take(self);
        self.told = gathered.told;
        (!gathered.entries.is_empty()).then_some(Digest { reason, entries: gathered.entries, more: gathered.more })
    }

    /// When a storm's digest is due; the end of a quiet time is known elsewhere.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.since.filter(|_| !self.hushed).map(|since| since.saturating_add(milliseconds(WINDOW)))
    }

    /// Moves every moment by so many milliseconds: onto the clock of another boot.
    pub fn shift(&mut self, by: i64) {
        for moment in self.told.iter_mut().chain(&mut self.since) {
            *moment = moment.saturating_add(by);
        }
    }

    fn gather(&mut self, alert: &GatewayAlert, now: i64) {
        self.since.get_or_insert(now);
        let incident = alert.alert.incident.as_ref().map(|incident| incident.id);
        if incident.is_some() {
            // Later news of the same incident says more than what went before.
            self.entries.retain(|entry| entry.incident != incident || entry.gateway != alert.gateway);
        }
        if self.entries.len() >= LINES {
            self.more = self.more.saturating_add(1);
            return;
        }
        self.entries.push(DigestEntry {
            gateway: alert.gateway.clone(),
            practice: alert.practice,
            incident,
            at: alert.alert.at,
            kind: alert.alert.kind.clone(),
        });
    }
}

/// What is never gathered.
fn is_exempt(kind: &AlertKind) -> bool {
    matches!(
        kind,
        AlertKind::SafeMode { .. }
            | AlertKind::Blocked { .. }
            | AlertKind::Progress { .. }
            | AlertKind::RestartFinished { .. }
            | AlertKind::Report(_)
            | AlertKind::Digest { .. }
            | AlertKind::Test
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::sample;

    const MINUTE: i64 = 60_000;
    const CALM: usize = 5;

    #[test]
    fn a_storm_is_told_as_one() {
        let mut gatherer = Gatherer::default();
        for incident in 0..5 {
            assert!(gatherer.admit(&sample::down(incident), 0, CALM, false));
        }
        for incident in 5..9 {
            assert!(!gatherer.admit(&sample::down(incident), MINUTE, CALM, false));
        }
        assert!(!gatherer.admit(&sample::recovered(8), 2 * MINUTE, CALM, false));
        assert_eq!(gatherer.next_due(), Some(11 * MINUTE));
        assert_eq!(gatherer.due(11 * MINUTE - 1, false), None);
        let digest = gatherer.due(11 * MINUTE, false).unwrap();
        assert_eq!((digest.reason, digest.entries.len(), digest.more), (DigestReason::Storm, 4, 0));
        assert_eq!(digest.entries[3].kind.name(), "recovered", "it stands for its outage");
        assert_eq!(gatherer.due(i64::MAX, false), None);
        assert!(gatherer.admit(&sample::down(10), 12 * MINUTE, CALM, false), "calm again");
    }

    #[test]
    fn five_in_ten_minutes_are_no_storm() {
        let mut gatherer = Gatherer::default();
        for incident in 0..100 {
            assert!(gatherer.admit(
                &sample::down(incident),
                i64::try_from(incident).unwrap() * 2 * MINUTE,
                CALM,
                false
            ));
        }
    }

    #[test]
    fn quiet_hours_swallow_nothing_and_never_hold_what_cannot_wait() {
        let mut gatherer = Gatherer::default();
        assert!(!gatherer.admit(&sample::down(1), 0, CALM, true));
        for alert in [sample::safe_mode(1), sample::blocked(2), sample::test(), sample::restart_finished()] {
            assert!(gatherer.admit(&alert, MINUTE, CALM, true));
        }
        assert!(!gatherer.admit(&sample::recovered(1), 2 * MINUTE, CALM, true));
        assert_eq!(gatherer.due(600 * MINUTE, true), None);
        let digest = gatherer.due(600 * MINUTE, false).unwrap();
        assert_eq!((digest.reason, digest.entries.len()), (DigestReason::Quiet, 1));
    }

    #[test]
    fn a_storm_that_runs_into_the_night_waits_for_the_morning() {
        let mut gatherer = Gatherer::default();
        for incident in 0..6 {
            gatherer.admit(&sample::down(incident), 0, CALM, false);
        }
        assert!(!gatherer.admit(&sample::down(7), MINUTE, CALM, true));
        assert_eq!(gatherer.due(30 * MINUTE, true), None);
        assert_eq!(gatherer.due(30 * MINUTE, false).unwrap().entries.len(), 2);
    }

    proptest! {
        #[test]
        fn nobody_is_told_more_than_five_and_a_digest_in_ten_minutes_and_nothing_is_lost(
            gaps in prop::collection::vec(0..3 * MINUTE, 1..120),
            nights in prop::collection::vec(any::<bool>(), 1..120),
        ) {
            let mut gatherer = Gatherer::default();
            let (mut now, mut told, mut digests, mut listed) = (0, Vec::new(), Vec::new(), 0_usize);
            for (incident, gap) in gaps.iter().enumerate() {
                now += gap;
                let hushed = nights[incident % nights.len()];
                if let Some(digest) = gatherer.due(now, hushed) {
                    digests.push(now);
                    listed += digest.entries.len() + digest.more as usize;
                }
                if gatherer.admit(&sample::down(incident as u64), now, CALM, hushed) {
                    told.push(now);
                }
            }
            if let Some(digest) = gatherer.due(now + 20 * MINUTE, false) {
                listed += digest.entries.len() + digest.more as usize;
            }
            prop_assert_eq!(told.len() + listed, gaps.len());
            prop_assert!(told.windows(6).all(|six| six[5] - six[0] >= 10 * MINUTE));
        }
    }
}
