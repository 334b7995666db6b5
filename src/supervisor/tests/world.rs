//! A gateway of a few lines, its service and a clock, for the core's tests.

use std::time::Duration;

use crate::supervisor::Supervisor;
use crate::supervisor::activity::{Activity, ChannelState};
use crate::supervisor::configuration::ConfigStanding;
use crate::supervisor::dependency::{Dependency, DependencyState, Trouble};
use crate::supervisor::event::{Action, Alert, AlertKind, Command, Event, HealReport};
use crate::supervisor::intent::{Intent, IntentSeen};
use crate::supervisor::ladder::{Heal, Outcome, Rung};
use crate::supervisor::moment::Moment;
use crate::supervisor::observation::{
    Answer, Exit, HealthBody, Identity, Observation, PortOwner, ProcessState, ReadyBody, ServiceState, StartupBody,
};
use crate::supervisor::policy::Policy;
use crate::supervisor::state::State;
use crate::supervisor::verdict::{Health, Verdict};

/// How the modelled gateway behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mood {
    /// Answers, once it has been up for its start-up time.
    Well,
    /// Accepts and does not answer.
    Hung,
    /// Dies this long after each start.
    DiesAfter(Duration),
    /// Refuses to start: exit code 78.
    Refuses,
    /// Live, not ready.
    NotReady,
    /// Ready, but it holds a channel back.
    Suppressed,
}

/// A gateway, a service and a clock.
pub(super) struct World {
    pub(super) core: Supervisor,
    pub(super) now: Moment,
    pub(super) mood: Mood,
    pub(super) startup: Duration,
    pub(super) process: Option<(Identity, Moment)>,
    pub(super) next_pid: u32,
    pub(super) heals: Vec<(Moment, Heal)>,
    pub(super) kills: Vec<Moment>,
    pub(super) alerts: Vec<Alert>,
    pub(super) progress: Vec<Alert>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) persists: u32,
    /// What every round sees besides the gateway itself.
    pub(super) dependencies: Vec<DependencyState>,
    pub(super) activity: Option<Activity>,
    pub(super) intent: Option<IntentSeen>,
    pub(super) config_stamp: Option<u64>,
    pub(super) config_edited: Option<i64>,
    pub(super) config: ConfigStanding,
    /// Fingerprints of configurations that were to be kept.
    pub(super) kept: Vec<u64>,
    pub(super) service: ServiceState,
    pub(super) latency: Option<Duration>,
    pub(super) memory: Option<u64>,
    /// A heal is answered by this, and nothing is done.
    pub(super) obstruction: Option<DependencyState>,
    /// The configuration cannot be put back.
    pub(super) unprepared: bool,
}

pub(super) const BEGIN: Moment = Moment { awake: 1_000_000, elapsed: 1_000_000, wall: 1_700_000_000_000 };

impl World {
    pub(super) fn new(policy: Policy) -> Self {
        let mut world = Self {
            core: Supervisor::new(policy, State::default(), BEGIN),
            now: BEGIN,
            mood: Mood::Well,
            startup: Duration::from_secs(8),
            process: None,
            next_pid: 100,
            heals: Vec::new(),
            kills: Vec::new(),
            alerts: Vec::new(),
            progress: Vec::new(),
            outcomes: Vec::new(),
            persists: 0,
            dependencies: Vec::new(),
            activity: None,
            intent: None,
            config_stamp: None,
            config_edited: None,
            config: ConfigStanding::Unknown,
            kept: Vec::new(),
            service: ServiceState::Unmanaged,
            latency: None,
            memory: None,
            obstruction: None,
            unprepared: false,
        };
        world.start();
        world
    }

    /// A world whose gateway has been healthy for a while.
    pub(super) fn healthy() -> Self {
        Self::healthy_with(Policy::default())
    }

    /// The same, with numbers of its own.
    pub(super) fn healthy_with(policy: Policy) -> Self {
        let mut world = Self::new(policy);
        world.run(Duration::from_mins(3));
        assert_eq!(world.core.health(), Health::Healthy);
        world
    }

    pub(super) fn start(&mut self) {
        self.next_pid += 1;
        let identity = Identity { pid: self.next_pid, started: 1, command: "openclaw-gateway".to_owned() };
        self.process = Some((identity, self.now));
    }

    pub(super) fn die(&mut self, exit: Exit) {
        if let Some((identity, _)) = self.process.take() {
            self.feed(Event::Exited { identity, exit });
        }
    }

    pub(super) fn kill(&mut self) {
        self.die(Exit { code: None, signal: Some(9) });
    }

    pub(super) fn look(&self) -> Observation {
        let mut seen = Observation::nothing(self.now);
        seen.service = self.service.clone();
        seen.dependencies.clone_from(&self.dependencies);
        seen.activity.clone_from(&self.activity);
        seen.intent = self.intent;
        seen.config_stamp = self.config_stamp;
        seen.config_edited = self.config_edited;
        seen.config.clone_from(&self.config);
        seen.latency = self.latency;
        seen.memory = self.memory;
        let Some((identity, born)) = &self.process else {
            seen.process = ProcessState::Gone;
            seen.health = Answer::Refused;
            seen.port = PortOwner::Free;
            return seen;
        };
        let age = self.now.awake_since(*born);
        seen.process = ProcessState::Running { identity: identity.clone(), age };
        if age < self.startup {
            seen.health = Answer::Refused;
            return seen;
        }
        seen.port = PortOwner::Gateway;
        if self.mood == Mood::Hung {
            seen.health = Answer::TimedOut;
            return seen;
        }
        seen.health = Answer::Json { status: 200, body: HealthBody { live: true } };
        seen.startup = Answer::Json {
            status: 200,
            body: StartupBody { started: true, uptime: Some(age), ..StartupBody::default() },
        };
        let ready = self.mood != Mood::NotReady;
        let failing = if ready { Vec::new() } else { vec!["telegram".to_owned()] };
        let suppressed = if self.mood == Mood::Suppressed { vec!["telegram".to_owned()] } else { Vec::new() };
        seen.ready = Answer::Json {
            status: if ready { 200 } else { 503 },
            body: ReadyBody { ready, failing, suppressed, ..ReadyBody::default() },
        };
        seen
    }

