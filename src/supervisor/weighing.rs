//! Weighing what was seen: which observation confirms what, and which generation it is of.

use super::Supervisor;
use super::event::Action;
use super::intent::Intent;
use super::judge::{Context, judge};
use super::ladder::{Outcome, Rung};
use super::moment::Moment;
use super::observation::{Answer, Exit, Identity, Observation, PortOwner, ProcessState, ServiceState};
use super::policy::Manager;
use super::state::Generation;
use super::trend::MemoryLevel;
use super::verdict::{Severity, Verdict};
use super::{REFUSES, STANDSTILL};

/// `SIGTERM` on every Unix.
const SIGTERM: i32 = 15;

/// Exit code of a gateway that was told to end before it had its lock (measured with OpenClaw 2026.9.6).
const ENDED_BY_SIGTERM: i32 = 128 + SIGTERM;

impl Supervisor {
    pub(super) fn observed(&mut self, now: Moment, seen: &Observation, actions: &mut Vec<Action>) {
        self.probe_in_flight = None;
        let slept = now.elapsed_since(seen.began).saturating_sub(now.awake_since(seen.began)) > STANDSTILL;
        // What was asked before the process ended says nothing of what is now.
        let before_exit = self.last_exit.is_some_and(|exit| seen.began.awake < exit.awake);
        // A round that was given up, and ends after a later one.
        let overtaken = self.shown.checked.is_some_and(|checked| seen.began.awake < checked.awake);
        let outdated = before_exit || overtaken;
        if slept || outdated {
            self.probe_due = now;
            return;
        }
        self.shown.observe(seen);
        self.track_generation(seen);
        self.track_spells(seen);
        self.note_surroundings(now, seen);
        self.note_memory(now, seen);
        let context = Context {
            was_ready: self.state.generation.as_ref().is_some_and(|generation| generation.was_ready),
            speaks: self.state.generation.as_ref().is_some_and(|generation| generation.speaks),
            refused: self.state.refused,
            crash_loop: self.is_crash_loop(now),
            intent: self.intent(now),
            closed_for: self.closed_since.map(|since| now.awake_since(since)).unwrap_or_default(),
            draining_for: self.draining_since.map(|since| now.awake_since(since)),
        };
        let verdict = self.unless_stopped_by_us(seen, judge(seen, context, &self.policy));
        self.draining_since = match (&verdict, self.draining_since) {
            (Verdict::Draining, None) => Some(seen.began),
            (Verdict::Healthy | Verdict::NotReady(_), _) => None,
            (_, since) => since,
        };
        self.latest = verdict.clone();
        if self.was_interrupted(seen, &verdict) {
            self.state.running = None;
        }
        if self.state.running.is_some() {
            self.verify_running_heal(now, seen, &verdict, actions);
        }
        if self.state.running.is_none() {
            self.weigh(now, seen.began, verdict);
        }
        self.keep_config_if_proven(now, seen, actions);
        self.probe_due = now.after(self.probe_distance(now));
    }

    /// A service that Lifeguard itself stopped for OpenClaw's doctor was not stopped by a person: without it, a Lifeguard
    /// that is killed in between would leave the gateway stopped for good.
    fn unless_stopped_by_us(&mut self, seen: &Observation, verdict: Verdict) -> Verdict {
        let runs = matches!(seen.process, ProcessState::Running { .. })
            || matches!(seen.service, ServiceState::Running | ServiceState::Restarting | ServiceState::CrashLooping(_));
        self.state.owes_start &= self.state.running.is_some() || !runs;
        let ours = self.state.owes_start && !self.state.stopped;
        if ours && matches!(verdict, Verdict::Stopped | Verdict::ServiceNotLoaded) { Verdict::Gone } else { verdict }
    }

    /// Whether the running heal is one of an earlier run of Lifeguard that did not get as far as ending the old
    /// generation: it still runs, and nobody is going to end it.
    fn was_interrupted(&self, seen: &Observation, verdict: &Verdict) -> bool {
        let Some(running) = self.state.running.as_ref().filter(|running| self.inherited == Some(running.id)) else {
            return false;
        };
        let old = running.from.as_ref().and_then(|generation| generation.identity.as_ref());
        let still_runs = old.zip(seen.process.identity()).is_some_and(|(old, seen)| old.is_same(seen));
        still_runs && verdict.severity() == Severity::Outage
    }

