//! What happens to the gateways, drawn by a seed.

use std::fmt;
use std::time::Duration;

use lifeguard::alert::GatewayAlert;

use crate::alerts::{blocked, down, progress, recovered, safe_mode};

/// No story lasts as long: 30 days.
pub(crate) const LIMIT: i64 = 30 * 86_400_000;

/// One thing that the core has to tell.
#[derive(Clone)]
pub(crate) struct Telling {
    /// When, in milliseconds since the story began.
    pub(crate) at: i64,
    /// What.
    pub(crate) alert: GatewayAlert,
}

impl Telling {
    /// Whether it tells this of the incident.
    pub(crate) fn is(&self, incident: u64, kind: &str) -> bool {
        self.incident() == incident && self.alert.alert.kind.name() == kind
    }

    fn incident(&self) -> u64 {
        self.alert.alert.incident.as_ref().map_or(0, |incident| incident.id)
    }
}

impl fmt::Debug for Telling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (gateway, incident, kind) = (&self.alert.gateway, self.incident(), self.alert.alert.kind.name());
        write!(formatter, "{} ms: {gateway}, {kind} of incident {incident}", self.at)
    }
}

/// What happens, and how much goes wrong on the way.
#[derive(Debug)]
pub(crate) struct Story {
    /// In the order of time.
    pub(crate) tellings: Vec<Telling>,
    /// The cooldown of critical alerts.
    pub(crate) cooldown: Duration,
    /// Requests of a hundred that fail.
    pub(crate) faults: u32,
    /// Steps of a hundred at which Lifeguard is killed.
    pub(crate) kills: u32,
}

impl Story {
    /// Draws one: two gateways with a few incidents each.
    pub(crate) fn draw(chance: &mut fastrand::Rng) -> Self {
        let mut tellings = Vec::new();
        let mut incident = 0;
        for gateway in ["first", "second"] {
            let mut at = 0;
            for _ in 0..chance.u32(1..5) {
                incident += 1;
                at += span(chance);
                let mut tell = |at: i64, mut alert: GatewayAlert| {
                    gateway.clone_into(&mut alert.gateway);
                    alert.alert.at = at;
                    tellings.push(Telling { at, alert });
                };
                tell(at, down(incident));
                for attempt in 1..=chance.u32(..5) {
                    at += span(chance) / 4;
                    tell(at, progress(incident, attempt));
                }
                if chance.u32(..4) == 0 {
                    at += span(chance) / 4;
                    tell(at, if chance.bool() { safe_mode(incident) } else { blocked(incident) });
                }
                at += span(chance);
                tell(at, recovered(incident));
            }
        }
        tellings.sort_by_key(|telling| telling.at);
        Self {
            tellings,
            cooldown: if chance.bool() { Duration::ZERO } else { Duration::from_mins(5) },
            faults: chance.u32(..70),
            kills: chance.u32(..12),
        }
    }

    /// How many incidents there are, numbered from 1.
    pub(crate) fn incidents(&self) -> usize {
        self.tellings.iter().filter(|telling| telling.alert.alert.kind.name() == "down").count()
    }

    /// Whether the cooldown of an earlier outage of the same gateway lasted until this incident was over, so that it
    /// is not to be told.
    pub(crate) fn held_to_the_end(&self, incident: u64) -> bool {
        let find = |kind: &str| self.tellings.iter().find(|telling| telling.is(incident, kind)).unwrap();
        let (began, ended) = (find("down"), find("recovered"));
        let escalated =
            self.tellings.iter().any(|telling| telling.is(incident, "safe_mode") || telling.is(incident, "blocked"));
        let cooldown = i64::try_from(self.cooldown.as_millis()).unwrap();
        // The earlier outage may itself have been held until then: twice the cooldown.
        !escalated
            && self.tellings.iter().any(|other| {
                other.alert.alert.kind.name() == "down"
                    && other.alert.gateway == began.alert.gateway
                    && other.at < began.at
                    && other.at + 2 * cooldown > ended.at
            })
    }
}

/// From a moment to some hours, short ones as likely as long ones.
fn span(chance: &mut fastrand::Rng) -> i64 {
    let longest = 10_i64.pow(chance.u32(2..8));
    1 + chance.i64(0..longest)
}
