//! Snapshots to show.

#![allow(dead_code, reason = "each test uses some of them")]

use lifeguard::snapshot::{BreakerSnapshot, ChannelSnapshot, DeliverySnapshot, GatewaySnapshot, Snapshot};
use lifeguard::supervisor::incident::IncidentSummary;
use lifeguard::supervisor::verdict::{Health, Verdict};

/// A wall-clock time: 2026-11-22 12:00:00 UTC.
pub(crate) const NOON: i64 = 1_795_348_800_000;
/// The same moment on the clock that counts sleep.
pub(crate) const NOON_ELAPSED: i64 = 5_000_000;
/// A minute in milliseconds.
pub(crate) const MINUTE: i64 = 60_000;

/// A gateway in good health.
pub(crate) fn healthy() -> GatewaySnapshot {
    GatewaySnapshot {
        name: "gateway".to_owned(),
        address: "127.0.0.1:18789".to_owned(),
        practice: false,
        service: "systemd".to_owned(),
        health: Health::Healthy,
        verdict: Verdict::Healthy,
        since: NOON - 190 * MINUTE,
        checked: Some(NOON - 4_000),
        pid: Some(4242),
        version: Some("2026.9.6".to_owned()),
        uptime: Some(11_400_000),
        latency: Some(430),
        leak: None,
        in_flight: None,
        memory: Some(734 * 1024 * 1024),
        crashes: 0,
        crash_limit: 6,
        crashes_clear: None,
        breaker: BreakerSnapshot::Closed,
        next_attempt: None,
        heal: None,
        incident: None,
        last_incident: None,
        pause: None,
        needs: Vec::new(),
        log: None,
        evidence: None,
        config_change: None,
        notice: None,
    }
}

/// An incident that began ten minutes before noon.
pub(crate) fn incident(ended: Option<i64>) -> IncidentSummary {
    IncidentSummary {
        id: 7,
        began: NOON - 10 * MINUTE,
        ended,
        duration: 72_000,
        verdict: Verdict::Gone,
        exit: None,
        attempts: 2,
    }
}

/// A snapshot taken at noon of one gateway.
pub(crate) fn snapshot(gateway: GatewaySnapshot) -> Snapshot {
    Snapshot {
        taken: NOON,
        taken_elapsed: NOON_ELAPSED,
        stale_after: 20_000,
        lifeguard_version: "0.1.0".to_owned(),
        gateways: vec![gateway],
        notices: Vec::new(),
        channels: vec![
            ChannelSnapshot { name: "native".to_owned(), ..ChannelSnapshot::default() },
            ChannelSnapshot {
                name: "discord".to_owned(),
                last_delivery: Some(DeliverySnapshot { at: NOON - 5 * MINUTE, kind: "recovered".to_owned() }),
                ..ChannelSnapshot::default()
            },
        ],
        day: None,
        page: Some("http://127.0.0.1:18799/".to_owned()),
    }
}
