//! The lanes: one task per channel, so that a slow channel delays no other and nobody waits for any.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::channel::{Channel, Dispatch, Failure, Form};
use super::discord::Discord;
use super::native::Native;
use super::outbox::Outbox;
use super::remote::Remote;
use super::route::{Decision, Router};
use super::{AlertSettings, GatewayAlert};
use crate::platform::clock;
use crate::request::{Receipt, UserAction};
use crate::snapshot::{ChannelSnapshot, DeliverySnapshot};
use crate::supervisor::event::{Alert, AlertKind};
use crate::text::problem::Problem;
use crate::text::{Language, Phrase};

/// Longest wait for the receipt of a test: a delivery that may be running, and the test's own.
const TEST_LIMIT: Duration = Duration::from_secs(40);
/// The longest that a lane sleeps at a stretch: tokio's clock stands still while the machine sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// Wishes that a lane keeps waiting at most.
const WISHES: usize = 16;

/// Starts the lanes.
#[derive(Debug)]
pub struct AlertHub;

impl AlertHub {
    /// Starts one task per configured channel, on the running tokio runtime. What people press goes to `actions`.
    /// The tasks end when the last handle is dropped.
    #[must_use]
    pub fn start(settings: AlertSettings, actions: mpsc::Sender<UserAction>) -> AlertHandle {
        let (channels, _) = watch::channel(Vec::new());
        let mut hub = Starting { settings, channels: Arc::new(channels), lanes: Vec::new() };
        if let Some(native) = hub.settings.native.clone() {
            hub.add(Native::start(native, hub.settings.language, actions));
        }
        if let Some(discord) = hub.settings.discord.clone() {
            hub.add(Remote::new(Discord::new(discord, hub.settings.language)));
        }
        AlertHandle { lanes: hub.lanes.into(), channels: hub.channels, language: hub.settings.language }
    }
}

struct Starting {
    settings: AlertSettings,
    channels: Arc<watch::Sender<Vec<ChannelSnapshot>>>,
    lanes: Vec<LaneHandle>,
}

impl Starting {
    fn add<C: Channel>(&mut self, channel: C) {
        let name = channel.name();
        let place = self.lanes.len();
        self.channels.send_modify(|channels| {
            channels.push(ChannelSnapshot { name: name.to_owned(), last_delivery: None, problem: None });
        });
        let queue = Arc::new(Queue {
            name,
            state: Mutex::new(State {
                router: Router::new(self.settings.cooldown, self.settings.critical_cooldown),
                outbox: Outbox::new(self.settings.pace),
            }),
            news: Notify::new(),
        });
        let (wishes, inbox) = mpsc::channel(WISHES);
        let lane = Lane {
            channel,
            queue: Arc::clone(&queue),
            inbox,
            place,
            channels: Arc::clone(&self.channels),
            language: self.settings.language,
            problem: None,
        };
        tokio::spawn(lane.run());
        self.lanes.push(LaneHandle { queue, wishes });
    }
}

/// The way to the lanes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AlertHandle {
    lanes: Arc<[LaneHandle]>,
    channels: Arc<watch::Sender<Vec<ChannelSnapshot>>>,
    language: Language,
}

#[derive(Debug)]
struct LaneHandle {
    queue: Arc<Queue>,
    wishes: mpsc::Sender<Wish>,
}

/// What a lane is asked to do besides delivering.
#[derive(Debug)]
enum Wish {
    /// Deliver a test at once, and say what came of it.
    Test(oneshot::Sender<Option<Problem>>),
    /// Try everything that waits once more, then take leave; the answer is what is still undelivered.
    Flush(oneshot::Sender<usize>),
}

impl AlertHandle {
    /// Hands an alert to every channel. Never waits; a full lane folds what is missed least, and logs it.
    pub fn announce(&self, alert: &GatewayAlert) {
        for lane in self.lanes.iter() {
            lane.queue.admit(alert);
        }
    }

