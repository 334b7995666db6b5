//! What a probe saw: facts only, no opinion. [`verdict`](super::verdict) says what they mean.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::activity::Activity;
use super::configuration::ConfigStanding;
use super::dependency::DependencyState;
use super::intent::IntentSeen;
use super::moment::Moment;

/// Everything that one round of probes saw of one gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When the round began: an answer belongs to the moment of its question.
    pub began: Moment,
    /// `GET /startupz`.
    pub startup: Answer<StartupBody>,
    /// `GET /healthz`.
    pub health: Answer<HealthBody>,
    /// `GET /readyz`.
    pub ready: Answer<ReadyBody>,
    /// From the first byte sent to the last byte read of `/healthz`.
    pub latency: Option<Duration>,
    /// The gateway's main process.
    pub process: ProcessState,
    /// Who listens on the gateway's port.
    pub port: PortOwner,
    /// What the service manager says.
    pub service: ServiceState,
    /// Exit code of the last process, where the service manager tells it.
    pub last_exit: Option<i32>,
    /// Resident memory of the gateway's process tree, in bytes.
    pub memory: Option<u64>,
    /// Processor time that the process tree has used so far; falls when one of its helpers ends.
    pub processor: Option<Duration>,
    /// Files and sockets that the process tree has open.
    pub open_files: Option<u64>,
    /// What it needs besides itself: looked at while something is wrong, empty in quiet times.
    pub dependencies: Vec<DependencyState>,
    /// What it reports of its channels and its work; asked far less often than its health.
    pub activity: Option<Activity>,
    /// What somebody did to it on purpose, as far as that is recorded.
    pub intent: Option<IntentSeen>,
    /// Fingerprint of OpenClaw's configuration file as it is now.
    pub config_stamp: Option<u64>,
    /// When that file was changed last: Unix milliseconds.
    pub config_edited: Option<i64>,
    /// How it compares to the newest copy that was good.
    pub config: ConfigStanding,
}

impl Observation {
    /// A round that saw nothing at all; tests and probes fill in what they know.
    #[must_use]
    pub fn nothing(began: Moment) -> Self {
        Self {
            began,
            startup: Answer::NotAsked,
            health: Answer::NotAsked,
            ready: Answer::NotAsked,
            latency: None,
            process: ProcessState::Unknown,
            port: PortOwner::Unknown,
            service: ServiceState::Unknown(String::new()),
            last_exit: None,
            memory: None,
            processor: None,
            open_files: None,
            dependencies: Vec::new(),
            activity: None,
            intent: None,
            config_stamp: None,
            config_edited: None,
            config: ConfigStanding::Unknown,
        }
    }
}

/// What one HTTP endpoint did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// Not asked in this round.
    NotAsked,
    /// Nothing listens on the port.
    Refused,
    /// The connection opened (or never finished opening) and no whole answer came within the limit.
    TimedOut,
    /// The connection broke before a whole answer came; the text says how.
    Broken(String),
    /// A whole answer that is not this endpoint's JSON: the web page of a version without the endpoint, or
    /// another program on the port.
    Foreign {
        /// HTTP status.
        status: u16,
        /// What was wrong with it, in a few words.
        reason: String,
    },
    /// The endpoint's own JSON.
    Json {
        /// HTTP status: 200, or 503 with the reasons in the body.
        status: u16,
        /// The body, read.
        body: T,
    },
}

impl<T> Answer<T> {
    /// The endpoint's own JSON, whatever the status.
    pub fn body(&self) -> Option<&T> {
        match self {
            Self::Json { body, .. } => Some(body),
            _ => None,
        }
    }
}

/// Body of `/startupz` (OpenClaw from 2026.9 on).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StartupBody {
    /// Start-up is finished.
    pub started: bool,
    /// The gateway is shutting down and finishes its running work.
    pub draining: bool,
    /// What start-up waits for.
    pub pending_reason: Option<String>,
    /// OpenClaw's version.
    pub version: Option<String>,
    /// Time since this generation started.
    pub uptime: Option<Duration>,
}

/// Body of `/healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthBody {
    /// `{"ok":true,"status":"live"}`.
    pub live: bool,
}

/// Body of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadyBody {
    /// Ready for work.
    pub ready: bool,
    /// What is not ready: `gateway-draining`, `startup-sidecars`, `state-database`, a channel's name, …
    pub failing: Vec<String>,
    /// Channels that the gateway's own crash-loop breaker holds back.
    pub suppressed: Vec<String>,
    /// Time since this generation started.
    pub uptime: Option<Duration>,
}

/// A process that cannot be mistaken for another one that got the same pid later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Process id.
    pub pid: u32,
    /// The kernel's start stamp of the process. Opaque: only equality means something.
    pub started: u64,
    /// The command line when the identity was taken, for people to read and for the check before a signal.
    pub command: String,
}

impl Identity {
    /// The same process: pid and start stamp. A title may be rewritten while a process runs, so the
    /// command line is not part of it.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.pid == other.pid && self.started == other.started
    }
}

/// The gateway's main process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessState {
    /// Could not be looked up.
    Unknown,
    /// There is none.
    Gone,
    /// It runs.
    Running {
        /// Which process.
        identity: Identity,
        /// How long it has been running.
        age: Duration,
    },
}

impl ProcessState {
    /// The running process, if there is one.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Running { identity, .. } => Some(identity),
            Self::Unknown | Self::Gone => None,
        }
    }
}

/// Who listens on the gateway's port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortOwner {
    /// Could not be looked up.
    Unknown,
    /// Nobody.
    Free,
    /// The gateway, or a process of its tree.
    Gateway,
    /// A gateway that is confirmed to be one, and not the one that its service runs: a leftover.
    OtherGateway(Identity),
    /// Another program.
    Stranger {
        /// Its process id, where the system tells.
        pid: Option<u32>,
        /// Its name, where the system tells.
        name: String,
    },
}

/// What the service manager says of the gateway's service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// It could not be asked, or answered something never seen before; the text says what.
    Unknown(String),
    /// No service manager looks after this gateway.
    Unmanaged,
    /// Loaded, and its process runs.
    Running,
    /// Loaded; the manager is about to start it again.
    Restarting,
    /// Loaded, and the manager starts it again and again in vain; the text says how often.
    CrashLooping(String),
    /// Loaded, but not running, and the manager does not intend to start it: somebody stopped it.
    Stopped,
    /// Loaded, but the manager gave up on it.
    Failed(String),
    /// Installed, but not loaded.
    NotLoaded,
    /// Installed, but switched off.
    Disabled,
    /// There is no such service.
    NotInstalled,
}

/// How a process ended. Both fields are `None` where the system does not tell (an adopted process).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exit {
    /// Exit code.
    pub code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
}
