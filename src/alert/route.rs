//! Whether, and when, one channel is to be told: dedupe by incident, cooldown by kind. Pure: time comes in.
//!
//! | kind | rule |
//! | --- | --- |
//! | `down`, `degraded` | once per incident; within the cooldown of its kind (and gateway) it is *held*, not lost: told when the cooldown ends, unless the incident is over by then |
//! | `safe_mode`, `blocked`, `config_suspect` | always told, at once; they stand for a `down` that is still held |
//! | `recovered` | once per incident, at once, if this channel was told anything of the incident; of an incident that began before Lifeguard started, too |
//! | `progress` | only where a message can change: on what this channel was told of the incident |
//! | `restart_finished`, `test` | always told: somebody asked |
//! | `daily`, `weekly` | always told: they are due once |
//!
//! A fallback is told only `down`, `safe_mode` and `blocked`, each after others had their time to receipt it, and the
//! `recovered` of what it was told.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::GatewayAlert;
use crate::supervisor::event::{AlertKind, Level};
use crate::supervisor::moment::milliseconds;

/// Incidents that are remembered. Far more than can be open at a time; a forgotten one is treated as unknown.
const MEMORY: usize = 256;

/// What is to be done with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Tell it now.
    Tell,
    /// [`Router::due`] gives it back at this time (milliseconds on the injected clock), if it still matters.
    Hold {
        /// When.
        until: i64,
    },
    /// Never tell it.
    Drop(Reason),
}

/// Why an alert is never told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// This channel was told already.
    Repeated,
    /// The incident ended before its `down` came out of the cooldown.
    OverBeforeTold,
    /// News of an incident that this channel was told nothing of.
    Untold,
    /// This channel is told only what cannot wait.
    NotUrgent,
}

impl Reason {
    /// The reason in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
            Self::OverBeforeTold => "over_before_told",
            Self::Untold => "untold",
            Self::NotUrgent => "not_urgent",
        }
    }
}

/// What one channel knows of one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    gateway: String,
    incident: u64,
    told: Told,
    recovered: bool,
}

/// The worst that a channel was told of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Nothing,
    Degraded,
    Down,
    Escalated,
}

/// When one kind of alert was told last of one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Newest {
    gateway: String,
    kind: String,
    told: i64,
}

/// An alert that waits for the end of a cooldown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    until: i64,
    alert: GatewayAlert,
}

/// What a channel remembers: this outlives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    known: VecDeque<Known>,
    newest: Vec<Newest>,
    held: Vec<Held>,
}

impl Memory {
    /// Moves every moment by so many milliseconds: onto the clock of another boot.
    pub fn shift(&mut self, by: i64) {
        for newest in &mut self.newest {
            newest.told = newest.told.saturating_add(by);
        }
        for held in &mut self.held {
            held.until = held.until.saturating_add(by);
        }
    }
}

/// The routing of one channel.
#[derive(Debug, Clone)]
pub struct Router {
    cooldown: Duration,
    critical_cooldown: Duration,
    /// This is a fallback: others have so long to deliver what is critical.
    patience: Option<Duration>,
    memory: Memory,
}

impl Router {
    /// A channel that remembers this much.
    #[must_use]
    pub fn new(cooldown: Duration, critical_cooldown: Duration, memory: Memory) -> Self {
        Self { cooldown, critical_cooldown, patience: None, memory }
    }

    /// The same as a fallback: told only what is critical and what others have not receipted after `patience`.
    #[must_use]
    pub fn fallback(self, patience: Option<Duration>) -> Self {
        Self { patience, ..self }
    }

    /// What is to outlive a restart.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Decides on an alert that was just announced. `now` is in milliseconds on a clock that never steps.
    pub fn admit(&mut self, alert: &GatewayAlert, now: i64) -> Decision {
        match &alert.alert.kind {
            AlertKind::Test => Decision::Tell,
            AlertKind::RestartFinished { .. }
            | AlertKind::Memory { .. }
            | AlertKind::Renewed { .. }
            | AlertKind::Report(_)
            | AlertKind::Check(_)
            | AlertKind::Digest { .. } => {
                if self.patience.is_some() {
                    Decision::Drop(Reason::NotUrgent)
                } else {
                    Decision::Tell
                }
            }
            AlertKind::Degraded { .. } | AlertKind::ConfigSuspect { .. } if self.patience.is_some() => {
                Decision::Drop(Reason::NotUrgent)
            }
            AlertKind::Down { .. } | AlertKind::SafeMode { .. } | AlertKind::Blocked { .. }
                if self.patience.is_some() =>
            {
                self.hold_for_others(alert, now)
            }
            AlertKind::SafeMode { .. } | AlertKind::Blocked { .. } | AlertKind::ConfigSuspect { .. } => {
                self.release(alert);
                if let Some(known) = self.know(alert) {
                    known.told = Told::Escalated;
                }
                Decision::Tell
            }
            AlertKind::Progress { .. } => {
                let told = self.know(alert).is_some_and(|known| known.told > Told::Nothing && !known.recovered);
                if told { Decision::Tell } else { Decision::Drop(Reason::Untold) }
            }
            AlertKind::Recovered { .. } => self.admit_recovery(alert),
            AlertKind::Down { .. } | AlertKind::Degraded { .. } => self.admit_outage(alert, now),
        }
    }

