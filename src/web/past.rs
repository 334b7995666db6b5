//! The past, as the page shows it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::evidence::EvidenceStore;
use crate::history::samples::{Level, Point, Spread};
use crate::history::{History, HistoryError};
use crate::redact::redact;
use crate::supervisor::verdict::Health;
use crate::text::{Language, Phrase, page};

/// Incidents that are listed at a time.
const PAGE: u32 = 20;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// How far back to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Span {
    Day,
    Week,
    Month,
}

impl Span {
    /// Its length, the width of one bar of the band, both in milliseconds, and how finely to look.
    fn measures(self) -> (i64, i64, Level) {
        match self {
            Self::Day => (24 * HOUR, HOUR / 4, Level::FiveMinutes),
            Self::Week => (7 * 24 * HOUR, 2 * HOUR, Level::Hour),
            Self::Month => (30 * 24 * HOUR, 8 * HOUR, Level::Hour),
        }
    }
}

/// A gateway over a span of time.
#[derive(Debug, Serialize)]
pub(super) struct Past {
    from: i64,
    to: i64,
    width: i64,
    /// Distance of two points.
    step: i64,
    uptime: Option<f64>,
    /// Milliseconds.
    down: u64,
    incidents: u64,
    /// Begin, and milliseconds that were good, impaired, healing, bad, calm.
    buckets: Vec<(i64, [u64; 5])>,
    /// When; latency (mean, most), memory (mean, most).
    points: Vec<(i64, [Option<u64>; 4])>,
}

impl Past {
    pub(super) fn of(history: &History, gateway: &str, span: Span, now: i64) -> Result<Self, HistoryError> {
        let (length, width, level) = span.measures();
        // Whole bars, the one that is not over included.
        let to = now - now.rem_euclid(width) + width;
        let from = to - length;
        let mut buckets: Vec<(i64, [u64; 5])> = Vec::new();
        for (at, health, spent) in history.shares(gateway, from, to, level)? {
            let begin = at - at.rem_euclid(width);
            if buckets.last().is_none_or(|(last, _)| *last != begin) {
                buckets.push((begin, [0; 5]));
            }
            let spent = u64::try_from(spent.as_millis()).unwrap_or(u64::MAX);
            if let (Some((_, shares)), Some(place)) = (buckets.last_mut(), kind(health))
                && let Some(share) = shares.get_mut(place)
            {
                *share += spent;
            }
        }
        let uptime = history.uptime(gateway, from, to, level)?;
        Ok(Self {
            from,
            to,
            width,
            step: level.length(),
            uptime: uptime.share(),
            down: u64::try_from(uptime.down.as_millis()).unwrap_or(u64::MAX),
            incidents: history.incident_count(gateway, from, to)?,
            buckets,
            points: history.points(gateway, from, to, level)?.iter().map(point).collect(),
        })
    }
}

/// Which share of a bar a state counts for; what is not known counts for none.
fn kind(health: Health) -> Option<usize> {
    match health {
        Health::Healthy => Some(0),
        Health::Degraded => Some(1),
        Health::Healing | Health::Starting => Some(2),
        Health::Down | Health::SafeMode | Health::Blocked => Some(3),
        Health::Paused | Health::Stopped | Health::NotInstalled => Some(4),
        Health::Stale => None,
    }
}

fn point(point: &Point) -> (i64, [Option<u64>; 4]) {
    let (latency, memory) = (point.latency, point.memory);
    let mean = |spread: Spread<u64>| spread.mean;
    let most = |spread: Spread<u64>| spread.most;
    (point.at, [latency.map(mean), latency.map(most), memory.map(mean), memory.map(most)])
}

/// Some incidents, the newest first.
#[derive(Debug, Serialize)]
pub(super) struct Incidents {
    incidents: Vec<Incident>,
    /// There are older ones.
    more: bool,
}

#[derive(Debug, Serialize)]
struct Incident {
    id: u64,
    began: i64,
    ended: Option<i64>,
    duration: u64,
    what: String,
    attempts: u32,
}

impl Incidents {
    pub(super) fn of(
        history: &History,
        gateway: &str,
        before: Option<i64>,
        language: Language,
    ) -> Result<Self, HistoryError> {
        let mut found = history.newest_incidents(gateway, before.unwrap_or(i64::MAX), PAGE + 1)?;
        let limit = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let incidents = found.into_iter().map(|found| Incident {
            id: found.id,
            began: found.began,
            ended: found.ended,
            duration: found.duration,
            what: redact(&found.verdict.say(language)),
            attempts: found.attempts,
        });
        Ok(Self { incidents: incidents.collect(), more })
    }
}

/// One incident, told.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    entries: Vec<Line>,
    deliveries: Vec<String>,
    evidence: Option<Evidence>,
}

#[derive(Debug, Serialize)]
struct Line {
    at: i64,
    what: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct Evidence {
    folder: String,
    log: Option<String>,
}

impl Story {
    pub(super) fn of(
        history: &History,
        state_dir: &Path,
        gateway: &str,
        incident: u64,
        language: Language,
    ) -> Result<Self, HistoryError> {
        let entries = history.timeline(gateway, incident)?.into_iter().map(|entry| Line {
            at: entry.at,
            what: entry.happening.name(),
            text: redact(&entry.happening.say(language)),
        });
        let deliveries = history.told(gateway, incident)?.into_iter().map(|told| {
            let text = page::delivery(&told.channel, &told.kind, &told.status, told.problem.as_deref(), language);
            redact(&text)
        });
        let bundles = EvidenceStore::new(state_dir, gateway).bundles();
        let evidence = bundles
            .into_iter()
            .find(|bundle| bundle.incident == incident)
            .map(|bundle| Evidence { folder: bundle.folder.display().to_string(), log: bundle.log_tail() });
        Ok(Self { entries: entries.collect(), deliveries: deliveries.collect(), evidence })
    }
}