    pub(super) fn feed(&mut self, event: Event) {
        for action in self.core.step(self.now, event) {
            match action {
                Action::Probe => {
                    let seen = self.look();
                    self.feed(Event::Observed(Box::new(seen)));
                }
                Action::Heal(heal) => self.do_heal(&heal),
                Action::Concluded { outcome, .. } => self.outcomes.push(outcome),
                Action::Announce(alert) if matches!(alert.kind, AlertKind::Progress { .. }) => {
                    self.progress.push(alert);
                }
                Action::Announce(alert) => self.alerts.push(alert),
                Action::KeepConfig { stamp } => {
                    self.kept.push(stamp);
                    self.config = ConfigStanding::Good;
                }
                Action::Persist => self.persists += 1,
            }
        }
    }

    pub(super) fn do_heal(&mut self, heal: &Heal) {
        self.heals.push((self.now, heal.clone()));
        if let Some(missing) = &self.obstruction {
            let report = HealReport::Obstructed(vec![missing.clone()]);
            self.feed(Event::Heal { id: heal.id, report });
            return;
        }
        if self.unprepared && heal.rung == Rung::RollBack {
            self.feed(Event::Heal { id: heal.id, report: HealReport::Unprepared("read-only".to_owned()) });
            return;
        }
        if heal.rung == Rung::RollBack && heal.cause.verdict == Verdict::Healthy {
            self.feed(Event::Heal { id: heal.id, report: HealReport::Done });
            return;
        }
        if heal.rung == Rung::StartChannels {
            self.mood = Mood::Well;
            self.feed(Event::Heal { id: heal.id, report: HealReport::Done });
            return;
        }
        if self.process.is_some() {
            if heal.hasty && heal.may_kill {
                self.kills.push(self.now);
                self.feed(Event::Heal { id: heal.id, report: HealReport::Killed });
            } else if self.mood == Mood::Hung {
                let reason = "it ignores SIGTERM".to_owned();
                self.feed(Event::Heal { id: heal.id, report: HealReport::Failed(reason) });
                return;
            }
            self.kill();
        }
        if heal.rung != Rung::Stop {
            self.start();
        }
        if self.mood == Mood::Hung || heal.rung == Rung::RollBack {
            self.mood = Mood::Well;
        }
        self.feed(Event::Heal { id: heal.id, report: HealReport::Done });
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now.after(time);
        while self.now.elapsed < end.elapsed {
            let lifetime = match self.mood {
                Mood::DiesAfter(lifetime) => Some((lifetime, Exit { code: Some(1), signal: None })),
                Mood::Refuses => Some((Duration::from_secs(2), Exit { code: Some(78), signal: None })),
                _ => None,
            };
            let death = self.process.as_ref().zip(lifetime).map(|((_, born), (time, exit))| (born.after(time), exit));
            let left = |moment: Moment| moment.elapsed_since(self.now);
            let wait = self.core.next_wake(self.now).clamp(Duration::from_millis(1), Duration::from_secs(10));
            let wait = death.map_or(wait, |(at, _)| wait.min(at.awake_since(self.now))).min(left(end));
            self.now = self.now.after(wait);
            if let Some((at, exit)) = death
                && self.now.awake >= at.awake
            {
                self.die(exit);
            }
            self.feed(Event::Tick);
        }
    }

    pub(super) fn sleep(&mut self, time: Duration) {
        let later = self.now.after(time);
        self.now = Moment { awake: self.now.awake, ..later };
    }

    pub(super) fn kinds(&self) -> Vec<&'static str> {
        self.alerts.iter().map(|alert| alert.kind.name()).collect()
    }

    pub(super) fn gaps(&self) -> Vec<u64> {
        self.heals.windows(2).map(|pair| pair[1].0.elapsed_since(pair[0].0).as_secs()).collect()
    }

    pub(super) fn ask(&mut self, command: Command) {
        self.feed(Event::Command(command));
    }

    pub(super) fn rungs(&self) -> Vec<Rung> {
        self.heals.iter().map(|(_, heal)| heal.rung).collect()
    }

    /// Somebody did this to the gateway a moment ago.
    pub(super) fn deed(&mut self, intent: Intent) {
        self.intent = Some(IntentSeen { intent, at: self.now.wall });
    }
}

/// A host that the configuration names, reachable or not.
pub(super) fn network(reachable: bool) -> DependencyState {
    let trouble = (!reachable).then_some(Trouble::Unresolved);
    DependencyState { dependency: Dependency::Network { host: "api.telegram.org:443".to_owned() }, trouble }
}

/// Docker does not run.
pub(super) fn no_docker() -> DependencyState {
    DependencyState { dependency: Dependency::Docker, trouble: Some(Trouble::NotRunning) }
}

/// A report of one channel.
pub(super) fn telegram(change: impl Fn(&mut ChannelState)) -> Activity {
    let mut channel =
        ChannelState { channel: "telegram".to_owned(), enabled: true, connected: true, ..ChannelState::default() };
    change(&mut channel);
    Activity { channels: vec![channel], ..Activity::default() }
}
