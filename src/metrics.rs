//! What happened since Lifeguard began, counted, and the present picture, in Prometheus's text format.
//!
//! Version 0.0.4 of the format (<https://prometheus.io/docs/instrumenting/exposition_formats/>): what Prometheus,
//! `promtool check metrics` and Telegraf all read. `docs/metrics.md` lists the names.

mod exposition;
mod histogram;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::exposition::{Exposition, Kind};
use self::histogram::Histogram;
use crate::snapshot::{BreakerSnapshot, GatewaySnapshot, Snapshot};
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::verdict::{Health, Severity};

pub use self::exposition::CONTENT_TYPE;

/// Upper bounds of a probe's time, in seconds: a healthy gateway answers in less than a millisecond, and the usual limit
/// is five seconds.
const PROBE_BOUNDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Upper bounds of an outage's length, in seconds.
const RECOVERY_BOUNDS: [f64; 10] = [5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0];

/// The counters. One per process; shared by all tasks.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<BTreeMap<String, Counts>>,
}

/// What is counted of one gateway.
#[derive(Debug)]
struct Counts {
    heals: BTreeMap<(&'static str, &'static str), u64>,
    incidents: u64,
    recoveries: Histogram,
    probes: Histogram,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            heals: BTreeMap::new(),
            incidents: 0,
            recoveries: Histogram::new(&RECOVERY_BOUNDS),
            probes: Histogram::new(&PROBE_BOUNDS),
        }
    }
}

impl Metrics {
    /// A gateway is watched: its counters exist from now on, at zero.
    pub fn expect(&self, gateway: &str) {
        self.with(gateway, |_| ());
    }

    /// `/healthz` was answered.
    pub fn probe_answered(&self, gateway: &str, time: Duration) {
        self.with(gateway, |counts| counts.probes.observe(time));
    }

    /// An incident began.
    pub fn incident_began(&self, gateway: &str) {
        self.with(gateway, |counts| counts.incidents += 1);
    }

    /// An incident is over.
    pub fn recovered(&self, gateway: &str, downtime: Duration) {
        self.with(gateway, |counts| counts.recoveries.observe(downtime));
    }

    /// An attempt is over.
    pub fn heal_ended(&self, gateway: &str, rung: Rung, outcome: &Outcome) {
        self.with(gateway, |counts| *counts.heals.entry((rung.name(), outcome.name())).or_default() += 1);
    }

    /// Everything, as text. `now_elapsed` is on the clock that counts sleep.
    #[must_use]
    pub fn render(&self, snapshot: &Snapshot, now_elapsed: i64) -> String {
        let mut text = Exposition::default();
        text.family("lifeguard_build_info", Kind::Gauge, "The version of Lifeguard that runs; always 1.");
        text.sample("", &[("version", &snapshot.lifeguard_version)], 1.0);
        text.family("lifeguard_snapshot_age_seconds", Kind::Gauge, "Age of the picture that all other figures are of.");
        text.sample("", &[], seconds(now_elapsed.saturating_sub(snapshot.taken_elapsed).max(0)));
        text.family("lifeguard_snapshot_stale", Kind::Gauge, "Whether nobody has looked for too long: 1 or 0.");
        text.sample("", &[], truth(snapshot.is_stale(now_elapsed)));
        gateways(&mut text, snapshot, now_elapsed);
        self.counters(&mut text);
        channels(&mut text, snapshot);
        text.finish()
    }

    fn counters(&self, text: &mut Exposition) {
        let counts = self.counts();
        text.family("lifeguard_heals_total", Kind::Counter, "Attempts that are over, by how hard and how they ended.");
        for (gateway, counts) in counts.iter() {
            for ((rung, outcome), count) in &counts.heals {
                text.sample("", &[("gateway", gateway), ("rung", rung), ("outcome", outcome)], whole(*count));
            }
        }
        text.family("lifeguard_incidents_total", Kind::Counter, "Incidents that began.");
        for (gateway, counts) in counts.iter() {
            text.sample("", &[("gateway", gateway)], whole(counts.incidents));
        }
        text.family(
            "lifeguard_recovery_seconds",
            Kind::Histogram,
            "From the first failed look to the first good one that held.",
        );
        for (gateway, counts) in counts.iter() {
            text.histogram(&[("gateway", gateway)], &counts.recoveries);
        }
        text.family("lifeguard_probe_seconds", Kind::Histogram, "Time that an answered /healthz took.");
        for (gateway, counts) in counts.iter() {
            text.histogram(&[("gateway", gateway)], &counts.probes);
        }
    }

