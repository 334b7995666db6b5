//! Sends the reports when they are due, and keeps the row of the last day.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::schedule::Schedule;
use super::{Subject, make};
use crate::alert::{AlertHandle, GatewayAlert};
use crate::history::{History, HistoryError};
use crate::platform::clock;
use crate::snapshot::{DaySnapshot, Snapshot};
use crate::supervisor::event::{Alert, AlertKind};
use crate::supervisor::report::Period;

/// How often it looks whether a report is due: waits stand still while the machine sleeps, and clocks are set.
const LOOK: Duration = Duration::from_mins(1);

/// What is reported, and when.
#[derive(Debug, Clone)]
pub struct ReportSettings {
    /// The gateways, in the order of the configuration.
    pub subjects: Vec<Subject>,
    /// When.
    pub schedule: Schedule,
}

/// Reports until the engine has ended.
pub async fn run(
    settings: ReportSettings,
    history: Arc<History>,
    alerts: AlertHandle,
    mut snapshots: watch::Receiver<Snapshot>,
) {
    let mut trouble = None;
    loop {
        let (work, store, to) = (settings.clone(), Arc::clone(&history), alerts.clone());
        let done = tokio::task::spawn_blocking(move || look(&work, &store, &to)).await;
        let failed = match done {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if failed != trouble {
            if let Some(error) = &failed {
                tracing::warn!(error, "no report could be made; it is tried again");
            } else {
                tracing::info!("reports are made again");
            }
            trouble = failed;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = async { while snapshots.changed().await.is_ok() {} } => return,
        }
    }
}

/// Sends what is due, and renews the row.
fn look(settings: &ReportSettings, history: &History, alerts: &AlertHandle) -> Result<(), HistoryError> {
    let (now, zone) = (clock::wall(), TimeZone::system());
    for period in [Period::Day, Period::Week] {
        send_due(settings, history, alerts, period, now, &zone)?;
    }
    alerts.show_day(day(history, &settings.subjects, now)?);
    Ok(())
}

fn day(history: &History, subjects: &[Subject], now: i64) -> Result<DaySnapshot, HistoryError> {
    let mut day = DaySnapshot { outages: 0, downtime: 0, open: 0 };
    for subject in subjects {
        for incident in history.incidents(&subject.kept_as, now.saturating_sub(Period::Day.length()), now)? {
            day.outages += 1;
            day.downtime += incident.duration;
            day.open += u32::from(incident.ended.is_none());
        }
    }
    Ok(day)
}

/// Sends this report if it is due. That it was sent is stored with it.
fn send_due(
    settings: &ReportSettings,
    history: &History,
    alerts: &AlertHandle,
    period: Period,
    now: i64,
    zone: &TimeZone,
) -> Result<(), HistoryError> {
    let fact = format!("{} report", period.name());
    let Some(last) = history.fact(&fact)?.and_then(|last| last.parse().ok()) else {
        // Nothing is told of the time before Lifeguard was there.
        return history.change(|change| change.save_fact(&fact, &now.to_string()));
    };
    let Some(due) = settings.schedule.due(period, last, now, zone) else { return Ok(()) };
    let report = make(history, &settings.subjects, period, due)?;
    let alert = GatewayAlert {
        id: 0,
        gateway: String::new(),
        address: String::new(),
        practice: false,
        alert: Alert { incident: None, kind: AlertKind::Report(Box::new(report)), at: due },
    };
    tracing::info!(kind = period.name(), "a report is due");
    alerts.record(vec![alert], |change| change.save_fact(&fact, &due.to_string()))
}
