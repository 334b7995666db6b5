//! Attempts: which one, when, and whether it worked.

use std::time::Duration;

use super::Supervisor;
use super::backoff;
use super::breaker::Breaker;
use super::event::{Action, AlertKind, HealReport};
use super::incident::Stage;
use super::ladder::{Cause, Heal, Outcome, Rung};
use super::moment::Moment;
use super::observation::Observation;
use super::remedy::Remedy;
use super::state::{Attempt, Generation, RunningHeal};
use super::verdict::{Severity, Verdict};

/// Longest time that a service may take for its part beyond the drain: signals, the tree's end, a start.
const SERVICE_MARGIN: Duration = Duration::from_mins(1);

/// Rungs of one incident that are remembered: far more than the ladder has.
const REMEMBERED_RUNGS: usize = 32;

impl Supervisor {
    /// Chooses and dates the next attempt for the confirmed verdict.
    pub(super) fn schedule(&mut self, now: Moment) {
        let Remedy::Attempt { rung, hasty, patience } = self.remedy() else {
            self.state.attempt = None;
            return;
        };
        let distance = match self.state.breaker {
            Breaker::Open { until, .. } => until.elapsed_since(now),
            Breaker::Closed if self.is_quiet_start() => Duration::ZERO,
            Breaker::Closed | Breaker::HalfOpen { .. } => {
                let number = self.state.crashes.count().saturating_sub(1);
                let chance = self.chance();
                backoff::wait(&self.policy, number, chance)
            }
        };
        // What works in part gets its patience anew after each attempt: nothing is lost by waiting.
        let tried = self.state.incident.as_ref().is_some_and(|incident| !incident.tried.is_empty());
        let impaired = self.verdict.severity() == Severity::Impaired;
        let since = if impaired { self.impaired_since.filter(|_| !tried) } else { self.outage_since };
        let patience = since.unwrap_or(now).after(patience).elapsed_since(now);
        let at = now.after(distance.max(patience).max(self.ration(now, hasty)));
        self.state.attempt = Some(Attempt { at, rung, hasty });
    }

    /// How long until the limits let another automatic attempt through.
    fn ration(&self, now: Moment, hasty: bool) -> Duration {
        let budget = self.state.heals.wait(now, self.policy.budget, self.policy.budget_window);
        // A silent process ends by SIGKILL only: without one left, an attempt would be spent for nothing.
        let kills = if hasty { self.kill_wait(now) } else { Duration::ZERO };
        budget.max(kills)
    }

    fn kill_wait(&self, now: Moment) -> Duration {
        self.state.kills.wait(now, self.policy.kill_budget, self.policy.kill_window)
    }

    /// Invariant 2: what can be healed always has a next attempt.
    pub(super) fn keep_attempt_scheduled(&mut self, now: Moment) {
        let idle = self.state.attempt.is_none() && self.state.running.is_none() && self.state.pause.is_none();
        if !idle || !matches!(self.remedy(), Remedy::Attempt { .. }) {
            return;
        }
        match self.verdict.severity() {
            Severity::Outage => {
                if !self.is_quiet_start() {
                    self.open_incident(self.suspect_since.unwrap_or(now));
                }
                self.schedule(now);
            }
            // What works in part is told first.
            Severity::Impaired if self.state.incident.is_some() => self.schedule(now),
            Severity::Impaired | Severity::Neutral | Severity::Good => {}
        }
    }

    pub(super) fn launch_due_attempt(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let Some(attempt) = self.state.attempt else { return };
        let held_back = self.state.running.is_some()
            || self.state.pause.is_some()
            || self.is_quiet()
            || self.latest.name() != self.verdict.name()
            || self.is_obstructed();
        if held_back || now.elapsed < attempt.at.elapsed {
            return;
        }
        // What is known by now may call for another rung than when the attempt was dated.
        let Remedy::Attempt { rung, hasty, .. } = self.remedy() else {
            self.state.attempt = None;
            return;
        };
        let ration = self.ration(now, hasty);
        if !ration.is_zero() {
            self.state.attempt = Some(Attempt { at: now.after(ration), rung, hasty });
            return;
        }
        if let Breaker::Open { trials, .. } = self.state.breaker {
            self.state.breaker = Breaker::HalfOpen { trials };
        }
        self.state.heals.note(now, self.policy.budget_window);
        self.launch(now, rung, hasty, false, actions);
    }

