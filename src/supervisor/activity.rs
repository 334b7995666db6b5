//! What the gateway itself reports of its channels and its work (requirements M3).

use std::time::Duration;

/// The gateway's own report of its work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// Its channels' accounts.
    pub channels: Vec<ChannelState>,
    /// Pieces of work that are in flight: requests, agent turns, scheduled runs. `None` if it did not say.
    pub in_flight: Option<u32>,
}

/// One account of one channel.
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
    /// It is cut off for good: the other side refused its credentials, and no restart helps.
    pub logged_out: bool,
    /// How long its transport has carried nothing; `None` if it did not say.
    pub silent_for: Option<Duration>,
    /// The last error that it reports, redacted.
    pub error: Option<String>,
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
}
