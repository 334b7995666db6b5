//! One task per gateway: the only room where the others meet.
//!
//! Each gateway is a bulkhead: its own core, its own queue, its own probes. What they share is the number of heals
//! that may run at once, and the alert channels.

mod chronicle;
mod diary;
pub mod gateway;
pub mod preparation;
pub mod store;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tracing::{error, warn};

use self::gateway::{GatewayTask, Wish};
use self::preparation::Hook;
use self::store::{Loaded, StateStore};
use crate::alert::AlertHandle;
use crate::evidence::EvidenceStore;
use crate::guard::ConfigGuard;
use crate::guard::backup::Backups;
use crate::history::recorder::{Recorder, WRITE_EVERY};
use crate::metrics::Metrics;
use crate::platform::clock;
use crate::platform::sleep::SleepNotice;
use crate::probe::dependency::Needs;
use crate::probe::{ProbeLimits, Prober};
use crate::request::Reply;
use crate::service::{GatewaySetup, Kind, Service};
use crate::snapshot::{ChannelSnapshot, DaySnapshot, GatewaySnapshot, Snapshot};
use crate::supervisor::Supervisor;
use crate::supervisor::activity::Inquiry;
use crate::supervisor::event::Command;
use crate::supervisor::moment::Moment;
use crate::supervisor::policy::Policy;
use crate::supervisor::state::State;

/// Heals that may run at once over all gateways (requirements R5).
const HEALS_AT_ONCE: usize = 2;

/// Wishes that may wait for one gateway; a person asks seldom.
const WISHES: usize = 16;

/// For each gateway, the least distance of two pictures of all of them: 250 ms with a thousand. To put one together costs
/// about a microsecond for each, here and in every view, so that many gateways would otherwise cost by the square.
const PICTURE_DISTANCE: Duration = Duration::from_micros(250);

/// How long a gateway's task may take to end when Lifeguard quits.
const END_LIMIT: Duration = Duration::from_secs(3);

/// The three clocks, now.
#[must_use]
pub fn now() -> Moment {
    Moment { awake: clock::awake(), elapsed: clock::elapsed(), wall: clock::wall() }
}

/// All that the engine must know of one gateway.
#[derive(Debug)]
pub struct GatewaySpec {
    /// Its name in the configuration.
    pub name: String,
    /// The built-in practice gateway.
    pub practice: bool,
    /// For its service.
    pub setup: GatewaySetup,
    /// Its kind of service, found out or fixed.
    pub kind: Kind,
    /// Its numbers; the manager in it is replaced by the service's own.
    pub policy: Policy,
    /// What it needs besides itself.
    pub needs: Needs,
    /// Docker may be started when it does not run.
    pub start_docker: bool,
    /// The copies of its configuration that were good.
    pub guard: ConfigGuard,
    /// Copies of its state from before the doctor.
    pub backups: Backups,
    /// The user's own command.
    pub hook: Option<Hook>,
    /// How patiently to look.
    pub limits: ProbeLimits,
    /// Where its state is kept.
    pub store: StateStore,
    /// What was kept there.
    pub loaded: Loaded,
    /// Its log, where the service does not know it.
    pub log: Option<PathBuf>,
    /// Where evidence of its incidents is stored.
    pub evidence: EvidenceStore,
    /// Something that the person should know for as long as Lifeguard runs, ready to be read.
    pub notice: Option<String>,
}

impl GatewaySpec {
    /// Address of its HTTP face.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.setup.port)
    }
}

/// Where the gateways' tasks write down what they saw.
#[derive(Debug, Clone)]
pub struct Books {
    /// What is measured.
    pub recorder: Arc<Recorder>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// What may be changed while a gateway is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// The numbers; the manager in them is replaced by the service's own.
    pub policy: Policy,
    /// How patiently to look.
    pub limits: ProbeLimits,
}

impl Tuning {
    /// How old a picture may become.
    fn patience(&self) -> Duration {
        self.policy.probe_interval * 2 + self.limits.timeout
    }
}

/// A gateway's task, seen from outside.
struct Member {
    name: String,
    wishes: mpsc::Sender<Wish>,
    task: JoinHandle<()>,
}

/// What a gateway's task publishes.
#[derive(Debug)]
struct Picture {
    /// Which gateway, by its place in the configuration.
    place: usize,
    taken: Moment,
    gateway: GatewaySnapshot,
}

