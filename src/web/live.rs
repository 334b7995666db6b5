//! The present, as the page shows it: a pure function of a picture.

use serde::Serialize;

use super::Limits;
use crate::snapshot::{BreakerSnapshot, ChannelSnapshot, GatewaySnapshot, PauseSnapshot, Snapshot};
use crate::supervisor::dependency::DependencyState;
use crate::supervisor::trend::Leak;
use crate::text::{Language, Phrase, page, words};

/// The present.
#[derive(Debug, Serialize)]
pub(super) struct Live<'a> {
    /// Now, on Lifeguard's wall clock: Unix milliseconds.
    now: i64,
    taken: i64,
    lifeguard_version: &'a str,
    limits: Limits,
    gateways: Vec<LiveGateway<'a>>,
    channels: Vec<LiveChannel<'a>>,
    /// What is wrong with a changed configuration, and what the self-check found.
    notices: &'a [String],
}

#[derive(Debug, Serialize)]
struct LiveGateway<'a> {
    name: &'a str,
    practice: bool,
    address: &'a str,
    service: &'a str,
    health: &'static str,
    /// What is the matter, in words.
    verdict: String,
    since: i64,
    checked: Option<i64>,
    pid: Option<u32>,
    version: Option<&'a str>,
    uptime: Option<u64>,
    latency: Option<u64>,
    memory: Option<u64>,
    leak: Option<Leak>,
    in_flight: Option<u32>,
    crashes: u32,
    crash_limit: u32,
    crashes_clear: Option<i64>,
    breaker: BreakerSnapshot,
    next_attempt: Option<i64>,
    heal: Option<LiveHeal>,
    incident: Option<u64>,
    pause: Option<PauseSnapshot>,
    needs: Vec<Need>,
    notice: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct LiveHeal {
    rung: String,
    began: i64,
}

#[derive(Debug, Serialize)]
struct Need {
    name: String,
    trouble: bool,
    sentence: String,
}

#[derive(Debug, Serialize)]
struct LiveChannel<'a> {
    name: &'a str,
    last: Option<LiveDelivery>,
    problem: Option<&'a str>,
    waiting: u64,
}

#[derive(Debug, Serialize)]
struct LiveDelivery {
    at: i64,
    kind: String,
}

impl<'a> Live<'a> {
    /// What `snapshot` shows at this moment, by the wall clock and by the clock that counts sleep.
    pub(super) fn of(snapshot: &'a Snapshot, limits: Limits, language: Language, now: i64, now_elapsed: i64) -> Self {
        Self {
            now,
            taken: snapshot.taken,
            lifeguard_version: &snapshot.lifeguard_version,
            limits,
            gateways: snapshot.gateways.iter().map(|one| gateway(snapshot, one, language, now_elapsed)).collect(),
            channels: snapshot.channels.iter().map(|one| channel(one, language)).collect(),
            notices: &snapshot.notices,
        }
    }
}

fn gateway<'a>(
    snapshot: &Snapshot,
    gateway: &'a GatewaySnapshot,
    language: Language,
    now_elapsed: i64,
) -> LiveGateway<'a> {
    LiveGateway {
        name: &gateway.name,
        practice: gateway.practice,
        address: &gateway.address,
        service: &gateway.service,
        health: snapshot.health(gateway, now_elapsed).name(),
        verdict: gateway.verdict.say(language),
        since: gateway.since,
        checked: gateway.checked,
        pid: gateway.pid,
        version: gateway.version.as_deref(),
        uptime: gateway.uptime,
        latency: gateway.latency,
        memory: gateway.memory,
        leak: gateway.leak,
        in_flight: gateway.in_flight,
        crashes: gateway.crashes,
        crash_limit: gateway.crash_limit,
        crashes_clear: gateway.crashes_clear,
        breaker: gateway.breaker,
        next_attempt: gateway.next_attempt,
        heal: gateway.heal.map(|heal| LiveHeal { rung: heal.rung.say(language), began: heal.began }),
        incident: gateway.incident.as_ref().map(|incident| incident.id),
        pause: gateway.pause,
        needs: gateway.needs.iter().map(|state| need(state, language)).collect(),
        notice: gateway.notice.as_deref(),
    }
}

fn need(state: &DependencyState, language: Language) -> Need {
    Need {
        name: page::need_name(&state.dependency, language),
        trouble: state.trouble.is_some(),
        sentence: page::need(state, language),
    }
}

fn channel(channel: &ChannelSnapshot, language: Language) -> LiveChannel<'_> {
    let last = channel.last_delivery.as_ref();
    LiveChannel {
        name: &channel.name,
        last: last.map(|last| LiveDelivery { at: last.at, kind: words::alert_kind(&last.kind, language) }),
        problem: channel.problem.as_deref(),
        waiting: channel.waiting,
    }
}
