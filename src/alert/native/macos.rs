//! macOS: the `UserNotifications` framework, which needs Lifeguard.app and the person's permission.

use std::collections::HashMap;
use std::time::Duration;

use mac_usernotifications::{Action, InterruptionLevel, Notification, NotificationHandle, check_bundle, request_auth};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::note::{Loudness, Note, button_name, button_named};
use super::{NativeSettings, Notifier, Press};
use crate::platform::desktop::macos::main_bundle;
use crate::text::problem::Problem;
use crate::text::{Language, Phrase};

/// Longest wait for the system to take a notification.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// Longest wait for the person to answer the system's question.
const PERMISSION_LIMIT: Duration = Duration::from_mins(2);
/// A notification with buttons is taken away after this time: without a limit "Clear All" would never end the wait
/// for its press.
const LONGEST_SHOWN: Duration = Duration::from_hours(24);

/// The notification centre.
#[derive(Debug)]
pub(super) struct Desktop {
    presses: mpsc::Sender<Press>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    permitted: bool,
    /// Who waits for a press, by [`Note::key`].
    waiting: HashMap<String, JoinHandle<()>>,
}

impl Desktop {
    pub(super) fn new(_: NativeSettings, presses: mpsc::Sender<Press>) -> Self {
        Self { presses, state: Mutex::new(State::default()) }
    }

    /// Whether the person permits notifications. One who has not been asked yet is asked.
    pub(super) async fn available(&self) -> Result<(), Problem> {
        match timeout(SEND_LIMIT, ask_permission()).await {
            Ok(answer) => answer,
            Err(_) => Err(Problem::NotConfirmed(SEND_LIMIT)),
        }
    }
}

impl Notifier for Desktop {
    async fn show(&self, note: &Note, language: Language) -> Result<(), Problem> {
        let mut state = self.state.lock().await;
        if !state.permitted {
            ask_permission().await?;
            state.permitted = true;
        }
        // Before the new one goes out: the end of an old wait would take away what now bears the same name.
        if let Some(old) = state.waiting.remove(&note.key) {
            old.abort();
            if let Err(error) = old.await
                && !error.is_cancelled()
            {
                tracing::warn!(%error, "the wait for a press failed");
            }
        }
        state.waiting.retain(|_, wait| !wait.is_finished());
        let handle = match timeout(SEND_LIMIT, describe(note, language).send()).await {
            Ok(Ok(handle)) => handle,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the notification was not taken");
                state.permitted = false;
                return Err(Problem::NotPermitted);
            }
            Err(_) => return Err(Problem::NotConfirmed(SEND_LIMIT)),
        };
        if !note.buttons.is_empty() {
            let wait = tokio::spawn(wait_for_press(handle, note.key.clone(), self.presses.clone()));
            state.waiting.insert(note.key.clone(), wait);
        }
        Ok(())
    }
}

/// Asks the system, which asks the person once and remembers the answer.
async fn ask_permission() -> Result<(), Problem> {
    // Without a bundle the framework does not fail, it ends the process: an identifier alone does not prove one.
    let in_bundle = main_bundle().extension().is_some_and(|extension| extension == "app");
    if !in_bundle || check_bundle().is_err() {
        return Err(Problem::NotInBundle);
    }
    match timeout(PERMISSION_LIMIT, request_auth()).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(Problem::NotPermitted),
        Ok(Err(error)) => {
            tracing::debug!(%error, "permission for notifications could not be asked for");
            Err(Problem::NotPermitted)
        }
        Err(_) => Err(Problem::NotConfirmed(PERMISSION_LIMIT)),
    }
}

async fn wait_for_press(handle: NotificationHandle, key: String, presses: mpsc::Sender<Press>) {
    match handle.response().await {
        Ok(response) => {
            if let Some(button) = button_named(&response.action_identifier)
                && presses.try_send(Press { key, button }).is_err()
            {
                tracing::warn!("too many presses wait: one was dropped");
            }
        }
        Err(error) => tracing::debug!(%error, "the wait for a press ended"),
    }
}

fn describe(note: &Note, language: Language) -> Notification {
    let level = match note.loudness {
        Loudness::Quiet => InterruptionLevel::Passive,
        Loudness::Usual => InterruptionLevel::Active,
        Loudness::Urgent => InterruptionLevel::TimeSensitive,
    };
    let sound = (note.loudness != Loudness::Quiet).then_some("Glass");
    let mut notification = Notification::new()
        .id(&note.key)
        .title(&note.title)
        .message(&note.body)
        .thread_id("lifeguard")
        .interruption_level(level)
        .maybe_sound(sound);
    if !note.buttons.is_empty() {
        notification = notification.timeout(LONGEST_SHOWN);
    }
    for button in &note.buttons {
        notification = notification.action(Action::button(button_name(*button), button.say(language)));
    }
    notification
}
