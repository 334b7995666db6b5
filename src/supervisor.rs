//! The pure core: observations and commands in, actions out. No I/O, no clock, no tokio.
//!
//! # Theory of operation
//!
//! [`Supervisor::step`] takes the three clocks and one [`Event`] and answers with [`Action`]s; the engine does
//! them and sends back what came of it. [`judge`](mod@judge) turns an observation into a verdict. A verdict
//! is *confirmed* when it has been seen often enough ([`Policy::failures_before_down`]), or at once when the
//! kernel reports the end of the process. A confirmed outage opens an incident, counts a crash and schedules an
//! attempt ([`healing`]); an attempt counts as successful only when a *new generation* answers
//! ready; the incident ends when health has *held* ([`telling`]).
//!
//! Whatever is time-driven is in `settle`, which runs at the end of each step, so that a missed or
//! late tick changes nothing but the moment.

pub mod activity;
mod asked;
pub mod backoff;
pub mod breaker;
pub mod configuration;
pub mod counter;
pub mod dependency;
pub mod event;
pub mod healing;
pub mod incident;
pub mod intent;
pub mod judge;
pub mod ladder;
pub mod limits;
mod memory;
pub mod moment;
pub mod observation;
pub mod outage;
pub mod policy;
pub mod remedy;
pub mod report;
pub mod state;
pub mod telling;
pub mod trend;
pub mod verdict;
pub mod view;
pub mod weighing;

use std::time::Duration;

use configuration::ConfigStanding;
use dependency::DependencyState;
use event::{Action, Event};
use incident::Incident;
use judge::{Context, judge};
use moment::Moment;
use observation::{Exit, Identity, Observation};
use policy::{Manager, Policy};
use remedy::Means;
use state::State;
use trend::MemoryTrend;
use verdict::{Severity, Verdict};

/// A clock jump between two steps longer than this was a sleep or a standstill of Lifeguard itself: nothing
/// that was in flight proves anything.
const STANDSTILL: Duration = Duration::from_secs(5);

/// A round of probes that has not ended after this long is given up. Each probe has a shorter limit of its own.
const PROBE_LIMIT: Duration = Duration::from_mins(1);

/// How long a heal of an earlier run of Lifeguard is given until its new process shows: a gateway that was just
/// started can be found by its lock after about 2 s (gateway.md, section 2).
const INHERITED_PATIENCE: Duration = Duration::from_secs(15);

/// The core of one gateway.
#[derive(Debug, Clone)]
pub struct Supervisor {
    policy: Policy,
    state: State,
    saved: State,
    /// The confirmed verdict.
    verdict: Verdict,
    /// What the newest observation meant, confirmed or not.
    latest: Verdict,
    /// Failed rounds in a row.
    failures: u32,
    /// First failed observation of the present suspicion or outage.
    suspect_since: Option<Moment>,
    /// Rounds in a row that found an outage.
    outages: u32,
    /// First of them.
    outage_since: Option<Moment>,
    /// First round that found this generation impaired, since it was whole or down.
    impaired_since: Option<Moment>,
    /// Port closed while the process runs, since.
    closed_since: Option<Moment>,
    /// Orderly shutdown, since.
    draining_since: Option<Moment>,
    refuses_since: Option<Moment>,
    /// When the machine woke, or Lifeguard came out of a standstill.
    woke: Option<Moment>,
    /// No verdict counts before this moment of the awake clock.
    quiet_until: Option<Moment>,
    probe_due: Moment,
    probe_in_flight: Option<Moment>,
    last_step: Moment,
    /// When the kernel last reported the end of the gateway's process.
    last_exit: Option<Moment>,
    /// The process of which it did.
    ended: Option<Identity>,
    shown: view::Shown,
    /// The heal that an earlier run of Lifeguard began and did not see the end of.
    inherited: Option<u64>,
    /// The state tells of an outage that an earlier run of Lifeguard has counted already.
    inherited_outage: bool,
    /// The crash that the present outage began with was counted, and no attempt has been made since.
    opening_strike: bool,
    /// The last end was in good order, and the first such for a while.
    orderly_end: bool,
    /// How the last process ended.
    exit: Option<Exit>,
    /// What the gateway needs and lacks.
    obstacles: Vec<DependencyState>,
    means: Means,
    /// How OpenClaw's configuration compares to the one that was last good.
    config: ConfigStanding,
    /// The memory of this generation; the state has it as it was saved last.
    memory: MemoryTrend,
    /// Pieces of work that are in flight, where the gateway says so.
    in_flight: Option<u32>,
    /// A gateway that holds the port and is not the service's own.
    leftover: Option<Identity>,
}

