//! Telling the person: each stage of an incident once, and its end once.

use std::time::Duration;

use super::Supervisor;
use super::breaker::Breaker;
use super::event::{Action, Alert, AlertKind};
use super::incident::Stage;
use super::ladder::Rung;
use super::moment::{Moment, milliseconds};
use super::remedy::Remedy;
use super::verdict::{Severity, Verdict};

/// How long "needs you" waits for its reason: OpenClaw takes up to ten seconds to check its configuration on a busy
/// machine, and is asked some seconds after the gateway's end.
pub(super) const REASON_PATIENCE: Duration = Duration::from_secs(30);

impl Supervisor {
    pub(super) fn alert(&self, now: Moment, kind: AlertKind) -> Action {
        let incident = self.state.incident.as_ref().map(|incident| incident.summary(now, false));
        Action::Announce(Alert { incident, kind, at: now.wall })
    }

    /// Tells what is due to be told, and ends an incident whose health has held.
    pub(super) fn tell(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let refuses = self.verdict == Verdict::Refuses;
        self.refuses_since = refuses.then(|| self.refuses_since.unwrap_or(now));
        self.open_lasting_incident(now);
        self.end_incident_if_held(now, actions);
        if self.state.pause.is_some() {
            return;
        }
        let Some(incident) = &self.state.incident else { return };
        let told = incident.told;
        let stage = self.stage(now);
        if stage <= told {
            self.tell_config_change(now, actions);
            return;
        }
        let verdict = self.verdict.clone();
        let attempt = self.state.attempt;
        let kind = match stage {
            Stage::Nothing => return,
            Stage::Degraded => AlertKind::Degraded { verdict },
            Stage::Down | Stage::Blocked | Stage::SafeMode if told < Stage::Down => AlertKind::Down {
                verdict,
                next: attempt.map(|attempt| attempt.rung),
                next_at: attempt.map(|attempt| attempt.at.wall),
                waits_for: self.waits_for(),
            },
            Stage::Down => return,
            Stage::Blocked => AlertKind::Blocked { verdict, waits_for: self.waits_for() },
            Stage::SafeMode => {
                let Breaker::Open { until, .. } = self.state.breaker else { return };
                AlertKind::SafeMode { verdict, next_trial_at: until.wall }
            }
        };
        let is_down = matches!(kind, AlertKind::Down { .. });
        let alert = self.alert(now, kind);
        actions.push(alert);
        if let Some(incident) = &mut self.state.incident {
            // `down` says that a person must act, but not that this is safe mode: that is told next.
            incident.told = if is_down && stage == Stage::SafeMode { Stage::Down } else { stage };
        }
        self.tell(now, actions);
    }

    /// How far the present situation calls for telling.
    fn stage(&self, now: Moment) -> Stage {
        // An attempt that runs may bring what is missing: the good configuration, say.
        let idle = self.state.running.is_none();
        match self.verdict.severity() {
            Severity::Good | Severity::Neutral => Stage::Nothing,
            Severity::Impaired => Stage::Degraded,
            Severity::Outage if self.awaits_reason(now) => Stage::Nothing,
            Severity::Outage if idle && (self.needs_person() || self.is_obstructed()) => Stage::Blocked,
            Severity::Outage if matches!(self.state.breaker, Breaker::Open { .. }) => Stage::SafeMode,
            Severity::Outage => Stage::Down,
        }
    }

    /// Why it refuses to start is found out by asking OpenClaw; "needs you" without the reason would help nobody.
    fn awaits_reason(&self, now: Moment) -> bool {
        let lately = |since: Moment| now.awake_since(since) < REASON_PATIENCE;
        let known = self.is_obstructed() || matches!(self.remedy(), Remedy::Attempt { rung: Rung::RollBack, .. });
        self.verdict == Verdict::Refuses && !known && self.refuses_since.is_some_and(lately)
    }

    /// "Works, but not whole" becomes an incident when it has lasted, and so does a quiet start that something which
    /// the gateway needs holds up. A start that is no quiet one any more, for something else has come up, is an outage.
    fn open_lasting_incident(&mut self, now: Moment) {
        let Some(since) = self.suspect_since.filter(|_| self.state.incident.is_none()) else { return };
        let lasted = now.awake_since(since) >= self.policy.unready_patience;
        let due = match self.verdict.severity() {
            Severity::Impaired => lasted,
            Severity::Outage if self.is_quiet_start() => lasted && self.is_obstructed(),
            Severity::Outage => true,
            Severity::Neutral | Severity::Good => false,
        };
        if due {
            self.open_incident(since);
        }
    }

    fn end_incident_if_held(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let held = self.state.incident.as_ref().and_then(|incident| incident.good_since);
        let Some(good_since) = held.filter(|since| now.awake_since(*since) >= self.hold(now)) else { return };
        if self.latest.severity() != Severity::Good || self.state.running.is_some() {
            return;
        }
        let Some(incident) = self.state.incident.take() else { return };
        let mut summary = incident.summary(good_since, true);
        summary.duration = u64::try_from(milliseconds(good_since.elapsed_since(incident.began))).unwrap_or(0);
        if incident.told > Stage::Nothing {
            let kind = AlertKind::Recovered {
                downtime: summary.duration,
                attempts: incident.attempts,
                fixed_by: incident.fixed_by,
            };
            actions.push(Action::Announce(Alert { incident: Some(summary.clone()), kind, at: good_since.wall }));
        }
        self.state.last_incident = Some(summary);
    }
}
