//! One alert of every kind, for the tests of this room.

use crate::alert::GatewayAlert;
use crate::alert::channel::{Dispatch, Form};
use crate::supervisor::configuration::{Alteration, ConfigChange};
use crate::supervisor::event::{Alert, AlertKind, CheckProblem, DigestEntry, DigestReason};
use crate::supervisor::incident::IncidentSummary;
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::report::{Course, GatewayReport, Period, Report};
use crate::supervisor::trend::{Leak, MemoryLevel};
use crate::supervisor::verdict::{Health, Verdict};

/// 2026-11-22T14:03:22Z.
pub(super) const AT: i64 = 1_795_356_202_000;

fn alert(incident: Option<u64>, kind: AlertKind) -> GatewayAlert {
    let recovered = matches!(kind, AlertKind::Recovered { .. });
    let incident = incident.map(|id| IncidentSummary {
        exit: None,
        id,
        began: AT - 2_000,
        ended: recovered.then_some(AT + 40_000),
        duration: if recovered { 42_000 } else { 2_000 },
        verdict: Verdict::Gone,
        attempts: u32::from(recovered),
    });
    GatewayAlert {
        id: 7,
        gateway: "gateway".to_owned(),
        address: "127.0.0.1:18789".to_owned(),
        practice: false,
        alert: Alert { incident, kind, at: AT },
    }
}

/// The first delivery of an alert, a second after it happened.
pub(super) fn dispatch(alert: &GatewayAlert) -> Dispatch<'_> {
    Dispatch { alert, id: "test-7", form: Form::New, repeat: false, folded: false, now: AT + 1_000 }
}

pub(super) fn down(incident: u64) -> GatewayAlert {
    let kind = AlertKind::Down {
        verdict: Verdict::Gone,
        next: Some(Rung::Start),
        next_at: Some(AT + 10_000),
        waits_for: Vec::new(),
    };
    alert(Some(incident), kind)
}

pub(super) fn down_for_good(incident: u64) -> GatewayAlert {
    alert(Some(incident), AlertKind::Down { verdict: Verdict::Gone, next: None, next_at: None, waits_for: Vec::new() })
}

pub(super) fn degraded(incident: u64) -> GatewayAlert {
    let verdict = Verdict::NotReady(vec!["telegram".to_owned(), "state-database".to_owned()]);
    alert(Some(incident), AlertKind::Degraded { verdict })
}

pub(super) fn safe_mode(incident: u64) -> GatewayAlert {
    alert(Some(incident), AlertKind::SafeMode { verdict: Verdict::Hung, next_trial_at: AT + 600_000 })
}

pub(super) fn progress(incident: u64) -> GatewayAlert {
    alert(Some(incident), AlertKind::Progress { verdict: Verdict::Hung, rung: Rung::Restart, attempt: 2 })
}

pub(super) fn blocked(incident: u64) -> GatewayAlert {
    let verdict = Verdict::PortTaken { pid: Some(4242), name: "nginx".to_owned() };
    alert(Some(incident), AlertKind::Blocked { verdict, waits_for: Vec::new() })
}

pub(super) fn config_suspect(incident: u64) -> GatewayAlert {
    let settings = ["+ gateway.bogus = true", "~ gateway.port: 18789 → 18790"].map(str::to_owned).to_vec();
    let change = ConfigChange { good: AT - 3_600_000, alteration: Alteration::Settings(settings) };
    alert(Some(incident), AlertKind::ConfigSuspect { verdict: Verdict::Refuses, change, rolls_back: false })
}

pub(super) fn config_rolled_back(incident: u64) -> GatewayAlert {
    let change = ConfigChange { good: AT - 3_600_000, alteration: Alteration::Broken { line: 3, column: 14 } };
    alert(Some(incident), AlertKind::ConfigSuspect { verdict: Verdict::Refuses, change, rolls_back: true })
}

pub(super) fn recovered(incident: u64) -> GatewayAlert {
    alert(Some(incident), AlertKind::Recovered { downtime: 42_000, attempts: 1, fixed_by: Some(Rung::Start) })
}

pub(super) fn recovered_by_itself(incident: u64) -> GatewayAlert {
    alert(Some(incident), AlertKind::Recovered { downtime: 42_000, attempts: 0, fixed_by: None })
}

