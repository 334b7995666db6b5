//! A core that watches a gateway in good health, in virtual time.
#![allow(dead_code, reason = "each program uses the part that it needs")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::time::Duration;

use lifeguard::supervisor::Supervisor;
use lifeguard::supervisor::event::{Action, Event, HealReport};
use lifeguard::supervisor::ladder::Outcome;
use lifeguard::supervisor::moment::Moment;
use lifeguard::supervisor::observation::{
    Answer, Exit, HealthBody, Identity, Observation, PortOwner, ProcessState, ReadyBody, ServiceState, StartupBody,
};
use lifeguard::supervisor::policy::Policy;
use lifeguard::supervisor::state::State;

/// Where the clocks begin.
pub(crate) const BEGIN: Moment = Moment { awake: 1_000_000, elapsed: 1_000_000, wall: 1_795_000_000_000 };

/// The core and its clock.
#[derive(Debug, Clone)]
pub(crate) struct Steady {
    pub(crate) core: Supervisor,
    pub(crate) now: Moment,
    identity: Identity,
    born: Moment,
}

impl Steady {
    /// A gateway that has been well for an hour: nothing is left of its start.
    pub(crate) fn well() -> Self {
        let identity = Identity { pid: 4711, started: 1, command: "openclaw-gateway".to_owned() };
        let core = Supervisor::new(Policy::default(), State::default(), BEGIN);
        let mut steady = Self { core, now: BEGIN, identity, born: BEGIN };
        steady.pass(Duration::from_hours(1));
        steady
    }

    /// What a round finds.
    pub(crate) fn look(&self) -> Observation {
        let age = self.now.awake_since(self.born);
        let mut seen = Observation::nothing(self.now);
        seen.service = ServiceState::Unmanaged;
        seen.process = ProcessState::Running { identity: self.identity.clone(), age };
        seen.port = PortOwner::Gateway;
        seen.latency = Some(Duration::from_micros(430));
        seen.memory = Some(612 << 20);
        seen.health = Answer::Json { status: 200, body: HealthBody { live: true } };
        let uptime = Some(age);
        seen.startup =
            Answer::Json { status: 200, body: StartupBody { started: true, uptime, ..StartupBody::default() } };
        seen.ready = Answer::Json { status: 200, body: ReadyBody { ready: true, uptime, ..ReadyBody::default() } };
        seen
    }

    /// What a round finds when nothing runs.
    fn nothing(&self) -> Observation {
        let mut seen = Observation::nothing(self.now);
        seen.service = ServiceState::Unmanaged;
        seen.process = ProcessState::Gone;
        seen.port = PortOwner::Free;
        seen.health = Answer::Refused;
        seen
    }

    /// Goes on by the core's own alarm.
    pub(crate) fn wait(&mut self) {
        self.now = self.now.after(self.core.next_wake(self.now).max(Duration::from_millis(1)));
    }

    /// Lets time pass; every round finds it well.
    fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        while self.now.elapsed < end.elapsed {
            self.round();
        }
    }

    /// A tick, and the round that it asks for, if it does.
    pub(crate) fn round(&mut self) -> Vec<Action> {
        self.wait();
        let mut actions = self.core.step(self.now, Event::Tick);
        if actions.contains(&Action::Probe) {
            let seen = self.look();
            actions.extend(self.core.step(self.now, Event::Observed(Box::new(seen))));
        }
        actions
    }

    /// The kernel reports the gateway's end; it is started again, and the next round finds it well.
    pub(crate) fn crash_and_heal(&mut self) {
        let exit = Exit { code: None, signal: Some(9) };
        let mut actions = self.core.step(self.now, Event::Exited { identity: self.identity.clone(), exit });
        for _ in 0..20 {
            for action in std::mem::take(&mut actions) {
                match action {
                    Action::Heal(heal) => {
                        self.identity.pid += 1;
                        self.born = self.now;
                        let done = Event::Heal { id: heal.id, report: HealReport::Done };
                        actions.extend(self.core.step(self.now, done));
                    }
                    Action::Concluded { outcome: Outcome::Restarted, .. } => return,
                    Action::Probe => {
                        let up = self.born.elapsed == self.now.elapsed || self.core.running().is_some();
                        let seen = if up { self.look() } else { self.nothing() };
                        actions.extend(self.core.step(self.now, Event::Observed(Box::new(seen))));
                    }
                    _ => {}
                }
            }
            if actions.is_empty() {
                self.wait();
                actions = self.core.step(self.now, Event::Tick);
            }
        }
        panic!("it was not healed: {:#?}", self.core);
    }
}