    /// Confirms a verdict, or keeps it in question.
    pub(super) fn weigh(&mut self, now: Moment, began: Moment, verdict: Verdict) {
        let severity = verdict.severity();
        if severity == Severity::Outage {
            self.outages = self.outages.saturating_add(1);
            self.outage_since.get_or_insert(began);
        } else if !matches!(verdict, Verdict::Unknown(_)) {
            self.outages = 0;
            self.outage_since = None;
        }
        match severity {
            Severity::Impaired => {
                self.impaired_since.get_or_insert(began);
            }
            Severity::Good => self.impaired_since = None,
            Severity::Neutral if !matches!(verdict, Verdict::Unknown(_)) => self.impaired_since = None,
            Severity::Neutral | Severity::Outage => {}
        }
        match severity {
            Severity::Good => {
                self.failures = 0;
                self.suspect_since = None;
                self.state.refused = false;
                self.state.stopped = false;
                self.inherited_outage = false;
                self.orderly_end = false;
                self.state.attempt = None;
                self.state.healthy_since.get_or_insert(began);
                if let Some(incident) = &mut self.state.incident {
                    incident.good_since.get_or_insert(began);
                }
                self.verdict = verdict;
            }
            Severity::Neutral if !matches!(verdict, Verdict::Unknown(_)) => {
                self.failures = 0;
                self.suspect_since = None;
                self.break_health();
                self.state.attempt = None;
                self.verdict = verdict;
            }
            Severity::Neutral | Severity::Impaired | Severity::Outage => {
                if let Some(incident) = &mut self.state.incident {
                    incident.good_since = None;
                }
                self.suspect_since.get_or_insert(began);
                if self.is_quiet() {
                    self.outages = 0;
                    return;
                }
                self.failures = self.failures.saturating_add(1);
                let known = severity == self.verdict.severity() && severity > Severity::Neutral;
                // What works in part has failed for long: that it is worse must be seen as often as of a healthy one.
                let worse = severity == Severity::Outage && self.verdict.severity() == Severity::Impaired;
                let rounds = if worse { self.outages } else { self.failures };
                if known || rounds >= self.policy.failures_before_down {
                    self.confirm(now, verdict);
                }
            }
        }
    }

    /// A bad verdict is certain.
    pub(super) fn confirm(&mut self, now: Moment, verdict: Verdict) {
        self.break_health();
        let was_outage = self.verdict.severity() == Severity::Outage;
        let is_outage = verdict.severity() == Severity::Outage;
        let changed = verdict.name() != self.verdict.name();
        self.verdict = verdict;
        if is_outage && !was_outage {
            self.begin_outage(now);
        } else if is_outage && changed && self.state.pause.is_none() {
            self.schedule(now);
        } else if !is_outage && changed {
            self.state.attempt = None;
        }
    }

    pub(super) fn break_health(&mut self) {
        self.state.healthy_since = None;
        if let Some(incident) = &mut self.state.incident {
            incident.good_since = None;
        }
    }

    /// The kernel reported the end of a process.
    pub(super) fn exited(&mut self, now: Moment, identity: &Identity, exit: Exit, actions: &mut Vec<Action>) {
        // The same end, told again by another watch: the first report has said how it was, and what is asked since then
        // was not asked of it.
        if self.ended.as_ref().is_some_and(|ended| ended.is_same(identity)) {
            return;
        }
        self.ended = Some(identity.clone());
        let current = self.state.generation.as_ref().and_then(|generation| generation.identity.as_ref());
        let is_current = current.is_some_and(|current| current.is_same(identity));
        let is_shown = self.shown.process.as_ref().is_some_and(|shown| shown.is_same(identity));
        // What is being asked meanwhile may have been asked of the one that has ended.
        self.last_exit = Some(now);
        if is_current || is_shown {
            self.shown.forget_process();
        }
        if let Some(running) = &self.state.running {
            let target = running.from.as_ref().and_then(|generation| generation.identity.as_ref());
            let expected = running.rung != Rung::StartChannels;
            if expected && target.is_some_and(|target| target.is_same(identity)) {
                return;
            }
            // What ends beside the one that was to be stopped was started.
            self.state.owes_start = false;
            // Stopped or updated by its user meanwhile: the next look tells.
            if is_current && matches!(self.intent(now), Some(Intent::Stop | Intent::Maintenance | Intent::Update)) {
                self.probe_due = now;
                return;
            }
            self.state.refused = exit.code == Some(REFUSES);
            self.latest = if self.state.refused { Verdict::Refuses } else { Verdict::Gone };
            self.conclude(now, Outcome::DiedAgain, actions);
            return;
        }
        if !is_current {
            return;
        }
        self.note_end(now, exit);
        // What its health has earned is its own; what comes now is not.
        self.state.crashes.settle(now, self.state.healthy_since, &self.policy);
        self.break_health();
        self.closed_since = None;
        self.draining_since = None;
        self.suspect_since.get_or_insert(now);
        self.outage_since.get_or_insert(now);
        self.probe_due = now;
        let verdict = match self.state.refused {
            true => Verdict::Refuses,
            false if self.is_crash_loop(now) => Verdict::CrashLoop,
            false => Verdict::Gone,
        };
        self.latest = verdict.clone();
        if self.may_be_meant(now, exit) {
            // One round tells: the next observation confirms, or explains.
            self.failures = self.failures.max(self.policy.failures_before_down.saturating_sub(1));
            self.outages = self.failures;
        } else {
            self.failures = self.policy.failures_before_down;
            self.confirm(now, verdict);
        }
    }