    /// Sends a test to one channel, or to all, past every cooldown. A receipt without a problem means that the
    /// receiving side confirmed it.
    pub async fn test(&self, channel: Option<&str>) -> Vec<Receipt> {
        let deadline = Instant::now() + TEST_LIMIT;
        let mut waiting = Vec::new();
        for lane in self.lanes.iter().filter(|lane| channel.is_none_or(|name| name == lane.queue.name)) {
            let (reply, receipt) = oneshot::channel();
            waiting.push((lane.queue.name, lane.wishes.try_send(Wish::Test(reply)).map(|()| receipt)));
        }
        let mut receipts = Vec::new();
        for (name, sent) in waiting {
            let problem = match sent {
                Ok(receipt) => match timeout_at(deadline, receipt).await {
                    Ok(Ok(problem)) => problem,
                    Ok(Err(_)) => Some(Problem::Ended),
                    Err(_) => Some(Problem::NotConfirmed(TEST_LIMIT)),
                },
                Err(mpsc::error::TrySendError::Full(_)) => Some(Problem::NotConfirmed(Duration::ZERO)),
                Err(mpsc::error::TrySendError::Closed(_)) => Some(Problem::Ended),
            };
            receipts.push(self.receipt(name, problem));
        }
        if let Some(name) = channel.filter(|_| receipts.is_empty()) {
            receipts.push(self.receipt(name, Some(Problem::NoSuchChannel)));
        }
        receipts
    }

    /// The channels, as views show them.
    #[must_use]
    pub fn channels(&self) -> watch::Receiver<Vec<ChannelSnapshot>> {
        self.channels.subscribe()
    }

    /// For the moment of quitting: tries once more to deliver what waits, and leaves no button behind that nobody
    /// would answer. Ends within `limit`; gives the number of alerts that are still undelivered.
    pub async fn flush(&self, limit: Duration) -> usize {
        let deadline = Instant::now() + limit;
        let mut waiting = Vec::new();
        for lane in self.lanes.iter() {
            let (reply, rest) = oneshot::channel();
            if lane.wishes.try_send(Wish::Flush(reply)).is_ok() {
                waiting.push((lane, rest));
            }
        }
        let mut undelivered = 0;
        for (lane, rest) in waiting {
            let rest = match timeout_at(deadline, rest).await {
                Ok(Ok(rest)) => rest,
                Ok(Err(_)) | Err(_) => lane.queue.state().outbox.len(),
            };
            if rest > 0 {
                tracing::warn!(channel = lane.queue.name, undelivered = rest, "alerts are left undelivered");
            }
            undelivered += rest;
        }
        undelivered
    }

    fn receipt(&self, channel: &str, problem: Option<Problem>) -> Receipt {
        Receipt { channel: channel.to_owned(), problem: problem.map(|problem| problem.say(self.language)) }
    }
}

/// What the handle and the lane's task share.
#[derive(Debug)]
struct Queue {
    name: &'static str,
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug)]
struct State {
    router: Router,
    outbox: Outbox,
}

impl State {
    fn push(&mut self, alert: GatewayAlert, now: i64, channel: &str) {
        if let Some(folded) = self.outbox.push(alert, now) {
            tracing::warn!(
                channel,
                gateway = folded.gateway,
                kind = folded.alert.kind.name(),
                "too many alerts wait: one was folded away"
            );
        }
    }
}

impl Queue {
    /// A panic while the lock was held leaves a state that is still whole: every change is a single call.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, alert: &GatewayAlert) {
        let now = clock::elapsed();
        let kind = alert.alert.kind.name();
        let mut state = self.state();
        match state.router.admit(alert, now) {
            Decision::Tell => state.push(alert.clone(), now, self.name),
            Decision::Hold { until } => {
                let wait = until.saturating_sub(now);
                tracing::info!(channel = self.name, gateway = alert.gateway, kind, wait, "alert held by the cooldown");
            }
            Decision::Drop(reason) => {
                let reason = reason.name();
                tracing::info!(channel = self.name, gateway = alert.gateway, kind, reason, "alert not told");
            }
        }
        drop(state);
        self.news.notify_one();
    }

    /// The alert to try now, or how long to sleep.
    fn next(&self) -> Next {
        let now = clock::elapsed();
        let mut state = self.state();
        for alert in state.router.due(now) {
            state.push(alert, now, self.name);
        }
        for alert in state.outbox.expire(now) {
            let kind = alert.alert.kind.name();
            tracing::error!(channel = self.name, gateway = alert.gateway, kind, "alert given up after a day");
        }
        if let Some(entry) = state.outbox.ready(now) {
            return Next::Try(entry.number, Box::new(entry.alert.clone()));
        }
        let until = [state.outbox.next_attempt(), state.router.next_due()].into_iter().flatten().min();
        Next::Sleep(until.map_or(LONGEST_SLEEP, |until| {
            Duration::from_millis(u64::try_from(until.saturating_sub(now)).unwrap_or(0)).min(LONGEST_SLEEP)
        }))
    }
}

