//! The lanes: one task per channel, so that a slow channel delays no other and nobody waits for any.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::channel::{Channel, Confirmed, Dispatch, Failure, Form};
use super::discord::Discord;
use super::hush::Hush;
use super::ledger::{self, Errand, Ledger, Next, Rules};
use super::native::Native;
use super::ntfy::Ntfy;
use super::remote::{Recipient, Remote};
use super::slack::Slack;
use super::source::Source;
use super::telegram::Telegram;
use super::webhook::Webhook;
use super::{AlertSettings, GatewayAlert};
use crate::history::alerts::Settled;
use crate::history::{Change, History, HistoryError};
use crate::platform::clock;
use crate::request::{Mute, Receipt, UserAction};
use crate::snapshot::{ChannelSnapshot, DaySnapshot, DeliverySnapshot, QuietSnapshot};
use crate::supervisor::event::{Alert, AlertKind};
use crate::supervisor::moment::Moment;
use crate::text::problem::Problem;
use crate::text::{Language, Phrase};

/// Longest wait for the receipt of a test: a delivery that may be running, and the test's own.
const TEST_LIMIT: Duration = Duration::from_secs(40);
/// Longest wait for a retry of all that waits on a channel.
const RETRY_LIMIT: Duration = Duration::from_secs(100);
/// The longest that a lane sleeps at a stretch: tokio's clock stands still while the machine sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The fact of the history that says whether alerts are muted.
const MUTE: &str = "mute";
/// Wishes that a lane keeps waiting at most.
const WISHES: usize = 16;

/// Starts the lanes.
#[derive(Debug)]
pub struct AlertHub;

impl AlertHub {
    /// Starts one task per configured channel, on the running tokio runtime; each goes on where `history` says that it
    /// was. What people press goes to `actions`. The tasks end when the last handle is dropped.
    #[must_use]
    pub fn start(settings: AlertSettings, history: Arc<History>, actions: mpsc::Sender<UserAction>) -> AlertHandle {
        let (channels, _) = watch::channel(Vec::new());
        let hush = Arc::new(Hush::new(settings.quiet_hours, kept_mute(&history)));
        let mut hub = Starting { settings, history, hush, channels: Arc::new(channels), lanes: Vec::new() };
        if let Some(native) = hub.settings.native.clone() {
            hub.add(Native::start(native, hub.settings.language, actions));
        }
        hub.add_remote::<Discord>(hub.settings.discord.clone());
        hub.add_remote::<Slack>(hub.settings.slack.clone());
        hub.add_remote::<Telegram>(hub.settings.telegram.clone());
        hub.add_remote::<Ntfy>(hub.settings.ntfy.clone());
        hub.add_remote::<Webhook>(hub.settings.webhook.clone());
        AlertHandle {
            lanes: hub.lanes.into(),
            history: hub.history,
            hush: hub.hush,
            channels: hub.channels,
            day: Arc::new(watch::Sender::new(None)),
            language: hub.settings.language,
        }
    }
}

struct Starting {
    settings: AlertSettings,
    history: Arc<History>,
    hush: Arc<Hush>,
    channels: Arc<watch::Sender<Vec<ChannelSnapshot>>>,
    lanes: Vec<LaneHandle>,
}

impl Starting {
    fn add_remote<R: Recipient + Sync>(&mut self, source: Option<Source<R::Settings>>) {
        if let Some(source) = source {
            self.add(Remote::<R>::new(source, self.settings.language));
        }
    }

