//! Attempts: which one, when, and whether it worked.

use std::time::Duration;

use super::Supervisor;
use super::backoff;
use super::breaker::Breaker;
use super::event::{Action, AlertKind, HealReport};
use super::incident::{Incident, Stage};
use super::ladder::{Heal, Outcome, Rung};
use super::moment::Moment;
use super::observation::Observation;
use super::policy::Manager;
use super::state::{Attempt, Generation, RunningHeal};
use super::verdict::{Severity, Verdict};

/// What helps against a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing to mend.
    Nothing,
    /// Only a person can.
    Person,
    /// An attempt, once `patience` has passed since the first failed observation.
    Attempt {
        /// How hard.
        rung: Rung,
        /// Skip the drain: it answers nothing.
        hasty: bool,
        /// What it is given to recover by itself.
        patience: Duration,
    },
}

/// Longest time that a service may take for its part beyond the drain: signals, the tree's end, a start.
const SERVICE_MARGIN: Duration = Duration::from_mins(1);

impl Supervisor {
    /// What helps against the confirmed verdict.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        let attempt = |rung, hasty, patience| Remedy::Attempt { rung, hasty, patience };
        let hang_patience = self.policy.hang_patience;
        match (&self.verdict, self.policy.manager) {
            (Verdict::PortTaken { .. } | Verdict::ServiceDisabled, _)
            | (Verdict::Gone, Manager::Nobody { start_when_dead: false }) => Remedy::Person,
            (Verdict::Gone | Verdict::Refuses, Manager::ServiceManager { patience }) => {
                attempt(Rung::Start, false, patience)
            }
            (Verdict::ServiceNotLoaded, _) => attempt(Rung::Start, false, hang_patience),
            (Verdict::Gone | Verdict::Refuses, _) => attempt(Rung::Start, false, Duration::ZERO),
            (Verdict::Hung, _) => attempt(Rung::Restart, true, hang_patience),
            (Verdict::Zombie, _) => attempt(Rung::Restart, true, Duration::ZERO),
            (Verdict::Failing(_), _) => {
                let tried = self.state.incident.as_ref().is_some_and(|incident| incident.attempts > 0);
                attempt(if tried { Rung::Restart } else { Rung::Graceful }, false, hang_patience)
            }
            (
                Verdict::Unknown(_)
                | Verdict::Healthy
                | Verdict::Starting(_)
                | Verdict::Draining
                | Verdict::NotReady(_)
                | Verdict::ChannelsSuppressed(_)
                | Verdict::Stopped
                | Verdict::NotInstalled,
                _,
            ) => Remedy::Nothing,
        }
    }

    /// An outage is certain: open the incident, count the crash, schedule the attempt.
    pub(super) fn begin_outage(&mut self, now: Moment) {
        if !self.is_first_start() {
            self.open_incident(self.suspect_since.unwrap_or(now));
        }
        if self.state.pause.is_none() && matches!(self.remedy(), Remedy::Attempt { .. }) {
            if !self.is_first_start() {
                self.strike(now);
            }
            self.schedule(now);
        }
    }

    /// A gateway of our own that has never run yet is not down: it is to be started.
    fn is_first_start(&self) -> bool {
        let never_seen = self.state.generation.is_none() && self.state.incident.is_none();
        never_seen && self.policy.manager == Manager::Ourselves && self.verdict == Verdict::Gone
    }

    pub(super) fn open_incident(&mut self, began: Moment) {
        match &mut self.state.incident {
            Some(incident) => {
                incident.good_since = None;
                incident.fixed_by = None;
            }
            none => {
                *none = Some(Incident {
                    id: self.state.next_incident,
                    began,
                    verdict: self.verdict.clone(),
                    attempts: 0,
                    last_rung: None,
                    fixed_by: None,
                    told: Stage::Nothing,
                    good_since: None,
                });
                self.state.next_incident += 1;
            }
        }
    }

    /// Counts one crash; too many open the breaker, and a failed trial opens it again.
    fn strike(&mut self, now: Moment) {
        self.state.crashes.strike(now, &self.policy);
        let trials = match self.state.breaker {
            Breaker::HalfOpen { trials } => Some(trials + 1),
            Breaker::Open { trials, .. } => Some(trials),
            Breaker::Closed if self.state.crashes.is_exceeded(now, &self.policy) => Some(0),
            // Starting it again cannot help until a person has mended its configuration: trials only.
            Breaker::Closed if self.verdict == Verdict::Refuses => Some(0),
            Breaker::Closed => None,
        };
        if let Some(trials) = trials {
            let number = self.policy.crash_limit.saturating_sub(1).saturating_add(trials);
            let chance = self.chance();
            let wait = backoff::wait(&self.policy, number, chance);
            self.state.breaker = Breaker::Open { until: now.after(wait), trials };
        }
    }

    /// A random number in 0..=1 that goes on where the saved state was.
    fn chance(&mut self) -> f64 {
        let mut random = fastrand::Rng::with_seed(self.state.seed);
        let chance = random.f64();
        self.state.seed = random.u64(..);
        chance
    }

    /// Chooses and dates the next attempt for the confirmed verdict.
    pub(super) fn schedule(&mut self, now: Moment) {
        let Remedy::Attempt { rung, hasty, patience } = self.remedy() else {
            self.state.attempt = None;
            return;
        };
        let at = match self.state.breaker {
            Breaker::Open { until, .. } => until,
            Breaker::Closed | Breaker::HalfOpen { .. } => {
                let number = self.state.crashes.count().saturating_sub(1);
                let chance = self.chance();
                let backoff = backoff::wait(&self.policy, number, chance);
                let patient = self.suspect_since.unwrap_or(now).after(patience).elapsed_since(now);
                now.after(backoff.max(patient))
            }
        };
        let ration = self.ration(now, hasty);
        self.state.attempt = Some(Attempt { at: latest(at, now.after(ration)), rung, hasty });
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

    /// Invariant 2: a healable outage always has a next attempt.
    pub(super) fn keep_attempt_scheduled(&mut self, now: Moment) {
        let idle = self.state.attempt.is_none() && self.state.running.is_none() && self.state.pause.is_none();
        if idle && matches!(self.remedy(), Remedy::Attempt { .. }) {
            if !self.is_first_start() {
                self.open_incident(self.suspect_since.unwrap_or(now));
            }
            self.schedule(now);
        }
    }

    pub(super) fn launch_due_attempt(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let Some(attempt) = self.state.attempt else { return };
        let held_back = self.state.running.is_some()
            || self.state.pause.is_some()
            || self.is_quiet()
            || self.latest.severity() != Severity::Outage;
        if held_back || now.elapsed < attempt.at.elapsed {
            return;
        }
        let ration = self.ration(now, attempt.hasty);
        if !ration.is_zero() {
            self.state.attempt = Some(Attempt { at: now.after(ration), ..attempt });
            return;
        }
        if let Breaker::Open { trials, .. } = self.state.breaker {
            self.state.breaker = Breaker::HalfOpen { trials };
        }
        self.state.heals.note(now, self.policy.budget_window);
        self.launch(now, attempt.rung, attempt.hasty, false, actions);
    }

    /// A person asked: backoff skipped, counter cleared, breaker closed. An attempt that is running is joined, but one
    /// that waits for work to finish is cut short by "now".
    pub(super) fn restart_as_asked(&mut self, now: Moment, force: bool, actions: &mut Vec<Action>) {
        match &mut self.state.running {
            Some(running) if force && !running.hasty && running.done.is_none() => {
                let id = running.id;
                self.state.running = None;
                actions.push(Action::Concluded { id, outcome: Outcome::Cancelled });
            }
            Some(running) => {
                running.asked = true;
                return;
            }
            None => {}
        }
        self.state.crashes.clear();
        self.state.breaker = Breaker::Closed;
        let alive = self.shown.process.is_some();
        let silent = matches!(self.latest, Verdict::Hung | Verdict::Zombie);
        let rung = match (alive, force || silent) {
            (false, _) => Rung::Start,
            (true, true) => Rung::Restart,
            (true, false) => Rung::Graceful,
        };
        self.launch(now, rung, force || silent, true, actions);
    }

    fn launch(&mut self, now: Moment, rung: Rung, hasty: bool, asked: bool, actions: &mut Vec<Action>) {
        let id = self.state.next_heal;
        self.state.next_heal += 1;
        self.state.attempt = None;
        if self.is_first_start() {
            self.verdict = Verdict::Starting(String::new());
        }
        self.break_health();
        if let Some(incident) = &mut self.state.incident {
            incident.attempts += 1;
            incident.last_rung = Some(rung);
        }
        let drain = if hasty || rung == Rung::Start { Duration::ZERO } else { self.policy.drain_limit };
        self.state.running = Some(RunningHeal {
            id,
            rung,
            began: now,
            asked,
            hasty,
            from: self.state.generation.clone(),
            done: None,
            deadline: now.after(drain + SERVICE_MARGIN),
        });
        self.probe_due = now.after(self.policy.retry_interval);
        actions.push(Action::Heal(Heal {
            id,
            rung,
            target: self.shown.process.clone(),
            may_kill: asked || self.kill_wait(now).is_zero(),
            hasty,
            asked,
        }));
    }

    pub(super) fn heal_reported(&mut self, now: Moment, id: u64, report: HealReport, actions: &mut Vec<Action>) {
        if report == HealReport::Killed {
            self.state.kills.note(now, self.policy.kill_window);
        }
        let Some(running) = self.state.running.as_mut().filter(|running| running.id == id) else { return };
        match report {
            HealReport::Killed => {}
            HealReport::Done => {
                running.done = Some(now);
                running.deadline = now.after(self.policy.startup_grace);
                self.probe_due = now;
            }
            HealReport::Failed(reason) => self.conclude(now, Outcome::ServiceFailed(reason), actions),
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
            && (seen.startup.body().is_some() || seen.ready.body().is_some())
        {
            running.deadline = done.after(self.policy.startup_limit);
        }
        let ready = matches!(verdict, Verdict::Healthy | Verdict::ChannelsSuppressed(_));
        if ready && is_new(running.from.as_ref(), self.state.generation.as_ref()) {
            self.conclude(now, Outcome::Restarted, actions);
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
        let (succeeded, restarted) = (outcome.succeeded(), outcome == Outcome::Restarted);
        if running.asked {
            actions.push(self.alert(now, AlertKind::RestartFinished { outcome: outcome.clone() }));
        }
        actions.push(Action::Concluded { id: running.id, outcome });
        self.probe_due = now;
        self.failures = 0;
        if succeeded {
            self.state.refused = false;
            if let Some(incident) = &mut self.state.incident {
                incident.fixed_by = restarted.then_some(running.rung);
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
            Severity::Good | Severity::Neutral | Severity::Impaired => {
                self.verdict = self.latest.clone();
                return;
            }
        };
        self.verdict = verdict;
        self.suspect_since.get_or_insert(running.began);
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
