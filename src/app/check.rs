//! The self-check of this machine: what it needs to know, gathered; and its own round, at the start and once a day.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::board::Board;
use super::{KeptSetting, Setting, assemble};
use crate::alert::{AlertHandle, GatewayAlert};
use crate::check::{Finding, Ground, Report, Running, Tools, Watched, examine};
use crate::config::discovery::discover;
use crate::control::client::{ClientError, ControlClient};
use crate::history::{History, HistoryError};
use crate::platform::clock;
use crate::platform::desktop::login_item;
use crate::supervisor::event::{Alert, AlertKind, CheckProblem};
use crate::text::check::{Grade, Subject};
use crate::text::{Language, Phrase as _};

/// Longest that one look at a gateway may take while no Lifeguard runs.
const LOOK_LIMIT: Duration = Duration::from_secs(20);

/// After the start, before the first round: the gateway and Lifeguard itself come first.
const FIRST: Duration = Duration::from_secs(20);

/// Distance of two rounds, in milliseconds of the clock that counts sleep.
const DAY: i64 = 86_400_000;

/// How often to look whether a round is due.
const LOOK: Duration = Duration::from_mins(10);

/// Under which name it is kept which problems were told.
const TOLD: &str = "check problems told";

/// Checks at the start and once a day, for as long as Lifeguard runs. What is new is logged and told once; the views
/// show the first problem until it is mended.
pub(super) async fn rounds(kept: KeptSetting, board: Board, history: Arc<History>, alerts: AlertHandle) {
    let mut known: Vec<Finding> = Vec::new();
    tokio::time::sleep(FIRST).await;
    loop {
        let began = clock::elapsed();
        let report = Box::pin(check(&kept.setting(), kept.notice.clone(), false)).await;
        board.say_check(report.notice(kept.language));
        let in_trouble: Vec<String> = {
            let snapshots = board.snapshots();
            let gateways = snapshots.borrow().gateways.clone();
            gateways.into_iter().filter(|gateway| gateway.incident.is_some()).map(|gateway| gateway.name).collect()
        };
        if kept.config.alerts.self_check
            && let Err(error) = tell(&report, &in_trouble, &history, &alerts, kept.language)
        {
            warn!(%error, "what the self-check found could not be told; the menu shows it");
        }
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

/// Tells the problems that were not told before, all in one alert.
fn tell(
    report: &Report,
    in_trouble: &[String],
    history: &History,
    alerts: &AlertHandle,
    language: Language,
) -> Result<(), HistoryError> {
    let kept = history.fact(TOLD)?;
    let told: BTreeSet<String> = kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default();
    let (standing, new) = compare(report, &told, in_trouble, language);
    if standing == told {
        return Ok(());
    }
    let kept = serde_json::Value::from_iter(standing).to_string();
    let alert = (!new.is_empty()).then(|| GatewayAlert {
        id: 0,
        gateway: String::new(),
        address: String::new(),
        practice: false,
        alert: Alert { incident: None, kind: AlertKind::Check(new), at: clock::wall() },
    });
    alerts.record(alert.into_iter().collect(), |change| change.save_fact(TOLD, &kept))
}

/// The problems that count as told from now on, and those of them that are to be told. What an incident or a channel's
/// own row tells anyway waits for the next round.
fn compare(
    report: &Report,
    told: &BTreeSet<String>,
    in_trouble: &[String],
    language: Language,
) -> (BTreeSet<String>, Vec<CheckProblem>) {
    let (mut standing, mut new) = (BTreeSet::new(), Vec::new());
    for finding in report.findings.iter().filter(|finding| finding.grade == Grade::Problem) {
        let name = name(finding);
        if told.contains(&name) {
            standing.insert(name);
            continue;
        }
        let gateway = finding.gateway.as_ref();
        if gateway.is_some_and(|name| in_trouble.contains(name)) || finding.subject == Subject::Undelivered {
            continue;
        }
        standing.insert(name);
        let subject = finding.subject.say(language);
        let what = gateway.map_or_else(|| subject.clone(), |name| format!("{name}, {subject}"));
        new.push(CheckProblem { what, sentence: finding.sentence.clone(), mend: finding.mend.clone() });
    }
    (standing, new)
}

/// By which a problem is known again: not by its sentence, whose figures change.
fn name(finding: &Finding) -> String {
    serde_json::json!([finding.subject, finding.gateway]).to_string()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(subject: Subject, gateway: Option<&str>, sentence: &str) -> Finding {
        Finding {
            subject,
            gateway: gateway.map(str::to_owned),
            grade: Grade::Problem,
            sentence: sentence.to_owned(),
            mend: None,
            fix: None,
        }
    }

    #[test]
    fn a_problem_is_told_when_it_is_new_and_again_when_it_comes_back() {
        let disk = |text| problem(Subject::DiskSpace, None, text);
        let docker = problem(Subject::Docker, Some("gateway"), "It does not run.");
        let undelivered = problem(Subject::Undelivered, None, "Discord refuses.");
        let warning = Finding { grade: Grade::Warning, ..problem(Subject::Reboot, Some("gateway"), "It stays off.") };
        let look = |findings: Vec<Finding>, told: &BTreeSet<String>, in_trouble: &[String]| {
            let report = Report { schema: 1, taken: 0, lifeguard_version: String::new(), findings };
            let (standing, new) = compare(&report, told, in_trouble, Language::English);
            (standing, new.into_iter().map(|problem| problem.what).collect::<Vec<_>>())
        };
        let in_trouble = ["gateway".to_owned()];
        let all = vec![disk("40 MB left."), docker.clone(), undelivered, warning];
        let (told, new) = look(all, &BTreeSet::new(), &in_trouble);
        assert_eq!(new, ["disk space"]);
        let (told, new) = look(vec![disk("39 MB left."), docker], &told, &[]);
        assert_eq!(new, ["gateway, Docker"], "the other is known, whatever its figure");
        let (told, new) = look(Vec::new(), &told, &[]);
        assert!(told.is_empty() && new.is_empty());
        assert_eq!(look(vec![disk("38 MB left.")], &told, &[]).1, ["disk space"]);
    }
}