    fn add<C: Channel>(&mut self, channel: C) {
        let name = channel.name();
        let place = self.lanes.len();
        let rules = Rules {
            cooldown: self.settings.cooldown,
            critical_cooldown: self.settings.critical_cooldown,
            pace: self.settings.pace,
            edits: channel.edits(),
            wants: C::wants,
            calm: self.settings.calm,
            hush: Arc::clone(&self.hush),
            patience: (self.settings.fallback.as_deref() == Some(name)).then_some(self.settings.fallback_after),
        };
        let ledger = Ledger::open(name, &rules, Arc::clone(&self.history), now());
        let newest = |how| {
            let newest = self.history.newest(name, how).unwrap_or_else(|error| {
                tracing::warn!(channel = name, %error, "the newest delivery is not known");
                None
            });
            newest.map(|(at, kind)| DeliverySnapshot { at, kind })
        };
        let shown = ChannelSnapshot {
            name: name.to_owned(),
            last_delivery: newest(Settled::Delivered),
            waiting: count(ledger.waiting()),
            refused: newest(Settled::Refused),
            quiet: ledger.quiet(now()),
            ..ChannelSnapshot::default()
        };
        self.channels.send_modify(|channels| channels.push(shown));
        let queue = Arc::new(Queue { name, ledger: Mutex::new(ledger), news: Notify::new() });
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
    history: Arc<History>,
    hush: Arc<Hush>,
    channels: Arc<watch::Sender<Vec<ChannelSnapshot>>>,
    day: Arc<watch::Sender<Option<DaySnapshot>>>,
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
    /// Try everything that waits once more, and say what stood in the way.
    Retry(oneshot::Sender<Option<Problem>>),
    /// Try everything that waits once more, then take leave; the answer is what is still undelivered.
    Flush(oneshot::Sender<usize>),
}

impl AlertHandle {
    /// Stores alerts in one transaction with `also`, and hands them to every channel. Never waits for a channel; a full
    /// lane folds what is missed least, and logs it. People are told even if nothing could be stored: that is the error.
    pub fn record(
        &self,
        mut alerts: Vec<GatewayAlert>,
        also: impl FnOnce(&Change<'_>) -> Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        if alerts.is_empty() {
            return self.history.change(also);
        }
        // Every lane in the same order, so that two gateways cannot wait for each other; none takes up what is not
        // stored yet.
        let mut books: Vec<_> = self.lanes.iter().map(|lane| lane.queue.ledger()).collect();
        let stored = ledger::record(&self.history, &mut books, &mut alerts, now(), also);
        for lane in self.lanes.iter() {
            lane.queue.news.notify_one();
        }
        let waiting: Vec<_> = books.iter().map(|ledger| count(ledger.waiting())).collect();
        drop(books);
        self.channels.send_modify(|channels| {
            channels.iter_mut().zip(waiting).for_each(|(shown, waiting)| shown.waiting = waiting);
        });
        stored
    }

    /// Sends a test to one channel, or to all, past every cooldown. A receipt without a problem means that the
    /// receiving side confirmed it.
    pub async fn test(&self, channel: Option<&str>) -> Vec<Receipt> {
        self.ask(channel, TEST_LIMIT, Wish::Test).await
    }

    /// Tries at once what waits on one channel, or on all. A receipt without a problem means that nothing stood in
    /// the way of what was due.
    pub async fn retry(&self, channel: Option<&str>) -> Vec<Receipt> {
        self.ask(channel, RETRY_LIMIT, Wish::Retry).await
    }