pub(super) fn restart_finished() -> GatewayAlert {
    alert(None, AlertKind::RestartFinished { outcome: Outcome::Restarted })
}

pub(super) fn restart_failed() -> GatewayAlert {
    alert(None, AlertKind::RestartFinished { outcome: Outcome::NotReadyInTime })
}

pub(super) fn memory() -> GatewayAlert {
    alert(None, AlertKind::Memory { level: MemoryLevel::Critical, bytes: 2_400_000_000, leak: None, renews: true })
}

pub(super) fn leak() -> GatewayAlert {
    let leak = Some(Leak { per_hour: 230_000_000, limit_in: 3 * 3_600_000 });
    alert(None, AlertKind::Memory { level: MemoryLevel::Warning, bytes: 1_900_000_000, leak, renews: true })
}

pub(super) fn renewed() -> GatewayAlert {
    alert(None, AlertKind::Renewed { before: 2_700_000_000 })
}

/// A day with an outage of a quarter of an hour, and memory that grows.
pub(super) fn daily() -> Report {
    let outage = |place: usize| (200..203).contains(&place);
    let healths = (0..288_usize).map(|place| match place {
        0..=20 => None,
        203 => Some(Health::Healing),
        120..=129 => Some(Health::Degraded),
        _ if outage(place) => Some(Health::Down),
        _ => Some(Health::Healthy),
    });
    let memory = (0..288_u32).map(|place| match place {
        0..=20 | 200..=203 => None,
        204.. => Some(690 + (place - 204) / 2 + place % 7),
        _ => Some(700 + place * 3 + place % 11 * 4),
    });
    Report {
        period: Period::Day,
        to: AT,
        gateways: vec![GatewayReport {
            name: "gateway".to_owned(),
            watched: 80_100_000,
            up: 79_200_000,
            down: 900_000,
            outages: 1,
            open: 0,
            downtime: 900_000,
            longest: recovered(7).alert.incident,
            attempts: 2,
            asked: 0,
            memory: Some(1_375_731_712),
            course: Course { healths: healths.collect(), memory: memory.collect(), limits: vec![1536, 2560] },
        }],
    }
}

pub(super) fn report() -> GatewayAlert {
    alert(None, AlertKind::Report(Box::new(daily())))
}

pub(super) fn check() -> GatewayAlert {
    let problem = |what: &str, sentence: &str, mend: Option<&str>| CheckProblem {
        what: what.to_owned(),
        sentence: sentence.to_owned(),
        mend: mend.map(str::to_owned),
    };
    let problems = vec![
        problem("disk space", "/home has 40 MB left.", None),
        problem("gateway, service", "Its service is switched off.", Some("systemctl --user enable openclaw-gateway")),
    ];
    GatewayAlert { gateway: String::new(), address: String::new(), ..alert(None, AlertKind::Check(problems)) }
}

pub(super) fn test() -> GatewayAlert {
    alert(None, AlertKind::Test)
}

pub(super) fn digest() -> GatewayAlert {
    let entry = |alert: GatewayAlert, at| DigestEntry {
        gateway: alert.gateway,
        practice: false,
        incident: None,
        at: AT - at,
        kind: alert.alert.kind,
    };
    let entries = vec![entry(recovered(6), 18_000_000), entry(down(7), 1_200_000)];
    let kind = AlertKind::Digest { reason: DigestReason::Quiet, entries, more: 2, made: AT };
    GatewayAlert { gateway: String::new(), address: String::new(), ..alert(None, kind) }
}

/// Every kind, in the order of [`AlertKind`], with the variants that say something else.
pub(super) fn every() -> Vec<(&'static str, GatewayAlert)> {
    vec![
        ("down", down(7)),
        ("down, nobody starts it", down_for_good(7)),
        ("degraded", degraded(7)),
        ("progress", progress(7)),
        ("safe_mode", safe_mode(7)),
        ("blocked", blocked(7)),
        ("config_suspect", config_suspect(7)),
        ("config_suspect, rolled back", config_rolled_back(7)),
        ("recovered", recovered(7)),
        ("recovered by itself", recovered_by_itself(7)),
        ("restart_finished", restart_finished()),
        ("restart_finished, failed", restart_failed()),
        ("memory", memory()),
        ("memory, a leak", leak()),
        ("renewed", renewed()),
        ("report", report()),
        ("digest", digest()),
        ("check", check()),
        ("test", test()),
    ]
}
