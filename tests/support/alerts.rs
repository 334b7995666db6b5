//! Alerts and settings for tests of the alert room.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::sync::Arc;
use std::time::Duration;

use lifeguard::alert::outbox::Pace;
use lifeguard::alert::{AlertHandle, AlertHub, AlertSettings, GatewayAlert};
use lifeguard::history::History;
use lifeguard::request::UserAction;
use lifeguard::supervisor::event::{Alert, AlertKind};
use lifeguard::supervisor::incident::IncidentSummary;
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::verdict::Verdict;
use lifeguard::text::Language;
use tokio::sync::mpsc;

/// No channel, no cooldown, and a pace for tests.
pub(crate) fn settings() -> AlertSettings {
    AlertSettings {
        language: Language::English,
        native: None,
        discord: None,
        slack: None,
        telegram: None,
        ntfy: None,
        webhook: None,
        calm: usize::MAX,
        quiet_hours: None,
        fallback: None,
        fallback_after: Duration::ZERO,
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

/// Starts the lanes with a history that ends with the test.
pub(crate) fn start(settings: AlertSettings, actions: mpsc::Sender<UserAction>) -> AlertHandle {
    AlertHub::start(settings, Arc::new(History::in_memory().unwrap()), actions)
}

/// Hands an alert to every channel.
pub(crate) fn announce(handle: &AlertHandle, alert: &GatewayAlert) {
    handle.record(vec![alert.clone()], |_| Ok(())).unwrap();
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
        id: 0,
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

/// News of the outage: this attempt begins.
pub(crate) fn progress(incident: u64, attempt: u32) -> GatewayAlert {
    alert(incident, AlertKind::Progress { verdict: Verdict::Gone, rung: Rung::Start, attempt })
}

/// Too many attempts.
pub(crate) fn safe_mode(incident: u64) -> GatewayAlert {
    alert(incident, AlertKind::SafeMode { verdict: Verdict::Gone, next_trial_at: now() })
}

/// Only a person can mend it.
pub(crate) fn blocked(incident: u64) -> GatewayAlert {
    alert(incident, AlertKind::Blocked { verdict: Verdict::Gone, waits_for: Vec::new() })
}
