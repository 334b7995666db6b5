//! What comes before the start on the higher rungs of the ladder: the good configuration put back, OpenClaw's doctor,
//! the user's own command.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tracing::{info, warn};

use crate::evidence::EvidenceStore;
use crate::guard::ConfigGuard;
use crate::guard::backup::Backups;
use crate::platform::clock;
use crate::redact::one_line;
use crate::service::command::run_with;
use crate::service::{GatewaySetup, Service, openclaw};
use crate::supervisor::ladder::{Heal, Rung};
use crate::supervisor::verdict::Verdict;
use crate::text::{Language, Phrase};

/// `openclaw doctor --fix` takes 10 to 25 s (gateway.md, fact 9; measured with 2026.9.6), and minutes where it migrates.
/// With the backup it stays below [`Policy::preparation_limit`](crate::supervisor::policy::Policy::preparation_limit).
const DOCTOR_LIMIT: Duration = Duration::from_mins(5);

/// Whoever else looks after the gateway's process stops and starts it, says OpenClaw (docs/cli/doctor/checks.md in
/// 2026.9.6): then its doctor keeps its hands off the service.
const DOCTOR_ENVIRONMENT: [(&str, &str); 2] = [("OPENCLAW_SERVICE_REPAIR_POLICY", "external"), ("NO_COLOR", "1")];

/// The user's own command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// Prepares the heals of one gateway.
#[derive(Debug, Clone)]
pub(super) struct Preparation {
    pub(super) setup: GatewaySetup,
    /// The copies of its configuration.
    pub(super) guard: ConfigGuard,
    /// Copies of its state from before the doctor.
    pub(super) backups: Backups,
    pub(super) hook: Option<Hook>,
    /// Evidence of its incidents.
    pub(super) evidence: EvidenceStore,
}

impl Preparation {
    /// Does the rung's own part. What is left to the service: a start, a restart, or nothing. An error says why it
    /// did not work and what to do.
    pub(super) async fn prepare(
        &self,
        service: &Arc<Service>,
        heal: Heal,
        killed: impl Fn() + Send + Sync,
    ) -> Result<Option<Heal>, String> {
        match heal.rung {
            Rung::RollBack => self.roll_back(heal).await,
            Rung::Doctor => self.call_doctor(service, heal, killed).await,
            Rung::Hook => self.run_hook(service, heal).await,
            Rung::Start | Rung::Graceful | Rung::Restart | Rung::StartChannels | Rung::FreePort | Rung::Stop => {
                Ok(Some(heal))
            }
        }
    }

    async fn roll_back(&self, heal: Heal) -> Result<Option<Heal>, String> {
        let done = self.guard.roll_back(clock::wall()).await.map_err(|error| error.to_string())?;
        let beside = done.kept_beside.as_ref().map(|path| path.display().to_string());
        info!(gateway = self.setup.name, heal = heal.id, beside, "the last good configuration is back");
        // A gateway that is well reads the file anew by itself.
        Ok((heal.cause.verdict != Verdict::Healthy).then(|| followed_by_start(heal)))
    }

    /// Stops the gateway, copies its state, and calls the doctor: it refuses beside one that runs (measured with
    /// 2026.9.6). Started again is the gateway in any case.
    async fn call_doctor(
        &self,
        service: &Arc<Service>,
        heal: Heal,
        killed: impl Fn() + Send + Sync,
    ) -> Result<Option<Heal>, String> {
        let stop = Heal { rung: Rung::Stop, ..heal.clone() };
        service.perform(&stop, killed).await.map_err(|error| error.to_string())?;
        let doctored = self.back_up_and_doctor(&heal).await;
        let start = Heal { rung: Rung::Start, target: None, ..heal };
        let Err(reason) = doctored else { return Ok(Some(start)) };
        if let Err(error) = service.perform(&start, || ()).await {
            warn!(gateway = self.setup.name, heal = start.id, %error, "it was stopped for the doctor and did not start");
        }
        Err(reason)
    }

