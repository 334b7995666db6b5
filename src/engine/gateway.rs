//! One gateway's task: it feeds the core and does what the core says.
//!
//! Nothing in here waits for anything but the next event: probes, heals and exit watches run beside it and report
//! back, so a stuck one delays only itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tracing::{debug, error, info, warn};

use super::chronicle::Chronicle;
use super::diary::{Diary, Facts, Page, Standing};
use super::preparation::Preparation;
use super::store::StateStore;
use super::{Books, GatewaySpec, Picture, Tuning, now};
use crate::alert::{AlertHandle, GatewayAlert};
use crate::evidence::report::Report;
use crate::evidence::{EvidenceStore, Sources};
use crate::guard::GuardError;
use crate::platform::sleep::SleepNotice;
use crate::probe::Prober;
use crate::request::Reply;
use crate::service::{Kind, Service, discover, docker};
use crate::snapshot::{BreakerSnapshot, GatewaySnapshot, HealSnapshot, PauseSnapshot};
use crate::supervisor::Supervisor;
use crate::supervisor::breaker::Breaker;
use crate::supervisor::configuration::ConfigStanding;
use crate::supervisor::dependency::{Dependency, DependencyState, Trouble};
use crate::supervisor::event::{Action, Command, Event, HealReport};
use crate::supervisor::ladder::{Heal, Rung};
use crate::supervisor::moment::{Moment, milliseconds};
use crate::supervisor::observation::{Exit, Identity, ProcessState};
use crate::supervisor::policy::Policy;

/// Distance of two looks for a gateway where there was none.
const REDISCOVERY: Duration = Duration::from_secs(30);

/// Distance of two requests to start Docker: it may take minutes.
const DOCKER_AGAIN: Duration = Duration::from_mins(5);

/// A person's wish, on its way to the gateway's task.
#[derive(Debug)]
pub struct Wish {
    /// What to do.
    pub command: Command,
    /// Where the answer goes, if somebody waits for it.
    pub reply: Option<oneshot::Sender<Reply>>,
}

/// Where a gateway's task puts its pictures.
#[derive(Debug)]
pub(super) struct Easel {
    /// Which gateway, by its place in the configuration.
    pub(super) place: usize,
    /// To the publisher.
    pub(super) pictures: mpsc::UnboundedSender<Picture>,
}

/// One gateway's task.
pub(super) struct GatewayTask {
    spec: GatewaySpec,
    service: Arc<Service>,
    prober: Prober,
    core: Supervisor,
    store: StateStore,
    alerts: AlertHandle,
    heals: Arc<Semaphore>,
    news: mpsc::UnboundedSender<Event>,
    events: mpsc::UnboundedReceiver<Event>,
    jobs: JoinSet<()>,
    heal: Option<AbortHandle>,
    watched: Option<(Identity, AbortHandle)>,
    /// The process whose end was logged last; a heal and the watch may both report it.
    ended: Option<Identity>,
    waiting: HashMap<u64, Vec<oneshot::Sender<Reply>>>,
    easel: Easel,
    /// What is wrong with keeping the state.
    trouble: Option<String>,
    discovered: Moment,
    found: mpsc::UnboundedSender<Kind>,
    finds: mpsc::UnboundedReceiver<Kind>,
    docker_asked: Option<Moment>,
    chronicle: Chronicle,
    diary: Diary,
}

impl GatewayTask {
    /// A task that goes on from what is on disk.
    pub(super) fn new(
        spec: GatewaySpec,
        prober: Prober,
        alerts: AlertHandle,
        heals: Arc<Semaphore>,
        books: Books,
        easel: Easel,
    ) -> Self {
        let begin = now();
        let service = Arc::new(Service::new(spec.setup.clone(), spec.kind));
        let policy = Policy { manager: service.manager(), ..spec.policy.clone() };
        let mut state = spec.loaded.state.clone();
        if state.seed == 0 {
            state.seed = fastrand::u64(1..);
        }
        let (news, events) = mpsc::unbounded_channel();
        let (found, finds) = mpsc::unbounded_channel();
        Self {
            core: Supervisor::new(policy, state, begin),
            store: spec.store.clone(),
            diary: Diary::new(spec.store.name(), books.recorder, books.metrics),
            trouble: spec.loaded.problem.as_ref().map(ToString::to_string),
            spec,
            service,
            prober,
            alerts,
            heals,
            news,
            events,
            jobs: JoinSet::new(),
            heal: None,
            watched: None,
            ended: None,
            waiting: HashMap::new(),
            easel,
            discovered: begin,
            found,
            finds,
            docker_asked: None,
            chronicle: Chronicle::default(),
        }
    }

