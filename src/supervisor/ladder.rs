//! Rungs: how hard a heal tries, and how it can end.

use serde::{Deserialize, Serialize};

use super::observation::Identity;

/// How hard a heal tries, gentlest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Start what is not running.
    Start,
    /// The supported graceful restart of the running version: running work is finished first.
    Graceful,
    /// Stop with SIGTERM and a drain limit, then start; SIGKILL after the limit if the ration allows it.
    Restart,
}

impl Rung {
    /// The rung's name in `status --json`, metrics and docs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Graceful => "graceful",
            Self::Restart => "restart",
        }
    }
}

/// One attempt at bringing a gateway back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heal {
    /// Number of the heal; grows for ever.
    pub id: u64,
    /// How hard.
    pub rung: Rung,
    /// The process to stop, if one runs: nothing else may be signalled.
    pub target: Option<Identity>,
    /// Whether a SIGKILL is within the ration (2 in 5 min: three unclean ends in 5 min make the gateway start
    /// with its channels off; gateway.md, fact 5).
    pub may_kill: bool,
    /// Skip the drain: it answers nothing, or a person said "now".
    pub hasty: bool,
    /// A person asked for it.
    pub asked: bool,
}

/// How a heal ended. Closed: whatever happens is one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A new generation answers ready.
    Restarted,
    /// The old generation answers ready again, and nothing had to be restarted.
    CameBack,
    /// The new generation ended before it was ready.
    DiedAgain,
    /// No new generation was ready within the limit.
    NotReadyInTime,
    /// The service could not do it.
    ServiceFailed(String),
    /// It was given up because a person said so.
    Cancelled,
}

impl Outcome {
    /// Whether the gateway answers ready again.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Restarted | Self::CameBack)
    }

    /// The outcome's name in `status --json`, metrics and docs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Restarted => "restarted",
            Self::CameBack => "came_back",
            Self::DiedAgain => "died_again",
            Self::NotReadyInTime => "not_ready_in_time",
            Self::ServiceFailed(_) => "service_failed",
            Self::Cancelled => "cancelled",
        }
    }
}
