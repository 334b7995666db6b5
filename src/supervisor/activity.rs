//! What the gateway itself reports of its channels and its work (requirements M3).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Supervisor;
use super::moment::Moment;
use super::verdict::{Severity, Verdict};

/// After a wake of the machine, this long the gateway is not asked: channels that slept with it look silent until
/// they have connected anew, for which the gateway gives them 120 s (gateway.md, section 3).
const SETTLED_AFTER_WAKE: Duration = Duration::from_mins(2);

/// The gateway's own report of its work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// Its channels' accounts.
    pub channels: Vec<ChannelState>,
    /// Pieces of work that are in flight: requests, agent turns, scheduled runs. `None` if it did not say, or if that
    /// was too long ago to be true now.
    pub in_flight: Option<u32>,
    /// How long a scheduled run has been due while nothing was in flight; `None` if none is, or if it did not say.
    pub overdue: Option<Duration>,
    /// The newest run of its agents got no answer, because a model's provider refused it; `None` if that run went well,
    /// if it failed for another reason, or if it did not say.
    pub refusal: Option<ModelRefusal>,
}

/// A model's provider that refuses the gateway: it goes on answering its health endpoints, and answers nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRefusal {
    /// The provider: `anthropic`, `openai`, …
    pub provider: String,
    /// What it refuses.
    pub cause: RefusalCause,
}

/// Why a model's provider refuses. All others, like a rate limit, pass by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCause {
    /// The credentials are missing, expired, or not valid.
    Credentials,
    /// The account has no credit left.
    Credit,
}

/// One account of one channel.
#[expect(clippy::struct_excessive_bools, reason = "each is what the gateway itself reports by a field of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelState {
    /// The channel: `telegram`, `discord`, …
    pub channel: String,
    /// The account, where a channel has several.
    pub account: Option<String>,
    /// It is meant to run.
    pub enabled: bool,
    /// It says that it is connected.
    pub connected: bool,
    /// It is on its way up, within the time that the gateway itself gives it.
    pub settling: bool,
    /// It is cut off for good: the other side refused its credentials, and no restart helps.
    pub logged_out: bool,
    /// How long its transport has carried nothing; `None` if it did not say.
    pub silent_for: Option<Duration>,
}

/// How a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelCondition {
    /// It is not meant to run.
    Off,
    /// It is connected.
    Works,
    /// It is on its way up.
    Settling,
    /// It says that it is connected, and has carried nothing for too long.
    Silent,
    /// It is meant to run, and is not connected.
    Down,
    /// The other side refuses its credentials.
    LoggedOut,
}

impl ChannelState {
    /// How the channel is named to people: `telegram`, or `telegram (work)` where it has several accounts.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.account {
            Some(account) => format!("{} ({account})", self.channel),
            None => self.channel.clone(),
        }
    }

    /// How it is, if it may carry nothing for as long as `silence`.
    #[must_use]
    pub fn condition(&self, silence: Duration) -> ChannelCondition {
        if !self.enabled {
            ChannelCondition::Off
        } else if self.logged_out {
            ChannelCondition::LoggedOut
        } else if self.settling {
            ChannelCondition::Settling
        } else if !self.connected {
            ChannelCondition::Down
        } else if self.silent_for.is_some_and(|length| length >= silence) {
            ChannelCondition::Silent
        } else {
            ChannelCondition::Works
        }
    }
}

/// Whether the gateway should be asked about its work: each question costs a start of Node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inquiry {
    /// Not now: it starts, or does not answer, or its machine has just woken.
    Never,
    /// From time to time.
    Seldom,
    /// Something depends on the answer.
    Soon,
}

impl Supervisor {
    /// Whether the gateway should be asked about its work.
    #[must_use]
    pub fn inquiry(&self, now: Moment) -> Inquiry {
        let answers = matches!(self.latest.severity(), Severity::Good | Severity::Impaired);
        let settled = self.woke.is_none_or(|woke| now.awake_since(woke) >= SETTLED_AFTER_WAKE);
        if !answers || !settled || self.state.running.is_some() {
            return Inquiry::Never;
        }
        let in_trouble = matches!(
            self.latest,
            Verdict::NotReady(_)
                | Verdict::ChannelsSuppressed(_)
                | Verdict::ChannelsDown(_)
                | Verdict::ChannelsSilent(_)
                | Verdict::LoggedOut(_)
                | Verdict::Overdue
        );
        if in_trouble || self.is_short_of_memory() { Inquiry::Soon } else { Inquiry::Seldom }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_a_channel_says_of_itself_counts() {
        let silence = Duration::from_mins(30);
        let mut channel = ChannelState::default();
        assert_eq!(channel.condition(silence), ChannelCondition::Off);
        channel.enabled = true;
        assert_eq!(channel.condition(silence), ChannelCondition::Down);
        channel.settling = true;
        assert_eq!(channel.condition(silence), ChannelCondition::Settling);
        channel = ChannelState { enabled: true, connected: true, ..ChannelState::default() };
        assert_eq!(channel.condition(silence), ChannelCondition::Works);
        channel.silent_for = Some(silence);
        assert_eq!(channel.condition(silence), ChannelCondition::Silent);
        channel.logged_out = true;
        assert_eq!(channel.condition(silence), ChannelCondition::LoggedOut);
    }
}