    /// What this task knows now.
    pub(super) fn picture(&self, moment: Moment) -> Picture {
        let gateway = snapshot(&self.spec, &self.service, &self.core, self.notice(), moment);
        Picture { place: self.easel.place, taken: moment, gateway }
    }

    fn notice(&self) -> Option<String> {
        let notices: Vec<&str> = self.spec.notice.iter().chain(&self.trouble).map(String::as_str).collect();
        (!notices.is_empty()).then(|| notices.join(" · "))
    }

    /// Runs until `wishes` is closed; takes new numbers as they come.
    /// Heeds what the system says of sleep.
    pub(super) async fn run(
        mut self,
        mut wishes: mpsc::Receiver<Wish>,
        mut tunings: watch::Receiver<Option<Tuning>>,
        mut sleeps: watch::Receiver<Option<SleepNotice>>,
    ) {
        info!(gateway = self.spec.name, service = self.service.name(), address = self.spec.address(), "watching");
        if let Some(identity) = &self.spec.setup.started_before
            && self.service.adopt(identity).await
        {
            info!(gateway = self.spec.name, pid = identity.pid, "goes on with the process of an earlier run");
        }
        loop {
            let wait = self.core.next_wake(now());
            tokio::select! {
                () = tokio::time::sleep(wait) => self.step(Event::Tick),
                Some(event) = self.events.recv() => self.step(event),
                Some(kind) = self.finds.recv() => self.adopt_kind(kind),
                Ok(()) = tunings.changed() => {
                    let tuning = tunings.borrow_and_update().clone();
                    if let Some(tuning) = tuning {
                        self.tune(tuning);
                    }
                }
                Ok(()) = sleeps.changed() => {
                    let notice = *sleeps.borrow_and_update();
                    match notice {
                        Some(SleepNotice::Suspending) => self.step(Event::Suspending),
                        Some(SleepNotice::Woken) => self.step(Event::Woken),
                        None => {}
                    }
                }
                wish = wishes.recv() => match wish {
                    Some(wish) => self.grant(wish),
                    None => break,
                },
                Some(ended) = self.jobs.join_next() => {
                    if let Err(error) = ended && !error.is_cancelled() {
                        error!(gateway = self.spec.name, %error, "a job ended in a way that it should not have");
                    }
                }
            }
        }
        self.save(now(), Vec::new(), &Page::default());
    }

    fn grant(&mut self, wish: Wish) {
        info!(gateway = self.spec.name, command = ?wish.command, "asked by a person");
        if wish.command == Command::RollBack && !matches!(self.core.config_standing(), ConfigStanding::Changed(_)) {
            warn!(gateway = self.spec.name, "the configuration was not changed since it was good");
            if let Some(reply) = wish.reply {
                answer(reply, Reply::Refused(self.why_no_roll_back().to_string()));
            }
            return;
        }
        self.step(Event::Command(wish.command));
        let Some(reply) = wish.reply else { return };
        match (wish.command, self.core.running()) {
            (Command::Restart { .. } | Command::Stop | Command::RollBack, Some(running)) => {
                self.waiting.entry(running.id).or_default().push(reply);
            }
            _ => answer(reply, Reply::Done),
        }
    }

    fn why_no_roll_back(&self) -> GuardError {
        if *self.core.config_standing() == ConfigStanding::Good { GuardError::Unchanged } else { GuardError::NoCopy }
    }

