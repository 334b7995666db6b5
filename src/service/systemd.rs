//! The gateway as a systemd user unit.

use std::time::Duration;

use super::command::{CommandError, CommandOutput, run};
use super::setup::GatewaySetup;
use super::stop::{patience, stop, stop_leftover};
use super::{GatewayService, ServiceError, ServiceReport, channels, identity};
use crate::platform::process::identify;
use crate::supervisor::ladder::{Heal, Rung};
use crate::supervisor::observation::{Identity, ServiceState};

/// OpenClaw's own name for its unit.
const DEFAULT_UNIT: &str = "openclaw-gateway.service";

/// How long systemd gets to bring the gateway back by itself: OpenClaw's unit has `RestartSec=5` (gateway.md,
/// section 5), and a margin.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Limit for a question to systemd.
const ASK_LIMIT: Duration = Duration::from_millis(2500);

/// Limit for a start: `Type=notify` units report when they are up (gateway.md, fact 10: minutes at worst).
const START_LIMIT: Duration = Duration::from_mins(5);

/// Beyond the drain, how long systemd gets to stop the unit.
const STOP_MARGIN: Duration = Duration::from_secs(15);

/// What is asked of systemd.
const PROPERTIES: &str = "LoadState,ActiveState,SubState,MainPID,Result,ExecMainStatus,UnitFileState";

/// A systemd user unit.
#[derive(Debug)]
pub struct Systemd {
    setup: GatewaySetup,
    unit: String,
    /// One heal at a time.
    permit: tokio::sync::Mutex<()>,
}

/// The unit's whole name.
pub(super) fn unit_name(setup: &GatewaySetup) -> String {
    let label = setup.label.as_deref().unwrap_or(DEFAULT_UNIT);
    if label.contains('.') { label.to_owned() } else { format!("{label}.service") }
}

impl Systemd {
    pub(super) fn new(setup: GatewaySetup) -> Self {
        let unit = unit_name(&setup);
        Self { setup, unit, permit: tokio::sync::Mutex::new(()) }
    }

    async fn ask(&self, verb: &[&str], limit: Duration) -> Result<CommandOutput, CommandError> {
        let mut arguments = vec!["--user", "--no-ask-password", "--no-pager"];
        arguments.extend_from_slice(verb);
        run(&self.setup.systemctl, &arguments, limit).await
    }