impl Supervisor {
    /// A core that goes on from `state` (a default one for the first start).
    ///
    /// A heal that was running when the state was saved is not begun again: the probes tell whether it worked.
    #[must_use]
    pub fn new(policy: Policy, state: State, now: Moment) -> Self {
        let saved = state.clone();
        let mut core = Self {
            policy,
            state,
            saved,
            verdict: Verdict::Unknown(String::new()),
            latest: Verdict::Unknown(String::new()),
            failures: 0,
            suspect_since: None,
            outages: 0,
            outage_since: None,
            impaired_since: None,
            closed_since: None,
            draining_since: None,
            refuses_since: None,
            woke: None,
            quiet_until: None,
            probe_due: now,
            probe_in_flight: None,
            last_step: now,
            last_exit: None,
            ended: None,
            shown: view::Shown::new(now),
            inherited: None,
            inherited_outage: false,
            opening_strike: false,
            orderly_end: false,
            exit: None,
            obstacles: Vec::new(),
            means: Means::default(),
            config: ConfigStanding::Unknown,
            memory: MemoryTrend::default(),
            in_flight: None,
            leftover: None,
        };
        core.memory.clone_from(&core.state.memory);
        let outage = |incident: &Incident| incident.outage && incident.good_since.is_none();
        core.inherited_outage = core.state.incident.as_ref().is_some_and(outage);
        if let Some(running) = &mut core.state.running {
            let patience = now.after(INHERITED_PATIENCE);
            if running.done.is_none() {
                // The news of a SIGKILL may have died with the one that sent it.
                if std::mem::take(&mut running.may_kill) {
                    core.state.kills.note(now, core.policy.kill_window);
                }
                running.done = Some(now);
                running.deadline = patience;
                core.inherited = Some(running.id);
            } else if running.deadline.elapsed < patience.elapsed {
                // Nobody looked while its time ran out: the next rounds tell.
                running.deadline = patience;
            }
        }
        core
    }

    /// Who starts the gateway again has changed: a gateway was found where there was none.
    pub fn set_manager(&mut self, manager: Manager) {
        self.policy.manager = manager;
    }

    /// The numbers have changed. What is counted and scheduled already stays.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// The state to save after [`Action::Persist`].
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// One step: what happened at `now`, and what is to be done about it.
    pub fn step(&mut self, now: Moment, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.notice_standstill(now);
        match event {
            Event::Tick => {}
            Event::Observed(seen) => self.observed(now, &seen, &mut actions),
            Event::Exited { identity, exit } => self.exited(now, &identity, exit, &mut actions),
            Event::Heal { id, report } => self.heal_reported(now, id, report, &mut actions),
            Event::Command(command) => self.commanded(now, command, &mut actions),
            Event::Suspending => self.quiet_until = Some(now.after(self.policy.wake_grace)),
            // The clocks may not have told of a short sleep.
            Event::Woken => self.be_quiet(now),
        }
        self.settle(now, &mut actions);
        self.note_outage();
        self.last_step = now;
        self.note_health(now);
        if self.state != self.saved {
            self.saved.clone_from(&self.state);
            actions.push(Action::Persist);
        }
        actions
    }

    /// Weighs one observation and decides nothing: for a single look from outside.
    pub fn look(&mut self, now: Moment, seen: &Observation) {
        self.shown.observe(seen);
        self.track_generation(seen);
        self.note_surroundings(now, seen);
        let context = Context { intent: self.intent(now), ..Context::default() };
        self.weigh(now, seen.began, judge(seen, context, &self.policy));
        self.note_health(now);
    }

