//! The status page with made pictures and a made past, on a port of its own.

#![allow(dead_code, reason = "each test file uses the part that it needs")]

use std::sync::Arc;

use lifeguard::history::samples::Sample;
use lifeguard::history::timeline::{Entry, Happening};
use lifeguard::history::{Change, History, HistoryError};
use lifeguard::metrics::Metrics;
use lifeguard::platform::clock;
use lifeguard::snapshot::Snapshot;
use lifeguard::supervisor::incident::IncidentSummary;
use lifeguard::supervisor::ladder::{Outcome, Rung};
use lifeguard::supervisor::moment::Moment;
use lifeguard::supervisor::observation::Exit;
use lifeguard::supervisor::verdict::{Health, Verdict};
use lifeguard::text::Language;
use lifeguard::web::{Limits, WebServer, WebSettings};
use tokio::sync::watch;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
const MEGABYTE: u64 = 1024 * 1024;

/// A page that is served until it is dropped.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) pictures: watch::Sender<Snapshot>,
    server: tokio::task::JoinHandle<()>,
    _state: tempfile::TempDir,
}

impl Page {
    /// Serves `snapshot`, and what `past` writes into the history.
    pub(crate) async fn serve(snapshot: Snapshot, past: impl FnOnce(&Change<'_>) -> Result<(), HistoryError>) -> Self {
        let state = tempfile::tempdir().unwrap();
        let now = Moment { awake: clock::awake(), elapsed: clock::elapsed(), wall: clock::wall() };
        History::open(state.path(), None, now).unwrap().history.change(past).unwrap();
        let history = Arc::new(History::look(state.path(), None).unwrap());
        let settings = WebSettings {
            language: Language::English,
            state_dir: state.path().to_owned(),
            limits: Limits {
                slow: 2_000_000,
                warning: 1_536 * MEGABYTE,
                critical: 2_048 * MEGABYTE,
                limit: 2_560 * MEGABYTE,
            },
        };
        let server = WebServer::bind(0).await.unwrap();
        let url = server.url();
        let (pictures, seen) = watch::channel(snapshot);
        let metrics = Arc::new(Metrics::default());
        metrics.expect("gateway");
        let serving = server.serve(settings, seen, history, metrics, std::future::pending());
        let server = tokio::spawn(async move { serving.await.unwrap() });
        Self { url, pictures, server, _state: state }
    }

    /// Address of one request.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A month of a gateway that is well, with some outages and a saw-tooth of memory.
pub(crate) fn month(change: &Change<'_>) -> Result<(), HistoryError> {
    let now = clock::wall();
    let begin = now - 30 * 24 * HOUR;
    let outages = [(26, 4 * MINUTE), (19, 90 * SECOND), (5, 42 * SECOND), (1, 11 * MINUTE)];
    let mut outages: Vec<_> = outages.map(|(days, length)| (now - days * 24 * HOUR + 3 * HOUR, length)).into();
    outages.push((now - 9 * HOUR, 3 * MINUTE));
    let mut at = begin;
    let mut place = 0_u64;
    while at < now {
        // A minute's distance is fine enough for every chart.
        at += MINUTE;
        place += 1;
        let outage = outages.iter().find(|(from, length)| at >= *from && at < from + length.max(&MINUTE) + MINUTE);
        let health =
            outage.map_or(Health::Healthy, |(from, _)| if at < from + MINUTE { Health::Down } else { Health::Healing });
        let wave = (place % 1_440) * 260_000;
        change.add_sample(&Sample {
            gateway: "gateway".to_owned(),
            at,
            health,
            up: Some(outage.is_none()),
            spent: 60_000,
            latency: outage.is_none().then(|| 320 + place % 7 * 45 + if place.is_multiple_of(211) { 2_600 } else { 0 }),
            memory: outage.is_none().then_some(410 * MEGABYTE + wave),
            processor: outage.is_none().then_some(0.04),
            files: outage.is_none().then_some(41),
        })?;
    }
    change.take_together("gateway", begin)?;
    for (id, (began, length)) in (1..).zip(outages) {
        incident(change, id, began, length)?;
    }
    Ok(())
}

/// One incident, told from its beginning to its end.
pub(crate) fn incident(change: &Change<'_>, id: u64, began: i64, length: i64) -> Result<(), HistoryError> {
    let verdict = if id.is_multiple_of(2) { Verdict::Hung } else { Verdict::Gone };
    let exit = Exit { code: None, signal: Some(9) };
    let duration = u64::try_from(length).unwrap_or(0);
    change.save_incident(
        "gateway",
        &IncidentSummary {
            id,
            began,
            ended: Some(began + length),
            duration,
            verdict: verdict.clone(),
            exit: Some(exit),
            attempts: 1,
        },
    )?;
    let happenings = [
        (0, Happening::Observed { verdict }),
        (0, Happening::ProcessEnded { pid: 4711, exit }),
        (1, Happening::HealBegan { heal: id, rung: Rung::Start, attempt: 1, asked: false }),
        (2, Happening::Told { alert: "down".to_owned() }),
        (20, Happening::HealEnded { heal: id, rung: Rung::Start, outcome: Outcome::Restarted }),
        (length / SECOND, Happening::Over { downtime: duration }),
    ];
    for (seconds, happening) in happenings {
        change.add_entry("gateway", id, &Entry { at: began + seconds * SECOND, happening })?;
    }
    Ok(())
}

/// A look at a gateway that is well.
pub(crate) fn look(at: i64) -> Sample {
    Sample {
        gateway: "gateway".to_owned(),
        at,
        health: Health::Healthy,
        up: Some(true),
        spent: 60_000,
        latency: Some(420),
        memory: Some(512 * MEGABYTE),
        processor: Some(0.04),
        files: Some(41),
    }
}
