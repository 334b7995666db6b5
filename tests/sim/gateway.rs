//! The modelled gateway: a process with an age, what ails it, and what a round of probes sees of it.

use std::time::Duration;

use lifeguard::supervisor::activity::{Activity, ChannelState, ModelRefusal, RefusalCause};
use lifeguard::supervisor::configuration::{Alteration, ConfigChange, ConfigStanding};
use lifeguard::supervisor::dependency::{Dependency, DependencyState, Trouble};
use lifeguard::supervisor::intent::IntentSeen;
use lifeguard::supervisor::moment::Moment;
use lifeguard::supervisor::observation::{
    Answer, Exit, HealthBody, Identity, Observation, PortOwner, ProcessState, ReadyBody, ServiceState, StartupBody,
};
use lifeguard::supervisor::policy::Manager;

use super::clock::{HOUR, SECOND, Time};

/// What a version of the gateway answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// `/startupz`, `/healthz` and `/readyz`.
    Whole,
    /// Without `/startupz`.
    Plain,
    /// A web page at every path.
    Page,
}

/// Something that the gateway needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Docker,
    Network,
    Disk,
    Configuration,
    Program,
}

/// What may be the matter with a gateway, its service, or the way to them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ailment {
    /// Accepts and answers nothing.
    Hung,
    /// Answers HTTP 500.
    Failing,
    /// Answers that it is not live.
    NotLive,
    /// Breaks every connection.
    Breaks,
    /// Listens no more.
    Closed,
    /// Ready except for a channel, or for its database.
    NotReady { channel: bool },
    /// `/readyz` alone does not answer.
    ReadyHangs,
    /// It holds a channel back.
    Suppressed,
    /// Its answers take three seconds.
    Slow,
    /// A channel was refused for good.
    LoggedOut,
    /// The model's provider refuses it.
    ModelRefused,
    /// A channel carries nothing.
    Silent,
    /// A channel is not connected.
    ChannelDown,
    /// Scheduled work is overdue.
    Overdue,
    /// The service manager starts it in vain beside the one that runs.
    Orphan,
    /// Each life ends so long after its start.
    ShortLife { lifetime: Time, exit: Exit },
    /// Each life hangs so long after it got ready.
    HangsAgain { after: Time },
    /// Each start ends with exit code 78.
    Refuses,
    /// Each start takes so long.
    LongStart(Time),
    /// No start gets ready; `listens`: it says so itself.
    StuckStart { listens: bool },
    /// SIGTERM is not obeyed.
    Deaf,
    /// Running work makes an orderly end take so long.
    Busy(Time),
    /// Something that it needs is missing.
    Lacks(Need),
    /// A stranger holds the port.
    Thief,
    /// A leftover gateway, hung, holds the port.
    Leftover,
    /// So many bytes.
    Memory(u64),
    /// So many bytes more each hour.
    Leak(u64),
    /// The service is not loaded.
    Unloaded,
    /// The service is switched off.
    Disabled,
    /// The manager takes so much longer.
    ManagerLate(Time),
    /// The manager says that it will, and does not.
    ManagerAbsent,
    /// The manager says that it will not.
    ManagerGivesUp,
    /// The manager starts it, ends it, and starts it again.
    ManagerTwice,
    /// There is no gateway here.
    Uninstalled,
    /// The service cannot do what it is asked.
    HealFails,
    /// The service takes all the time that it is allowed, and then has done nothing.
    HealSticks,
    /// A round of probes never ends.
    ProbeLost,
    /// Neither process nor service can be looked up.
    Blind,
    /// The whole program was exchanged: nothing at all is known of it.
    Nothing,
}

/// An ailment and how long it lasts.
#[derive(Debug, Clone, Copy)]
struct Illness {
    ailment: Ailment,
    until: Time,
    /// It ends with this life, too.
    life: Option<u64>,
}

/// The process of the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) identity: Identity,
    /// When it was started.
    pub(crate) born: Time,
    /// When this generation began: an in-process restart begins another one.
    pub(crate) generation: Time,
    pub(crate) listens_at: Time,
    pub(crate) ready_at: Time,
    /// It shuts down in order.
    pub(crate) drains: bool,
}