    /// Whether an end needs a look around before it counts as an outage: nobody means a crash or a SIGKILL, but a
    /// service manager may be restarting it, and an end in good order may be a person's doing.
    fn may_be_meant(&self, now: Moment, exit: Exit) -> bool {
        let managed = matches!(self.policy.manager, Manager::ServiceManager { .. });
        let orderly = matches!(exit.code, Some(0 | REFUSES | ENDED_BY_SIGTERM)) || exit.signal == Some(SIGTERM);
        managed || orderly || exit == Exit::default() || self.intent(now).is_some()
    }

    fn note_end(&mut self, now: Moment, exit: Exit) {
        self.exit = Some(exit).filter(|exit| *exit != Exit::default());
        self.state.refused = exit.code == Some(REFUSES);
        // OpenClaw ends in good order when it wants its supervisor to start it anew; a loop of that is none.
        self.orderly_end = false;
        if exit.code == Some(0) && self.policy.manager == Manager::Ourselves {
            let window = self.policy.crash_loop_window;
            self.state.orderly_ends.note(now, window);
            self.orderly_end = self.state.orderly_ends.count(now, window) < self.policy.crash_loop_count;
        }
    }

    pub(super) fn track_generation(&mut self, seen: &Observation) {
        let uptime = seen
            .startup
            .body()
            .and_then(|startup| startup.uptime)
            .or_else(|| seen.ready.body().and_then(|ready| ready.uptime));
        let identity = seen.process.identity().cloned();
        let born = uptime.map(|uptime| seen.began.before(uptime).awake);
        let ready = judge(seen, Context::default(), &self.policy) == Verdict::Healthy;
        if identity.is_none() && born.is_none() {
            return;
        }
        let speaks = matches!(seen.health, Answer::Json { .. });
        let same_process = self.state.generation.as_ref().is_some_and(|known| known.lives_in(identity.as_ref()));
        let age = match &seen.process {
            ProcessState::Running { age, .. } if !same_process => Some(*age),
            ProcessState::Running { .. } => uptime,
            ProcessState::Gone | ProcessState::Unknown => None,
        };
        let birth = age.map(|age| seen.began.before(age));
        let new = Generation {
            identity,
            born,
            born_wall: birth.map(|birth| birth.wall),
            born_elapsed: birth.or(uptime.map(|uptime| seen.began.before(uptime))).map(|birth| birth.elapsed),
            was_ready: ready,
            speaks,
        };
        // What answers after the end of its process is another life, although nobody can tell which process it has.
        let known_has_ended = self.state.generation.as_ref().is_some_and(|known| known.lives_in(self.ended.as_ref()));
        let outlived = known_has_ended && new.identity.is_none();
        match &mut self.state.generation {
            Some(known) if !outlived && !new.is_newer_than(known) => {
                known.was_ready |= ready;
                known.speaks |= speaks;
                if known.identity.is_none() {
                    known.identity = new.identity;
                }
                if known.born.is_none() {
                    known.born = new.born;
                }
                if known.born_wall.is_none() && new.born_wall.is_some() {
                    (known.born_wall, known.born_elapsed) = (new.born_wall, new.born_elapsed);
                }
            }
            known => {
                *known = Some(new);
                // It has ended in between, whoever has seen that: health before it proves nothing.
                self.break_health();
                self.impaired_since = None;
                if self.verdict.severity() == Severity::Impaired {
                    self.state.attempt = None;
                }
                self.memory.clear();
                self.state.memory.clear();
                self.state.memory_told = MemoryLevel::Calm;
                self.draining_since = None;
                self.closed_since = None;
            }
        }
    }

    fn track_spells(&mut self, seen: &Observation) {
        self.leftover = match &seen.port {
            PortOwner::OtherGateway(holder) => Some(holder.clone()),
            _ => None,
        };
        let closed = seen.health == Answer::Refused && matches!(seen.process, ProcessState::Running { .. });
        self.closed_since = if closed { self.closed_since.or(Some(seen.began)) } else { None };
        if seen.process == ProcessState::Gone {
            self.draining_since = None;
        }
    }
}