enum Next {
    Try(u64, Box<GatewayAlert>),
    Sleep(Duration),
}

struct Lane<C> {
    channel: C,
    queue: Arc<Queue>,
    inbox: mpsc::Receiver<Wish>,
    place: usize,
    channels: Arc<watch::Sender<Vec<ChannelSnapshot>>>,
    language: Language,
    /// What was wrong at the last attempt, so that each trouble is logged once and not at every retry.
    problem: Option<Problem>,
}

impl<C: Channel> Lane<C> {
    async fn run(mut self) {
        loop {
            match self.inbox.try_recv() {
                Ok(wish) => self.grant(wish).await,
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) => match self.queue.next() {
                    Next::Try(number, alert) => {
                        self.attempt(number, &alert).await;
                    }
                    Next::Sleep(duration) => tokio::select! {
                        wish = self.inbox.recv() => match wish {
                            Some(wish) => self.grant(wish).await,
                            None => break,
                        },
                        () = self.queue.news.notified() => {}
                        () = tokio::time::sleep(duration) => {}
                    },
                },
            }
        }
    }

    async fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Test(reply) => {
                let result = self.deliver(&test_alert(clock::wall())).await;
                if result.is_ok() {
                    self.queue.state().outbox.works_again();
                }
                if reply.send(result.err().flatten()).is_err() {
                    tracing::debug!(channel = self.queue.name, "nobody waits for this receipt any more");
                }
            }
            Wish::Flush(reply) => {
                let rest = self.flush().await;
                if reply.send(rest).is_err() {
                    tracing::debug!(channel = self.queue.name, "quitting did not wait for the last deliveries");
                }
            }
        }
    }

    async fn flush(&mut self) -> usize {
        {
            let mut state = self.queue.state();
            let now = clock::elapsed();
            for alert in state.router.due(i64::MAX) {
                state.push(alert, now, self.queue.name);
            }
            state.outbox.hurry();
        }
        while let Next::Try(number, alert) = self.queue.next() {
            if !self.attempt(number, &alert).await {
                break;
            }
        }
        self.channel.close().await;
        self.queue.state().outbox.len()
    }

    /// Tries to deliver an entry; says whether the next one may follow at once.
    async fn attempt(&mut self, number: u64, alert: &GatewayAlert) -> bool {
        let failure = self.deliver_or_fail(alert).await;
        let mut state = self.queue.state();
        match failure {
            Ok(()) => {
                state.outbox.delivered(number);
                true
            }
            Err(failure) => {
                state.outbox.failed(number, &failure, clock::elapsed(), fastrand::f64());
                matches!(failure, Failure::Rejected(_))
            }
        }
    }

    async fn deliver(&mut self, alert: &GatewayAlert) -> Result<(), Option<Problem>> {
        self.deliver_or_fail(alert).await.map_err(|failure| failure.problem().cloned())
    }

    async fn deliver_or_fail(&mut self, alert: &GatewayAlert) -> Result<(), Failure> {
        let now = clock::wall();
        let dispatch = Dispatch { alert, id: "", form: Form::New, repeat: false, folded: false, now };
        let result = self.channel.deliver(&dispatch).await.map(|_| ());
        let (channel, kind) = (self.queue.name, alert.alert.kind.name());
        let problem = match &result {
            Ok(()) => {
                tracing::info!(channel, gateway = alert.gateway, kind, "alert delivered");
                None
            }
            Err(failure) => {
                let cause = failure.problem().map(|problem| problem.say(Language::English));
                if self.problem.as_ref() == failure.problem() && !matches!(failure, Failure::Rejected(_)) {
                    tracing::debug!(channel, gateway = alert.gateway, kind, cause, "alert still not delivered");
                } else {
                    tracing::warn!(channel, gateway = alert.gateway, kind, cause, "alert not delivered");
                }
                failure.problem().map(|problem| problem.say(self.language))
            }
        };
        self.problem = result.as_ref().err().and_then(|failure| failure.problem().cloned());
        self.channels.send_modify(|channels| {
            if let Some(shown) = channels.get_mut(self.place) {
                if problem.is_none() {
                    shown.last_delivery = Some(DeliverySnapshot { at: clock::wall(), kind: kind.to_owned() });
                }
                shown.problem = problem;
            }
        });
        result
    }
}

fn test_alert(now: i64) -> GatewayAlert {
    GatewayAlert {
        gateway: String::new(),
        address: String::new(),
        practice: false,
        alert: Alert { incident: None, kind: AlertKind::Test, at: now },
    }
}