/// The running engine.
pub struct Engine {
    members: Vec<Member>,
    publisher: JoinHandle<()>,
    recorder: Arc<Recorder>,
    writer: JoinHandle<()>,
    snapshots: watch::Receiver<Snapshot>,
    tunings: watch::Sender<Option<Tuning>>,
    sleeps: watch::Sender<Option<SleepNotice>>,
}

impl Engine {
    /// Starts a task for each gateway, and one that puts their pictures together. `page`: address of the status page, to
    /// be shown in them.
    #[must_use]
    pub fn start(specs: Vec<GatewaySpec>, alerts: &AlertHandle, books: Books, page: Option<String>) -> Self {
        let heals = Arc::new(Semaphore::new(HEALS_AT_ONCE));
        let patience = specs.iter().map(|spec| spec.policy.probe_interval * 2 + spec.limits.timeout).max();
        let frame = Frame { stale_after: patience.unwrap_or(Duration::ZERO), page };
        let (tunings, tuned) = watch::channel(None);
        let (sleeps, noticed) = watch::channel(None);
        let (pictures, gallery) = mpsc::unbounded_channel();
        let (mut members, mut first) = (Vec::new(), Vec::new());
        for (place, spec) in specs.into_iter().enumerate() {
            let name = spec.name.clone();
            let prober = Prober::new(&spec.setup, spec.needs.clone(), spec.guard.clone(), spec.limits);
            let easel = gateway::Easel { place, pictures: pictures.clone() };
            let task = GatewayTask::new(spec, prober, alerts.clone(), Arc::clone(&heals), books.clone(), easel);
            first.push(task.picture(now()));
            let (wishes, queue) = mpsc::channel(WISHES);
            members.push(Member { name, wishes, task: tokio::spawn(task.run(queue, tuned.clone(), noticed.clone())) });
        }
        let telling = Telling { channels: alerts.channels(), day: alerts.day() };
        let (sender, snapshots) = watch::channel(frame.put_together(&first, &telling));
        let publisher = tokio::spawn(publish(first, gallery, telling, (frame, tuned), sender));
        let recorder = books.recorder;
        let writer = tokio::spawn(keep_writing(Arc::clone(&recorder)));
        Self { members, publisher, recorder, writer, snapshots, tunings, sleeps }
    }

    /// Where new numbers for every gateway are put.
    #[must_use]
    pub fn tunings(&self) -> watch::Sender<Option<Tuning>> {
        self.tunings.clone()
    }

    /// Where what the system says of sleep is put.
    #[must_use]
    pub fn sleeps(&self) -> watch::Sender<Option<SleepNotice>> {
        self.sleeps.clone()
    }

    /// The newest picture, and every later one.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.snapshots.clone()
    }

    /// Hands a person's wish to a gateway; `None` means the first one. The answer comes later.
    pub async fn command(
        &self,
        gateway: Option<&str>,
        command: Command,
        reply: Option<tokio::sync::oneshot::Sender<Reply>>,
    ) {
        let member = match gateway {
            None => self.members.first(),
            Some(name) => self.members.iter().find(|member| member.name == name),
        };
        let wish = Wish { command, reply };
        let refused = match member {
            None => Some((wish, format!("there is no gateway {:?} in the configuration", gateway.unwrap_or_default()))),
            Some(member) => match member.wishes.send(wish).await {
                Ok(()) => None,
                Err(unsent) => Some((unsent.0, "Lifeguard is ending".to_owned())),
            },
        };
        if let Some((wish, reason)) = refused {
            warn!(reason, "a wish could not be handed over");
            if let Some(reply) = wish.reply
                && reply.send(Reply::Refused(reason)).is_err()
            {
                warn!("nobody waits for the answer any more");
            }
        }
    }

    /// Ends every task; each saves its state. The gateways keep running.
    pub async fn stop(self) {
        for member in self.members {
            drop(member.wishes);
            match tokio::time::timeout(END_LIMIT, member.task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    error!(gateway = member.name, %error, "its task ended in a way that it should not have");
                }
                Err(_) => error!(gateway = member.name, "its task did not end in time"),
            }
        }
        self.publisher.abort();
        self.writer.abort();
        write_down(self.recorder).await;
    }
}