    fn step(&mut self, event: Event) {
        let moment = now();
        if let Event::Observed(seen) = &event {
            debug!(gateway = self.spec.name, ?seen, "observed");
            if let (ProcessState::Gone, Some(code)) = (&seen.process, seen.last_exit) {
                self.chronicle.note_exit(Exit { code: Some(code), signal: None });
            }
        }
        if let Event::Exited { identity, exit } = &event
            && !self.ended.as_ref().is_some_and(|ended| ended.is_same(identity))
        {
            info!(
                gateway = self.spec.name,
                pid = identity.pid,
                code = exit.code,
                signal = exit.signal,
                "process ended"
            );
            if *exit != Exit::default() {
                self.chronicle.note_exit(*exit);
            }
            self.ended = Some(identity.clone());
        }
        let (standing, facts) = (Standing::of(&self.core, moment), Facts::of(&event));
        let before = self.core.health();
        let actions = self.core.step(moment, event);
        let after = self.core.health();
        if before != after {
            info!(gateway = self.spec.name, from = before.name(), to = after.name(), verdict = ?self.core.verdict(), "health");
        }
        self.chronicle.note(&self.core, moment);
        // What an action is about to do must be on record first, and with it what it is to tell.
        let alerts: Vec<GatewayAlert> = actions.iter().filter_map(|action| self.alert(action)).collect();
        let page = self.diary.note(&standing, &facts, &self.core, &actions, moment);
        if actions.contains(&Action::Persist) || !alerts.is_empty() || !page.is_empty() {
            self.save(moment, alerts, &page);
        }
        for action in actions {
            match action {
                Action::Probe => self.probe(moment),
                Action::Heal(heal) => self.begin_heal(heal, moment),
                Action::Concluded { id, outcome } => {
                    info!(gateway = self.spec.name, heal = id, outcome = outcome.name(), "heal concluded");
                    for reply in self.waiting.remove(&id).unwrap_or_default() {
                        answer(reply, Reply::Concluded(outcome.clone()));
                    }
                }
                Action::KeepConfig { stamp } => self.keep_config(stamp, moment),
                Action::Announce(_) | Action::Persist => {}
            }
        }
        self.start_docker_if_wanted(moment);
        self.watch_exit();
        // The publisher ends after the tasks.
        let _ = self.easel.pictures.send(self.picture(moment));
    }

    fn alert(&self, action: &Action) -> Option<GatewayAlert> {
        let Action::Announce(alert) = action else { return None };
        info!(gateway = self.spec.name, kind = alert.kind.name(), "alert");
        Some(GatewayAlert {
            id: 0,
            gateway: self.spec.name.clone(),
            address: self.spec.address(),
            practice: self.spec.practice,
            alert: alert.clone(),
        })
    }

    fn save(&mut self, moment: Moment, alerts: Vec<GatewayAlert>, page: &Page) {
        let state = self.core.state();
        let stored = self.alerts.record(alerts, |change| {
            self.store.save(change, state, moment)?;
            page.save(change, self.store.name())
        });
        match stored {
            Ok(()) => {
                if self.spec.loaded.problem.is_none() {
                    self.trouble = None;
                }
            }
            Err(error) => {
                let trouble = error.to_string();
                if self.trouble.as_deref() != Some(&trouble) {
                    error!(gateway = self.spec.name, "{trouble}");
                }
                self.trouble = Some(trouble);
            }
        }
    }

    fn probe(&mut self, moment: Moment) {
        let rediscover =
            self.service.kind() == Kind::NotInstalled && moment.elapsed_since(self.discovered) >= REDISCOVERY;
        if rediscover {
            self.discovered = moment;
            self.rediscover();
        }
        let (prober, service, news) = (self.prober.clone(), Arc::clone(&self.service), self.news.clone());
        let inquiry = self.core.inquiry(moment);
        self.jobs.spawn(async move {
            let seen = prober.round(&service, moment, inquiry).await;
            // The receiver lives as long as the task that owns this job.
            let _ = news.send(Event::Observed(Box::new(seen)));
        });
    }

    fn keep_config(&mut self, stamp: u64, moment: Moment) {
        let (guard, name) = (self.spec.guard.clone(), self.spec.name.clone());
        self.jobs.spawn(async move {
            match guard.keep(stamp, moment.wall).await {
                Ok(()) => info!(gateway = name, "the configuration is good: a copy is kept"),
                Err(error) => warn!(gateway = name, %error, "no copy of the configuration is kept"),
            }
        });
    }

    /// A gateway may have been installed or started where there was none.
    fn rediscover(&mut self) {
        let (setup, found) = (self.spec.setup.clone(), self.found.clone());
        self.jobs.spawn(async move {
            let kind = discover(&setup).await;
            if kind != Kind::NotInstalled {
                let _ = found.send(kind);
            }
        });
    }

    fn adopt_kind(&mut self, kind: Kind) {
        info!(gateway = self.spec.name, service = kind.name(), "a gateway has appeared");
        self.spec.kind = kind;
        self.service = Arc::new(Service::new(self.spec.setup.clone(), kind));
        self.core.set_manager(self.service.manager());
        self.step(Event::Command(Command::Probe));
    }

    /// From now on these numbers hold; what is under way goes on by them.
    fn tune(&mut self, tuning: Tuning) {
        if tuning.limits != self.spec.limits {
            let spec = &self.spec;
            self.prober = Prober::new(&spec.setup, spec.needs.clone(), spec.guard.clone(), tuning.limits);
        }
        (self.spec.policy, self.spec.limits) = (tuning.policy, tuning.limits);
        self.core.set_policy(Policy { manager: self.service.manager(), ..self.spec.policy.clone() });
        self.step(Event::Command(Command::Probe));
    }