/// How the gateway really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    Whole,
    Impaired,
    Starting,
    Draining,
    Down,
}

/// The gateway and its service.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) manager: Manager,
    pub(crate) flavour: Flavour,
    pub(crate) process: Option<Process>,
    /// Names the present life, or the last one.
    pub(crate) life: u64,
    illnesses: Vec<Illness>,
    /// A person has stopped it.
    pub(crate) stopped: bool,
    /// The manager has a start in hand.
    pub(crate) restarting: bool,
    pub(crate) intent: Option<IntentSeen>,
    pub(crate) last_exit: Option<i32>,
    pub(crate) config_stamp: u64,
    /// The configuration differs from the last good one.
    pub(crate) config_changed: bool,
    /// How long a start takes when all is well.
    pub(crate) startup: Time,
}

impl Model {
    pub(crate) fn new(manager: Manager, flavour: Flavour, startup: Time) -> Self {
        Self {
            manager,
            flavour,
            process: None,
            life: 0,
            illnesses: Vec::new(),
            stopped: false,
            restarting: false,
            intent: None,
            last_exit: None,
            config_stamp: 1,
            config_changed: false,
            startup,
        }
    }

    pub(crate) fn is_managed(&self) -> bool {
        matches!(self.manager, Manager::ServiceManager { .. })
    }

