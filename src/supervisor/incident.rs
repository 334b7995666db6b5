//! An incident: from the first failed observation to health that held.

use serde::{Deserialize, Serialize};

use super::ladder::Rung;
use super::moment::{Moment, milliseconds};
use super::observation::Exit;
use super::verdict::Verdict;

/// An outage, told as one story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Number of the incident; grows for ever.
    pub id: u64,
    /// First failed observation.
    pub began: Moment,
    /// What was the matter at first.
    pub verdict: Verdict,
    /// How the process ended, where that began it and the system told.
    #[serde(default)]
    pub exit: Option<Exit>,
    /// Attempts made, started by us.
    pub attempts: u32,
    /// The rungs that were tried, newest last: the ladder goes on from there.
    #[serde(default)]
    pub tried: Vec<Rung>,
    /// The rung that brought the gateway back, if one did.
    pub fixed_by: Option<Rung>,
    /// What the person has been told so far; each stage is told once.
    pub told: Stage,
    /// The person was told that the configuration had been changed before.
    #[serde(default)]
    pub config_told: bool,
    /// It was an outage when it was looked at last, and not only an impairment.
    #[serde(default = "yes")]
    pub outage: bool,
    /// First good observation of the spell that is being held, while one is.
    pub good_since: Option<Moment>,
}

/// What earlier versions took an incident for whose health is not held.
fn yes() -> bool {
    true
}

/// How far the telling of an incident has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing yet: it may pass by itself.
    Nothing,
    /// It works, but not whole.
    Degraded,
    /// It is down.
    Down,
    /// A person must act.
    Blocked,
    /// Safe mode.
    SafeMode,
}

impl Incident {
    /// What others need to know of it; `ended` is the end, or `now` while it lasts.
    #[must_use]
    pub fn summary(&self, now: Moment, over: bool) -> IncidentSummary {
        IncidentSummary {
            id: self.id,
            began: self.began.wall,
            ended: over.then_some(now.wall),
            duration: u64::try_from(milliseconds(now.elapsed_since(self.began))).unwrap_or(0),
            verdict: self.verdict.clone(),
            exit: self.exit,
            attempts: self.attempts,
        }
    }
}

/// What others need to know of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentSummary {
    /// Number of the incident.
    pub id: u64,
    /// First failed observation: Unix milliseconds.
    pub began: i64,
    /// End: Unix milliseconds; `None` while it lasts.
    pub ended: Option<i64>,
    /// From the first failed observation to the first good one that held, in milliseconds; while it lasts, so far.
    pub duration: u64,
    /// What was the matter at first.
    pub verdict: Verdict,
    /// How the process ended, where that began it and the system told.
    #[serde(default)]
    pub exit: Option<Exit>,
    /// Attempts made.
    pub attempts: u32,
}