    fn begin_heal(&mut self, heal: Heal, moment: Moment) {
        if let Some(previous) = self.heal.take() {
            previous.abort();
        }
        info!(gateway = self.spec.name, heal = heal.id, rung = heal.rung.name(), asked = heal.asked, "heal begins");
        let (service, news, permits) = (Arc::clone(&self.service), self.news.clone(), Arc::clone(&self.heals));
        let (name, prober) = (self.spec.name.clone(), self.prober.clone());
        let evidence = self.evidence_due(&heal, moment);
        let preparation = Preparation {
            setup: self.spec.setup.clone(),
            guard: self.spec.guard.clone(),
            backups: self.spec.backups.clone(),
            hook: self.spec.hook.clone(),
            evidence: self.spec.evidence.clone(),
        };
        self.heal = Some(self.jobs.spawn(async move {
            let Ok(permit) = permits.acquire().await else { return };
            let id = heal.id;
            let missing = missing(&prober, &heal).await;
            if !missing.is_empty() {
                warn!(gateway = name, heal = id, ?missing, "nothing was touched: something is missing");
                drop(permit);
                let _ = news.send(Event::Heal { id, report: HealReport::Obstructed(missing) });
                return;
            }
            let beside = match evidence {
                // A start destroys nothing but the end of the log, which is marked: the gateway is back sooner.
                Some(mut evidence) if heal.rung == Rung::Start => {
                    evidence.sources.mark_log_end().await;
                    let (started, after) = oneshot::channel::<()>();
                    let name = name.clone();
                    tokio::spawn(async move {
                        // An error means that the attempt is over in another way.
                        let _ = after.await;
                        evidence.collect(&name, id).await;
                    });
                    Some(started)
                }
                Some(evidence) => {
                    evidence.collect(&name, id).await;
                    None
                }
                None => None,
            };
            let killed = || {
                let _ = news.send(Event::Heal { id, report: HealReport::Killed });
            };
            let report = match preparation.prepare(&service, heal, killed).await {
                Ok(Some(heal)) => match service.perform(&heal, killed).await {
                    Ok(()) => HealReport::Done,
                    Err(error) => {
                        warn!(gateway = name, heal = id, %error, "the service could not do it");
                        HealReport::Failed(error.to_string())
                    }
                },
                Ok(None) => HealReport::Done,
                Err(reason) => {
                    warn!(gateway = name, heal = id, reason, "what comes before the start did not work");
                    HealReport::Unprepared(reason)
                }
            };
            drop((permit, beside));
            let succeeded = report == HealReport::Done;
            let _ = news.send(Event::Heal { id, report });
            // A process that ends before the first look at it would be taken for one that is still starting.
            if let Some(identity) = service.started().filter(|_| succeeded) {
                let exit = service.wait_exit(&identity).await;
                let _ = news.send(Event::Exited { identity, exit });
            }
        }));
    }

    /// What is to be stored before this attempt, if anything is.
    fn evidence_due(&mut self, heal: &Heal, moment: Moment) -> Option<Evidence> {
        let mut report = self.chronicle.report_due(&self.core, heal, moment)?;
        report.gateway.clone_from(&self.spec.name);
        self.service.name().clone_into(&mut report.service);
        report.config.path.clone_from(&self.spec.setup.config_path);
        let process = heal.target.clone().or_else(|| self.core.shown().process.clone());
        let log = self.service.log_path().or_else(|| self.spec.log.clone());
        Some(Evidence { store: self.spec.evidence.clone(), report, sources: Sources { process, log, log_end: None } })
    }

    /// An attempt waits for Docker, and the configuration allows to start it.
    fn start_docker_if_wanted(&mut self, moment: Moment) {
        let due = self.docker_asked.is_none_or(|asked| moment.elapsed_since(asked) >= DOCKER_AGAIN);
        let down = DependencyState { dependency: Dependency::Docker, trouble: Some(Trouble::NotRunning) };
        if !self.spec.start_docker || !due || !self.core.waits_for().contains(&down) {
            return;
        }
        self.docker_asked = Some(moment);
        let name = self.spec.name.clone();
        info!(gateway = name, "starting Docker");
        self.jobs.spawn(async move {
            if let Err(error) = docker::start().await {
                warn!(gateway = name, %error, "Docker could not be started");
            }
        });
    }

