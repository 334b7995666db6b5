//! What a person asks for: it comes before every rule but the identity of a process.

use std::time::Duration;

use super::Supervisor;
use super::breaker::Breaker;
use super::event::{Action, Command};
use super::ladder::{Outcome, Rung};
use super::moment::Moment;
use super::state::Pause;
use super::verdict::{Severity, Verdict};

impl Supervisor {
    pub(super) fn commanded(&mut self, now: Moment, command: Command, actions: &mut Vec<Action>) {
        match command {
            Command::Restart { force } => self.restart_as_asked(now, force, actions),
            Command::Stop => self.stop_as_asked(now, actions),
            Command::RollBack => self.roll_back_as_asked(now, actions),
            Command::Reset => {
                self.state.crashes.clear();
                self.state.breaker = Breaker::Closed;
                self.state.attempt = None;
            }
            Command::Pause { until } => {
                let until = until.map(|wall| {
                    let wait = u64::try_from(wall.saturating_sub(now.wall)).unwrap_or(0);
                    now.after(Duration::from_millis(wait))
                });
                self.state.pause = Some(Pause { until });
                self.state.attempt = None;
            }
            Command::Resume => self.resume(now),
            Command::Probe => self.probe_due = now,
        }
    }

    /// After a pause everything is judged anew.
    pub(super) fn resume(&mut self, now: Moment) {
        if self.state.pause.take().is_none() {
            return;
        }
        self.failures = 0;
        self.outages = 0;
        self.probe_due = now;
        if self.verdict.severity() == Severity::Outage {
            self.verdict = Verdict::Unknown(String::new());
        }
    }

    /// Backoff skipped, counter cleared, breaker closed. An attempt that is running is joined, but one that waits for
    /// work to finish is cut short by "now".
    fn restart_as_asked(&mut self, now: Moment, force: bool, actions: &mut Vec<Action>) {
        match &mut self.state.running {
            Some(running) if running.rung == Rung::Stop || (force && !running.hasty && running.done.is_none()) => {
                self.cancel(actions);
            }
            Some(running) => {
                running.asked = true;
                return;
            }
            None => {}
        }
        self.state.stopped = false;
        self.state.crashes.clear();
        self.state.breaker = Breaker::Closed;
        let alive = self.shown.process.is_some();
        let silent = matches!(self.latest, Verdict::Hung | Verdict::Zombie);
        let rung = match (alive, force || silent) {
            (false, _) if matches!(self.verdict, Verdict::StaleGateway { .. }) => Rung::FreePort,
            (false, _) => Rung::Start,
            (true, true) => Rung::Restart,
            (true, false) => Rung::Graceful,
        };
        self.launch(now, rung, force || silent, true, actions);
    }

    fn stop_as_asked(&mut self, now: Moment, actions: &mut Vec<Action>) {
        if self.state.running.is_some() {
            self.cancel(actions);
        }
        self.state.stopped = true;
        self.state.attempt = None;
        self.launch(now, Rung::Stop, false, true, actions);
    }

    /// Nothing is done where nothing was changed.
    fn roll_back_as_asked(&mut self, now: Moment, actions: &mut Vec<Action>) {
        if !self.is_config_changed() {
            return;
        }
        match &mut self.state.running {
            Some(running) if running.rung == Rung::RollBack => {
                running.asked = true;
                return;
            }
            Some(_) => self.cancel(actions),
            None => {}
        }
        self.state.stopped = false;
        self.state.crashes.clear();
        self.state.breaker = Breaker::Closed;
        let silent = matches!(self.latest, Verdict::Hung | Verdict::Zombie);
        self.launch(now, Rung::RollBack, silent, true, actions);
    }

    fn cancel(&mut self, actions: &mut Vec<Action>) {
        if let Some(running) = self.state.running.take() {
            actions.push(Action::Concluded { id: running.id, outcome: Outcome::Cancelled });
        }
    }
}
