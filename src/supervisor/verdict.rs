//! What an observation means, and the state that a person sees.

use serde::{Deserialize, Serialize};

use super::activity::ModelRefusal;

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
    /// Live and ready, and run by somebody else than the service manager that ought to run it.
    Orphan,
    /// Live and ready, but slow to answer.
    Slow,
    /// Live and ready, but the provider of its model refuses it, so that it answers nobody.
    ModelRefused(ModelRefusal),
    /// Live and ready, but channels have been refused for good by the other side: a person must log in again.
    LoggedOut(Vec<String>),
    /// Live and ready, and yet channels that call themselves connected have carried nothing for too long.
    ChannelsSilent(Vec<String>),
    /// Live and ready, and yet channels that are meant to run are not connected.
    ChannelsDown(Vec<String>),
    /// Live and ready, and idle, although scheduled work has long been due.
    Overdue,
    /// Its process is gone and nothing listens.
    Gone,
    /// Gone, once more after several ends in a short time: health in between proved nothing.
    CrashLoop,
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
    /// Another gateway than the service's own, a leftover, holds the port and does not answer.
    StaleGateway {
        /// Its process id.
        pid: u32,
    },
    /// It ended with exit code 78: its configuration or state must be mended first.
    Refuses,
    /// Its service is loaded, and the manager does not start it; the text is the manager's reason.
    NotSpawned(String),
    /// OpenClaw parked its own service for maintenance: starting it would be wrong.
    Parked,
    /// OpenClaw is being updated.
    Updating,
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
            Self::Unknown(_)
            | Self::Starting(_)
            | Self::Draining
            | Self::Updating
            | Self::Stopped
            | Self::NotInstalled => Severity::Neutral,
            Self::NotReady(_)
            | Self::ChannelsSuppressed(_)
            | Self::Orphan
            | Self::Slow
            | Self::ModelRefused(_)
            | Self::LoggedOut(_)
            | Self::ChannelsSilent(_)
            | Self::ChannelsDown(_)
            | Self::Overdue => Severity::Impaired,
            Self::Gone
            | Self::CrashLoop
            | Self::Zombie
            | Self::Hung
            | Self::Failing(_)
            | Self::PortTaken { .. }
            | Self::StaleGateway { .. }
            | Self::Refuses
            | Self::NotSpawned(_)
            | Self::Parked
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
            Self::Orphan => "orphan",
            Self::Slow => "slow",
            Self::ModelRefused(_) => "model_refused",
            Self::LoggedOut(_) => "logged_out",
            Self::ChannelsSilent(_) => "channels_silent",
            Self::ChannelsDown(_) => "channels_down",
            Self::Overdue => "overdue",
            Self::Gone => "gone",
            Self::CrashLoop => "crash_loop",
            Self::Zombie => "zombie",
            Self::Hung => "hung",
            Self::Failing(_) => "failing",
            Self::PortTaken { .. } => "port_taken",
            Self::StaleGateway { .. } => "stale_gateway",
            Self::Refuses => "refuses",
            Self::NotSpawned(_) => "not_spawned",
            Self::Parked => "parked",
            Self::Updating => "updating",
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

    /// The state of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|health| health.name() == name)
    }

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