    /// The ailments that work now.
    pub(crate) fn ailments(&self, now: Time) -> impl Iterator<Item = Ailment> + '_ {
        let lives = move |illness: &&Illness| {
            now < illness.until && illness.life.is_none_or(|life| life == self.life && self.process.is_some())
        };
        self.illnesses.iter().filter(lives).map(|illness| illness.ailment)
    }

    pub(crate) fn has(&self, now: Time, wanted: Ailment) -> bool {
        self.ailments(now).any(|ailment| ailment == wanted)
    }

    /// Falls ill. `cured_by_end`: a new life is free of it.
    pub(crate) fn fall_ill(&mut self, ailment: Ailment, until: Time, cured_by_end: bool) {
        let life = cured_by_end.then_some(self.life);
        self.illnesses.push(Illness { ailment, until, life });
    }

    /// Forgets what is over.
    pub(crate) fn tidy(&mut self, now: Time) {
        let life = self.life;
        self.illnesses.retain(|illness| now < illness.until && illness.life.is_none_or(|of| of == life));
    }

    /// Everything that ails it ends.
    pub(crate) fn mend(&mut self) {
        self.illnesses.clear();
    }

    /// What a rung may mend ends.
    pub(crate) fn cure(&mut self, cured: impl Fn(Ailment) -> bool) {
        self.illnesses.retain(|illness| !cured(illness.ailment));
    }

    /// A new process; its end is to be planned by the caller, if its life is short.
    pub(crate) fn start(&mut self, now: Time) -> &Process {
        self.life += 1;
        self.tidy(now);
        let mut startup = self.startup;
        let mut stuck = None;
        for ailment in self.ailments(now) {
            match ailment {
                Ailment::LongStart(length) => startup = length,
                Ailment::StuckStart { listens } => stuck = Some(listens),
                _ => {}
            }
        }
        let never = Time::MAX;
        let (listens_at, ready_at) = match stuck {
            None => (now + startup / 2, now + startup),
            Some(true) => (now + startup / 2, never),
            Some(false) => (never, never),
        };
        // Nobody can tell that a version without health endpoints is not ready yet.
        let ready_at = if self.flavour == Flavour::Page { listens_at } else { ready_at };
        let pid = u32::try_from(self.life % 60_000).unwrap_or(0) + 100;
        let identity = Identity { pid, started: self.life, command: String::new() };
        self.restarting = false;
        self.process.insert(Process { identity, born: now, generation: now, listens_at, ready_at, drains: false })
    }

    /// How long the life that begins now lasts, if that is known, and how it ends.
    pub(crate) fn fate(&self, now: Time) -> Option<(Time, Exit)> {
        let fates = self.ailments(now).filter_map(|ailment| match ailment {
            Ailment::ShortLife { lifetime, exit } => Some((lifetime, exit)),
            Ailment::Refuses => Some((2 * SECOND, Exit { code: Some(78), signal: None })),
            Ailment::Thief | Ailment::Leftover => Some((SECOND, Exit { code: Some(1), signal: None })),
            _ => None,
        });
        fates.min_by_key(|(lifetime, _)| *lifetime)
    }

    /// The moment at which this life hangs, if each does.
    pub(crate) fn hangs_at(&self, now: Time) -> Option<Time> {
        let process = self.process.as_ref()?;
        self.ailments(now).find_map(|ailment| match ailment {
            Ailment::HangsAgain { after } => Some(process.ready_at.saturating_add(after)),
            _ => None,
        })
    }

    /// Whether it hangs, and so obeys no signal but SIGKILL.
    pub(crate) fn is_hung(&self, now: Time) -> bool {
        self.has(now, Ailment::Hung) || self.hangs_at(now).is_some_and(|at| now >= at)
    }

    /// Whether this version, run like this, lets anybody know of an impairment at all. A service that is switched off is
    /// not started in vain.
    fn tells(&self, ailment: Ailment, now: Time) -> bool {
        let starts_in_vain = || self.service_state(now) == ServiceState::Restarting;
        self.flavour != Flavour::Page && (ailment != Ailment::Orphan || starts_in_vain())
    }

    /// How it really is.
    pub(crate) fn truth(&self, now: Time) -> Truth {
        let mut worst = Truth::Whole;
        for ailment in self.ailments(now) {
            match ailment {
                Ailment::Thief | Ailment::Leftover | Ailment::Uninstalled | Ailment::Nothing => return Truth::Down,
                Ailment::NotLive if self.flavour == Flavour::Page => {}
                Ailment::Hung | Ailment::Failing | Ailment::NotLive | Ailment::Breaks | Ailment::Closed => {
                    worst = Truth::Down;
                }
                Ailment::HangsAgain { .. } if self.is_hung(now) => worst = Truth::Down,
                Ailment::NotReady { .. }
                | Ailment::ReadyHangs
                | Ailment::Suppressed
                | Ailment::Slow
                | Ailment::LoggedOut
                | Ailment::ModelRefused
                | Ailment::Silent
                | Ailment::ChannelDown
                | Ailment::Overdue
                | Ailment::Orphan
                    if worst == Truth::Whole && self.tells(ailment, now) =>
                {
                    worst = Truth::Impaired;
                }
                _ => {}
            }
        }
        match &self.process {
            None => Truth::Down,
            Some(process) if process.drains => Truth::Draining,
            Some(process) if now < process.ready_at => Truth::Starting,
            Some(_) => worst,
        }
    }

    /// What a round of probes sees that begins now.
    pub(crate) fn look(&self, now: Time, moment: Moment, rng: &mut fastrand::Rng) -> Observation {
        let mut seen = Observation::nothing(moment);
        seen.intent = self.intent;
        seen.config_stamp = Some(self.config_stamp);
        seen.config = if self.config_changed {
            ConfigStanding::Changed(ConfigChange { good: 0, alteration: Alteration::Missing })
        } else {
            ConfigStanding::Good
        };
        seen.service = self.service_state(now);
        seen.last_exit = self.last_exit.filter(|_| self.is_managed() && self.process.is_none());
        self.look_at_process(now, &mut seen);
        for ailment in self.ailments(now) {
            self.look_at(ailment, now, &mut seen, rng);
        }
        if seen.memory.is_none() {
            seen.memory = self.process.as_ref().map(|_| 700 << 20);
        }
        // What cannot be seen is what there is otherwise.
        for ailment in self.ailments(now) {
            overlook(ailment, &mut seen);
        }
        seen
    }

    fn look_at_process(&self, now: Time, seen: &mut Observation) {
        let Some(process) = &self.process else {
            seen.process = ProcessState::Gone;
            seen.health = Answer::Refused;
            seen.port = PortOwner::Free;
            return;
        };
        seen.process = ProcessState::Running { identity: process.identity.clone(), age: length(now - process.born) };
        if now < process.listens_at {
            seen.health = Answer::Refused;
            seen.port = PortOwner::Free;
            return;
        }
        seen.port = PortOwner::Gateway;
        let page = || Answer::Foreign { status: 200, reason: String::new() };
        if self.flavour == Flavour::Page {
            seen.health = page();
            seen.ready = Answer::Foreign { status: 200, reason: String::new() };
            return;
        }
        let (started, uptime) = (now >= process.ready_at, Some(length(now - process.generation)));
        let status = |ok: bool| if ok { 200 } else { 503 };
        seen.health = Answer::Json { status: 200, body: HealthBody { live: true } };
        seen.latency = Some(Duration::from_millis(5));
        if self.flavour == Flavour::Whole {
            let pending_reason = (!started).then(|| "sidecars".to_owned());
            let body = StartupBody { started, draining: process.drains, pending_reason, version: None, uptime };
            seen.startup = Answer::Json { status: status(started), body };
        } else {
            seen.startup = Answer::Foreign { status: 404, reason: String::new() };
        }
        let ready = started && !process.drains;
        let mut failing = Vec::new();
        if !started {
            failing.push("startup-sidecars".to_owned());
        }
        if process.drains {
            failing.push("gateway-draining".to_owned());
        }
        seen.ready =
            Answer::Json { status: status(ready), body: ReadyBody { ready, failing, suppressed: Vec::new(), uptime } };
    }

    fn look_at(&self, ailment: Ailment, now: Time, seen: &mut Observation, rng: &mut fastrand::Rng) {
        let listens = seen.port == PortOwner::Gateway;
        let answers = matches!(seen.health, Answer::Json { .. });
        let unready = |seen: &mut Observation, change: &dyn Fn(&mut ReadyBody)| {
            if let Answer::Json { body, status } = &mut seen.ready
                && body.ready
            {
                change(body);
                *status = if body.ready { 200 } else { 503 };
            }
        };
        match ailment {
            Ailment::Hung if listens => silence(seen, &Answer::TimedOut),
            Ailment::HangsAgain { .. } if listens && self.is_hung(now) => silence(seen, &Answer::TimedOut),
            Ailment::Breaks if listens => silence(seen, &Answer::Broken("connection reset by peer".to_owned())),
            Ailment::Failing if listens => silence(seen, &Answer::Foreign { status: 500, reason: String::new() }),
            Ailment::NotLive if answers => {
                seen.health = Answer::Json { status: 503, body: HealthBody { live: false } };
            }
            Ailment::Closed if listens => {
                silence(seen, &Answer::Refused);
                seen.port = PortOwner::Free;
            }
            Ailment::NotReady { channel } => unready(seen, &|body| {
                body.ready = false;
                body.failing = vec![if channel { "telegram" } else { "state-database" }.to_owned()];
            }),
            Ailment::ReadyHangs if answers => seen.ready = Answer::TimedOut,
            Ailment::Suppressed => unready(seen, &|body| body.suppressed = vec!["telegram".to_owned()]),
            Ailment::Slow if answers => seen.latency = Some(Duration::from_secs(3)),
            Ailment::ModelRefused if answers => {
                seen.activity = Some(Activity { refusal: Some(refused_model()), ..Activity::default() });
            }
            Ailment::LoggedOut if answers => seen.activity = Some(telegram(|channel| channel.logged_out = true)),
            Ailment::ChannelDown if answers => seen.activity = Some(telegram(|channel| channel.connected = false)),
            Ailment::Silent if answers => {
                seen.activity = Some(telegram(|channel| channel.silent_for = Some(Duration::from_hours(1))));
            }
            Ailment::Overdue if answers => {
                seen.activity = Some(Activity {
                    overdue: Some(Duration::from_mins(20)),
                    in_flight: Some(0),
                    ..Activity::default()
                });
            }
            Ailment::Lacks(need) => seen.dependencies.push(missing(need)),
            Ailment::Thief => {
                seen.port = PortOwner::Stranger { pid: Some(7), name: "nginx".to_owned() };
                silence(seen, &Answer::Foreign { status: 404, reason: String::new() });
            }
            Ailment::Leftover => {
                let holder = Identity { pid: 50, started: 0, command: String::new() };
                seen.port = PortOwner::OtherGateway(holder);
                silence(seen, &Answer::TimedOut);
            }
            Ailment::Memory(bytes) if self.process.is_some() => {
                seen.memory = Some(bytes);
                seen.activity.get_or_insert_default().in_flight = Some(rng.u32(..2));
            }
            Ailment::Leak(per_hour) => {
                if let ProcessState::Running { age, .. } = &seen.process {
                    let grown = u128::from(per_hour) * age.as_millis() / u128::from(HOUR.unsigned_abs());
                    seen.memory = Some((700 << 20) + u64::try_from(grown).unwrap_or(0));
                }
            }
            _ => {}
        }
    }

    fn service_state(&self, now: Time) -> ServiceState {
        let mut state = match (self.is_managed(), &self.process) {
            (false, _) => ServiceState::Unmanaged,
            (true, Some(_)) => ServiceState::Running,
            (true, None) if self.stopped => ServiceState::Stopped,
            (true, None) => ServiceState::Restarting,
        };
        for ailment in self.ailments(now) {
            let managed = self.is_managed();
            let gone = self.process.is_none() && managed && !self.restarting;
            match ailment {
                Ailment::Uninstalled => state = ServiceState::NotInstalled,
                Ailment::Unloaded if managed => state = ServiceState::NotLoaded,
                Ailment::Disabled if managed => state = ServiceState::Disabled,
                Ailment::ManagerGivesUp if gone && state == ServiceState::Restarting => {
                    state = ServiceState::Failed("start-limit-hit".to_owned());
                }
                Ailment::Orphan if state == ServiceState::Running => state = ServiceState::Restarting,
                _ => {}
            }
        }
        state
    }
}

