//! Alerts and settings for tests of the alert room.
#![allow(dead_code, reason = "each test file uses a part")]

use std::time::Duration;

use lifeguard::alert::outbox::Pace;
use lifeguard::alert::{AlertSettings, GatewayAlert};
use lifeguard::supervisor::event::{Alert, AlertKind};
use lifeguard::supervisor::incident::IncidentSummary;
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::verdict::Verdict;
use lifeguard::text::Language;

/// No channel, no cooldown, and a pace for tests.
pub(crate) fn settings() -> AlertSettings {
    AlertSettings {
        language: Language::English,
        native: None,
        discord: None,
        cooldown: Duration::ZERO,
        critical_cooldown: Duration::ZERO,
        pace: Pace {
            first: Duration::from_millis(20),
            longest: Duration::from_millis(100),
            patience: Duration::from_mins(1),
            slow: Duration::from_hours(1),
        },
    }
}

pub(crate) fn now() -> i64 {
    lifeguard::platform::clock::wall()
}

fn alert(incident: u64, kind: AlertKind) -> GatewayAlert {
    let summary = IncidentSummary {
        exit: None,
        id: incident,
        began: now() - 2_000,
        ended: None,
        duration: 2_000,
        verdict: Verdict::Gone,
        attempts: 0,
    };
    GatewayAlert {
        gateway: "gateway".to_owned(),
        address: "127.0.0.1:18789".to_owned(),
        practice: false,
        alert: Alert { incident: Some(summary), kind, at: now() },
    }
}

pub(crate) fn down(incident: u64) -> GatewayAlert {
    alert(
        incident,
        AlertKind::Down {
            verdict: Verdict::Gone,
            next: Some(Rung::Start),
            next_at: Some(now()),
            waits_for: Vec::new(),
        },
    )
}

pub(crate) fn recovered(incident: u64) -> GatewayAlert {
    alert(incident, AlertKind::Recovered { downtime: 42_000, attempts: 1, fixed_by: Some(Rung::Start) })
}
