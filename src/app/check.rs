//! The self-check of this machine: what it needs to know, gathered; and its own round, at the start and once a day.

use std::time::Duration;

use super::{Setting, assemble};
use crate::check::{Ground, Report, Running, Tools, Watched, examine};
use crate::config::discovery::discover;
use crate::control::client::{ClientError, ControlClient};
use crate::platform::desktop::login_item;

/// Longest that one look at a gateway may take while no Lifeguard runs.
const LOOK_LIMIT: Duration = Duration::from_secs(20);

/// Checks everything. `problem`: why the person's configuration cannot be used, in one line; `online`: contact the
/// addresses of the configuration too.
pub async fn check(setting: &Setting<'_>, problem: Option<String>, online: bool) -> Report {
    let running = running(setting).await;
    let mut gateways = Vec::new();
    if problem.is_none() {
        let seen = match &running {
            Running::Answers(snapshot) => snapshot.gateways.clone(),
            // One that cannot be looked at is told by its other findings.
            Running::No | Running::Silent(_) => match tokio::time::timeout(LOOK_LIMIT, super::look(setting)).await {
                Ok(Ok(snapshot)) => snapshot.gateways,
                Ok(Err(_)) | Err(_) => Vec::new(),
            },
        };
        for gateway in setting.config.watched() {
            let found = discover(&gateway, setting.environment);
            let setup = assemble::setup(setting, &gateway, &found);
            let kind = Box::pin(crate::service::discover(&setup)).await;
            let seen = seen.iter().find(|seen| seen.name == found.name).cloned();
            let (needs, own_command) = (assemble::needs(&gateway), gateway.command.is_some());
            gateways.push(Watched { setup, kind, needs, own_command, found, seen });
        }
    }
    let ground = Ground {
        config: problem.map_or(Ok(setting.config), Err),
        paths: setting.paths,
        environment: setting.environment,
        language: setting.language,
        running,
        login_item: login_item::state(),
        gateways,
        online,
        tools: Tools::default(),
    };
    examine(&ground).await
}

async fn running(setting: &Setting<'_>) -> Running {
    let client = match ControlClient::new(&setting.paths.socket) {
        Ok(client) => client,
        Err(ClientError::NotRunning) => return Running::No,
        Err(error) => return Running::Silent(error.to_string()),
    };
    match client.snapshot().await {
        Ok(snapshot) => Running::Answers(Box::new(snapshot)),
        Err(ClientError::NotRunning) => Running::No,
        Err(error) => Running::Silent(error.to_string()),
    }
}