    /// Gives back what was held and is now to be told. On a fallback, `receipted` says what another channel has
    /// delivered: that is forgotten.
    pub fn due(&mut self, now: i64, receipted: impl Fn(&GatewayAlert) -> bool) -> Vec<GatewayAlert> {
        let held = std::mem::take(&mut self.memory.held);
        let (due, held): (Vec<_>, Vec<_>) = held.into_iter().partition(|held| held.until <= now);
        self.memory.held = held;
        let needed = |alert: &GatewayAlert| self.patience.is_none() || !receipted(alert);
        let due: Vec<GatewayAlert> = due.into_iter().map(|held| held.alert).filter(needed).collect();
        for alert in &due {
            self.note_told(alert, now);
        }
        due
    }

    /// When [`Router::due`] has something to give.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.memory.held.iter().map(|held| held.until).min()
    }

    /// Waits for another channel's receipt.
    fn hold_for_others(&mut self, alert: &GatewayAlert, now: i64) -> Decision {
        let tells = worst_of(alert);
        if self.know(alert).is_some_and(|known| known.recovered || known.told > tells) {
            return Decision::Drop(Reason::Repeated);
        }
        let until = now.saturating_add(milliseconds(self.patience.unwrap_or_default()));
        self.memory.held.push(Held { until, alert: alert.clone() });
        Decision::Hold { until }
    }

    fn admit_recovery(&mut self, alert: &GatewayAlert) -> Decision {
        let was_held = self.release(alert);
        let fallback = self.patience.is_some();
        let Some(known) = self.know(alert) else { return Decision::Tell };
        if known.recovered {
            return Decision::Drop(Reason::Repeated);
        }
        known.recovered = true;
        if (was_held || fallback) && known.told == Told::Nothing {
            Decision::Drop(Reason::OverBeforeTold)
        } else {
            Decision::Tell
        }
    }

    fn admit_outage(&mut self, alert: &GatewayAlert, now: i64) -> Decision {
        let tells = worst_of(alert);
        if let Some(known) = self.know(alert)
            && (known.recovered || known.told >= tells)
        {
            return Decision::Drop(Reason::Repeated);
        }
        let waits =
            |held: &Held| same_incident(&held.alert, alert) && held.alert.alert.kind.name() == alert.alert.kind.name();
        if self.memory.held.iter().any(waits) {
            return Decision::Drop(Reason::Repeated);
        }
        // What is held of the same gateway is older news: this one says more.
        self.memory.held.retain(|held| held.alert.gateway != alert.gateway);
        let cooldown = milliseconds(self.cooldown_of(alert));
        let until = self.newest(alert).map_or(now, |newest| newest.told.saturating_add(cooldown));
        if until > now {
            self.memory.held.push(Held { until, alert: alert.clone() });
            return Decision::Hold { until };
        }
        self.note_told(alert, now);
        Decision::Tell
    }

    fn cooldown_of(&self, alert: &GatewayAlert) -> Duration {
        if alert.alert.kind.level() == Level::Critical { self.critical_cooldown } else { self.cooldown }
    }

    fn note_told(&mut self, alert: &GatewayAlert, now: i64) {
        let (gateway, kind) = (alert.gateway.clone(), alert.alert.kind.name().to_owned());
        match self.newest(alert) {
            Some(newest) => newest.told = now,
            None => self.memory.newest.push(Newest { gateway, kind, told: now }),
        }
        if let Some(known) = self.know(alert) {
            known.told = known.told.max(worst_of(alert));
        }
    }

    /// Forgets what is held of the alert's incident; says whether there was anything.
    fn release(&mut self, alert: &GatewayAlert) -> bool {
        let before = self.memory.held.len();
        self.memory.held.retain(|held| !same_incident(&held.alert, alert));
        self.memory.held.len() < before
    }

    fn newest(&mut self, alert: &GatewayAlert) -> Option<&mut Newest> {
        let kind = alert.alert.kind.name();
        self.memory.newest.iter_mut().find(|newest| newest.gateway == alert.gateway && newest.kind == kind)
    }

    /// The record of the alert's incident; a new one if there is none.
    fn know(&mut self, alert: &GatewayAlert) -> Option<&mut Known> {
        let incident = alert.alert.incident.as_ref()?.id;
        let all = &mut self.memory.known;
        let place = all.iter().position(|known| known.incident == incident && known.gateway == alert.gateway);
        if let Some(place) = place {
            return all.get_mut(place);
        }
        if all.len() >= MEMORY {
            all.pop_front();
        }
        all.push_back(Known { gateway: alert.gateway.clone(), incident, told: Told::Nothing, recovered: false });
        all.back_mut()
    }
}

