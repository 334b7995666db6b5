//! How a gateway is started, stopped and restarted: one kind of service per file, behind one trait.
//!
//! When and why is none of this room's business. Nothing here signals a process whose identity was not confirmed
//! in the same step.

pub mod agent;
pub mod attached;
pub mod boot;
pub mod child;
pub mod command;
pub mod discovery;
pub mod docker;
pub mod identity;
pub mod keeper;
pub mod launchctl;
pub mod launchd;
pub mod openclaw;
pub mod setup;
pub mod systemd;

mod channels;
mod launch;
mod stop;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use crate::supervisor::ladder::Heal;
use crate::supervisor::observation::{Exit, Identity, ServiceState};
use crate::supervisor::policy::Manager;

pub use discovery::discover;
pub use setup::{GatewaySetup, Kind};

use attached::Attached;
use child::Child;
use launchd::Launchd;
use systemd::Systemd;

/// What a service says of its gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceReport {
    /// What the service manager says.
    pub state: ServiceState,
    /// The gateway's main process, if one runs.
    pub process: Option<Identity>,
    /// Exit code of the last process, where the service manager tells it.
    pub last_exit: Option<i32>,
}

impl ServiceReport {
    fn of(state: ServiceState) -> Self {
        Self { state, process: None, last_exit: None }
    }
}

