//! One channel's books: what it is to tell, kept up in the history, so that a Lifeguard that is killed at any instant
//! loses no alert, and repeats only what was on its way at that instant.
//!
//! Memory leads and the history follows: when the disk is full, people are told all the same.

use std::collections::VecDeque;
use std::ops::DerefMut;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::GatewayAlert;
use super::channel::{Confirmed, Failure};
use super::gather::{Digest, Gatherer};
use super::hush::Hush;
use super::outbox::{Entry, Outbox, Pace};
use super::route::{Decision, Memory, Router};
use crate::history::alerts::{AlertRecord, DeliveryRecord, Settled};
use crate::history::{Change, History, HistoryError, Stamp};
use crate::snapshot::QuietSnapshot;
use crate::supervisor::event::{Alert, AlertKind};
use crate::supervisor::moment::Moment;
use crate::text::{Language, Phrase};

/// Incidents whose messages are remembered.
const MESSAGES: u32 = 256;

/// How a channel is to be told.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How long the same kind of alert about the same gateway, but another incident, is held back.
    pub cooldown: std::time::Duration,
    /// The same for critical alerts.
    pub critical_cooldown: std::time::Duration,
    /// How patiently a channel that fails is tried again.
    pub pace: Pace,
    /// Messages can be changed afterwards.
    pub edits: bool,
    /// Whether the channel tells an alert at all.
    pub wants: fn(&GatewayAlert) -> bool,
    /// So many alerts in 10 min are told one by one; more are a storm, and become a digest.
    pub calm: usize,
    /// When nobody is to be disturbed.
    pub hush: Arc<Hush>,
    /// This is a fallback: others have so long to deliver what is critical.
    pub patience: Option<std::time::Duration>,
}

impl Rules {
    fn router(&self, memory: Memory) -> Router {
        Router::new(self.cooldown, self.critical_cooldown, memory).fallback(self.patience)
    }
}

/// Stores alerts in one transaction with `also`, numbers them, and takes them up in the books of every channel. They are
/// taken up even if nothing could be stored: that is the error.
pub fn record(
    history: &History,
    books: &mut [impl DerefMut<Target = Ledger>],
    alerts: &mut [GatewayAlert],
    now: Moment,
    also: impl FnOnce(&Change<'_>) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    for alert in &mut *alerts {
        alert.id = history.next_alert();
    }
    let plans: Vec<_> = books.iter().map(|ledger| ledger.plan(alerts, now)).collect();
    let stored = history.change(|change| {
        also(change)?;
        for alert in &*alerts {
            change.add_alert(&record_of(alert, now)?)?;
        }
        books.iter().zip(&plans).try_for_each(|(ledger, plan)| ledger.write(plan, change, now))
    });
    for (ledger, plan) in books.iter_mut().zip(plans) {
        ledger.apply(plan);
    }
    stored
}

/// What is kept of a channel's routing.
#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    stamp: Stamp,
    memory: Memory,
    #[serde(default)]
    gatherer: Gatherer,
}

/// One delivery to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Number of the delivery.
    pub number: i64,
    /// What to tell.
    pub alert: GatewayAlert,
    /// The message to change; `None`: a new one.
    pub edit: Option<String>,
    /// An earlier attempt may have arrived.
    pub repeat: bool,
    /// It stands for alerts of the incident that could not be sent.
    pub folded: bool,
    /// Names the alert, at every attempt and on every channel.
    pub id: String,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Try this.
    Try(Box<Errand>),
    /// Nothing, until this moment on the clock that never steps; `None`: until there is news.
    Wait(Option<i64>),
}

/// A change of the books that is worked out and not yet made.
#[derive(Debug)]
struct Plan {
    router: Router,
    gatherer: Gatherer,
    outbox: Outbox,
    lines: Vec<Line>,
}

#[derive(Debug)]
enum Line {
    Alert(AlertRecord),
    Add(DeliveryRecord),
    Settle { number: i64, how: Settled, wall: i64 },
}

/// The books of one channel.
#[derive(Debug)]
pub struct Ledger {
    channel: &'static str,
    edits: bool,
    wants: fn(&GatewayAlert) -> bool,
    calm: usize,
    hush: Arc<Hush>,
    fallback: bool,
    history: Arc<History>,
    router: Router,
    gatherer: Gatherer,
    outbox: Outbox,
    messages: VecDeque<(String, u64, String)>,
    /// What was wrong with the history last, so that each trouble is logged once.
    trouble: Option<String>,
}