    async fn ask(
        &self,
        channel: Option<&str>,
        limit: Duration,
        wish: fn(oneshot::Sender<Option<Problem>>) -> Wish,
    ) -> Vec<Receipt> {
        let deadline = Instant::now() + limit;
        let mut waiting = Vec::new();
        for lane in self.lanes.iter().filter(|lane| channel.is_none_or(|name| name == lane.queue.name)) {
            let (reply, receipt) = oneshot::channel();
            waiting.push((lane.queue.name, lane.wishes.try_send(wish(reply)).map(|()| receipt)));
        }
        let mut receipts = Vec::new();
        for (name, sent) in waiting {
            let problem = match sent {
                Ok(receipt) => match timeout_at(deadline, receipt).await {
                    Ok(Ok(problem)) => problem,
                    Ok(Err(_)) => Some(Problem::Ended),
                    Err(_) => Some(Problem::NotConfirmed(limit)),
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

    /// Disturbs nobody for a while, or again. It outlives a restart; an error means that it may not.
    pub fn mute(&self, mute: Option<Mute>) -> Result<(), HistoryError> {
        self.hush.set(mute);
        for lane in self.lanes.iter() {
            lane.queue.news.notify_one();
        }
        let kept = serde_json::to_string(&mute)?;
        self.history.change(|change| change.save_fact(MUTE, &kept))
    }

    /// The channels, as views show them.
    #[must_use]
    pub fn channels(&self) -> watch::Receiver<Vec<ChannelSnapshot>> {
        self.channels.subscribe()
    }

    /// What happened in the last 24 h, as views show it.
    #[must_use]
    pub fn day(&self) -> watch::Receiver<Option<DaySnapshot>> {
        self.day.subscribe()
    }

    /// Renews what views show of the last 24 h.
    pub fn show_day(&self, day: DaySnapshot) {
        self.day.send_if_modified(|shown| shown.replace(day) != Some(day));
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
                Ok(Err(_)) | Err(_) => lane.queue.ledger().waiting(),
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
    ledger: Mutex<Ledger>,
    news: Notify,
}

impl Queue {
    /// A panic while the lock was held leaves books that are still whole: every change is a single call.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        if let Err(problem) = self.channel.prepare().await {
            tracing::warn!(channel = self.queue.name, cause = problem.say(Language::English), "channel not ready");
            self.show(Some(&problem), None);
            self.problem = Some(problem);
        }
        loop {
            match self.inbox.try_recv() {
                Ok(wish) => self.grant(wish).await,
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) => {
                    let (next, quiet) = {
                        let (mut ledger, now) = (self.queue.ledger(), now());
                        (ledger.next(now), ledger.quiet(now))
                    };
                    self.show_quiet(quiet);
                    match next {
                        Next::Try(errand) => {
                            self.attempt(&errand).await;
                        }
                        Next::Wait(until) => tokio::select! {
                            wish = self.inbox.recv() => match wish {
                                Some(wish) => self.grant(wish).await,
                                None => break,
                            },
                            () = self.queue.news.notified() => {}
                            () = tokio::time::sleep(sleep(until)) => {}
                        },
                    }
                }
            }
        }
    }

    async fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Test(reply) => {
                let alert = test_alert(clock::wall());
                let dispatch = Dispatch {
                    alert: &alert,
                    id: &format!("test-{}", alert.alert.at),
                    form: Form::New,
                    repeat: false,
                    folded: false,
                    now: alert.alert.at,
                };
                let result = self.deliver(&dispatch).await;
                if result.is_ok() {
                    self.queue.ledger().works_again();
                }
                let problem = result.err().and_then(|failure| failure.problem().cloned());
                if reply.send(problem).is_err() {
                    tracing::debug!(channel = self.queue.name, "nobody waits for this receipt any more");
                }
            }
            Wish::Retry(reply) => {
                let problem = self.retry().await;
                if reply.send(problem).is_err() {
                    tracing::debug!(channel = self.queue.name, "nobody waits for this retry any more");
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

    /// Tries what waits, until something stands in the way.
    async fn retry(&mut self) -> Option<Problem> {
        self.queue.ledger().retry();
        self.drain().await;
        self.problem.clone().filter(|_| self.queue.ledger().waiting() > 0)
    }

    async fn drain(&mut self) {
        loop {
            let next = self.queue.ledger().next(now());
            let Next::Try(errand) = next else { break };
            if !self.attempt(&errand).await {
                break;
            }
        }
    }

    async fn flush(&mut self) -> usize {
        self.queue.ledger().hurry(now());
        self.drain().await;
        self.channel.close().await;
        self.queue.ledger().waiting()
    }

    /// Makes a delivery; says whether the next one may follow at once.
    async fn attempt(&mut self, errand: &Errand) -> bool {
        self.queue.ledger().claim(errand, now());
        let dispatch = Dispatch {
            alert: &errand.alert,
            id: &errand.id,
            form: errand.edit.as_deref().map_or(Form::New, Form::Edit),
            repeat: errand.repeat,
            folded: errand.folded,
            now: clock::wall(),
        };
        let result = self.deliver(&dispatch).await;
        let (goes_on, waiting) = {
            let mut ledger = self.queue.ledger();
            (ledger.conclude(errand, &result, now(), fastrand::f64()), count(ledger.waiting()))
        };
        let refused = matches!(result, Err(Failure::Rejected(_)));
        let refused =
            refused.then(|| DeliverySnapshot { at: clock::wall(), kind: errand.alert.alert.kind.name().into() });
        self.channels.send_modify(|channels| {
            if let Some(shown) = channels.get_mut(self.place) {
                shown.waiting = waiting;
                shown.refused = refused.or(shown.refused.take());
            }
        });
        goes_on
    }

    async fn deliver(&mut self, dispatch: &Dispatch<'_>) -> Result<Confirmed, Failure> {
        let result = self.channel.deliver(dispatch).await;
        let (channel, kind, gateway) = (self.queue.name, dispatch.alert.alert.kind.name(), &dispatch.alert.gateway);
        let problem = result.as_ref().err().and_then(Failure::problem);
        match (&result, problem) {
            (Ok(_), _) => tracing::info!(channel, gateway, kind, "alert delivered"),
            (Err(_), None) => tracing::info!(channel, gateway, kind, "the message to change was deleted"),
            (Err(failure), Some(problem)) => {
                let cause = problem.say(Language::English);
                if self.problem.as_ref() == Some(problem) && !matches!(failure, Failure::Rejected(_)) {
                    tracing::debug!(channel, gateway, kind, cause, "alert still not delivered");
                } else {
                    tracing::warn!(channel, gateway, kind, cause, "alert not delivered");
                }
            }
        }
        self.problem = problem.cloned();
        self.show(problem, result.is_ok().then_some(kind));
        result
    }

    fn show_quiet(&self, quiet: Option<QuietSnapshot>) {
        self.channels.send_if_modified(|channels| {
            let Some(shown) = channels.get_mut(self.place).filter(|shown| shown.quiet != quiet) else { return false };
            shown.quiet = quiet;
            true
        });
    }

    /// Shows what is wrong with the channel, and what was delivered now.
    fn show(&self, problem: Option<&Problem>, delivered: Option<&str>) {
        self.channels.send_modify(|channels| {
            if let Some(shown) = channels.get_mut(self.place) {
                if let Some(kind) = delivered {
                    shown.delivered += 1;
                    shown.last_delivery = Some(DeliverySnapshot { at: clock::wall(), kind: kind.to_owned() });
                } else if problem.is_some() {
                    shown.failed += 1;
                }
                shown.problem = problem.map(|problem| problem.say(self.language));
            }
        });
    }
}

/// The mute as it was left.
fn kept_mute(history: &History) -> Option<Mute> {
    let kept = history.fact(MUTE).and_then(|text| {
        let text = text.unwrap_or_else(|| "null".to_owned());
        Ok(serde_json::from_str(&text)?)
    });
    kept.unwrap_or_else(|error| {
        tracing::warn!(%error, "whether alerts are muted is not known: they are not");
        None
    })
}

fn now() -> Moment {
    Moment { awake: clock::awake(), elapsed: clock::elapsed(), wall: clock::wall() }
}

fn count(waiting: usize) -> u64 {
    u64::try_from(waiting).unwrap_or(u64::MAX)
}

fn sleep(until: Option<i64>) -> Duration {
    until.map_or(LONGEST_SLEEP, |until| {
        Duration::from_millis(u64::try_from(until.saturating_sub(clock::elapsed())).unwrap_or(0)).min(LONGEST_SLEEP)
    })
}

fn test_alert(now: i64) -> GatewayAlert {
    GatewayAlert {
        id: 0,
        gateway: String::new(),
        address: String::new(),
        practice: false,
        alert: Alert { incident: None, kind: AlertKind::Test, at: now },
    }
}