/// Why a service could not do what it was asked. The text is shown to people.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No command to start the gateway with.
    #[error("no command is known that starts the gateway; install OpenClaw or set `command` in the configuration")]
    NoCommand,
    /// There is no gateway here.
    #[error("there is no gateway to work on; install OpenClaw or set `command` in the configuration")]
    NotInstalled,
    /// The command could not be started.
    #[error("cannot start {program}: {source}; check `command` in the configuration")]
    CannotStart {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process than the one to be stopped runs now.
    #[error("the gateway's process has changed to {now} meanwhile; nothing was touched")]
    ProcessChanged {
        /// The process that runs now.
        now: u32,
    },
    /// It runs on after SIGTERM, and SIGKILL is not within the ration.
    #[error(
        "process {pid} did not stop within {} s, and it was not killed: too many kills make the gateway \
         start with its channels off; the next attempt may",
        waited.as_secs()
    )]
    DidNotStop {
        /// Its process id.
        pid: u32,
        /// How long it was given.
        waited: Duration,
    },
    /// It runs on after SIGKILL.
    #[error(
        "process {0} survived SIGKILL: it hangs inside the system (disk, network drive); the machine may need a restart"
    )]
    Unkillable(u32),
    /// The signal could not be sent.
    #[error(transparent)]
    Signal(#[from] crate::platform::process::SignalError),
    /// The service manager's tool could not be run.
    #[error(transparent)]
    Command(#[from] command::CommandError),
    /// The gateway did not start a channel that it holds back.
    #[error("the gateway did not start {channel}: {reason}")]
    ChannelRefused {
        /// The channel.
        channel: String,
        /// What it said.
        reason: String,
    },
    /// The service manager refused.
    #[error("{action} failed: {reason}")]
    Refused {
        /// What was asked of it, as a command line.
        action: String,
        /// What it said.
        reason: String,
    },
    /// The service manager said yes, and no new process came.
    #[error("{manager} did not start the gateway within {} s; look at `{look}`", waited.as_secs())]
    DidNotStart {
        /// The service manager.
        manager: &'static str,
        /// How long it was given.
        waited: Duration,
        /// The command that shows more.
        look: String,
    },
}

/// How one kind of service does its work.
pub trait GatewayService {
    /// What it says of its gateway. Takes at most 3 s.
    fn observe(&self) -> impl Future<Output = ServiceReport> + Send;

    /// Does what the heal's rung says; `killed` is called right before a SIGKILL goes to the gateway. Whether it
    /// helped is for the probes to see.
    fn perform(
        &self,
        heal: &Heal,
        killed: impl Fn() + Send + Sync,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send;

    /// Waits for the end of a process; has no limit of its own.
    fn wait_exit(&self, identity: &Identity) -> impl Future<Output = Exit> + Send {
        let watch = crate::platform::process::ExitWatch::new(identity::key(identity));
        async move {
            watch.wait().await;
            Exit::default()
        }
    }

    /// Takes over a process that an earlier run of Lifeguard knew; `false` if it no longer runs.
    fn adopt(&self, identity: &Identity) -> impl Future<Output = bool> + Send {
        let running = crate::platform::process::is_running(identity::key(identity));
        async move { running }
    }
}

/// The service of one gateway.
#[derive(Debug)]
pub enum Service {
    /// Lifeguard owns the process.
    Child(Child),
    /// Somebody starts it by hand.
    Attached(Attached),
    /// A systemd user unit.
    Systemd(Systemd),
    /// A launchd agent.
    Launchd(Launchd),
    /// There is no gateway here.
    Missing(Box<GatewaySetup>),
}

impl Service {
    /// The service of a kind that [`discover`] found or the configuration fixed.
    #[must_use]
    pub fn new(setup: GatewaySetup, kind: Kind) -> Self {
        match kind {
            Kind::Child => Self::Child(Child::new(setup)),
            Kind::Attached => Self::Attached(Attached::new(setup)),
            Kind::Systemd => Self::Systemd(Systemd::new(setup)),
            Kind::Launchd => Self::Launchd(Launchd::new(setup)),
            Kind::NotInstalled => Self::Missing(Box::new(setup)),
        }
    }

    /// What the service says of its gateway. Takes at most 3 s, and may be called in every round.
    pub async fn observe(&self) -> ServiceReport {
        match self {
            Self::Child(service) => service.observe().await,
            Self::Attached(service) => service.observe().await,
            Self::Systemd(service) => service.observe().await,
            Self::Launchd(service) => service.observe().await,
            Self::Missing(setup) => {
                ServiceReport { process: identity::find(setup).await, ..ServiceReport::of(ServiceState::NotInstalled) }
            }
        }
    }

    /// Does what the heal's rung says; `killed` is called right before a SIGKILL goes to the gateway. One heal at
    /// a time: a second one waits.
    pub async fn perform(&self, heal: &Heal, killed: impl Fn() + Send + Sync) -> Result<(), ServiceError> {
        match self {
            Self::Child(service) => service.perform(heal, killed).await,
            Self::Attached(service) => service.perform(heal, killed).await,
            Self::Systemd(service) => service.perform(heal, killed).await,
            Self::Launchd(service) => service.perform(heal, killed).await,
            Self::Missing(_) => Err(ServiceError::NotInstalled),
        }
    }

    /// Waits for the end of a process, and tells how it ended where the system does. Has no limit of its own.
    pub async fn wait_exit(&self, identity: &Identity) -> Exit {
        match self {
            Self::Child(service) => service.wait_exit(identity).await,
            Self::Attached(service) => service.wait_exit(identity).await,
            Self::Systemd(service) => service.wait_exit(identity).await,
            Self::Launchd(service) => service.wait_exit(identity).await,
            Self::Missing(_) => {
                crate::platform::process::ExitWatch::new(identity::key(identity)).wait().await;
                Exit::default()
            }
        }
    }

    /// Takes over a process that an earlier run of Lifeguard knew on this boot of the machine; `false` if it no
    /// longer runs.
    pub async fn adopt(&self, identity: &Identity) -> bool {
        match self {
            Self::Child(service) => service.adopt(identity).await,
            Self::Attached(service) => service.adopt(identity).await,
            Self::Systemd(service) => service.adopt(identity).await,
            Self::Launchd(service) => service.adopt(identity).await,
            Self::Missing(_) => false,
        }
    }

    /// The process that a heal started here, unless another one has taken its place.
    #[must_use]
    pub fn started(&self) -> Option<Identity> {
        match self {
            Self::Child(service) => service.started(),
            Self::Attached(service) => service.started(),
            Self::Systemd(_) | Self::Launchd(_) | Self::Missing(_) => None,
        }
    }

    /// Who starts the gateway again when it ends.
    #[must_use]
    pub fn manager(&self) -> Manager {
        match self {
            Self::Child(_) => Manager::Ourselves,
            Self::Attached(service) => Manager::Nobody { start_when_dead: service.starts_when_dead() },
            Self::Systemd(_) => Manager::ServiceManager { patience: systemd::PATIENCE },
            Self::Launchd(service) => Manager::ServiceManager { patience: service.patience() },
            Self::Missing(_) => Manager::Nobody { start_when_dead: false },
        }
    }

    /// The kind's name in `status`, logs and the configuration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// The kind of service.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Child(_) => Kind::Child,
            Self::Attached(_) => Kind::Attached,
            Self::Systemd(_) => Kind::Systemd,
            Self::Launchd(_) => Kind::Launchd,
            Self::Missing(_) => Kind::NotInstalled,
        }
    }

    /// Where the gateway's output goes, if that is known.
    #[must_use]
    pub fn log_path(&self) -> Option<PathBuf> {
        match self {
            Self::Child(service) => Some(service.log_path()),
            Self::Attached(service) => service.log_path(),
            Self::Systemd(_) | Self::Missing(_) => None,
            Self::Launchd(service) => service.log_path(),
        }
    }
}