impl Ledger {
    /// Opens the books of a channel where they were left.
    #[must_use]
    pub fn open(channel: &'static str, rules: &Rules, history: Arc<History>, now: Moment) -> Self {
        let mut ledger = Self {
            channel,
            edits: rules.edits,
            wants: rules.wants,
            calm: rules.calm,
            hush: Arc::clone(&rules.hush),
            fallback: rules.patience.is_some(),
            router: rules.router(Memory::default()),
            gatherer: Gatherer::default(),
            outbox: Outbox::new(rules.pace),
            messages: VecDeque::new(),
            trouble: None,
            history,
        };
        if let Err(error) = ledger.load(rules, now) {
            ledger.note_trouble(&error);
        }
        ledger
    }

    fn load(&mut self, rules: &Rules, now: Moment) -> Result<(), HistoryError> {
        if let Some(text) = self.history.channel(self.channel)? {
            let mut record: Record = serde_json::from_str(&text)?;
            if let Some(shift) = record.stamp.shift_to(self.history.boot(), now) {
                record.memory.shift(shift.elapsed);
                record.gatherer.shift(shift.elapsed);
            }
            self.router = rules.router(record.memory);
            self.gatherer = record.gatherer;
        }
        for (delivery, alert) in self.history.waiting(self.channel)? {
            let age = now.wall.saturating_sub(delivery.queued).max(0);
            self.outbox.push(Entry {
                number: delivery.id,
                queued: now.elapsed.saturating_sub(age),
                alert: serde_json::from_str(&alert.record)?,
                edit: delivery.edit,
                folded: delivery.folded,
                unsure: delivery.claimed,
                in_hand: false,
            });
        }
        if self.edits {
            self.messages = self.history.messages(self.channel, MESSAGES)?.into();
        }
        Ok(())
    }

    /// Works out what becomes of alerts that are being recorded.
    fn plan(&self, alerts: &[GatewayAlert], now: Moment) -> Plan {
        let mut plan = self.blank();
        for alert in alerts.iter().filter(|alert| (self.wants)(alert)) {
            let (channel, kind) = (self.channel, alert.alert.kind.name());
            if matches!(alert.alert.kind, AlertKind::Progress { .. }) && !self.edits {
                continue;
            }
            match plan.router.admit(alert, now.elapsed) {
                Decision::Tell => self.tell(&mut plan, alert, now),
                Decision::Hold { until } => {
                    let wait = until.saturating_sub(now.elapsed);
                    tracing::info!(channel, gateway = alert.gateway, kind, wait, "alert held for now");
                }
                Decision::Drop(reason) => {
                    let reason = reason.name();
                    tracing::info!(channel, gateway = alert.gateway, kind, reason, "alert not told");
                }
            }
        }
        plan
    }

    /// Writes a plan down, as part of a change.
    fn write(&self, plan: &Plan, change: &Change<'_>, now: Moment) -> Result<(), HistoryError> {
        for line in &plan.lines {
            match line {
                Line::Alert(alert) => change.add_alert(alert)?,
                Line::Add(delivery) => change.add_delivery(delivery)?,
                Line::Settle { number, how, wall } => change.settle(*number, *how, *wall, None, None)?,
            }
        }
        let record = Record {
            stamp: self.history.stamp(now),
            memory: plan.router.memory().clone(),
            gatherer: plan.gatherer.clone(),
        };
        change.save_channel(self.channel, &serde_json::to_string(&record)?)
    }

    /// Makes a plan come true.
    fn apply(&mut self, plan: Plan) {
        self.router = plan.router;
        self.gatherer = plan.gatherer;
        self.outbox = plan.outbox;
    }

    /// The delivery to try now, or how long there is none.
    pub fn next(&mut self, now: Moment) -> Next {
        self.release_due(now.elapsed, now);
        loop {
            let Some(entry) = self.outbox.ready(now.elapsed) else {
                let moments = [self.outbox.next_attempt(), self.router.next_due(), self.gatherer.next_due()];
                return Next::Wait(moments.into_iter().flatten().min());
            };
            let (number, edit) = (entry.number, entry.edit);
            let reference = self.message_of(&entry.alert).map(str::to_owned);
            if edit && reference.is_none() {
                // What it would have changed was never sent.
                self.settle(number, Settled::Folded, now, None, None);
                continue;
            }
            return Next::Try(Box::new(Errand {
                number,
                alert: entry.alert.clone(),
                edit: reference.filter(|_| edit),
                repeat: entry.unsure && !edit,
                folded: entry.folded,
                id: format!("{}-{}", self.history.name(), entry.alert.id),
            }));
        }
    }

