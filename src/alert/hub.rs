//! Starts a lane per channel, so that a slow channel delays no other and nobody waits for any; and the handle to them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::channel::Channel;
use super::discord::Discord;
use super::hush::Hush;
use super::lane::{Lane, Queue, Wish, count, now};
use super::ledger::{self, Ledger, Rules};
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
use crate::request::{Mute, Receipt, UserAction};
use crate::snapshot::{ChannelSnapshot, DaySnapshot, DeliverySnapshot};
use crate::text::problem::Problem;
use crate::text::{Language, Phrase};

/// Longest wait for the receipt of a test: a delivery that may be running, and the test's own.
const TEST_LIMIT: Duration = Duration::from_secs(40);
/// Longest wait for a retry of all that waits on a channel.
const RETRY_LIMIT: Duration = Duration::from_secs(100);
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
        // Shown before a lane may take one up: its own count would be overwritten by this older one.
        self.channels.send_modify(|channels| {
            channels.iter_mut().zip(&books).for_each(|(shown, ledger)| shown.waiting = count(ledger.waiting()));
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
