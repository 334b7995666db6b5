//! Rows of the menu: what they say and what a click on them asks for.

use std::time::Duration;

use crate::request::{Mute, UserAction};
use crate::supervisor::event::Command;
use crate::supervisor::moment::milliseconds;

/// One row. Keys are unique within the menu and stay the same while the row says other things.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// To be read only.
    Text {
        /// Key.
        key: String,
        /// What it says.
        text: String,
    },
    /// To be clicked.
    Item {
        /// What a click asks for.
        choice: Choice,
        /// What it says.
        text: String,
        /// Whether it can be clicked now.
        enabled: bool,
    },
    /// To be switched on and off.
    Check {
        /// What a click asks for.
        choice: Choice,
        /// What it says.
        text: String,
        /// Whether it can be clicked now.
        enabled: bool,
        /// Whether it is on.
        checked: bool,
    },
    /// More rows.
    Submenu {
        /// Key.
        key: String,
        /// What it says.
        text: String,
        /// The rows.
        rows: Vec<Row>,
    },
    /// A line.
    Separator {
        /// Key.
        key: String,
    },
}

/// What a click asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Stop this gateway, and leave it stopped.
    Stop {
        /// The gateway's name.
        gateway: String,
    },
    /// Restart or start this gateway.
    Restart {
        /// Its name.
        gateway: String,
        /// At once.
        force: bool,
    },
    /// Hands off this gateway.
    Pause {
        /// Its name.
        gateway: String,
        /// For how long; `None`: until resumed.
        length: Option<Duration>,
    },
    /// Hands on again.
    Resume {
        /// The gateway's name.
        gateway: String,
    },
    /// Crash counter to zero.
    Reset {
        /// The gateway's name.
        gateway: String,
    },
    /// Open the log.
    OpenLog {
        /// The gateway's name.
        gateway: String,
    },
    /// Open the evidence of the newest incident.
    OpenIncident {
        /// The gateway's name.
        gateway: String,
    },
    /// Open the status page.
    OpenPage,
    /// Put the last good configuration back.
    RollBack {
        /// The gateway's name.
        gateway: String,
    },
    /// Describe the state on the clipboard.
    CopyDiagnostics,
    /// Send a test alert on every channel.
    TestAlerts,
    /// Try at once what waits to be told.
    RetryAlerts,
    /// Disturb nobody with alerts for so long.
    MuteAlerts(Duration),
    /// Tell again.
    UnmuteAlerts,
    /// Start at login, or no longer.
    SetLoginItem(bool),
    /// Quit Lifeguard.
    Quit,
}

impl Choice {
    /// The key of the row that offers this.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Stop { gateway } => format!("stop/{gateway}"),
            Self::Restart { gateway, force: false } => format!("restart/{gateway}"),
            Self::Restart { gateway, force: true } => format!("force-restart/{gateway}"),
            Self::Pause { gateway, length } => {
                format!("pause/{gateway}/{}", length.map_or(0, |length| length.as_secs()))
            }
            Self::Resume { gateway } => format!("resume/{gateway}"),
            Self::Reset { gateway } => format!("reset/{gateway}"),
            Self::OpenLog { gateway } => format!("log/{gateway}"),
            Self::OpenIncident { gateway } => format!("incident-folder/{gateway}"),
            Self::OpenPage => "page".to_owned(),
            Self::RollBack { gateway } => format!("roll-back/{gateway}"),
            Self::CopyDiagnostics => "copy-diagnostics".to_owned(),
            Self::TestAlerts => "test-alerts".to_owned(),
            Self::RetryAlerts => "retry-alerts".to_owned(),
            Self::MuteAlerts(length) => format!("mute-alerts/{}", length.as_secs()),
            Self::UnmuteAlerts => "unmute-alerts".to_owned(),
            Self::SetLoginItem(_) => "login-item".to_owned(),
            Self::Quit => "quit".to_owned(),
        }
    }

    /// The request for a click at `wall` (Unix milliseconds).
    #[must_use]
    pub fn action(&self, wall: i64) -> UserAction {
        let command =
            |gateway: &String, command| UserAction::Gateway { gateway: Some(gateway.clone()), command, reply: None };
        match self {
            Self::Stop { gateway } => command(gateway, Command::Stop),
            Self::Restart { gateway, force } => command(gateway, Command::Restart { force: *force }),
            Self::Pause { gateway, length } => {
                let until = length.map(|length| wall.saturating_add(milliseconds(length)));
                command(gateway, Command::Pause { until })
            }
            Self::Resume { gateway } => command(gateway, Command::Resume),
            Self::Reset { gateway } => command(gateway, Command::Reset),
            Self::OpenLog { gateway } => UserAction::OpenLog { gateway: Some(gateway.clone()) },
            Self::OpenIncident { gateway } => UserAction::OpenIncident { gateway: Some(gateway.clone()) },
            Self::OpenPage => UserAction::OpenPage,
            Self::RollBack { gateway } => command(gateway, Command::RollBack),
            Self::CopyDiagnostics => UserAction::CopyDiagnostics,
            Self::TestAlerts => UserAction::TestAlerts { channel: None, reply: None },
            Self::RetryAlerts => UserAction::RetryAlerts { channel: None, reply: None },
            Self::MuteAlerts(length) => {
                UserAction::MuteAlerts(Some(Mute { until: Some(wall.saturating_add(milliseconds(*length))) }))
            }
            Self::UnmuteAlerts => UserAction::MuteAlerts(None),
            Self::SetLoginItem(on) => UserAction::SetLoginItem(*on),
            Self::Quit => UserAction::Quit,
        }
    }
}

impl Row {
    /// The key by which this row is found again.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Text { key, .. } | Self::Submenu { key, .. } | Self::Separator { key } => key.clone(),
            Self::Item { choice, .. } | Self::Check { choice, .. } => choice.key(),
        }
    }

    /// What a click on the row with this key asks for, searched in submenus too.
    #[must_use]
    pub fn find<'rows>(rows: &'rows [Self], wanted: &str) -> Option<&'rows Choice> {
        rows.iter().find_map(|row| match row {
            Self::Item { choice, .. } | Self::Check { choice, .. } if choice.key() == wanted => Some(choice),
            Self::Submenu { rows, .. } => Self::find(rows, wanted),
            _ => None,
        })
    }
}