    /// A request is about to be sent: from now on it may have arrived.
    pub fn claim(&mut self, errand: &Errand, now: Moment) {
        self.outbox.claim(errand.number);
        let kept = self.history.change(|change| change.claim(errand.number, now.wall));
        self.note(kept);
    }

    /// An attempt is over; says whether the next one may follow at once. `chance` (0 to 1) spreads the attempts of
    /// many machines.
    pub fn conclude(&mut self, errand: &Errand, result: &Result<Confirmed, Failure>, now: Moment, chance: f64) -> bool {
        match result {
            Ok(confirmed) => {
                let reference = confirmed.reference.as_deref();
                if let (None, Some(reference)) = (&errand.edit, reference) {
                    self.remember(&errand.alert, reference);
                }
                self.settle(errand.number, Settled::Delivered, now, None, reference.filter(|_| errand.edit.is_none()));
                self.outbox.works_again();
                true
            }
            Err(failure) => {
                let problem = failure.problem().map(|problem| problem.say(Language::English));
                let problem = problem.unwrap_or_default();
                self.outbox.failed(errand.number, failure, now.elapsed, chance);
                match failure {
                    Failure::Rejected(_) => self.settle(errand.number, Settled::Refused, now, Some(&problem), None),
                    Failure::Gone => self.settle(errand.number, Settled::Folded, now, None, None),
                    Failure::Later { .. } | Failure::Parked(_) | Failure::Unsure(_) => {
                        let sure = !matches!(failure, Failure::Unsure(_)) && !errand.repeat;
                        let kept = self.history.change(|change| change.release(errand.number, sure, &problem));
                        self.note(kept);
                    }
                }
                matches!(failure, Failure::Rejected(_) | Failure::Gone)
            }
        }
    }

    /// For the moment of quitting: what a cooldown holds is told now, and what waits is tried now. What a fallback
    /// holds, and what is gathered, is kept for the next start.
    pub fn hurry(&mut self, now: Moment) {
        self.release_due(if self.fallback { now.elapsed } else { i64::MAX }, now);
        self.outbox.hurry();
    }

    /// Whether nobody is to be disturbed now.
    #[must_use]
    pub fn quiet(&self, now: Moment) -> Option<QuietSnapshot> {
        self.hush.at(now.wall, &TimeZone::system())
    }

    /// A person wants what waits to be tried now; what a cooldown holds stays.
    pub fn retry(&mut self) {
        self.outbox.hurry();
    }

    /// The channel has shown that it works: what waits may go at once.
    pub fn works_again(&mut self) {
        self.outbox.works_again();
    }

