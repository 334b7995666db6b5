//! What a gateway needs besides itself: looked at before a heal, so that none is wasted (requirements W2).

use serde::{Deserialize, Serialize};

/// One thing that the gateway needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dependency {
    /// The Docker engine, where the configuration declares it.
    Docker,
    /// A host that the configuration names.
    Network {
        /// `host` or `host:port`.
        host: String,
    },
    /// Room on the disk that holds the gateway's state.
    Disk,
    /// OpenClaw's own configuration file.
    Configuration,
    /// A program that the heal needs: `openclaw` or `node`.
    Program {
        /// Its name.
        name: String,
    },
    /// The word of the gateway's service manager: who cannot be asked or understood gets no orders.
    ServiceManager,
}

/// How one thing that the gateway needs was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyState {
    /// What was looked at.
    pub dependency: Dependency,
    /// What is the matter with it; `None` if all is well.
    pub trouble: Option<Trouble>,
}

/// What is the matter with a dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// It is installed, but does not run.
    NotRunning,
    /// Lifeguard has asked it to start, and it is not up yet.
    Starting,
    /// It runs and does not answer in time.
    Silent,
    /// It is not there.
    Missing,
    /// Its answer cannot be had or understood; the text says why.
    Unclear(String),
    /// Its name does not resolve.
    Unresolved,
    /// It cannot be reached; the text is the system's reason.
    Unreachable(String),
    /// Too little room is left.
    NearlyFull {
        /// Bytes that are free.
        free: u64,
    },
    /// It cannot be read or understood; the text says where and why.
    Invalid(String),
}

impl Dependency {
    /// The dependency's name in `status --json`, metrics and docs.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Docker => "docker".to_owned(),
            Self::Network { host } => format!("network:{host}"),
            Self::Disk => "disk".to_owned(),
            Self::Configuration => "configuration".to_owned(),
            Self::Program { name } => format!("program:{name}"),
            Self::ServiceManager => "service_manager".to_owned(),
        }
    }
}
