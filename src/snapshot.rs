//! All that a view needs, with the moment it was taken: the tray, the control socket, the command line and
//! the status page show nothing else.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::supervisor::configuration::ConfigChange;
use crate::supervisor::dependency::DependencyState;
use crate::supervisor::incident::IncidentSummary;
use crate::supervisor::ladder::Rung;
use crate::supervisor::trend::Leak;
use crate::supervisor::verdict::{Health, Verdict};

/// The whole picture at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When it was taken: Unix milliseconds.
    pub taken: i64,
    /// When it was taken on the clock that counts sleep and never steps, in milliseconds since boot:
    /// [`Snapshot::is_stale`] compares by this one.
    pub taken_elapsed: i64,
    /// Past this age, in milliseconds, it proves nothing.
    pub stale_after: u64,
    /// Lifeguard's own version.
    pub lifeguard_version: String,
    /// Every supervised gateway, in the order of the configuration.
    pub gateways: Vec<GatewaySnapshot>,
    /// The alert channels.
    pub channels: Vec<ChannelSnapshot>,
    /// The last 24 h of all gateways; `None` until it is counted.
    #[serde(default)]
    pub day: Option<DaySnapshot>,
    /// Address of the status page, if there is one.
    #[serde(default)]
    pub page: Option<String>,
    /// What the person should know of Lifeguard itself, ready to be read: what was wrong with a changed
    /// configuration, what the self-check found.
    #[serde(default)]
    pub notices: Vec<String>,
}

/// What happened in the last 24 h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySnapshot {
    /// Outages.
    pub outages: u32,
    /// How long they lasted together, in milliseconds.
    pub downtime: u64,
    /// How many of them are not over.
    pub open: u32,
}

/// One gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewaySnapshot {
    /// Its name in the configuration.
    pub name: String,
    /// Loopback address and port, `127.0.0.1:18789`.
    pub address: String,
    /// The built-in practice gateway, not the real thing.
    pub practice: bool,
    /// Who runs it: `child`, `attached`, `systemd` or `launchd`.
    pub service: String,
    /// The state that a person sees, as of `taken`; [`Snapshot::health`] is what to show.
    pub health: Health,
    /// What is the matter.
    pub verdict: Verdict,
    /// Since when `health` has been so: Unix milliseconds.
    pub since: i64,
    /// When the last round of probes began: Unix milliseconds.
    pub checked: Option<i64>,
    /// Process id.
    pub pid: Option<u32>,
    /// OpenClaw's version, where it says so.
    pub version: Option<String>,
    /// How long this generation has been up, in milliseconds.
    pub uptime: Option<u64>,
    /// Latency of the last `/healthz`, in microseconds.
    pub latency: Option<u64>,
    /// Resident memory of the process tree, in bytes.
    pub memory: Option<u64>,
    /// Its leak, if it has one: what is lost per hour, and when the limit will be reached.
    #[serde(default)]
    pub leak: Option<Leak>,
    /// Pieces of work that are in flight, as the gateway itself counts them; `None` if it was not asked lately.
    #[serde(default)]
    pub in_flight: Option<u32>,
    /// Crash counter.
    pub crashes: u32,
    /// Where the counter opens the breaker.
    pub crash_limit: u32,
    /// When the counter resets if nothing else happens: Unix milliseconds; `None` at zero.
    pub crashes_clear: Option<i64>,
    /// The breaker.
    pub breaker: BreakerSnapshot,
    /// The next attempt: Unix milliseconds.
    pub next_attempt: Option<i64>,
    /// The attempt that is running.
    pub heal: Option<HealSnapshot>,
    /// The incident that lasts.
    pub incident: Option<IncidentSummary>,
    /// The newest incident that is over.
    pub last_incident: Option<IncidentSummary>,
    /// Hands off.
    pub pause: Option<PauseSnapshot>,
    /// What it needs besides itself, and what is known to be the matter with it.
    #[serde(default)]
    pub needs: Vec<DependencyState>,
    /// Where the gateway's log is, if it is known.
    pub log: Option<std::path::PathBuf>,
    /// The folder with the evidence of its newest incident, if any was stored.
    #[serde(default)]
    pub evidence: Option<std::path::PathBuf>,
    /// What was changed in OpenClaw's configuration since it was last good; `None` if nothing was, or nobody knows.
    #[serde(default)]
    pub config_change: Option<ConfigChange>,
    /// Something about Lifeguard itself that the person should know, ready to be read (state folder read-only, …).
    pub notice: Option<String>,
}

/// State of the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerSnapshot {
    /// Attempts go on by the backoff.
    Closed,
    /// Safe mode.
    Open,
    /// A trial is running.
    HalfOpen,
}

/// A running attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealSnapshot {
    /// Number of the heal.
    pub id: u64,
    /// How hard.
    pub rung: Rung,
    /// When it began: Unix milliseconds.
    pub began: i64,
    /// A person asked for it.
    pub asked: bool,
}

/// A pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseSnapshot {
    /// When it ends by itself: Unix milliseconds; `None`: when resumed.
    pub until: Option<i64>,
}

/// One alert channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelSnapshot {
    /// Its name in the configuration: `discord`, `native`, …
    pub name: String,
    /// The newest delivery, if there was one.
    pub last_delivery: Option<DeliverySnapshot>,
    /// What is wrong with the channel now, ready to be read and free of secrets.
    pub problem: Option<String>,
    /// Alerts that wait to be delivered.
    #[serde(default)]
    pub waiting: u64,
    /// Attempts that were confirmed, since Lifeguard began.
    #[serde(default)]
    pub delivered: u64,
    /// Attempts that failed, since Lifeguard began.
    #[serde(default)]
    pub failed: u64,
    /// The newest alert that the receiving side refused for good.
    #[serde(default)]
    pub refused: Option<DeliverySnapshot>,
    /// Nobody is to be disturbed now.
    #[serde(default)]
    pub quiet: Option<QuietSnapshot>,
}

/// A time in which alerts are gathered instead of told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietSnapshot {
    /// When it ends by itself: Unix milliseconds; `None`: when somebody ends it.
    pub until: Option<i64>,
    /// A person asked for it; otherwise these are the quiet hours.
    pub muted: bool,
}

/// A delivery that the receiving side confirmed, or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySnapshot {
    /// When: Unix milliseconds.
    pub at: i64,
    /// The alert's kind, by name.
    pub kind: String,
}

impl Snapshot {
    /// Whether it is too old to prove anything, at `now_elapsed` on the clock that counts sleep.
    #[must_use]
    pub fn is_stale(&self, now_elapsed: i64) -> bool {
        let age = now_elapsed.saturating_sub(self.taken_elapsed);
        u64::try_from(age).unwrap_or(0) > self.stale_after
    }

    /// The state to show for a gateway of this snapshot: [`Health::Stale`] if nobody has looked for too long.
    #[must_use]
    pub fn health(&self, gateway: &GatewaySnapshot, now_elapsed: i64) -> Health {
        if self.is_stale(now_elapsed) { Health::Stale } else { gateway.health }
    }
}

impl GatewaySnapshot {
    /// Uptime as a duration.
    #[must_use]
    pub fn uptime(&self) -> Option<Duration> {
        self.uptime.map(Duration::from_millis)
    }
}
