//! Starting the Docker engine, where the configuration allows it.

use std::time::Duration;

use super::ServiceError;
use super::command::{CommandError, CommandOutput, run};

/// Limit for asking: Docker's start goes on after the answer.
const ASK_LIMIT: Duration = Duration::from_secs(30);

/// Asks the system to start Docker. Whether it came up is for the probes to see.
pub async fn start() -> Result<(), ServiceError> {
    let output = ask().await?;
    if output.succeeded() {
        return Ok(());
    }
    Err(ServiceError::Refused { action: "starting Docker".to_owned(), reason: output.reason() })
}

#[cfg(target_os = "macos")]
async fn ask() -> Result<CommandOutput, CommandError> {
    run("/usr/bin/open", &["-g", "-a", "Docker"], ASK_LIMIT).await
}

#[cfg(not(target_os = "macos"))]
async fn ask() -> Result<CommandOutput, CommandError> {
    run("systemctl", &["--no-ask-password", "start", "docker"], ASK_LIMIT).await
}
