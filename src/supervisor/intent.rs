//! What somebody has done to the gateway on purpose: no outage (beyond-row 7).

use serde::{Deserialize, Serialize};

/// A deliberate act, found in the gateway's own records or among the running processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Stopped by its user.
    Stop,
    /// Restarted by its user; it comes back by itself.
    Restart,
    /// An update is under way.
    Update,
    /// OpenClaw has parked its own service for maintenance: starting it would be wrong (gateway.md, section 5).
    Maintenance,
}

/// A deliberate act and when it was found to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentSeen {
    /// What was done.
    pub intent: Intent,
    /// When: Unix milliseconds.
    pub at: i64,
}