    pub(super) fn launch(&mut self, now: Moment, rung: Rung, hasty: bool, asked: bool, actions: &mut Vec<Action>) {
        let id = self.state.next_heal;
        self.state.next_heal += 1;
        self.state.attempt = None;
        if self.is_quiet_start() {
            self.verdict = Verdict::Starting(String::new());
        }
        self.break_health();
        self.state.owes_start |= rung == Rung::Doctor;
        self.state.owes_start &= rung != Rung::Stop;
        if let Some(incident) = &mut self.state.incident {
            incident.attempts += 1;
            incident.tried.push(rung);
            if incident.tried.len() > REMEMBERED_RUNGS {
                incident.tried.remove(0);
            }
        }
        let drain = if hasty || rung == Rung::Start { Duration::ZERO } else { self.policy.drain_limit };
        let prepares = matches!(rung, Rung::RollBack | Rung::Doctor | Rung::Hook);
        let preparation = if prepares { self.policy.preparation_limit } else { Duration::ZERO };
        let target = if rung == Rung::FreePort { self.leftover.clone() } else { self.shown.process.clone() };
        let may_kill = asked || self.kill_wait(now).is_zero();
        self.state.running = Some(RunningHeal {
            id,
            rung,
            began: now,
            asked,
            hasty,
            may_kill: may_kill && target.is_some() && !matches!(rung, Rung::Start | Rung::StartChannels),
            renews: None,
            from: self.state.generation.clone(),
            done: None,
            deadline: now.after(drain + preparation + SERVICE_MARGIN),
        });
        self.probe_due = now.after(self.policy.retry_interval);
        let incident = self.state.incident.as_ref();
        let channels = match &self.verdict {
            Verdict::ChannelsSuppressed(channels) => channels.clone(),
            _ => Vec::new(),
        };
        if let Some(incident) = self.state.incident.as_ref().filter(|incident| incident.told > Stage::Nothing) {
            let kind = AlertKind::Progress { verdict: self.verdict.clone(), rung, attempt: incident.attempts };
            actions.push(self.alert(now, kind));
        }
        actions.push(Action::Heal(Heal {
            id,
            rung,
            target,
            may_kill,
            hasty,
            asked,
            channels,
            cause: Cause {
                verdict: self.verdict.clone(),
                incident: incident.map(|incident| incident.id),
                attempt: incident.map_or(0, |incident| incident.attempts),
            },
        }));
    }

    pub(super) fn heal_reported(&mut self, now: Moment, id: u64, report: HealReport, actions: &mut Vec<Action>) {
        if report == HealReport::Killed {
            self.state.kills.note(now, self.policy.kill_window);
        }
        let Some(running) = self.state.running.as_mut().filter(|running| running.id == id) else { return };
        match report {
            HealReport::Killed => running.may_kill = false,
            HealReport::Done => {
                running.done = Some(now);
                running.deadline = now.after(self.policy.startup_grace);
                self.probe_due = now;
            }
            HealReport::Failed(reason) => self.conclude(now, Outcome::ServiceFailed(reason), actions),
            HealReport::Unprepared(reason) => self.conclude(now, Outcome::Unprepared(reason), actions),
            HealReport::Obstructed(missing) => self.conclude(now, Outcome::Obstructed(missing), actions),
        }
    }

    /// An observation while a heal runs: only a new generation that answers ready is success.
    pub(super) fn verify_running_heal(
        &mut self,
        now: Moment,
        seen: &Observation,
        verdict: &Verdict,
        actions: &mut Vec<Action>,
    ) {
        let Some(running) = &mut self.state.running else { return };
        if matches!(verdict, Verdict::Starting(_))
            && let Some(done) = running.done
        {
            if seen.startup.body().is_some() || seen.ready.body().is_some() {
                running.deadline = done.after(self.policy.startup_limit);
            } else if self.inherited == Some(running.id) {
                running.deadline = latest(running.deadline, done.after(self.policy.startup_grace));
            }
        }
        let outcome = match running.rung {
            Rung::StartChannels => {
                (running.done.is_some() && *verdict == Verdict::Healthy).then_some(Outcome::ChannelsStarted)
            }
            Rung::Stop => (*verdict == Verdict::Stopped).then_some(Outcome::Stopped),
            rung => {
                let ready = matches!(verdict.severity(), Severity::Good | Severity::Impaired)
                    && !matches!(verdict, Verdict::NotReady(_));
                let renewed = is_new(running.from.as_ref(), self.state.generation.as_ref());
                // A healthy gateway is not restarted for that: it reads the file anew by itself.
                let restored = rung == Rung::RollBack && running.done.is_some() && *verdict == Verdict::Healthy;
                match (ready && renewed, restored) {
                    (true, _) => Some(Outcome::Restarted),
                    (false, true) => Some(Outcome::ConfigRestored),
                    (false, false) => None,
                }
            }
        };
        if let Some(outcome) = outcome {
            self.conclude(now, outcome, actions);
        }
    }

