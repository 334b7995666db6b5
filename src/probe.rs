//! Looking: one file per thing that can be observed, and the round that puts them together.

pub mod activity;
pub mod dependency;
pub mod http;
pub mod intent;
pub mod port;
pub mod process;
pub mod usage;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use activity::ActivityProbe;
use dependency::{Dependencies, Gateway, Needs};
use http::HttpProbe;
use intent::IntentProbe;
use port::Holder;
use usage::Usage;

use crate::guard::ConfigGuard;
use crate::platform::process::{own_uid, tree};
use crate::service::identity::{confirm, key};
use crate::service::{GatewaySetup, Service, ServiceReport};
use crate::supervisor::activity::Inquiry;
use crate::supervisor::intent::{Intent, IntentSeen};
use crate::supervisor::moment::Moment;
use crate::supervisor::observation::{Answer, Identity, Observation, PortOwner, ProcessState, ServiceState};

/// Limit for a look at the gateway's process: reading `/proc` takes milliseconds unless the machine is in trouble.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// How patiently to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeLimits {
    /// For opening a connection.
    pub connect_timeout: Duration,
    /// For one answer, from connecting to its last byte.
    pub timeout: Duration,
    /// Distance of two inquiries about the gateway's own work, a minute at least; zero: never ask.
    pub activity_interval: Duration,
}

/// Looks at one gateway.
#[derive(Debug, Clone)]
pub struct Prober {
    http: HttpProbe,
    dependencies: Dependencies,
    activity: ActivityProbe,
    intent: IntentProbe,
    guard: ConfigGuard,
    port: u16,
}

impl Prober {
    /// A prober of the gateway of this setup, whose configuration `guard` guards.
    #[must_use]
    pub fn new(setup: &GatewaySetup, needs: Needs, guard: ConfigGuard, limits: ProbeLimits) -> Self {
        Self {
            http: HttpProbe::new(setup.port, limits.connect_timeout, limits.timeout),
            dependencies: Dependencies::new(needs, setup.clone()),
            activity: ActivityProbe::new(setup.clone(), limits.activity_interval),
            intent: IntentProbe::new(setup),
            guard,
            port: setup.port,
        }
    }

    /// The things that the gateway needs besides itself.
    #[must_use]
    pub fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }

    /// One round: the endpoints and the service side by side, then what they leave in question. `inquiry`: whether the
    /// gateway may be asked about its work, beside.
    pub async fn round(&self, service: &Arc<Service>, began: Moment, inquiry: Inquiry) -> Observation {
        let files = self.guard.look_and(self.intent.read_record());
        let (answers, report, (config, recorded)) = tokio::join!(self.http.ask(), service.observe(), files);
        let (process, usage) = look_at(&report).await;
        let port = self.port_owner(&answers.health, &process).await;
        let answers_well = answers.health.body().is_some_and(|health| health.live);
        let dependencies = self.dependencies.known(match (answers_well, &process) {
            (true, _) => Gateway::Answers,
            (false, ProcessState::Running { .. }) => Gateway::Silent,
            (false, ProcessState::Gone | ProcessState::Unknown) => Gateway::Gone,
        });
        let mut intent = self.intent.look(recorded.flatten(), !answers_well).await;
        if intent::is_parked(&report.state, report.last_exit) {
            intent = Some(IntentSeen { intent: Intent::Maintenance, at: began.wall });
        }
        let activity = self.activity.known(inquiry, process.identity());
        Observation {
            began,
            activity,
            startup: answers.startup,
            health: answers.health,
            ready: answers.ready,
            latency: answers.latency,
            process,
            port,
            service: report.state,
            last_exit: report.last_exit,
            memory: usage.map(|usage| usage.memory),
            processor: usage.and_then(|usage| usage.processor),
            open_files: usage.and_then(|usage| usage.open_files),
            dependencies,
            config_stamp: config.stamp,
            config_edited: config.edited,
            config: config.standing,
            intent,
        }
    }

    /// Looking up the owner reads much of `/proc`: only where the answer decides something.
    async fn port_owner<Body>(&self, health: &Answer<Body>, process: &ProcessState) -> PortOwner {
        match health {
            Answer::Refused => PortOwner::Free,
            Answer::Json { .. } => PortOwner::Gateway,
            Answer::NotAsked => PortOwner::Unknown,
            Answer::TimedOut | Answer::Broken(_) | Answer::Foreign { .. } => {
                let main = process.identity().cloned();
                let uid = own_uid();
                port::owner(self.port, move |pid| holder(pid, main.as_ref(), uid)).await
            }
        }
    }
}

/// How the process is that a service names, and what it uses. On a thread that may block: a process that the system
/// holds up may hold up whoever reads of it.
async fn look_at(report: &ServiceReport) -> (ProcessState, Option<Usage>) {
    let Some(identity) = report.process.clone() else {
        let unknown = matches!(report.state, ServiceState::Unknown(_));
        return (if unknown { ProcessState::Unknown } else { ProcessState::Gone }, None);
    };
    let looked = spawn_blocking(move || {
        let state = process::state(&identity);
        let usage = state.identity().and_then(usage::tree);
        (state, usage)
    });
    match timeout(LOOK_LIMIT, looked).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::error!(%error, "looking at the gateway's process ended badly");
            (ProcessState::Unknown, None)
        }
        Err(_) => (ProcessState::Unknown, None),
    }
}

/// Whose process holds the port: the gateway's own, or one of its tree, or that of another gateway.
fn holder(pid: u32, main: Option<&Identity>, uid: u32) -> Holder {
    if let Some(main) = main
        && (pid == main.pid || tree(key(main)).iter().any(|member| member.pid == pid))
    {
        return Holder::Gateway;
    }
    confirm(pid, uid).map_or(Holder::Stranger, Holder::OtherGateway)
}