    /// How long after `now` the next [`Event::Tick`] is wanted, if nothing else happens.
    #[must_use]
    pub fn next_wake(&self, now: Moment) -> Duration {
        let probe = match self.probe_in_flight {
            Some(began) => began.after(PROBE_LIMIT),
            None => self.probe_due,
        };
        let incident = self.state.incident.as_ref();
        let moments = [
            self.state.attempt.map(|attempt| attempt.at),
            self.state.running.as_ref().map(|running| running.deadline),
            self.state.pause.and_then(|pause| pause.until),
            self.quiet_until,
            incident.and_then(|incident| incident.good_since).map(|since| since.after(self.hold(now))),
            self.refuses_since.map(|since| since.after(telling::REASON_PATIENCE)),
        ];
        // A moment that has passed waits for an observation, not for the clock.
        let ahead =
            moments.into_iter().flatten().map(|moment| moment.elapsed_since(now)).filter(|wait| !wait.is_zero());
        ahead.fold(probe.elapsed_since(now), Duration::min)
    }

    /// Time-driven rules.
    fn settle(&mut self, now: Moment, actions: &mut Vec<Action>) {
        if self.quiet_until.is_some_and(|until| now.awake >= until.awake) {
            self.quiet_until = None;
        }
        if self.state.pause.and_then(|pause| pause.until).is_some_and(|until| now.elapsed >= until.elapsed) {
            self.resume(now);
        }
        self.state.crashes.settle(now, self.state.healthy_since, &self.policy);
        self.close_breaker_if_proven(now);
        self.watch_running_heal(now, actions);
        self.keep_attempt_scheduled(now);
        self.tell(now, actions);
        self.launch_due_attempt(now, actions);
        self.tend_memory(now, actions);
        self.probe_if_due(now, actions);
    }

    fn probe_if_due(&mut self, now: Moment, actions: &mut Vec<Action>) {
        if self.probe_in_flight.is_some_and(|began| now.elapsed_since(began) >= PROBE_LIMIT) {
            self.probe_in_flight = None;
        }
        if self.probe_in_flight.is_none() && now.elapsed >= self.probe_due.elapsed {
            self.probe_in_flight = Some(now);
            self.probe_due = now.after(self.policy.probe_interval);
            actions.push(Action::Probe);
        }
    }

    /// Two clocks that parted company were parted by sleep; one that leapt was a standstill of Lifeguard.
    fn notice_standstill(&mut self, now: Moment) {
        let awake = now.awake_since(self.last_step);
        let elapsed = now.elapsed_since(self.last_step);
        let slept = elapsed.saturating_sub(awake) > STANDSTILL;
        let stood_still = awake > self.policy.probe_interval.max(PROBE_LIMIT) + STANDSTILL;
        if slept || stood_still {
            self.be_quiet(now);
        }
    }

    /// After a sleep: look at once, believe nothing bad for a while.
    fn be_quiet(&mut self, now: Moment) {
        self.woke = Some(now);
        self.quiet_until = Some(now.after(self.policy.wake_grace));
        self.failures = 0;
        self.outages = 0;
        if self.verdict.severity() < Severity::Impaired {
            self.suspect_since = None;
            self.impaired_since = None;
        }
        if self.verdict.severity() < Severity::Outage {
            self.outage_since = None;
        }
        self.closed_since = None;
        self.probe_in_flight = None;
        self.probe_due = now;
    }

    fn is_quiet(&self) -> bool {
        self.quiet_until.is_some()
    }

    /// Distance to the next round: short while something is in question.
    fn probe_distance(&self, now: Moment) -> Duration {
        let near = |attempt: &state::Attempt| attempt.at.elapsed_since(now) <= Duration::from_mins(1);
        let in_question = self.state.running.is_some()
            || (self.failures > 0 && self.verdict.severity() < Severity::Impaired)
            || matches!(self.latest, Verdict::Starting(_) | Verdict::Draining)
            || self.state.attempt.as_ref().is_some_and(near);
        if in_question { self.policy.retry_interval } else { self.policy.probe_interval }
    }
}

/// Exit code by which the gateway asks not to be started again (gateway.md, fact 12).
pub const REFUSES: i32 = 78;

#[cfg(test)]
mod tests;
