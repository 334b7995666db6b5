//! Lifeguard as far as alerts go: a history on disk, the books of two channels, and a place in the story.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use lifeguard::alert::channel::{Dispatch, Form};
use lifeguard::alert::ledger::{self, Errand, Ledger, Next, Rules};
use lifeguard::alert::outbox::Pace;
use lifeguard::history::{FILE, History};
use lifeguard::supervisor::moment::Moment;
use tempfile::TempDir;

use crate::Figures;
use crate::server::{Fate, Server};
use crate::story::Telling;

/// Where the story begins: some Unix time.
const BEGIN: i64 = 1_790_000_000_000;

/// The running program.
pub(crate) struct Lifeguard {
    /// Milliseconds since the story began.
    pub(crate) now: i64,
    folder: TempDir,
    history: Arc<History>,
    books: [Box<Ledger>; 2],
    cooldown: Duration,
}

impl Lifeguard {
    pub(crate) fn begin(cooldown: Duration) -> Self {
        Self::open(folder(), cooldown, 0)
    }

    fn open(folder: TempDir, cooldown: Duration, now: i64) -> Self {
        let opened = History::open(folder.path(), Some("boot".to_owned()), moment(now)).unwrap();
        assert_eq!(opened.problem, None, "what a killed Lifeguard leaves can be opened");
        let history = Arc::new(opened.history);
        let open = |channel, edits| {
            let rules = Rules {
                cooldown,
                critical_cooldown: cooldown,
                pace: Pace::default(),
                edits,
                wants: |_| true,
                // Storms and quiet hours are told of elsewhere: here each alert is looked for by itself.
                calm: usize::MAX,
                hush: Arc::default(),
                patience: None,
            };
            Box::new(Ledger::open(channel, &rules, Arc::clone(&history), moment(now)))
        };
        let books = [open("discord", true), open("plain", false)];
        Self { now, folder, history, books, cooldown }
    }

    /// How much of the story is stored.
    pub(crate) fn place(&self) -> usize {
        self.history.state("story").unwrap().map_or(0, |place| place.parse().unwrap())
    }

    /// The core's step: its state and what it tells, in one transaction.
    pub(crate) fn record(&mut self, telling: &Telling) {
        let next = (self.place() + 1).to_string();
        let mut alerts = [telling.alert.clone()];
        alerts[0].alert.at += BEGIN;
        let now = moment(self.now);
        ledger::record(&self.history, &mut self.books, &mut alerts, now, |change| change.save_state("story", &next))
            .unwrap();
    }

    /// SIGKILL, and a new start: only what is in the files lives on. They are copied while they are in use, so that no
    /// orderly close can tidy them up.
    pub(crate) fn killed(self, servers: &mut [Server; 2]) -> Self {
        servers.iter_mut().for_each(Server::asked_anew);
        let folder = folder();
        for suffix in ["", "-wal"] {
            let name = format!("{FILE}{suffix}");
            fs::copy(self.folder.path().join(&name), folder.path().join(&name)).unwrap();
        }
        Self::open(folder, self.cooldown, self.now)
    }

    /// Throws the deliveries away: a defect for the proof to find.
    pub(crate) fn forget(&mut self) {
        for number in 1..=2 {
            self.history
                .change(|change| change.settle(number, lifeguard::history::alerts::Settled::Expired, 0, None, None))
                .unwrap();
        }
    }

    /// When the books have something to do next.
    pub(crate) fn next(&mut self) -> Option<i64> {
        let now = moment(self.now);
        let next = |ledger: &mut Box<Ledger>| match ledger.next(now) {
            Next::Try(_) => Some(self.now),
            Next::Wait(until) => until,
        };
        self.books.iter_mut().filter_map(next).min()
    }

    /// Delivers what is due. At each step of a delivery Lifeguard may be killed.
    pub(crate) fn deliver(
        mut self,
        servers: &mut [Server; 2],
        chance: &mut fastrand::Rng,
        faults: u32,
        kills: u32,
        figures: &mut Figures,
    ) -> Self {
        for place in 0..2 {
            loop {
                let now = moment(self.now);
                let Next::Try(errand) = self.books[place].next(now) else { break };
                self.books[place].claim(&errand, now);
                // Killed before the request went out, after it was answered, or not at all.
                let killed = (chance.u32(..100) < kills).then(|| chance.bool());
                if killed == Some(false) {
                    figures.kills += 1;
                    self = self.killed(servers);
                    continue;
                }
                let fate = if chance.u32(..100) < faults { Fate::draw(chance) } else { Fate::Arrives };
                match fate {
                    Fate::Arrives => {}
                    Fate::CutBefore | Fate::CutAfter => figures.cuts += 1,
                    Fate::Unreachable | Fate::Status(_) | Fate::Limited(_) => figures.refusals += 1,
                }
                let before = servers[place].accepted.len();
                let result = servers[place].take(&dispatch(&errand, now), fate, self.now);
                if killed == Some(true) {
                    figures.kills += 1;
                    if servers[place].accepted.len() > before {
                        servers[place].unheard(errand.alert.id);
                    }
                    self = self.killed(servers);
                    continue;
                }
                let outage = errand.edit.is_none() && errand.alert.alert.kind.name() != "recovered";
                if let Ok(confirmed) = &result
                    && outage
                    && let (Some(reference), Some(incident)) = (&confirmed.reference, &errand.alert.alert.incident)
                {
                    servers[place].note_first(incident.id, reference);
                }
                self.books[place].conclude(&errand, &result, now, chance.f64());
            }
        }
        self
    }
}

/// In memory where the system has such a place: thousands of histories are begun.
fn folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

fn dispatch(errand: &Errand, now: Moment) -> Dispatch<'_> {
    Dispatch {
        alert: &errand.alert,
        id: &errand.id,
        form: errand.edit.as_deref().map_or(Form::New, Form::Edit),
        repeat: errand.repeat,
        folded: errand.folded,
        now: now.wall,
    }
}

fn moment(now: i64) -> Moment {
    Moment { awake: now, elapsed: now, wall: BEGIN + now }
}
