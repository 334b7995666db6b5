//! A gateway that somebody starts by hand: found, watched, and restarted by its own command.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::child::Slot;
use super::launch::{Environment, Launch, launch};
use super::setup::GatewaySetup;
use super::{GatewayService, ServiceError, ServiceReport, channels, identity};
use crate::platform::process::{environment, working_dir};
use crate::supervisor::ladder::{Heal, Rung};
use crate::supervisor::observation::{Exit, Identity, ServiceState};

/// A gateway that somebody started.
#[derive(Debug)]
pub struct Attached {
    setup: GatewaySetup,
    slot: Slot,
    surroundings: Mutex<Option<Surroundings>>,
    /// One heal at a time.
    permit: tokio::sync::Mutex<()>,
}

/// What a process was started with, read while it runs: its successor is to find the same.
#[derive(Debug, Clone)]
struct Surroundings {
    of: Identity,
    /// `None` where the system does not tell.
    environment: Option<Vec<(String, String)>>,
    working_dir: Option<PathBuf>,
}

impl Attached {
    pub(super) fn new(setup: GatewaySetup) -> Self {
        Self { setup, slot: Slot::default(), surroundings: Mutex::new(None), permit: tokio::sync::Mutex::new(()) }
    }

    pub(super) fn starts_when_dead(&self) -> bool {
        self.setup.start_when_dead
    }

    /// Its output goes wherever the person sent it, until Lifeguard has restarted it once.
    pub(super) fn log_path(&self) -> Option<PathBuf> {
        Some(self.setup.log_path.clone()).filter(|path| path.exists())
    }

    fn remember(&self, identity: &Identity) {
        let mut surroundings = self.surroundings.lock().unwrap_or_else(PoisonError::into_inner);
        if surroundings.as_ref().is_some_and(|known| known.of.is_same(identity)) {
            return;
        }
        let key = identity::key(identity);
        let (environment, working_dir) = (environment(key), working_dir(key));
        if environment.is_some() || working_dir.is_some() {
            *surroundings = Some(Surroundings { of: identity.clone(), environment, working_dir });
        }
    }

    /// The process that was started here, if it is the gateway's newest.
    pub(super) fn started(&self) -> Option<Identity> {
        self.slot.started()
    }

    fn start(&self) -> Result<(), ServiceError> {
        let known = self.surroundings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (whole, working_dir) = known.map_or((None, None), |known| (known.environment, known.working_dir));
        // Its argument list is gone, overwritten by its title. Where nobody knows the command, the person's own `PATH`,
        // which the process still had, leads to the program.
        let command = self.setup.command.clone().or_else(|| {
            whole.as_ref()?;
            Some(["openclaw", "gateway", "run", "--port", &self.setup.port.to_string()].map(str::to_owned).to_vec())
        });
        let environment = match whole {
            Some(mut whole) => {
                whole.extend(self.setup.environment.iter().cloned());
                Environment::Whole(whole)
            }
            None => Environment::Added(self.setup.environment.clone()),
        };
        self.slot.put_started(launch(Launch {
            command: command.ok_or(ServiceError::NoCommand)?,
            environment,
            working_dir: working_dir
                .or_else(|| self.setup.working_dir.clone())
                .or_else(|| Some(self.setup.home.clone())),
            log_path: self.setup.log_path.clone(),
        })?);
        Ok(())
    }
}

impl GatewayService for Attached {
    async fn observe(&self) -> ServiceReport {
        let process = self.slot.process(&self.setup).await;
        if let Some(identity) = &process {
            self.remember(identity);
        }
        ServiceReport { process, ..ServiceReport::of(ServiceState::Unmanaged) }
    }

    async fn perform(&self, heal: &Heal, killed: impl Fn() + Send + Sync) -> Result<(), ServiceError> {
        let _permit = self.permit.lock().await;
        if heal.rung == Rung::StartChannels {
            return channels::start(&self.setup, &heal.channels).await;
        }
        if let Some(target) = &heal.target {
            self.remember(target);
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
