//! Running OpenClaw's own commands for one gateway.

use std::ffi::OsString;
use std::time::Duration;

use super::ServiceError;
use super::command::{CommandOutput, run_with};
use super::launch::search_path;
use super::setup::GatewaySetup;

/// Runs `openclaw` with these arguments, for this gateway's profile, state and configuration.
///
/// # Errors
///
/// If no `openclaw` is known, if it cannot be run, or if it does not end within `limit`.
pub async fn run(setup: &GatewaySetup, arguments: &[&str], limit: Duration) -> Result<CommandOutput, ServiceError> {
    let command = command(setup).ok_or(ServiceError::NoCommand)?;
    let (program, own) = command.split_first().ok_or(ServiceError::NoCommand)?;
    let arguments: Vec<&str> = own.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
    Ok(run_with(program, &arguments, &environment(setup, program), limit).await?)
}

/// The command without arguments: the one that was found, or what stands before `gateway` in the command that runs
/// the gateway.
fn command(setup: &GatewaySetup) -> Option<Vec<String>> {
    let own = setup.command.as_ref().and_then(|command| {
        let length = command.iter().position(|word| word == "gateway").filter(|length| *length > 0)?;
        Some(command[..length].to_vec())
    });
    own.or_else(|| setup.openclaw.clone())
}

fn environment(setup: &GatewaySetup, program: &str) -> Vec<(OsString, OsString)> {
    let mut environment: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), search_path(std::env::var_os("PATH"), program)),
        ("OPENCLAW_STATE_DIR".into(), setup.state_dir.clone().into()),
        ("OPENCLAW_CONFIG_PATH".into(), setup.config_path.clone().into()),
        ("OPENCLAW_GATEWAY_PORT".into(), setup.port.to_string().into()),
    ];
    environment.extend(setup.environment.iter().map(|(name, value)| (name.into(), value.into())));
    environment
}
