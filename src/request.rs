//! What a person can ask for, from the menu, a notification's button or the command line: one type, one queue.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::supervisor::event::Command;
use crate::supervisor::ladder::Outcome;

/// One wish of a person, on its way to the app.
#[derive(Debug)]
pub enum UserAction {
    /// Something about a gateway.
    Gateway {
        /// Its name; `None` means the first one.
        gateway: Option<String>,
        /// What to do.
        command: Command,
        /// Where the answer goes, if somebody waits for it.
        reply: Option<oneshot::Sender<Reply>>,
    },
    /// Open the gateway's log with the system's viewer.
    OpenLog {
        /// Its name; `None` means the first one.
        gateway: Option<String>,
    },
    /// Open the folder with the evidence of the gateway's newest incident.
    OpenIncident {
        /// Its name; `None` means the first one.
        gateway: Option<String>,
    },
    /// Send a test alert.
    TestAlerts {
        /// To this channel only; `None` means all.
        channel: Option<String>,
        /// Where the receipts go, if somebody waits for them.
        reply: Option<oneshot::Sender<Vec<Receipt>>>,
    },
    /// Open the status page with the system's browser.
    OpenPage,
    /// Try at once what waits to be told.
    RetryAlerts {
        /// On this channel only; `None` means all.
        channel: Option<String>,
        /// Where the receipts go, if somebody waits for them.
        reply: Option<oneshot::Sender<Vec<Receipt>>>,
    },
    /// Disturb nobody with alerts for a while; `None`: no longer.
    MuteAlerts(Option<Mute>),
    /// Put a description of the current state, free of secrets, on the clipboard.
    CopyDiagnostics,
    /// Start Lifeguard at login, or no longer.
    SetLoginItem(bool),
    /// A second Lifeguard was started: show that this one is here.
    Show,
    /// Quit Lifeguard; the gateway keeps running.
    Quit,
}

/// A time in which nobody is disturbed with alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// When it ends by itself (Unix milliseconds); `None`: when somebody ends it.
    pub until: Option<i64>,
}

/// Answer to [`UserAction::Gateway`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reply", content = "detail")]
pub enum Reply {
    /// Done.
    Done,
    /// The restart is over.
    Concluded(Outcome),
    /// Not done; the text says why and what to do.
    Refused(String),
}

/// What became of a test alert, or of what waited, on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The channel's name.
    pub channel: String,
    /// `None`: delivered and confirmed. Otherwise what went wrong, free of secrets, with what to do.
    pub problem: Option<String>,
}