    pub(super) fn watch_running_heal(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let Some(running) = &self.state.running else { return };
        if now.elapsed < running.deadline.elapsed || self.is_quiet() {
            return;
        }
        let outcome = match (running.done, self.latest.severity()) {
            (Some(_), Severity::Good) => Outcome::CameBack,
            (Some(_), _) => Outcome::NotReadyInTime,
            (None, _) => Outcome::ServiceFailed("it did not finish in time".to_owned()),
        };
        self.conclude(now, outcome, actions);
    }

    /// A heal is over.
    pub(super) fn conclude(&mut self, now: Moment, outcome: Outcome, actions: &mut Vec<Action>) {
        let Some(running) = self.state.running.take() else { return };
        let succeeded = outcome.succeeded();
        let helped = matches!(outcome, Outcome::Restarted | Outcome::ChannelsStarted | Outcome::ConfigRestored);
        let obstacles = if let Outcome::Obstructed(missing) = &outcome { Some(missing.clone()) } else { None };
        if running.asked && running.rung != Rung::Stop {
            actions.push(self.alert(now, AlertKind::RestartFinished { outcome: outcome.clone() }));
        }
        if let Some(before) = running.renews.filter(|_| succeeded) {
            actions.push(self.alert(now, AlertKind::Renewed { before }));
        }
        actions.push(Action::Concluded { id: running.id, outcome });
        self.probe_due = now;
        self.failures = 0;
        self.outages = 0;
        self.orderly_end = false;
        if running.rung == Rung::Stop && !succeeded {
            self.state.stopped = false;
        }
        if let Some(missing) = obstacles {
            self.refund(now, running.asked);
            self.obstacles = missing;
            if self.latest.severity() < Severity::Outage {
                self.verdict = self.latest.clone();
            } else {
                self.suspect_since.get_or_insert(running.began);
                self.outage_since.get_or_insert(running.began);
                self.verdict = self.latest.clone();
                self.open_incident(running.began);
                self.schedule(now);
                // The next round may not see yet what the attempt ran into.
                if let Some(attempt) = &mut self.state.attempt {
                    attempt.at = latest(attempt.at, now.after(self.policy.probe_interval));
                }
            }
            return;
        }
        self.opening_strike = false;
        if succeeded {
            self.state.refused = false;
            if let Some(incident) = &mut self.state.incident {
                incident.fixed_by = helped.then_some(running.rung);
            }
            self.verdict = self.latest.clone();
            return;
        }
        let verdict = match self.latest.severity() {
            Severity::Outage => self.latest.clone(),
            Severity::Neutral | Severity::Impaired if self.verdict.severity() == Severity::Outage => {
                self.verdict.clone()
            }
            // It was healthy, the restart did not work out, and the probes go on to say how it is.
            severity @ (Severity::Good | Severity::Neutral | Severity::Impaired) => {
                self.verdict = self.latest.clone();
                // Of an outage that was counted before Lifeguard was restarted: the attempt was to end it, and did not.
                if severity == Severity::Neutral && self.inherited_outage && self.state.pause.is_none() {
                    self.strike(now);
                }
                return;
            }
        };
        self.verdict = verdict;
        self.suspect_since.get_or_insert(running.began);
        self.outage_since.get_or_insert(running.began);
        self.open_incident(running.began);
        if self.state.pause.is_none() && matches!(self.remedy(), Remedy::Attempt { .. }) {
            self.strike(now);
            self.schedule(now);
        }
    }
}

fn is_new(from: Option<&Generation>, current: Option<&Generation>) -> bool {
    match (from, current) {
        (Some(from), Some(current)) => current.is_newer_than(from),
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

fn latest(one: Moment, other: Moment) -> Moment {
    if one.elapsed >= other.elapsed { one } else { other }
}
