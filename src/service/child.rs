//! The gateway as a process of Lifeguard's own, by OpenClaw's contract for external supervisors.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::launch::{Environment, Launch, Started, launch};
use super::setup::GatewaySetup;
use super::stop::{patience, stop_leftover, stop_tree};
use super::{GatewayService, ServiceError, ServiceReport, channels, identity};
use crate::platform::process::{ExitWatch, is_running};
use crate::supervisor::ladder::{Heal, Rung};
use crate::supervisor::observation::{Exit, Identity, ServiceState};

/// A gateway that Lifeguard starts.
#[derive(Debug)]
pub struct Child {
    setup: GatewaySetup,
    slot: Slot,
    /// One heal at a time.
    permit: tokio::sync::Mutex<()>,
}

impl Child {
    pub(super) fn new(setup: GatewaySetup) -> Self {
        Self { setup, slot: Slot::default(), permit: tokio::sync::Mutex::new(()) }
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.setup.log_path.clone()
    }

    /// The process that was started here, if it is the gateway's newest.
    pub(super) fn started(&self) -> Option<Identity> {
        self.slot.started()
    }

    fn start(&self) -> Result<(), ServiceError> {
        let command = self.setup.command.clone().ok_or(ServiceError::NoCommand)?;
        let mut environment = self.setup.environment.clone();
        environment.push(("OPENCLAW_SUPERVISOR_MODE".to_owned(), "external".to_owned()));
        self.slot.put_started(launch(Launch {
            command,
            environment: Environment::Added(environment),
            working_dir: Some(self.setup.working_dir.clone().unwrap_or_else(|| self.setup.home.clone())),
            log_path: self.setup.log_path.clone(),
        })?);
        Ok(())
    }
}

impl GatewayService for Child {
    async fn observe(&self) -> ServiceReport {
        let process = self.slot.process(&self.setup).await;
        ServiceReport { process, ..ServiceReport::of(ServiceState::Unmanaged) }
    }

    async fn perform(&self, heal: &Heal, killed: impl Fn() + Send + Sync) -> Result<(), ServiceError> {
        let _permit = self.permit.lock().await;
        if heal.rung == Rung::StartChannels {
            return channels::start(&self.setup, &heal.channels).await;
        }
        if !self.slot.make_room(&self.setup, heal, &killed).await? {
            return Ok(());
        }
        self.start()
    }

    async fn wait_exit(&self, identity: &Identity) -> Exit {
        self.slot.wait_exit(identity).await
    }

    async fn adopt(&self, identity: &Identity) -> bool {
        self.slot.adopt(identity)
    }
}

/// The process that a service without a manager looks after.
#[derive(Debug, Default)]
pub(super) struct Slot {
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    /// The process now, or the last one.
    current: Option<Identity>,
    /// The newest process that was started here.
    started: Option<Started>,
}

impl Slot {
    fn content(&self) -> std::sync::MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process, if it runs; with none, one that turns up by the lock file or on the port, such as the
    /// successor that an older gateway leaves behind when it restarts itself.
    pub(super) async fn process(&self, setup: &GatewaySetup) -> Option<Identity> {
        let current = self.content().current.clone();
        if let Some(identity) = current.filter(|identity| is_running(identity::key(identity))) {
            return Some(identity);
        }
        let found = identity::find(setup).await?;
        tracing::info!(pid = found.pid, "found the gateway's process");
        self.content().current = Some(found.clone());
        Some(found)
    }

    pub(super) fn put_started(&self, started: Started) {
        let mut content = self.content();
        content.current = Some(started.identity.clone());
        content.started = Some(started);
    }

    /// The process that was started here, if it is the gateway's newest.
    pub(super) fn started(&self) -> Option<Identity> {
        let content = self.content();
        let started = content.started.as_ref().map(|started| &started.identity)?;
        content.current.as_ref().filter(|current| current.is_same(started)).cloned()
    }

    /// Stops what a heal wants stopped. `true`: nothing runs now, and a start is next. `false`: there is nothing to
    /// start.
    pub(super) async fn make_room(
        &self,
        setup: &GatewaySetup,
        heal: &Heal,
        killed: &(impl Fn() + Send + Sync),
    ) -> Result<bool, ServiceError> {
        if heal.rung == Rung::FreePort {
            stop_leftover(setup, heal, killed).await?;
        }
        let wants_start = heal.rung != Rung::Stop;
        let Some(running) = self.process(setup).await else { return Ok(wants_start) };
        if heal.rung == Rung::Start {
            tracing::info!(pid = running.pid, "nothing to start: the gateway's process runs");
            return Ok(false);
        }
        match &heal.target {
            Some(target) if target.is_same(&running) => {
                stop_tree(&running, patience(heal, setup.drain_limit), heal.may_kill, killed).await?;
                Ok(wants_start)
            }
            _ => Err(ServiceError::ProcessChanged { now: running.pid }),
        }
    }

    pub(super) async fn wait_exit(&self, identity: &Identity) -> Exit {
        let started = self.content().started.clone().filter(|started| started.identity.is_same(identity));
        if let Some(started) = started {
            return started.exit().await;
        }
        ExitWatch::new(identity::key(identity)).wait().await;
        Exit::default()
    }

    pub(super) fn adopt(&self, identity: &Identity) -> bool {
        let running = is_running(identity::key(identity));
        if running {
            tracing::info!(pid = identity.pid, "took over the gateway's process of an earlier run");
            self.content().current = Some(identity.clone());
        }
        running
    }
}
