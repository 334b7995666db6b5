//! The self-check of this machine: what it needs to know, gathered; and its own round, at the start and once a day.

use std::time::Duration;

use tracing::{info, warn};

use super::board::Board;
use super::{KeptSetting, Setting, assemble};
use crate::check::{Finding, Ground, Report, Running, Tools, Watched, examine};
use crate::config::discovery::discover;
use crate::control::client::{ClientError, ControlClient};
use crate::platform::clock;
use crate::platform::desktop::login_item;
use crate::text::check::Grade;

/// Longest that one look at a gateway may take while no Lifeguard runs.
const LOOK_LIMIT: Duration = Duration::from_secs(20);

/// After the start, before the first round: the gateway and Lifeguard itself come first.
const FIRST: Duration = Duration::from_secs(20);

/// Distance of two rounds, in milliseconds of the clock that counts sleep.
const DAY: i64 = 86_400_000;

/// How often to look whether a round is due.
const LOOK: Duration = Duration::from_mins(10);

/// Checks at the start and once a day, for as long as Lifeguard runs. What is new is logged once; the views show the
/// first problem until it is mended.
pub(super) async fn rounds(kept: KeptSetting, board: Board) {
    let mut known: Vec<Finding> = Vec::new();
    tokio::time::sleep(FIRST).await;
    loop {
        let began = clock::elapsed();
        let report = Box::pin(check(&kept.setting(), kept.notice.clone(), false)).await;
        board.say_check(report.notice(kept.language));
        let bad: Vec<Finding> = report.findings.into_iter().filter(|finding| finding.grade >= Grade::Warning).collect();
        for finding in bad.iter().filter(|finding| !known.contains(finding)) {
            let (subject, gateway, mend) = (finding.subject, finding.gateway.as_deref(), finding.mend.as_deref());
            if finding.grade == Grade::Problem {
                warn!(?subject, gateway, mend, "self-check: {}", finding.sentence);
            } else {
                info!(?subject, gateway, mend, "self-check: {}", finding.sentence);
            }
        }
        known = bad;
        while clock::elapsed().saturating_sub(began) < DAY {
            tokio::time::sleep(LOOK).await;
        }
    }
}

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
