//! Desktop notifications: one per incident, replaced as it moves, with buttons that act and then show the result.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::GatewayAlert;
use super::channel::{Channel, Confirmed, Dispatch, Failure};
use crate::platform::clock;
use crate::request::{Reply, UserAction};
use crate::supervisor::event::{AlertKind, Command};
use crate::text::alert::{Button, Pressed};
use crate::text::problem::Problem;
use crate::text::{Language, Phrase};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
pub mod note;

#[cfg(target_os = "linux")]
use linux::Desktop;
#[cfg(target_os = "macos")]
use macos::Desktop;
use note::{Loudness, Note};

/// Presses that wait for their turn at most.
const PRESSES: usize = 32;
/// Longest wait for the result of a press: the longest drain, the longest start-up (`Policy`), and a margin.
const REPLY_LIMIT: Duration = Duration::from_mins(12);
/// Longest wait for room in the app's queue.
const SEND_LIMIT: Duration = Duration::from_secs(5);
/// After its result was shown on the notification, the same news as an alert is expected for so long.
const ECHO_LIMIT: Duration = Duration::from_secs(10);
/// Notifications whose buttons are remembered.
const MEMORY: usize = 64;

/// How to reach the desktop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NativeSettings {
    /// Linux: the session bus's address, if not the one of the environment.
    pub bus: Option<String>,
}

/// A desktop that can show notifications.
trait Notifier: Send + Sync + 'static {
    /// Shows a note, in place of the one with the same key. `Ok` means that the desktop has taken it. Ends within a
    /// limit of its own.
    fn show(&self, note: &Note, language: Language) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// Whether the desktop takes notifications now. On macOS the system asks the person, once.
pub async fn available(settings: &NativeSettings) -> Result<(), Problem> {
    let (presses, _) = mpsc::channel(1);
    Desktop::new(settings.clone(), presses).available().await
}

/// Shows a note that belongs to no alert; buttons on it would do nothing.
pub async fn tell(settings: &NativeSettings, note: &Note, language: Language) -> Result<(), Problem> {
    let (presses, _) = mpsc::channel(1);
    Desktop::new(settings.clone(), presses).show(note, language).await
}

/// A button that was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Press {
    /// [`Note::key`] of the notification.
    key: String,
    /// Which.
    button: Button,
}

/// The channel `native`.
#[derive(Debug)]
pub struct Native {
    desktop: Arc<Desktop>,
    desk: Arc<Desk>,
    language: Language,
}

impl Native {
    /// Starts to listen for presses; the desktop itself is only reached when there is something to show.
    #[must_use]
    pub fn start(settings: NativeSettings, language: Language, actions: mpsc::Sender<UserAction>) -> Self {
        let (presses, inbox) = mpsc::channel(PRESSES);
        let desktop = Arc::new(Desktop::new(settings, presses));
        let desk = Arc::new(Desk::default());
        let attendant = Attendant { desktop: Arc::downgrade(&desktop), desk: Arc::clone(&desk), language, actions };
        tokio::spawn(attendant.attend(inbox));
        Self { desktop, desk, language }
    }
}

impl Channel for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    /// A report is in the menu, and on the channels that are read elsewhere.
    fn wants(alert: &GatewayAlert) -> bool {
        !matches!(alert.alert.kind, AlertKind::Report(_))
    }

    async fn deliver(&mut self, dispatch: &Dispatch<'_>) -> Result<Confirmed, Failure> {
        let alert = dispatch.alert;
        if matches!(alert.alert.kind, AlertKind::RestartFinished { .. }) && self.desk.is_echo(&alert.gateway) {
            tracing::debug!(gateway = alert.gateway, "the notification that asked for the restart shows its end");
            return Ok(Confirmed::default());
        }
        let note = Note::of_alert(dispatch, self.language, &jiff::tz::TimeZone::system());
        self.desk.put(alert, &note);
        self.desktop.show(&note, self.language).await.map_err(|problem| match problem {
            // These do not change by waiting: tried again only now and then.
            Problem::NoSessionBus | Problem::NotInBundle | Problem::NotPermitted => Failure::Parked(problem),
            problem => Failure::later(problem),
        })?;
        Ok(Confirmed::default())
    }

    /// Shows what has buttons once more without them: nobody would answer a press any more.
    async fn close(&mut self) {
        for note in self.desk.take_buttons() {
            if let Err(problem) = self.desktop.show(&note, self.language).await {
                let problem = problem.say(Language::English);
                tracing::debug!(problem, "a notification keeps its buttons");
                break;
            }
        }
    }
}

/// What is on show, and what was asked for through it.
#[derive(Debug, Default)]
struct Desk {
    state: Mutex<DeskState>,
}

#[derive(Debug, Default)]
struct DeskState {
    shown: BTreeMap<String, Shown>,
    /// Gateways whose restart was asked for by a button, and until when its end may be announced again.
    asked: BTreeMap<String, Instant>,
    versions: u64,
}

