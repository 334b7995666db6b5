//! What a report says: numbers of a span of time that is over. Made from the history, told as an alert is told.

use serde::{Deserialize, Serialize};

use super::incident::IncidentSummary;
use super::verdict::Health;

/// How long a time a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A day.
    Day,
    /// A week.
    Week,
}

impl Period {
    /// Its length in milliseconds.
    #[must_use]
    pub const fn length(self) -> i64 {
        match self {
            Self::Day => 86_400_000,
            Self::Week => 7 * 86_400_000,
        }
    }

    /// The kind of its report in logs, in the history and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "daily",
            Self::Week => "weekly",
        }
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How long a time it is about.
    pub period: Period,
    /// Its end: Unix milliseconds.
    pub to: i64,
    /// The gateways, in the order of the configuration.
    pub gateways: Vec<GatewayReport>,
}

impl Report {
    /// Its begin: Unix milliseconds.
    #[must_use]
    pub fn from(&self) -> i64 {
        self.to.saturating_sub(self.period.length())
    }

    /// Outages of all gateways.
    #[must_use]
    pub fn outages(&self) -> u32 {
        self.gateways.iter().map(|gateway| gateway.outages).sum()
    }

    /// How long they lasted together, in milliseconds.
    #[must_use]
    pub fn downtime(&self) -> u64 {
        self.gateways.iter().map(|gateway| gateway.downtime).sum()
    }
}

/// What a report says of one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayReport {
    /// Its name in the configuration.
    pub name: String,
    /// For how long it was watched, in milliseconds.
    pub watched: u64,
    /// For how long it answered, in milliseconds.
    pub up: u64,
    /// For how long it ought to have answered and did not, in milliseconds.
    pub down: u64,
    /// Incidents that lay in the span, as a whole or in part.
    pub outages: u32,
    /// How many of them are not over.
    pub open: u32,
    /// How long they lasted together, in milliseconds.
    pub downtime: u64,
    /// The longest of them.
    pub longest: Option<IncidentSummary>,
    /// Attempts that Lifeguard made by itself.
    pub attempts: u32,
    /// Restarts that a person asked for.
    pub asked: u32,
    /// The most memory that was seen, in bytes.
    pub memory: Option<u64>,
    /// How it went.
    pub course: Course,
}

/// How a gateway went, in stretches of equal length.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Course {
    /// The worst state of each stretch; `None` where nobody watched.
    pub healths: Vec<Option<Health>>,
    /// The most memory of each stretch, in binary megabytes.
    pub memory: Vec<Option<u32>>,
    /// Sizes at which memory is told and acted upon, in binary megabytes.
    pub limits: Vec<u32>,
}