    /// Keeps a kernel watch on the process that is shown.
    fn watch_exit(&mut self) {
        let Some(identity) = self.core.shown().process.clone() else { return };
        if self.watched.as_ref().is_some_and(|(watched, _)| watched.is_same(&identity)) {
            return;
        }
        if let Some((_, old)) = self.watched.take() {
            old.abort();
        }
        let (service, news, watched) = (Arc::clone(&self.service), self.news.clone(), identity.clone());
        let job = self.jobs.spawn(async move {
            let exit = service.wait_exit(&watched).await;
            let _ = news.send(Event::Exited { identity: watched, exit });
        });
        self.watched = Some((identity, job));
    }
}

/// Evidence that is to be collected.
struct Evidence {
    store: EvidenceStore,
    report: Report,
    sources: Sources,
}

impl Evidence {
    /// Stores it. What goes wrong holds up no attempt.
    async fn collect(self, gateway: &str, heal: u64) {
        match self.store.collect(self.report, self.sources).await {
            Ok(folder) => info!(gateway, heal, folder = %folder.display(), "evidence stored"),
            Err(error) => warn!(gateway, heal, %error, "evidence could not be stored"),
        }
    }
}

/// What stands in the way of a heal. A person who says "now" is not held back, and neither is a stop.
async fn missing(prober: &Prober, heal: &Heal) -> Vec<DependencyState> {
    let unconditional = (heal.asked && heal.hasty) || matches!(heal.rung, Rung::Stop | Rung::StartChannels);
    if unconditional {
        return Vec::new();
    }
    let mut missing = prober.dependencies().missing(heal.target.is_some() && heal.rung != Rung::Start).await;
    missing.retain(|state| !heal.rung.mends(&state.dependency));
    missing
}

/// Whoever asked may have gone away meanwhile; that is theirs to decide.
fn answer(reply: oneshot::Sender<Reply>, with: Reply) {
    if reply.send(with).is_err() {
        debug!("nobody waits for the answer any more");
    }
}

pub(super) fn snapshot(
    spec: &GatewaySpec,
    service: &Service,
    core: &Supervisor,
    notice: Option<String>,
    moment: Moment,
) -> GatewaySnapshot {
    let shown = core.shown();
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    GatewaySnapshot {
        name: spec.name.clone(),
        address: spec.address(),
        practice: spec.practice,
        service: service.name().to_owned(),
        health: core.health(),
        verdict: core.verdict().clone(),
        since: shown.since.wall,
        checked: shown.checked.map(|checked| checked.wall),
        pid: shown.process.as_ref().map(|process| process.pid),
        version: shown.version.clone(),
        uptime: shown.uptime.zip(shown.checked).map(|(uptime, at)| millis(uptime + moment.awake_since(at))),
        latency: shown.latency.map(|latency| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)),
        memory: shown.memory,
        leak: core.leak(),
        in_flight: core.in_flight(),
        crashes: core.crashes(),
        crash_limit: core.policy().crash_limit,
        crashes_clear: core.crashes_clear().map(|at| wall_of(at, moment)),
        breaker: match core.breaker() {
            Breaker::Closed => BreakerSnapshot::Closed,
            Breaker::Open { .. } => BreakerSnapshot::Open,
            Breaker::HalfOpen { .. } => BreakerSnapshot::HalfOpen,
        },
        next_attempt: core.attempt().map(|attempt| wall_of(attempt.at, moment)),
        heal: core.running().map(|running| HealSnapshot {
            id: running.id,
            rung: running.rung,
            began: running.began.wall,
            asked: running.asked,
        }),
        incident: core.incident(moment),
        last_incident: core.last_incident().cloned(),
        pause: core.pause().map(|pause| PauseSnapshot { until: pause.until.map(|until| wall_of(until, moment)) }),
        needs: needs(spec, &core.waits_for()),
        log: service.log_path().or_else(|| spec.log.clone()),
        evidence: spec.evidence.newest(),
        config_change: match core.config_standing() {
            ConfigStanding::Changed(change) => Some(change.clone()),
            ConfigStanding::Good | ConfigStanding::Unknown => None,
        },
        notice,
    }
}

/// What the gateway needs by its configuration, and whatever else an attempt waits for.
fn needs(spec: &GatewaySpec, missing: &[DependencyState]) -> Vec<DependencyState> {
    let mut states = missing.to_vec();
    for dependency in spec.needs.dependencies() {
        if !states.iter().any(|state| state.dependency == dependency) {
            states.push(DependencyState { dependency, trouble: None });
        }
    }
    states.sort_by_key(|state| state.dependency.name());
    states
}

/// Where a moment ahead lies on the wall clock as it stands now: the clock may have been set since.
fn wall_of(at: Moment, now: Moment) -> i64 {
    now.wall + milliseconds(at.elapsed_since(now))
}