    async fn back_up_and_doctor(&self, heal: &Heal) -> Result<(), String> {
        let (backups, state, config) =
            (self.backups.clone(), self.setup.state_dir.clone(), self.setup.config_path.clone());
        let taken = spawn_blocking(move || backups.take(&state, &config, clock::wall()));
        let backup = taken.await.map_err(|ended| ended.to_string())?.map_err(|error| error.to_string())?;
        info!(gateway = self.setup.name, heal = heal.id, backup = %backup.display(), "the state is backed up");
        let mut setup = self.setup.clone();
        setup.environment.extend(DOCTOR_ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let called = openclaw::run(&setup, &["doctor", "--fix", "--non-interactive"], DOCTOR_LIMIT).await;
        let output = called.map_err(|error| error.to_string())?;
        if output.succeeded() {
            info!(gateway = self.setup.name, heal = heal.id, "the doctor has done its work");
            return Ok(());
        }
        Err(format!(
            "`openclaw doctor --fix`: {}; the state as it was is in {}",
            one_line(&output.reason()),
            backup.display()
        ))
    }

    /// Runs the user's own command; what it leaves not running is started.
    async fn run_hook(&self, service: &Arc<Service>, heal: Heal) -> Result<Option<Heal>, String> {
        let hook = self.hook.as_ref().ok_or_else(|| "there is no `heal.hook` in the configuration".to_owned())?;
        let (program, arguments) =
            hook.command.split_first().ok_or_else(|| "`heal.hook` in the configuration is empty".to_owned())?;
        let output = run_with(program, arguments, &self.told(&heal), hook.timeout)
            .await
            .map_err(|error| format!("`heal.hook`: {error}"))?;
        if !output.succeeded() {
            return Err(format!("`heal.hook` ended with {}: {}", ended(output.code), one_line(&output.reason())));
        }
        info!(gateway = self.setup.name, heal = heal.id, "the user's own command has done its work");
        let runs = service.observe().await.process.is_some();
        Ok((!runs).then_some(Heal { rung: Rung::Start, target: None, ..heal }))
    }

    /// The variables that tell the user's command of the incident; `docs/config.md` lists them.
    fn told(&self, heal: &Heal) -> Vec<(OsString, OsString)> {
        let (setup, cause) = (&self.setup, &heal.cause);
        let mut told: Vec<(&str, OsString)> = vec![
            ("LIFEGUARD_GATEWAY", setup.name.clone().into()),
            ("LIFEGUARD_ADDRESS", format!("127.0.0.1:{}", setup.port).into()),
            ("LIFEGUARD_VERDICT", cause.verdict.name().into()),
            ("LIFEGUARD_SUMMARY", one_line(&cause.verdict.say(Language::English)).into()),
            ("LIFEGUARD_ATTEMPT", cause.attempt.to_string().into()),
            ("OPENCLAW_STATE_DIR", setup.state_dir.clone().into()),
            ("OPENCLAW_CONFIG_PATH", setup.config_path.clone().into()),
            ("OPENCLAW_GATEWAY_PORT", setup.port.to_string().into()),
        ];
        told.extend(cause.incident.map(|incident| ("LIFEGUARD_INCIDENT", incident.to_string().into())));
        told.extend(heal.target.as_ref().map(|target| ("LIFEGUARD_PID", target.pid.to_string().into())));
        told.extend(self.evidence.newest().map(|folder| ("LIFEGUARD_EVIDENCE", folder.into())));
        told.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }
}

fn ended(code: Option<i32>) -> String {
    code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
}

/// The same heal, as a restart of what runs or a start of what does not.
fn followed_by_start(heal: Heal) -> Heal {
    let rung = if heal.target.is_some() { Rung::Restart } else { Rung::Start };
    Heal { rung, ..heal }
}