    fn with(&self, gateway: &str, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts();
        if !counts.contains_key(gateway) {
            counts.insert(gateway.to_owned(), Counts::default());
        }
        if let Some(counts) = counts.get_mut(gateway) {
            change(counts);
        }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, Counts>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A figure of each gateway that has it.
type Figure = fn(&GatewaySnapshot) -> Option<f64>;

/// The gauges that are plain figures of a gateway.
const FIGURES: [(&str, &str, Figure); 7] = [
    ("lifeguard_gateway_memory_bytes", "Resident memory of the gateway's process tree.", |gateway| {
        gateway.memory.map(whole)
    }),
    ("lifeguard_gateway_memory_leak_bytes_per_hour", "What a leak loses per hour; 0 without one.", |gateway| {
        Some(gateway.leak.map_or(0.0, |leak| whole(leak.per_hour)))
    }),
    ("lifeguard_gateway_uptime_seconds", "How long this generation of the gateway has been up.", |gateway| {
        gateway.uptime().map(|time| time.as_secs_f64())
    }),
    ("lifeguard_gateway_work_in_flight", "Pieces of work that the gateway is busy with.", |gateway| {
        gateway.in_flight.map(f64::from)
    }),
    ("lifeguard_gateway_crashes", "The crash counter, which falls with health.", |gateway| {
        Some(f64::from(gateway.crashes))
    }),
    ("lifeguard_gateway_crash_limit", "Where the crash counter opens the breaker.", |gateway| {
        Some(f64::from(gateway.crash_limit))
    }),
    ("lifeguard_gateway_paused", "Whether hands are off, as asked: 1 or 0.", |gateway| {
        Some(truth(gateway.pause.is_some()))
    }),
];

fn gateways(text: &mut Exposition, snapshot: &Snapshot, now_elapsed: i64) {
    let stale = snapshot.is_stale(now_elapsed);
    text.family(
        "lifeguard_gateway_up",
        Kind::Gauge,
        "Whether the gateway answers and is ready: 1 or 0; 0 when nobody looks.",
    );
    for gateway in &snapshot.gateways {
        let answers = matches!(gateway.verdict.severity(), Severity::Good | Severity::Impaired);
        text.sample("", &[("gateway", &gateway.name)], truth(answers && !stale));
    }
    text.family("lifeguard_gateway_info", Kind::Gauge, "OpenClaw's version and who runs the gateway; always 1.");
    for gateway in &snapshot.gateways {
        let version = gateway.version.as_deref().unwrap_or_default();
        text.sample("", &[("gateway", &gateway.name), ("service", &gateway.service), ("version", version)], 1.0);
    }
    text.family("lifeguard_gateway_health_state", Kind::Gauge, "1 for the state that a person sees, 0 for the others.");
    for gateway in &snapshot.gateways {
        let shown = snapshot.health(gateway, now_elapsed);
        for health in Health::ALL {
            text.sample("", &[("gateway", &gateway.name), ("state", health.name())], truth(health == shown));
        }
    }
    text.family("lifeguard_gateway_breaker_state", Kind::Gauge, "1 for the breaker's state, 0 for the others.");
    for gateway in &snapshot.gateways {
        for (state, name) in [
            (BreakerSnapshot::Closed, "closed"),
            (BreakerSnapshot::Open, "open"),
            (BreakerSnapshot::HalfOpen, "half_open"),
        ] {
            text.sample("", &[("gateway", &gateway.name), ("state", name)], truth(gateway.breaker == state));
        }
    }
    for (name, help, figure) in FIGURES {
        text.family(name, Kind::Gauge, help);
        for gateway in &snapshot.gateways {
            if let Some(value) = figure(gateway) {
                text.sample("", &[("gateway", &gateway.name)], value);
            }
        }
    }
}

fn channels(text: &mut Exposition, snapshot: &Snapshot) {
    text.family("lifeguard_alerts_total", Kind::Counter, "Attempts to deliver an alert, by channel and result.");
    for channel in &snapshot.channels {
        for (result, count) in [("delivered", channel.delivered), ("failed", channel.failed)] {
            text.sample("", &[("channel", &channel.name), ("result", result)], whole(count));
        }
    }
    text.family("lifeguard_alert_queue_length", Kind::Gauge, "Alerts that wait to be delivered.");
    for channel in &snapshot.channels {
        text.sample("", &[("channel", &channel.name)], whole(channel.waiting));
    }
}

fn truth(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// Every value of the format is a float.
#[expect(clippy::cast_precision_loss, reason = "a count past 2^53 is not reached, and a byte more or less is nothing")]
fn whole(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "a millisecond in three hundred thousand years is nothing")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}
