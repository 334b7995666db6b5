//! Wires the rooms together and runs a mode: desktop, watch or demo.

use std::process::ExitCode;

use crate::config::Config;
use crate::config::discovery::discover;
use crate::config::environment::Environment;
use crate::config::paths::Paths;
use crate::platform::clock;
use crate::snapshot::{BreakerSnapshot, GatewaySnapshot, Snapshot};
use crate::supervisor::verdict::{Health, Verdict};

/// Why a mode could not run.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The mode is not there.
    #[error("this mode is not built in; use another one")]
    NotBuilt,
}

/// The menu-bar app.
pub fn run_desktop(_config: &Config, _paths: &Paths) -> Result<ExitCode, AppError> {
    Err(AppError::NotBuilt)
}

/// Watching without an icon.
pub fn run_watch(_config: &Config, _paths: &Paths) -> Result<ExitCode, AppError> {
    Err(AppError::NotBuilt)
}

/// Everything on the practice gateway.
pub fn run_demo(_config: &Config, _paths: &Paths) -> Result<ExitCode, AppError> {
    Err(AppError::NotBuilt)
}

/// The practice gateway itself.
pub fn run_practice_gateway(_arguments: &[String]) -> Result<ExitCode, AppError> {
    Err(AppError::NotBuilt)
}

/// What to do with the login item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginItemChange {
    /// Start at login.
    On,
    /// No longer.
    Off,
    /// Leave it.
    Keep,
}

/// Changes the login item; whether Lifeguard starts at login afterwards.
pub fn login_item(_change: LoginItemChange) -> Result<bool, AppError> {
    Err(AppError::NotBuilt)
}

/// One look at every gateway while no Lifeguard runs.
#[expect(clippy::unused_async, reason = "a real look takes time")]
pub async fn look(config: &Config, environment: &Environment) -> Snapshot {
    let gateways = config.watched().into_iter().map(|gateway| {
        let found = discover(&gateway, environment);
        GatewaySnapshot {
            name: found.name,
            address: format!("127.0.0.1:{}", found.port),
            practice: gateway.practice,
            service: "attached".to_owned(),
            health: Health::Stale,
            verdict: Verdict::Unknown(String::new()),
            since: clock::wall(),
            checked: None,
            pid: None,
            version: None,
            uptime: None,
            latency: None,
            memory: None,
            crashes: 0,
            crash_limit: config.heal.crash_limit,
            crashes_clear: None,
            breaker: BreakerSnapshot::Closed,
            next_attempt: None,
            heal: None,
            incident: None,
            last_incident: None,
            pause: None,
            log: found.log,
            notice: None,
        }
    });
    Snapshot {
        taken: clock::wall(),
        taken_elapsed: clock::elapsed(),
        stale_after: 60_000,
        lifeguard_version: env!("CARGO_PKG_VERSION").to_owned(),
        gateways: gateways.collect(),
        channels: Vec::new(),
    }
}
