//! Rungs: how hard a heal tries, and how it can end.

use serde::{Deserialize, Serialize};

use super::dependency::{Dependency, DependencyState};
use super::observation::Identity;
use super::verdict::Verdict;

/// How hard a heal tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Start what is not running.
    Start,
    /// The supported graceful restart of the running version: running work is finished first.
    Graceful,
    /// Stop with SIGTERM and a drain limit, then start; SIGKILL after the limit if the ration allows it.
    Restart,
    /// Ask the running gateway to start the channels that it holds back. Nothing is stopped.
    StartChannels,
    /// Stop a confirmed leftover gateway that holds the port, then start.
    FreePort,
    /// Put the last good configuration back, then start or restart. The user's edit is kept beside it.
    RollBack,
    /// `openclaw doctor --fix` after a backup, then start or restart.
    Doctor,
    /// The user's own command, then start what still does not run.
    Hook,
    /// Stop it and leave it stopped: only a person asks for that.
    Stop,
}

impl Rung {
    /// Whether this rung may mend what is the matter with a dependency, which then does not hold it back.
    #[must_use]
    pub fn mends(self, dependency: &Dependency) -> bool {
        matches!(self, Self::RollBack | Self::Doctor | Self::Hook) && *dependency == Dependency::Configuration
    }

    /// The rung's name in `status --json`, metrics and docs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Graceful => "graceful",
            Self::Restart => "restart",
            Self::StartChannels => "start_channels",
            Self::FreePort => "free_port",
            Self::RollBack => "roll_back",
            Self::Doctor => "doctor",
            Self::Hook => "hook",
            Self::Stop => "stop",
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
    /// The channels to start, on that rung.
    pub channels: Vec<String>,
    /// What it is for.
    pub cause: Cause,
}

impl Heal {
    /// Whether it stops a process that runs: what that process was about is lost then.
    #[must_use]
    pub fn stops_process(&self) -> bool {
        self.target.is_some() && !matches!(self.rung, Rung::Start | Rung::StartChannels)
    }
}

/// Why a heal is made: for the evidence, and for the user's own command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What is the matter.
    pub verdict: Verdict,
    /// The incident, if there is one.
    pub incident: Option<u64>,
    /// Attempts of this incident, this one included.
    pub attempt: u32,
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
    /// What comes before the start on the higher rungs did not work.
    Unprepared(String),
    /// It was given up because a person said so.
    Cancelled,
    /// Nothing was touched: something that the gateway needs is missing. The attempt waits for it.
    Obstructed(Vec<DependencyState>),
    /// The channels that it held back run again; nothing was restarted.
    ChannelsStarted,
    /// The last good configuration is back beneath a gateway that was healthy; nothing was restarted.
    ConfigRestored,
    /// It is stopped, as asked.
    Stopped,
}

impl Outcome {
    /// Whether the gateway is as it was wanted: answering ready again, or stopped.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Restarted | Self::CameBack | Self::ChannelsStarted | Self::ConfigRestored | Self::Stopped)
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
            Self::Unprepared(_) => "unprepared",
            Self::Cancelled => "cancelled",
            Self::Obstructed(_) => "obstructed",
            Self::ChannelsStarted => "channels_started",
            Self::ConfigRestored => "config_restored",
            Self::Stopped => "stopped",
        }
    }
}