fn worst_of(alert: &GatewayAlert) -> Told {
    match alert.alert.kind {
        AlertKind::Down { .. } => Told::Down,
        AlertKind::SafeMode { .. } | AlertKind::Blocked { .. } => Told::Escalated,
        _ => Told::Degraded,
    }
}

/// Whether two alerts belong to the same incident; those that belong to none never do.
pub(super) fn same_incident(one: &GatewayAlert, other: &GatewayAlert) -> bool {
    match (&one.alert.incident, &other.alert.incident) {
        (Some(first), Some(second)) => first.id == second.id && one.gateway == other.gateway,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::sample;

    const MINUTE: i64 = 60_000;

    /// Nothing was delivered elsewhere.
    fn nowhere(_: &GatewayAlert) -> bool {
        false
    }

    #[test]
    fn a_fallback_is_told_what_nobody_has_receipted_in_time() {
        let fallback = || router().fallback(Some(Duration::from_mins(2)));
        let mut router = fallback();
        assert_eq!(router.admit(&sample::down(1), 0), Decision::Hold { until: 2 * MINUTE });
        assert!(router.due(2 * MINUTE - 1, nowhere).is_empty());
        assert_eq!(router.due(2 * MINUTE, nowhere), [sample::down(1)]);
        assert_eq!(router.admit(&sample::recovered(1), 3 * MINUTE), Decision::Tell);

        let mut router = fallback();
        router.admit(&sample::down(1), 0);
        assert!(router.due(2 * MINUTE, |_| true).is_empty(), "delivered elsewhere");
        router.admit(&sample::safe_mode(1), 5 * MINUTE);
        assert_eq!(router.due(7 * MINUTE, nowhere), [sample::safe_mode(1)]);

        let mut router = fallback();
        router.admit(&sample::down(1), 0);
        assert_eq!(router.admit(&sample::recovered(1), MINUTE), Decision::Drop(Reason::OverBeforeTold));
        assert!(router.due(i64::MAX, nowhere).is_empty());
        assert_eq!(router.admit(&sample::degraded(2), 0), Decision::Drop(Reason::NotUrgent));
        assert_eq!(router.admit(&sample::test(), 0), Decision::Tell);
    }

    fn router() -> Router {
        Router::new(Duration::from_mins(30), Duration::from_mins(5), Memory::default())
    }

    #[test]
    fn an_incident_is_told_once_down_and_once_recovered() {
        let mut router = router();
        assert_eq!(router.admit(&sample::down(1), 0), Decision::Tell);
        assert_eq!(router.admit(&sample::down(1), MINUTE), Decision::Drop(Reason::Repeated));
        assert_eq!(router.admit(&sample::recovered(1), MINUTE), Decision::Tell);
        assert_eq!(router.admit(&sample::recovered(1), MINUTE), Decision::Drop(Reason::Repeated));
    }

    #[test]
    fn a_second_incident_within_the_cooldown_is_held_and_told_later() {
        let mut router = router();
        router.admit(&sample::down(1), 0);
        router.admit(&sample::recovered(1), MINUTE);
        assert_eq!(router.admit(&sample::down(2), 2 * MINUTE), Decision::Hold { until: 5 * MINUTE });
        assert_eq!(router.next_due(), Some(5 * MINUTE));
        assert!(router.due(5 * MINUTE - 1, nowhere).is_empty());
        assert_eq!(router.due(5 * MINUTE, nowhere), [sample::down(2)]);
        assert_eq!(router.next_due(), None);
        assert_eq!(router.admit(&sample::recovered(2), 6 * MINUTE), Decision::Tell);
    }

    #[test]
    fn an_incident_that_is_over_before_it_could_be_told_is_never_told() {
        let mut router = router();
        router.admit(&sample::down(1), 0);
        router.admit(&sample::recovered(1), MINUTE);
        router.admit(&sample::down(2), 2 * MINUTE);
        assert_eq!(router.admit(&sample::recovered(2), 3 * MINUTE), Decision::Drop(Reason::OverBeforeTold));
        assert!(router.due(10 * MINUTE, nowhere).is_empty());
    }

    #[test]
    fn an_escalation_breaks_the_cooldown_and_owes_a_recovery() {
        let mut router = router();
        router.admit(&sample::down(1), 0);
        router.admit(&sample::recovered(1), MINUTE);
        router.admit(&sample::down(2), 2 * MINUTE);
        assert_eq!(router.admit(&sample::safe_mode(2), 3 * MINUTE), Decision::Tell);
        assert!(router.due(10 * MINUTE, nowhere).is_empty(), "the escalation stands for the held down");
        assert_eq!(router.admit(&sample::blocked(2), 3 * MINUTE), Decision::Tell);
        assert_eq!(router.admit(&sample::recovered(2), 4 * MINUTE), Decision::Tell);
    }

    #[test]
    fn the_recovery_of_an_incident_from_before_the_start_is_told() {
        assert_eq!(router().admit(&sample::recovered(7), 0), Decision::Tell);
    }

    #[test]
    fn kinds_and_gateways_have_cooldowns_of_their_own() {
        let mut router = router();
        assert_eq!(router.admit(&sample::degraded(1), 0), Decision::Tell);
        assert_eq!(router.admit(&sample::down(1), 1), Decision::Tell, "it got worse");
        let elsewhere = GatewayAlert { gateway: "second".to_owned(), ..sample::down(1) };
        assert_eq!(router.admit(&elsewhere, 2), Decision::Tell);
        router.admit(&sample::recovered(1), 3);
        assert_eq!(router.admit(&sample::degraded(2), 10 * MINUTE), Decision::Hold { until: 30 * MINUTE });
        assert_eq!(router.admit(&sample::down(2), 11 * MINUTE), Decision::Tell);
        assert!(router.due(i64::MAX, nowhere).is_empty(), "down says more than the held degraded");
    }

    #[test]
    fn what_was_asked_for_is_always_told() {
        let mut router = router();
        for now in 0..5 {
            assert_eq!(router.admit(&sample::test(), now), Decision::Tell);
            assert_eq!(router.admit(&sample::restart_finished(), now), Decision::Tell);
        }
    }

    #[derive(Debug, Clone)]
    struct Story {
        gap: i64,
        escalates: bool,
        degraded_first: bool,
        repeats: bool,
        lasts: i64,
    }

    fn stories() -> impl Strategy<Value = Vec<Story>> {
        let story = (0..20 * MINUTE, any::<bool>(), any::<bool>(), any::<bool>(), 1..20 * MINUTE).prop_map(
            |(gap, escalates, degraded_first, repeats, lasts)| Story { gap, escalates, degraded_first, repeats, lasts },
        );
        prop::collection::vec(story, 1..30)
    }

    proptest! {
        #[test]
        fn no_storm_no_loss_and_every_recovery_has_its_outage(stories in stories()) {
            let mut router = router();
            let mut now = 0;
            let mut told: Vec<(i64, GatewayAlert)> = Vec::new();
            let mut tell = |router: &mut Router, alert: GatewayAlert, now: i64| {
                for due in router.due(now, nowhere) {
                    told.push((now, due));
                }
                if router.admit(&alert, now) == Decision::Tell {
                    told.push((now, alert));
                }
            };
            let count = stories.len() as u64;
            for (id, story) in stories.iter().enumerate() {
                let id = id as u64;
                now += story.gap;
                if story.degraded_first {
                    tell(&mut router, sample::degraded(id), now);
                }
                tell(&mut router, sample::down(id), now);
                if story.repeats {
                    tell(&mut router, sample::down(id), now);
                }
                if story.escalates {
                    tell(&mut router, sample::safe_mode(id), now);
                }
                now += story.lasts;
                tell(&mut router, sample::recovered(id), now);
            }
            tell(&mut router, sample::down(count), now + 1);
            for due in router.due(now + 5 * MINUTE, nowhere) {
                told.push((now + 5 * MINUTE, due));
            }

            let of = |id: u64, name: &str| {
                told.iter()
                    .filter(|(_, alert)| alert.alert.kind.name() == name && alert.alert.incident.as_ref().unwrap().id == id)
                    .count()
            };
            for (id, story) in stories.iter().enumerate() {
                let id = id as u64;
                let outages = of(id, "down") + of(id, "degraded") + of(id, "safe_mode");
                prop_assert!(of(id, "down") <= 1 && of(id, "recovered") <= 1);
                prop_assert_eq!(of(id, "recovered") == 1, outages > 0, "incident {}", id);
                prop_assert!(!story.escalates || of(id, "safe_mode") == 1);
            }
            prop_assert_eq!(of(count, "down"), 1, "one that lasts is told in the end");
            let downs: Vec<i64> =
                told.iter().filter(|(_, alert)| alert.alert.kind.name() == "down").map(|(at, _)| *at).collect();
            prop_assert!(downs.windows(2).all(|pair| pair[1] - pair[0] >= 5 * MINUTE));
        }
    }
}
