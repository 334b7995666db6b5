//! Two channels of alerts with the real books, and the servers that receive what they tell.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lifeguard::alert::GatewayAlert;
use lifeguard::alert::channel::{Confirmed, Failure};
use lifeguard::alert::ledger::{Errand, Ledger, Next, Rules, record};
use lifeguard::alert::outbox::Pace;
use lifeguard::history::History;
use lifeguard::supervisor::event::AlertKind;
use lifeguard::supervisor::moment::Moment;
use lifeguard::text::problem::{Problem, RemoteProblem};

/// How a channel's server fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    Fair,
    /// It cannot be reached.
    Away,
    /// It takes the alert, and the connection is cut before it says so.
    CutAfterTaking,
    /// It refuses the channel.
    Parked,
    /// It asks for patience.
    Asks,
    /// Somebody deletes the message that is to be changed.
    Deletes,
}

/// What a server has received: of which alert, whether marked as a repeat, and whether as a change of a message.
#[derive(Debug, Clone)]
struct Received {
    alert: GatewayAlert,
    id: String,
    repeat: bool,
    edit: bool,
    folded: bool,
}

/// One channel: its books while Lifeguard lives, and its server.
#[derive(Debug)]
pub(crate) struct Channel {
    name: &'static str,
    edits: bool,
    pub(crate) ledger: Option<Ledger>,
    pub(crate) weather: Weather,
    /// Alerts that its server has taken.
    pub(crate) received: u64,
    /// What was wrong with one of them.
    pub(crate) complaint: Option<String>,
    ids: HashSet<(String, bool)>,
    told: HashSet<(String, u64, &'static str)>,
    /// The delivery that is on its way.
    pub(crate) in_hand: Option<Errand>,
    messages: u64,
}

/// The rules of every channel, which are those of the program's defaults.
fn rules(edits: bool) -> Rules {
    Rules {
        cooldown: Duration::from_mins(30),
        critical_cooldown: Duration::from_mins(5),
        pace: Pace::default(),
        edits,
        wants: |_| true,
        // A storm becomes a digest, which tells of no single incident.
        calm: usize::MAX,
        hush: Arc::default(),
        patience: None,
    }
}

/// The history and both channels.
#[derive(Debug)]
pub(crate) struct Telling {
    history: Arc<History>,
    pub(crate) channels: [Channel; 2],
}

impl Telling {
    pub(crate) fn new() -> Self {
        let history = Arc::new(History::in_memory().unwrap());
        let channel = |name, edits| Channel {
            name,
            edits,
            ledger: None,
            weather: Weather::Fair,
            received: 0,
            complaint: None,
            ids: HashSet::new(),
            told: HashSet::new(),
            in_hand: None,
            messages: 0,
        };
        Self { history, channels: [channel("native", false), channel("discord", true)] }
    }

    /// Lifeguard starts.
    pub(crate) fn open(&mut self, now: Moment) {
        for channel in &mut self.channels {
            channel.ledger = Some(Ledger::open(channel.name, &rules(channel.edits), Arc::clone(&self.history), now));
        }
    }

    /// Lifeguard is dead.
    pub(crate) fn close(&mut self) {
        for channel in &mut self.channels {
            channel.ledger = None;
            channel.in_hand = None;
        }
    }

    /// Stores alerts and takes them up, as the program does.
    pub(crate) fn record(&mut self, alerts: &mut [GatewayAlert], now: Moment) {
        let books = self.channels.iter_mut().filter_map(|channel| channel.ledger.as_mut());
        let mut books: Vec<&mut Ledger> = books.collect();
        record(&self.history, &mut books, alerts, now, |_| Ok(())).unwrap();
    }

    /// Alerts that no server has confirmed yet.
    pub(crate) fn waiting(&self) -> usize {
        self.channels.iter().filter_map(|channel| channel.ledger.as_ref()).map(Ledger::waiting).sum()
    }
}

impl Channel {
    /// Takes up the next delivery, if one may be made now; else says when to ask again, on the clock of [`Moment::elapsed`].
    pub(crate) fn take_up(&mut self, now: Moment) -> Option<i64> {
        let ledger = self.ledger.as_mut().filter(|_| self.in_hand.is_none())?;
        match ledger.next(now) {
            Next::Try(errand) => {
                ledger.claim(&errand, now);
                self.in_hand = Some(*errand);
                None
            }
            Next::Wait(until) => until,
        }
    }

    /// The request arrives at the server, or does not.
    pub(crate) fn arrive(&mut self, wall: i64) -> Option<Result<Confirmed, Failure>> {
        let errand = self.in_hand.as_ref()?;
        let problem = Problem::Remote { service: "discord", problem: RemoteProblem::Unreachable };
        match self.weather {
            Weather::Fair | Weather::CutAfterTaking => {}
            Weather::Deletes if errand.edit.is_some() => return Some(Err(Failure::Gone)),
            Weather::Deletes => {}
            Weather::Away => return Some(Err(Failure::later(problem))),
            Weather::Parked => return Some(Err(Failure::Parked(problem))),
            Weather::Asks => {
                return Some(Err(Failure::Later { problem, after: Some(Duration::from_secs(7)) }));
            }
        }
        let received = Received {
            alert: errand.alert.clone(),
            id: errand.id.clone(),
            repeat: errand.repeat,
            edit: errand.edit.is_some(),
            folded: errand.folded,
        };
        self.note(&received, wall);
        self.received += 1;
        if self.weather == Weather::CutAfterTaking {
            return Some(Err(Failure::Unsure(problem)));
        }
        self.messages += 1;
        Some(Ok(Confirmed { reference: self.edits.then(|| format!("m{}", self.messages)) }))
    }

    /// The receipt, or the news of the failure, comes back.
    pub(crate) fn conclude(&mut self, result: &Result<Confirmed, Failure>, now: Moment, chance: f64) {
        let (Some(errand), Some(ledger)) = (self.in_hand.take(), &mut self.ledger) else { return };
        ledger.conclude(&errand, result, now, chance);
    }

    /// Whatever is wrong with the newest that this channel's people have received: the heart of invariants 3 and 7.
    fn note(&mut self, received: &Received, wall: i64) {
        let kind = &received.alert.alert.kind;
        let again = !self.ids.insert((received.id.clone(), received.edit));
        if again && !received.repeat && !received.edit {
            self.complain(&format!("7 repeat: {} came again and did not say so", received.alert.id));
        }
        let Some(incident) = &received.alert.alert.incident else { return };
        if received.edit || again {
            return;
        }
        let told = |kind: &'static str| (received.alert.gateway.clone(), incident.id, kind);
        if !self.told.insert(told(kind.name())) && !matches!(kind, AlertKind::RestartFinished { .. }) {
            self.complain(&format!("3 once: incident {} was told {} again", incident.id, kind.name()));
        }
        let known = ["down", "degraded", "safe_mode", "blocked", "config_suspect"]
            .into_iter()
            .any(|kind| self.told.contains(&told(kind)));
        // What could not be told for a day is given up.
        let fresh = (0..23 * 3_600_000).contains(&(wall - incident.began));
        if matches!(kind, AlertKind::Recovered { .. }) && !received.folded && !known && fresh {
            self.complain(&format!("3 recovered: nobody was told of incident {}", incident.id));
        }
    }

    fn complain(&mut self, complaint: &str) {
        self.complaint.get_or_insert_with(|| format!("{}: {complaint}", self.name));
    }
}
