//! Snapshots as the app would publish them, one for each state.

use lifeguard::snapshot::{
    BreakerSnapshot, ChannelSnapshot, DeliverySnapshot, GatewaySnapshot, HealSnapshot, PauseSnapshot, Snapshot,
};
use lifeguard::supervisor::incident::IncidentSummary;
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::verdict::{Health, Verdict};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A believable snapshot of one gateway in the given state, taken at this moment (wall clock and the clock that
/// counts sleep, both in milliseconds).
pub(crate) fn snapshot(health: Health, wall: i64, elapsed: i64) -> Snapshot {
    let stale_after = 20_000;
    let age = if health == Health::Stale { 42 * SECOND } else { 0 };
    Snapshot {
        taken: wall - age,
        taken_elapsed: elapsed - age,
        stale_after,
        lifeguard_version: "0.1.0".to_owned(),
        gateways: vec![gateway(health, wall - age)],
        notices: Vec::new(),
        channels: vec![
            ChannelSnapshot {
                name: "native".to_owned(),
                last_delivery: Some(DeliverySnapshot { at: wall - 2 * HOUR, kind: "recovered".to_owned() }),
                ..ChannelSnapshot::default()
            },
            ChannelSnapshot { name: "discord".to_owned(), ..ChannelSnapshot::default() },
        ],
        day: None,
        page: Some("http://127.0.0.1:18799/".to_owned()),
    }
}

#[expect(clippy::too_many_lines, reason = "one sample after the other")]
fn gateway(health: Health, wall: i64) -> GatewaySnapshot {
    let last_incident = IncidentSummary {
        exit: None,
        id: 6,
        began: wall - 2 * HOUR - 42 * SECOND,
        ended: Some(wall - 2 * HOUR),
        duration: 42_000,
        verdict: Verdict::Gone,
        attempts: 1,
    };
    let healthy = GatewaySnapshot {
        name: "gateway".to_owned(),
        address: "127.0.0.1:18789".to_owned(),
        practice: false,
        service: "child".to_owned(),
        health,
        verdict: Verdict::Healthy,
        since: wall - 3 * DAY - 4 * HOUR,
        checked: Some(wall - 4 * SECOND),
        pid: Some(4711),
        version: Some("2026.9.6".to_owned()),
        uptime: Some(273_600_000),
        latency: Some(400),
        leak: None,
        in_flight: None,
        memory: Some(612 * 1024 * 1024),
        crashes: 0,
        crash_limit: 6,
        crashes_clear: None,
        breaker: BreakerSnapshot::Closed,
        next_attempt: None,
        heal: None,
        incident: None,
        last_incident: Some(last_incident),
        pause: None,
        needs: Vec::new(),
        log: Some("/tmp/openclaw/openclaw.log".into()),
        evidence: None,
        config_change: None,
        notice: None,
    };
    let lasting = |verdict, minutes: i64, attempts| IncidentSummary {
        exit: None,
        id: 7,
        began: wall - minutes * MINUTE,
        ended: None,
        duration: u64::try_from(minutes * MINUTE).unwrap_or(0),
        verdict,
        attempts,
    };
    let gone = GatewaySnapshot {
        pid: None,
        uptime: None,
        latency: None,
        leak: None,
        in_flight: None,
        memory: None,
        verdict: Verdict::Gone,
        ..healthy.clone()
    };
    match health {
        Health::Healthy | Health::Stale => healthy,
        Health::Starting => GatewaySnapshot {
            since: wall - 12 * SECOND,
            verdict: Verdict::Starting("startup-sidecars".to_owned()),
            ..healthy
        },
        Health::Degraded => GatewaySnapshot {
            since: wall - 5 * MINUTE,
            verdict: Verdict::NotReady(vec!["telegram".to_owned()]),
            incident: Some(lasting(Verdict::NotReady(vec!["telegram".to_owned()]), 5, 0)),
            ..healthy
        },
        Health::Down => GatewaySnapshot {
            since: wall - 3 * MINUTE,
            crashes: 2,
            crashes_clear: Some(wall + 5 * HOUR),
            next_attempt: Some(wall + 8 * SECOND),
            incident: Some(lasting(Verdict::Gone, 3, 1)),
            ..gone
        },
        Health::Healing => GatewaySnapshot {
            since: wall - 12 * SECOND,
            verdict: Verdict::Hung,
            crashes: 1,
            crashes_clear: Some(wall + 6 * HOUR),
            heal: Some(HealSnapshot { id: 3, rung: Rung::Restart, began: wall - 12 * SECOND, asked: false }),
            incident: Some(lasting(Verdict::Hung, 1, 1)),
            ..healthy
        },
        Health::SafeMode => GatewaySnapshot {
            since: wall - HOUR,
            crashes: 6,
            crashes_clear: Some(wall + 5 * HOUR),
            breaker: BreakerSnapshot::Open,
            next_attempt: Some(wall + 12 * MINUTE),
            incident: Some(lasting(Verdict::Gone, 75, 6)),
            ..gone
        },
        Health::Blocked => GatewaySnapshot {
            since: wall - 20 * MINUTE,
            verdict: Verdict::PortTaken { pid: Some(815), name: "nginx".to_owned() },
            incident: Some(lasting(Verdict::PortTaken { pid: Some(815), name: "nginx".to_owned() }, 20, 0)),
            ..gone
        },
        Health::Paused => GatewaySnapshot { pause: Some(PauseSnapshot { until: Some(wall + HOUR) }), ..healthy },
        Health::Stopped => GatewaySnapshot { verdict: Verdict::Stopped, since: wall - HOUR, ..gone },
        Health::NotInstalled => {
            GatewaySnapshot { verdict: Verdict::NotInstalled, log: None, last_incident: None, checked: None, ..gone }
        }
    }
}
