//! The hot paths: what runs with every look, every change and every request. `benches/hot_paths.rs` times them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[path = "../tests/support/snapshots.rs"]
mod snapshots;
#[path = "../tests/support/steady.rs"]
mod steady;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lifeguard::alert::GatewayAlert;
use lifeguard::alert::channel::Confirmed;
use lifeguard::alert::hush::Hush;
use lifeguard::alert::ledger::{Ledger, Next, Rules, record};
use lifeguard::alert::outbox::Pace;
use lifeguard::config::environment::Environment;
use lifeguard::config::load;
use lifeguard::history::History;
use lifeguard::history::recorder::Recorder;
use lifeguard::history::samples::{Level, Sample};
use lifeguard::metrics::Metrics;
use lifeguard::probe::http;
use lifeguard::redact::redact;
use lifeguard::service::launchctl::answers;
use lifeguard::service::systemd::Unit;
use lifeguard::snapshot::Snapshot;
use lifeguard::supervisor::event::{Alert, AlertKind, Event};
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::state::State;
use lifeguard::supervisor::verdict::{Health, Verdict};

use steady::{BEGIN, Steady};

/// A path: its name, and what makes one run of it ready to be made again and again.
pub(crate) type HotPath = (&'static str, fn() -> Box<dyn FnMut()>);

/// Every path.
pub(crate) const PATHS: [HotPath; 14] = [
    ("step: a tick at which nothing is due", idle_tick),
    ("step: a round that finds it well", round),
    ("step: a crash until it is healed", crash),
    ("state: written and read again", state),
    ("probe: the three answers", health_bodies),
    ("service: launchctl print", launchctl_print),
    ("service: systemctl show", systemctl_show),
    ("redact: 200 lines of a log", redactor),
    ("alert: routed, claimed and receipted", alert),
    ("history: half a minute of ten gateways", history_insert),
    ("history: a day's points and shares", history_query),
    ("picture: ten gateways to JSON and back", picture),
    ("metrics: ten gateways", metrics),
    ("configuration: read and checked", configuration),
];

/// Time passes in steps of a millisecond, and always well before the next round.
fn idle_tick() -> Box<dyn FnMut()> {
    let mut steady = Steady::well();
    steady.round();
    Box::new(move || {
        let now = steady.now.after(Duration::from_millis(1));
        black_box(steady.core.step(black_box(now), Event::Tick));
    })
}

fn round() -> Box<dyn FnMut()> {
    let mut steady = Steady::well();
    Box::new(move || {
        black_box(steady.round());
    })
}

fn crash() -> Box<dyn FnMut()> {
    let well = Steady::well();
    Box::new(move || {
        let mut steady = well.clone();
        steady.crash_and_heal();
        black_box(steady);
    })
}

fn state() -> Box<dyn FnMut()> {
    let mut steady = Steady::well();
    steady.crash_and_heal();
    let state = steady.core.state().clone();
    Box::new(move || {
        let text = serde_json::to_string(black_box(&state)).unwrap();
        black_box(serde_json::from_str::<State>(&text).unwrap());
    })
}

fn health_bodies() -> Box<dyn FnMut()> {
    const HEALTH: &[u8] = include_bytes!("../fuzz/corpus/health_bodies/live");
    const STARTUP: &[u8] = include_bytes!("../fuzz/corpus/health_bodies/started");
    const READY: &[u8] = include_bytes!("../fuzz/corpus/health_bodies/ready");
    Box::new(|| {
        assert!(http::read_health(black_box(HEALTH)).is_some_and(|body| body.live));
        assert!(http::read_startup(black_box(STARTUP)).is_some_and(|body| body.started));
        assert!(http::read_ready(black_box(READY)).is_some_and(|body| body.ready));
    })
}

fn launchctl_print() -> Box<dyn FnMut()> {
    const ANSWER: &str = include_str!("../fuzz/corpus/launchctl_print/running");
    Box::new(|| assert!(answers::parse_print(black_box(ANSWER), "gui/501/ai.openclaw.gateway").is_some()))
}

fn systemctl_show() -> Box<dyn FnMut()> {
    const ANSWER: &str = "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n\
        Result=success\nExecMainStatus=0\nMainPID=4711\nNRestarts=0\nActiveEnterTimestampMonotonic=123456789\n";
    Box::new(|| {
        black_box(Unit::parse(black_box(ANSWER)).state());
    })
}

fn redactor() -> Box<dyn FnMut()> {
    let line = |number: u32| match number % 40 {
        7 => format!(
            "2026-11-27T10:00:{:02}Z [telegram] GET https://api.telegram.org/bot123456789:AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/getMe",
            number % 60
        ),
        19 => "2026-11-27T10:00:00Z [http] Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789".to_owned(),
        _ => format!(
            "2026-11-27T10:00:{:02}.123+00:00 [gateway] session {number} of agent main: 12 messages, 3 tools, 4521 ms",
            number % 60
        ),
    };
    let text = (0..200).map(line).collect::<Vec<_>>().join("\n");
    Box::new(move || {
        black_box(redact(black_box(&text)));
    })
}

/// An outage on two channels: admitted, stored, tried and receipted.
fn alert() -> Box<dyn FnMut()> {
    let history = Arc::new(History::in_memory().unwrap());
    let rules = Rules {
        cooldown: Duration::ZERO,
        critical_cooldown: Duration::ZERO,
        pace: Pace::default(),
        edits: true,
        wants: |_| true,
        calm: usize::MAX,
        hush: Arc::new(Hush::default()),
        patience: None,
    };
    let mut now = BEGIN;
    let mut books = ["native", "discord"].map(|name| Ledger::open(name, &rules, Arc::clone(&history), now));
    let mut incident = snapshots::incident(None);
    Box::new(move || {
        now = now.after(Duration::from_hours(1));
        incident.id += 1;
        let kind = AlertKind::Down {
            verdict: Verdict::Gone,
            next: Some(Rung::Start),
            next_at: Some(now.wall),
            waits_for: Vec::new(),
        };
        let mut alerts = [GatewayAlert {
            id: 0,
            gateway: "gateway".to_owned(),
            address: "127.0.0.1:18789".to_owned(),
            practice: false,
            alert: Alert { incident: Some(incident.clone()), kind, at: now.wall },
        }];
        record(&history, &mut books.each_mut(), &mut alerts, now, |_| Ok(())).unwrap();
        for ledger in &mut books {
            let Next::Try(errand) = ledger.next(now) else { panic!("nothing to tell") };
            ledger.claim(&errand, now);
            ledger.conclude(&errand, &Ok(Confirmed::default()), now, 0.5);
        }
    })
}

fn sample(gateway: usize, at: i64) -> Sample {
    Sample {
        gateway: format!("gateway-{gateway}"),
        at,
        health: Health::Healthy,
        up: Some(true),
        spent: 10_000,
        latency: Some(430),
        memory: Some(612 << 20),
        processor: Some(0.02),
        files: Some(64),
    }
}

fn history_insert() -> Box<dyn FnMut()> {
    let recorder = Recorder::open(Arc::new(History::in_memory().unwrap()), 1 << 30);
    let mut at = BEGIN.wall;
    Box::new(move || {
        for _ in 0..3 {
            at += 10_000;
            (0..10).for_each(|gateway| recorder.note(sample(gateway, at)));
        }
        recorder.write(at).unwrap();
    })
}

fn history_query() -> Box<dyn FnMut()> {
    let history = Arc::new(History::in_memory().unwrap());
    let recorder = Recorder::open(Arc::clone(&history), 1 << 30);
    let day = 24 * 3_600_000;
    for at in (BEGIN.wall..BEGIN.wall + day).step_by(10_000) {
        recorder.note(sample(0, at));
        // More than a thousand looks do not wait.
        if at % 1_000_000 == 0 {
            recorder.write(at).unwrap();
        }
    }
    recorder.write(BEGIN.wall + day).unwrap();
    Box::new(move || {
        let (from, to) = (BEGIN.wall, BEGIN.wall + day);
        let points = history.points("gateway-0", from, to, Level::FiveMinutes).unwrap();
        let shares = history.shares("gateway-0", from, to, Level::FiveMinutes).unwrap();
        assert!(points.len() > 200 && shares.len() > 200, "the day is missing");
    })
}

fn ten_gateways() -> Snapshot {
    let mut snapshot = snapshots::snapshot(snapshots::healthy());
    snapshot.gateways = (0..10).map(|_| snapshots::healthy()).collect();
    snapshot
}

fn picture() -> Box<dyn FnMut()> {
    let snapshot = ten_gateways();
    Box::new(move || {
        let text = serde_json::to_string(black_box(&snapshot)).unwrap();
        black_box(serde_json::from_str::<Snapshot>(&text).unwrap());
    })
}

fn metrics() -> Box<dyn FnMut()> {
    let (snapshot, metrics) = (ten_gateways(), Metrics::default());
    metrics.probe_answered("gateway", Duration::from_micros(430));
    Box::new(move || {
        black_box(metrics.render(black_box(&snapshot), snapshots::NOON_ELAPSED));
    })
}

/// The configuration of a user who sets much.
fn configuration() -> Box<dyn FnMut()> {
    const TEXT: &str = "language = \"en\"\n[[gateway]]\nname = \"main\"\nport = 18789\nservice = \"child\"\n\
        command = [\"openclaw\", \"gateway\", \"run\"]\nenvironment = { NODE_ENV = \"production\" }\n\
        [gateway.needs]\ndocker = true\nhosts = [\"127.0.0.1:5432\", \"example.org:443\"]\n\
        [[gateway]]\nname = \"second\"\nport = 18889\n[probe]\ninterval = \"10s\"\ntimeout = \"5s\"\n\
        [heal]\nbackoff_seconds = [10, 30, 90, 180, 300, 600]\ncrash_limit = 6\n[memory]\nwarning_megabytes = 1536\n\
        [history]\nlimit_megabytes = 64\n[alerts.native]\nenabled = false\n";
    let environment = Environment::default().with([("HOME", "/nonexistent")]);
    Box::new(move || {
        load::parse(black_box(TEXT), Path::new("config.toml"), &environment).unwrap();
    })
}