/// Writes what was measured, until it is aborted.
async fn keep_writing(recorder: Arc<Recorder>) {
    loop {
        tokio::time::sleep(WRITE_EVERY).await;
        write_down(Arc::clone(&recorder)).await;
    }
}

/// Writes what was measured, on a thread that may wait for the disk.
async fn write_down(recorder: Arc<Recorder>) {
    let wall = now().wall;
    match tokio::task::spawn_blocking(move || recorder.write(wall)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(%error, "what was measured could not be written down; it waits"),
        Err(error) => error!(%error, "writing down what was measured ended in a way that it should not have"),
    }
}

/// One look at a gateway: nothing is healed, nothing is saved, and one failed look is believed.
pub async fn glance(spec: GatewaySpec) -> GatewaySnapshot {
    let prober = Prober::new(&spec.setup, spec.needs.clone(), spec.guard.clone(), spec.limits);
    let service = Arc::new(Service::new(spec.setup.clone(), spec.kind));
    let policy = Policy { manager: service.manager(), failures_before_down: 1, ..spec.policy.clone() };
    let begin = now();
    let state = State { pause: spec.loaded.state.pause, ..State::default() };
    let mut core = Supervisor::new(policy, state, begin);
    let seen = prober.round(&service, begin, Inquiry::Never).await;
    core.look(now(), &seen);
    gateway::snapshot(&spec, &service, &core, None, now())
}

/// What the alerts' side adds to the picture.
struct Telling {
    channels: watch::Receiver<Vec<ChannelSnapshot>>,
    day: watch::Receiver<Option<DaySnapshot>>,
}

/// Puts the gateways' pictures together whenever one changes, until the last gateway's task has ended. Of few gateways
/// each change is shown at once; what changes of many within a moment is shown together.
async fn publish(
    mut newest: Vec<Picture>,
    mut gallery: mpsc::UnboundedReceiver<Picture>,
    mut telling: Telling,
    (mut frame, mut tuned): (Frame, watch::Receiver<Option<Tuning>>),
    sender: watch::Sender<Snapshot>,
) {
    let distance = PICTURE_DISTANCE.saturating_mul(u32::try_from(newest.len()).unwrap_or(u32::MAX));
    let mut live = true;
    loop {
        tokio::select! {
            picture = gallery.recv() => match picture {
                Some(picture) => {
                    hang(picture, &mut newest);
                    while let Ok(picture) = gallery.try_recv() {
                        hang(picture, &mut newest);
                    }
                }
                None => return,
            },
            changed = telling.channels.changed(), if live => live = changed.is_ok(),
            changed = telling.day.changed(), if live => live = changed.is_ok(),
            Ok(()) = tuned.changed() => {
                let patience = tuned.borrow_and_update().as_ref().map(Tuning::patience);
                frame.stale_after = patience.unwrap_or(frame.stale_after);
            }
        }
        sender.send_replace(frame.put_together(&newest, &telling));
        // The clock's steps are of a millisecond.
        if distance >= Duration::from_millis(1) {
            tokio::time::sleep(distance).await;
        }
    }
}

/// Puts a gateway's picture in the place of its last one.
fn hang(picture: Picture, newest: &mut [Picture]) {
    if let Some(place) = newest.get_mut(picture.place) {
        *place = picture;
    }
}

/// What is the same in every picture.
struct Frame {
    stale_after: Duration,
    page: Option<String>,
}

impl Frame {
    /// The whole is as old as its oldest part: one task that hangs makes it stale.
    fn put_together(&self, newest: &[Picture], telling: &Telling) -> Snapshot {
        let taken = newest.iter().map(|picture| picture.taken).min_by_key(|taken| taken.elapsed).unwrap_or_else(now);
        Snapshot {
            taken: taken.wall,
            taken_elapsed: taken.elapsed,
            stale_after: u64::try_from(self.stale_after.as_millis()).unwrap_or(u64::MAX),
            lifeguard_version: env!("CARGO_PKG_VERSION").to_owned(),
            gateways: newest.iter().map(|picture| picture.gateway.clone()).collect(),
            channels: telling.channels.borrow().clone(),
            day: *telling.day.borrow(),
            page: self.page.clone(),
            notices: Vec::new(),
        }
    }
}
