//! What an observation means, and the state that a person sees.

use serde::{Deserialize, Serialize};

/// What is the matter with a gateway right now. The remedy for each is in [`ladder`](super::ladder).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing has been looked at yet, or what was seen contradicts itself; the text says why.
    Unknown(String),
    /// Live and ready.
    Healthy,
    /// On its way up, within its grace; the text is what start-up waits for, if it said.
    Starting(String),
    /// Shutting down in order, within its drain budget.
    Draining,
    /// Live, but not ready; what `/readyz` named.
    NotReady(Vec<String>),
    /// Ready, but its own crash-loop breaker holds channels back. A restart would make it worse.
    ChannelsSuppressed(Vec<String>),
    /// Its process is gone and nothing listens.
    Gone,
    /// Its process runs, nothing listens, and it has had time enough: an in-process restart that failed,
    /// or a start-up that is stuck.
    Zombie,
    /// It accepts connections and answers nothing.
    Hung,
    /// It answers with errors.
    Failing(String),
    /// Another program listens on its port.
    PortTaken {
        /// The program's process id, where the system tells.
        pid: Option<u32>,
        /// The program's name.
        name: String,
    },
    /// It ended with exit code 78: its configuration or state must be mended first.
    Refuses,
    /// Its service is installed, but not loaded.
    ServiceNotLoaded,
    /// Its service is switched off.
    ServiceDisabled,
    /// Its service was stopped on purpose.
    Stopped,
    /// There is no gateway here.
    NotInstalled,
}

/// How bad a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Good,
    /// No outage: transient, deliberate, or not known.
    Neutral,
    /// It works, but something is missing.
    Impaired,
    /// It does not work.
    Outage,
}

impl Verdict {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Healthy => Severity::Good,
            Self::Unknown(_) | Self::Starting(_) | Self::Draining | Self::Stopped | Self::NotInstalled => {
                Severity::Neutral
            }
            Self::NotReady(_) | Self::ChannelsSuppressed(_) => Severity::Impaired,
            Self::Gone
            | Self::Zombie
            | Self::Hung
            | Self::Failing(_)
            | Self::PortTaken { .. }
            | Self::Refuses
            | Self::ServiceNotLoaded
            | Self::ServiceDisabled => Severity::Outage,
        }
    }

    /// The verdict's name in `status --json`, metrics and docs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown",
            Self::Healthy => "healthy",
            Self::Starting(_) => "starting",
            Self::Draining => "draining",
            Self::NotReady(_) => "not_ready",
            Self::ChannelsSuppressed(_) => "channels_suppressed",
            Self::Gone => "gone",
            Self::Zombie => "zombie",
            Self::Hung => "hung",
            Self::Failing(_) => "failing",
            Self::PortTaken { .. } => "port_taken",
            Self::Refuses => "refuses",
            Self::ServiceNotLoaded => "service_not_loaded",
            Self::ServiceDisabled => "service_disabled",
            Self::Stopped => "stopped",
            Self::NotInstalled => "not_installed",
        }
    }
}

/// The state that a person sees: one icon shape each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Up and ready.
    Healthy,
    /// On its way up, or shutting down in order.
    Starting,
    /// Up, but not whole.
    Degraded,
    /// Down; the next attempt is scheduled.
    Down,
    /// An attempt is running, or its success has not held long enough yet.
    Healing,
    /// Too many attempts: the breaker is open, trials go on at growing distances.
    SafeMode,
    /// Down for a reason that no restart mends: a person must act.
    Blocked,
    /// Hands off, as asked.
    Paused,
    /// Stopped on purpose.
    Stopped,
    /// There is no gateway here.
    NotInstalled,
    /// Nobody has looked for too long: the last state proves nothing.
    Stale,
}

impl Health {
    /// Every state, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Healthy,
        Self::Starting,
        Self::Degraded,
        Self::Down,
        Self::Healing,
        Self::SafeMode,
        Self::Blocked,
        Self::Paused,
        Self::Stopped,
        Self::NotInstalled,
        Self::Stale,
    ];

    /// The state's name in `status --json`, metrics and docs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Starting => "starting",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Healing => "healing",
            Self::SafeMode => "safe_mode",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::NotInstalled => "not_installed",
            Self::Stale => "stale",
        }
    }
}
