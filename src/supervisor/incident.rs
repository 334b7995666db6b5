//! An incident: from the first failed observation to health that held.

use serde::{Deserialize, Serialize};

use super::ladder::Rung;
use super::moment::Moment;
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
    /// Attempts made, started by us.
    pub attempts: u32,
    /// The rung of the newest attempt.
    pub last_rung: Option<Rung>,
    /// `down` has been announced; `recovered` will be.
    pub announced: bool,
    /// The stage that was announced last beyond `down`, so that each is announced once.
    pub escalation: Escalation,
    /// First good observation of the spell that is being held, while one is.
    pub good_since: Option<Moment>,
}

/// How far an incident has been escalated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escalation {
    /// Not beyond `down`.
    None,
    /// A person must act.
    Blocked,
    /// Safe mode.
    SafeMode,
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
    /// Attempts made.
    pub attempts: u32,
}
