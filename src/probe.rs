//! Looking: one file per thing that can be observed, and the round that puts them together.

pub mod http;
pub mod memory;
pub mod port;
pub mod process;

use std::sync::Arc;
use std::time::Duration;

use http::HttpProbe;

use crate::platform::process::own_uid;
use crate::service::Service;
use crate::service::identity::confirm;
use crate::supervisor::moment::Moment;
use crate::supervisor::observation::{Answer, Observation, PortOwner, ProcessState, ServiceState};

/// How patiently to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeLimits {
    /// For opening a connection.
    pub connect_timeout: Duration,
    /// For one answer, from connecting to its last byte.
    pub timeout: Duration,
}

/// Looks at one gateway.
#[derive(Debug, Clone)]
pub struct Prober {
    http: HttpProbe,
    port: u16,
}

impl Prober {
    /// A prober of the gateway on 127.0.0.1:`port`.
    pub fn new(port: u16, limits: ProbeLimits) -> Result<Self, reqwest::Error> {
        Ok(Self { http: HttpProbe::new(port, limits.connect_timeout, limits.timeout)?, port })
    }

    /// One round: the endpoints and the service side by side, then what they leave in question.
    pub async fn round(&self, service: &Arc<Service>, began: Moment) -> Observation {
        let (answers, report) = tokio::join!(self.http.ask(), service.observe());
        let process = match &report.process {
            Some(identity) => process::state(identity),
            None if matches!(report.state, ServiceState::Unknown(_)) => ProcessState::Unknown,
            None => ProcessState::Gone,
        };
        let port = self.port_owner(&answers.health, &process).await;
        let memory = match process.identity() {
            Some(identity) => memory::tree(identity).await,
            None => None,
        };
        Observation {
            began,
            startup: answers.startup,
            health: answers.health,
            ready: answers.ready,
            latency: answers.latency,
            process,
            port,
            service: report.state,
            memory,
            ..Observation::nothing(began)
        }
    }

    /// Looking up the owner reads much of `/proc`: only where the answer decides something.
    async fn port_owner<Body>(&self, health: &Answer<Body>, process: &ProcessState) -> PortOwner {
        match health {
            Answer::Refused => PortOwner::Free,
            Answer::Json { .. } => PortOwner::Gateway,
            Answer::NotAsked => PortOwner::Unknown,
            Answer::TimedOut | Answer::Broken(_) | Answer::Foreign { .. } => {
                let confirmed = process.identity().map(|identity| identity.pid);
                let uid = own_uid();
                port::owner(self.port, move |pid| Some(pid) == confirmed || confirm(pid, uid).is_some()).await
            }
        }
    }
}