fn overlook(ailment: Ailment, seen: &mut Observation) {
    match ailment {
        Ailment::Blind => {
            seen.service = ServiceState::Unknown("timed out".to_owned());
            seen.process = ProcessState::Unknown;
            seen.port = PortOwner::Unknown;
            seen.memory = None;
        }
        Ailment::Nothing => *seen = Observation { intent: seen.intent, ..Observation::nothing(seen.began) },
        _ => {}
    }
}

fn silence(seen: &mut Observation, answer: &Answer<()>) {
    seen.latency = None;
    seen.startup = retyped(answer);
    seen.ready = retyped(answer);
    seen.health = retyped(answer);
}

fn retyped<T>(answer: &Answer<()>) -> Answer<T> {
    match answer {
        Answer::NotAsked | Answer::Json { .. } => Answer::NotAsked,
        Answer::Refused => Answer::Refused,
        Answer::TimedOut => Answer::TimedOut,
        Answer::Broken(reason) => Answer::Broken(reason.clone()),
        Answer::Foreign { status, reason } => Answer::Foreign { status: *status, reason: reason.clone() },
    }
}

fn telegram(change: impl Fn(&mut ChannelState)) -> Activity {
    let mut channel =
        ChannelState { channel: "telegram".to_owned(), enabled: true, connected: true, ..ChannelState::default() };
    change(&mut channel);
    Activity { channels: vec![channel], ..Activity::default() }
}

/// That the model's provider refuses the gateway's key.
pub(crate) fn refused_model() -> ModelRefusal {
    ModelRefusal { provider: "anthropic".to_owned(), cause: RefusalCause::Credentials }
}

/// That something that it needs is missing.
pub(crate) fn missing(need: Need) -> DependencyState {
    let (dependency, trouble) = match need {
        Need::Docker => (Dependency::Docker, Trouble::NotRunning),
        Need::Network => (Dependency::Network { host: "api.telegram.org:443".to_owned() }, Trouble::Unresolved),
        Need::Disk => (Dependency::Disk, Trouble::NearlyFull { free: 0 }),
        Need::Configuration => (Dependency::Configuration, Trouble::Invalid(String::new())),
        Need::Program => (Dependency::Program { name: "node".to_owned() }, Trouble::Missing),
    };
    DependencyState { dependency, trouble: Some(trouble) }
}

/// A host that can be reached.
pub(crate) fn reachable() -> DependencyState {
    DependencyState { trouble: None, ..missing(Need::Network) }
}

fn length(time: Time) -> Duration {
    Duration::from_millis(u64::try_from(time).unwrap_or(0))
}