    async fn unit(&self) -> Result<Unit, String> {
        match self.ask(&["show", "--property", PROPERTIES, "--", &self.unit], ASK_LIMIT).await {
            Ok(output) if output.succeeded() => Ok(Unit::parse(&output.stdout)),
            Ok(output) => Err(format!("systemctl show: {}", output.reason())),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn order(&self, verb: &str, limit: Duration) -> Result<(), ServiceError> {
        let output = self.ask(&[verb, "--", &self.unit], limit).await?;
        if output.succeeded() {
            return Ok(());
        }
        let action = format!("systemctl --user {verb} {}", self.unit);
        Err(ServiceError::Refused { action, reason: output.reason() })
    }

    async fn start(&self) -> Result<(), ServiceError> {
        // Too many starts in a short time leave the unit failed, and refused until this is forgotten.
        if let Err(error) = self.order("reset-failed", ASK_LIMIT).await {
            tracing::debug!(%error, "nothing to reset");
        }
        self.order("start", START_LIMIT).await
    }

    /// The process to stop, if it is still the unit's.
    async fn confirmed(&self, heal: &Heal) -> Result<Option<Identity>, ServiceError> {
        let unit = self.unit().await.map_err(|reason| ServiceError::Refused {
            action: format!("systemctl --user show {}", self.unit),
            reason,
        })?;
        match (unit.process(self.setup.uid), &heal.target) {
            (None, _) => Ok(None),
            (Some(running), Some(target)) if target.is_same(&running) => Ok(Some(running)),
            (Some(running), _) => Err(ServiceError::ProcessChanged { now: running.pid }),
        }
    }
}

impl GatewayService for Systemd {
    async fn observe(&self) -> ServiceReport {
        match self.unit().await {
            Ok(unit) => ServiceReport {
                state: unit.state(),
                process: unit.process(self.setup.uid),
                last_exit: Some(&unit)
                    .filter(|unit| unit.result == "exit-code")
                    .and_then(|unit| unit.status.parse().ok()),
            },
            Err(reason) => ServiceReport::of(ServiceState::Unknown(reason)),
        }
    }

    async fn perform(&self, heal: &Heal, killed: impl Fn() + Send + Sync) -> Result<(), ServiceError> {
        let _permit = self.permit.lock().await;
        match heal.rung {
            Rung::Start => self.start().await,
            Rung::StartChannels => channels::start(&self.setup, &heal.channels).await,
            Rung::Stop => self.order("stop", self.setup.drain_limit + STOP_MARGIN).await,
            Rung::FreePort => {
                stop_leftover(&self.setup, heal, &killed).await?;
                self.start().await
            }
            Rung::Graceful | Rung::Restart | Rung::RollBack | Rung::Doctor | Rung::Hook => {
                // The signal is ours and not `systemctl restart`, which would kill at the unit's own limit,
                // whether or not the ration allows it. systemd ends the rest of the unit's processes itself.
                if let Some(process) = self.confirmed(heal).await? {
                    stop(&process, patience(heal, self.setup.drain_limit), heal.may_kill, &killed).await?;
                }
                self.start().await
            }
        }
    }
}

/// What `systemctl show` says; empty where it said nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unit {
    load: String,
    active: String,
    sub: String,
    file: String,
    result: String,
    status: String,
    pid: u32,
}

impl Unit {
    /// Reads the answer, one property on each line.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut unit = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            let field = match name {
                "LoadState" => &mut unit.load,
                "ActiveState" => &mut unit.active,
                "SubState" => &mut unit.sub,
                "UnitFileState" => &mut unit.file,
                "Result" => &mut unit.result,
                "ExecMainStatus" => &mut unit.status,
                "MainPID" => {
                    unit.pid = value.trim().parse().unwrap_or(0);
                    continue;
                }
                _ => continue,
            };
            value.trim().clone_into(field);
        }
        unit
    }

    /// What it means.
    #[must_use]
    pub fn state(&self) -> ServiceState {
        match (self.load.as_str(), self.active.as_str(), self.sub.as_str()) {
            ("not-found", _, _) => ServiceState::NotInstalled,
            ("masked", _, _) => ServiceState::Disabled,
            ("error" | "bad-setting", _, _) => ServiceState::Failed(format!("unit file: {}", self.load)),
            ("loaded", "activating", "auto-restart" | "auto-restart-queued") => ServiceState::Restarting,
            ("loaded", "active" | "reloading" | "refreshing" | "activating" | "deactivating", _) if self.pid > 0 => {
                ServiceState::Running
            }
            ("loaded", "activating", _) => ServiceState::Restarting,
            ("loaded", "inactive", _) if self.file == "disabled" => ServiceState::Disabled,
            ("loaded", "inactive", _) => ServiceState::Stopped,
            ("loaded", "failed", _) => ServiceState::Failed(format!("{}, exit status {}", self.result, self.status)),
            (load, active, sub) => ServiceState::Unknown(format!("systemd says {load:?}, {active:?}, {sub:?}")),
        }
    }

    fn process(&self, uid: u32) -> Option<Identity> {
        let info = identify(self.pid).filter(|info| info.uid == uid)?;
        Some(identity::of(&info))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state(load: &str, active: &str, sub: &str, pid: u32, file: &str) -> ServiceState {
        Unit::parse(&format!(
            "MainPID={pid}\nResult=exit-code\nExecMainStatus=78\nLoadState={load}\nActiveState={active}\nSubState={sub}\nUnitFileState={file}\nExtra=a=b\n"
        ))
        .state()
    }

    #[test]
    fn states() {
        assert_eq!(state("loaded", "active", "running", 4711, "enabled"), ServiceState::Running);
        assert_eq!(state("loaded", "activating", "auto-restart", 0, "enabled"), ServiceState::Restarting);
        assert_eq!(state("loaded", "deactivating", "stop-sigterm", 4711, "enabled"), ServiceState::Running);
        assert_eq!(state("loaded", "inactive", "dead", 0, "enabled"), ServiceState::Stopped);
        assert_eq!(state("loaded", "inactive", "dead", 0, "disabled"), ServiceState::Disabled);
        assert_eq!(state("masked", "inactive", "dead", 0, "masked"), ServiceState::Disabled);
        assert_eq!(state("not-found", "inactive", "dead", 0, ""), ServiceState::NotInstalled);
        assert_eq!(
            state("loaded", "failed", "failed", 0, "enabled"),
            ServiceState::Failed("exit-code, exit status 78".to_owned())
        );
    }

    #[test]
    fn what_was_never_seen_is_unknown_and_never_stopped() {
        assert!(matches!(state("loaded", "hibernating", "deep", 0, "enabled"), ServiceState::Unknown(_)));
        assert!(matches!(state("loaded", "active", "exited", 0, "enabled"), ServiceState::Unknown(_)));
        assert!(matches!(state("merged", "inactive", "dead", 0, ""), ServiceState::Unknown(_)));
        assert!(matches!(Unit::parse("").state(), ServiceState::Unknown(_)));
        assert!(matches!(Unit::parse("<html>").state(), ServiceState::Unknown(_)));
    }

    proptest! {
        /// Only systemd's own words stop or start anything.
        #[test]
        fn any_output_is_read_and_what_makes_no_sense_is_unknown(
            lines in prop::collection::vec(("(LoadState|ActiveState|SubState|UnitFileState|Result|MainPID|[A-Za-z]{0,8})", "[ -~]{0,12}"), 0..12),
            noise in any::<Vec<u8>>(),
        ) {
            let text: Vec<String> = lines.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let state = Unit::parse(&text.join("\n")).state();
            let known = ["loaded", "not-found", "masked", "error", "bad-setting"];
            if !lines.iter().any(|(name, value)| name == "LoadState" && known.contains(&value.trim())) {
                prop_assert!(matches!(state, ServiceState::Unknown(_)), "{state:?}");
            }
            let _ = Unit::parse(&String::from_utf8_lossy(&noise)).state();
        }
    }
}