#[derive(Debug, Clone)]
struct Shown {
    gateway: String,
    note: Note,
    /// Grows with each change, so that a late result does not overwrite newer news.
    version: u64,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is about to be shown.
    fn put(&self, alert: &GatewayAlert, note: &Note) {
        let mut state = self.state();
        state.versions += 1;
        let shown = Shown { gateway: alert.gateway.clone(), note: note.clone(), version: state.versions };
        state.shown.insert(note.key.clone(), shown);
        if state.shown.len() > MEMORY {
            let oldest = state.shown.iter().min_by_key(|(_, shown)| shown.version).map(|(key, _)| key.clone());
            oldest.and_then(|key| state.shown.remove(&key));
        }
    }

    fn get(&self, key: &str) -> Option<Shown> {
        self.state().shown.get(key).cloned()
    }

    /// Changes a notification, if it is still at `version`; gives the note to show and its new version.
    fn change(&self, key: &str, version: u64, change: impl FnOnce(&mut Note)) -> Option<(Note, u64)> {
        let mut state = self.state();
        state.versions += 1;
        let newest = state.versions;
        let shown = state.shown.get_mut(key).filter(|shown| shown.version == version)?;
        shown.version = newest;
        change(&mut shown.note);
        Some((shown.note.clone(), newest))
    }

    fn expect_echo(&self, gateway: &str, limit: Duration) {
        self.state().asked.insert(gateway.to_owned(), Instant::now() + limit);
    }

    fn is_echo(&self, gateway: &str) -> bool {
        self.state().asked.remove(gateway).is_some_and(|until| Instant::now() < until)
    }

    fn take_buttons(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        for shown in self.state().shown.values_mut().filter(|shown| !shown.note.buttons.is_empty()) {
            shown.note.buttons.clear();
            shown.note.loudness = Loudness::Quiet;
            notes.push(shown.note.clone());
        }
        notes
    }
}

/// Does what the buttons say.
#[derive(Debug, Clone)]
struct Attendant {
    desktop: std::sync::Weak<Desktop>,
    desk: Arc<Desk>,
    language: Language,
    actions: mpsc::Sender<UserAction>,
}

impl Attendant {
    async fn attend(self, mut inbox: mpsc::Receiver<Press>) {
        while let Some(press) = inbox.recv().await {
            tokio::spawn(self.clone().serve(press));
        }
    }

    async fn serve(self, press: Press) {
        let Some(shown) = self.desk.get(&press.key) else {
            tracing::warn!(key = press.key, "a button of a notification that is not known any more was pressed");
            return;
        };
        tracing::info!(gateway = shown.gateway, button = ?press.button, "a notification's button was pressed");
        match press.button {
            Button::OpenLog => self.open_log(&press, shown).await,
            Button::Restart | Button::Start | Button::Pause | Button::RollBack => self.command(&press, shown).await,
        }
    }

    /// The log opens; the notification comes back as it was, since a desktop takes it away with the click.
    async fn open_log(&self, press: &Press, shown: Shown) {
        let action = UserAction::OpenLog { gateway: Some(shown.gateway.clone()) };
        if self.actions.send_timeout(action, SEND_LIMIT).await.is_err() {
            self.tell(press, &shown, shown.version, &Pressed::Quitting).await;
            return;
        }
        self.show(&Note { loudness: Loudness::Quiet, ..shown.note }).await;
    }

    async fn command(&self, press: &Press, shown: Shown) {
        let restarts = matches!(press.button, Button::Restart | Button::Start | Button::RollBack);
        let command = match press.button {
            Button::Restart | Button::Start => Command::Restart { force: false },
            Button::RollBack => Command::RollBack,
            Button::Pause | Button::OpenLog => Command::Pause { until: Some(clock::wall().saturating_add(3_600_000)) },
        };
        let working = Pressed::Working(press.button);
        let Some(version) = self.tell(press, &shown, shown.version, &working).await else { return };
        if restarts {
            self.desk.expect_echo(&shown.gateway, REPLY_LIMIT);
        }
        let (reply, answer) = oneshot::channel();
        let action = UserAction::Gateway { gateway: Some(shown.gateway.clone()), command, reply: Some(reply) };
        let result = if self.actions.send_timeout(action, SEND_LIMIT).await.is_err() {
            Pressed::Quitting
        } else {
            match tokio::time::timeout(REPLY_LIMIT, answer).await {
                Ok(Ok(answer)) => Pressed::Answered(press.button, answer),
                Ok(Err(_)) => Pressed::Quitting,
                Err(_) => Pressed::NoAnswer,
            }
        };
        if restarts {
            let concluded = matches!(result, Pressed::Answered(_, Reply::Concluded(_)));
            self.desk.expect_echo(&shown.gateway, if concluded { ECHO_LIMIT } else { Duration::ZERO });
        }
        self.tell(press, &shown, version, &result).await;
    }

    /// Shows on a notification what became of a press, unless it has changed meanwhile; gives its new version.
    async fn tell(&self, press: &Press, shown: &Shown, version: u64, what: &Pressed) -> Option<u64> {
        let change = |note: &mut Note| note.answer(what, &shown.note.buttons, self.language);
        let (note, version) = self.desk.change(&press.key, version, change)?;
        self.show(&note).await;
        Some(version)
    }

    async fn show(&self, note: &Note) {
        let Some(desktop) = self.desktop.upgrade() else { return };
        if let Err(problem) = desktop.show(note, self.language).await {
            let problem = problem.say(Language::English);
            tracing::warn!(problem, "the result of a press cannot be shown");
        }
    }
}