    /// Alerts that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    fn blank(&self) -> Plan {
        Plan {
            router: self.router.clone(),
            gatherer: self.gatherer.clone(),
            outbox: self.outbox.clone(),
            lines: Vec::new(),
        }
    }

    /// What comes out of a cooldown, what was gathered, and what is too old.
    fn release_due(&mut self, until: i64, now: Moment) {
        let mut plan = self.blank();
        let mut changed = false;
        for alert in plan.router.due(until, |alert| self.is_receipted(alert)) {
            changed = true;
            self.tell(&mut plan, &alert, now);
        }
        if let Some(digest) = plan.gatherer.due(now.elapsed, self.quiet(now).is_some()) {
            let alert = digest_alert(digest, self.history.next_alert(), now.wall);
            match record_of(&alert, now) {
                Ok(record) => plan.lines.push(Line::Alert(record)),
                Err(error) => self.note_trouble(&error),
            }
            self.tell(&mut plan, &alert, now);
        }
        for entry in plan.outbox.expire(now.elapsed) {
            let kind = entry.alert.alert.kind.name();
            tracing::error!(channel = self.channel, gateway = entry.alert.gateway, kind, "alert given up after a day");
            plan.lines.push(Line::Settle { number: entry.number, how: Settled::Expired, wall: now.wall });
        }
        if changed || !plan.lines.is_empty() {
            let kept = self.history.change(|change| self.write(&plan, change, now));
            self.apply(plan);
            self.note(kept);
        }
    }

    /// Puts an alert, and the change of the incident's message that goes with it, into the plan's outbox.
    fn tell(&self, plan: &mut Plan, alert: &GatewayAlert, now: Moment) {
        let kind = &alert.alert.kind;
        let told = plan.gatherer.admit(alert, now.elapsed, self.calm, self.quiet(now).is_some());
        if !told {
            tracing::info!(channel = self.channel, gateway = alert.gateway, kind = kind.name(), "alert gathered");
        }
        // A change of a message disturbs nobody: it is made also of what is gathered.
        let only_edit = !told || matches!(kind, AlertKind::Progress { .. });
        let moves = matches!(
            kind,
            AlertKind::Progress { .. }
                | AlertKind::SafeMode { .. }
                | AlertKind::Blocked { .. }
                | AlertKind::ConfigSuspect { .. }
                | AlertKind::Recovered { .. }
        );
        let has_message = |plan: &Plan| self.message_of(alert).is_some() || plan.outbox.has_outage(alert);
        // The alert's own message needs no change, and neither does one that it has folded away.
        let before = has_message(plan);
        if !only_edit {
            self.put(plan, alert, false, now);
        }
        if self.edits && moves && before && has_message(plan) {
            self.put(plan, alert, true, now);
        }
    }

    /// Whether another channel has delivered an alert. If nobody knows, it is told once more.
    fn is_receipted(&self, alert: &GatewayAlert) -> bool {
        self.history.receipted_elsewhere(alert.id, self.channel).unwrap_or_else(|error| {
            tracing::warn!(channel = self.channel, %error, "the receipts of the other channels are not known");
            false
        })
    }

    fn put(&self, plan: &mut Plan, alert: &GatewayAlert, edit: bool, now: Moment) {
        let wall = now.wall;
        let replaced = plan.outbox.fold(alert, edit);
        let folded = replaced.iter().any(|entry| !entry.edit);
        for entry in replaced {
            plan.settle(entry.number, wall);
        }
        let number = self.history.next_delivery();
        plan.lines.push(Line::Add(DeliveryRecord {
            id: number,
            alert: alert.id,
            channel: self.channel.to_owned(),
            edit,
            queued: wall,
            folded,
            claimed: false,
            attempts: 0,
        }));
        let entry =
            Entry { number, queued: now.elapsed, alert: alert.clone(), edit, folded, unsure: false, in_hand: false };
        if let Some(dropped) = plan.outbox.push(entry) {
            let (channel, kind) = (self.channel, dropped.alert.alert.kind.name());
            tracing::warn!(channel, gateway = dropped.alert.gateway, kind, "too many alerts wait: one was folded away");
            plan.settle(dropped.number, wall);
        }
    }

    fn settle(&mut self, number: i64, how: Settled, now: Moment, problem: Option<&str>, reference: Option<&str>) {
        self.outbox.remove(number);
        let kept = self.history.change(|change| change.settle(number, how, now.wall, problem, reference));
        self.note(kept);
    }

    fn message_of(&self, alert: &GatewayAlert) -> Option<&str> {
        let incident = alert.alert.incident.as_ref()?.id;
        let known = self.messages.iter().find(|(gateway, id, _)| *id == incident && *gateway == alert.gateway);
        known.map(|(_, _, reference)| reference.as_str())
    }

    /// Only the first message of an incident moves with it.
    fn remember(&mut self, alert: &GatewayAlert, reference: &str) {
        let Some(incident) = alert.alert.incident.as_ref().filter(|_| self.edits) else { return };
        if self.message_of(alert).is_none() {
            self.messages.push_back((alert.gateway.clone(), incident.id, reference.to_owned()));
            if self.messages.len() > MESSAGES as usize {
                self.messages.pop_front();
            }
        }
    }

    fn note(&mut self, kept: Result<(), HistoryError>) {
        match kept {
            Ok(()) => self.trouble = None,
            Err(error) => self.note_trouble(&error),
        }
    }

    fn note_trouble(&mut self, error: &HistoryError) {
        let trouble = error.to_string();
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::error!(channel = self.channel, "{trouble}; alerts go on, but a restart may lose or repeat some");
        }
        self.trouble = Some(trouble);
    }
}

/// An alert as the history keeps it.
fn record_of(alert: &GatewayAlert, now: Moment) -> Result<AlertRecord, HistoryError> {
    Ok(AlertRecord {
        id: alert.id,
        gateway: alert.gateway.clone(),
        incident: alert.alert.incident.as_ref().map(|incident| incident.id),
        kind: alert.alert.kind.name().to_owned(),
        happened: alert.alert.at,
        recorded: now.wall,
        record: serde_json::to_string(alert)?,
    })
}

fn digest_alert(digest: Digest, id: i64, made: i64) -> GatewayAlert {
    let kind = AlertKind::Digest { reason: digest.reason, entries: digest.entries, more: digest.more, made };
    GatewayAlert {
        id,
        gateway: String::new(),
        address: String::new(),
        practice: false,
        alert: Alert { incident: None, kind, at: made },
    }
}

impl Plan {
    fn settle(&mut self, number: i64, wall: i64) {
        self.lines.push(Line::Settle { number, how: Settled::Folded, wall });
    }
}
