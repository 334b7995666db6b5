//! The circuit breaker: stops healing by the clock after too many crashes, and never for good.

use serde::{Deserialize, Serialize};

use super::moment::Moment;

/// State of the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Breaker {
    /// Attempts go on by the backoff.
    Closed,
    /// Safe mode: the next attempt is the trial at `until`.
    Open {
        /// When the trial is due.
        until: Moment,
        /// How many trials have failed since the breaker opened.
        trials: u32,
    },
    /// The trial is running, or its health has not held yet.
    HalfOpen {
        /// How many trials have failed since the breaker opened.
        trials: u32,
    },
}
