//! Telling people: native notifications, Discord and other services.
//!
//! The way of an alert: [`AlertHandle::record`] stores it, in one transaction with the state that caused it, and
//! hands it to every channel's own lane. There [`route`] decides whether, and when, this channel is to be told;
//! [`outbox`] keeps what is to be told until the receiving side has confirmed it; the channel ([`native`],
//! [`discord`]) does the telling. No lane waits for another.
//!
//! [`route`] and [`outbox`] are plain values without clock or I/O. A channel's [`ledger`] holds both, and keeps the
//! history up with them, so that a Lifeguard that is killed at any instant loses no alert.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::redact;
use crate::supervisor::event::Alert;
use crate::text::Language;

pub mod channel;
pub mod chart;
pub mod deadman;
pub mod discord;
pub mod fact;
pub mod gather;
mod http;
mod hub;
pub mod hush;
mod lane;
pub mod ledger;
pub mod letter;
pub mod native;
pub mod ntfy;
pub mod outbox;
pub mod remark;
pub mod remote;
pub mod report;
pub mod route;
#[cfg(test)]
mod sample;
pub mod secret;
pub mod slack;
pub mod source;
pub mod telegram;
pub mod webhook;
pub mod when;

pub use hub::{AlertHandle, AlertHub};
use source::Source;

/// One thing to tell, and of which gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayAlert {
    /// Its number in the history; 0 until it is recorded.
    #[serde(default)]
    pub id: i64,
    /// The gateway's name in the configuration.
    pub gateway: String,
    /// Loopback address and port, `127.0.0.1:18789`.
    pub address: String,
    /// The built-in practice gateway, not the real thing.
    pub practice: bool,
    /// What to tell.
    pub alert: Alert,
}

/// Whom to tell, and how often.
#[derive(Debug, Clone)]
pub struct AlertSettings {
    /// Language of all that is told.
    pub language: Language,
    /// Desktop notifications; `None` switches them off.
    pub native: Option<native::NativeSettings>,
    /// Discord; `None` if no webhook is configured.
    pub discord: Option<Source<discord::DiscordSettings>>,
    /// Slack, likewise.
    pub slack: Option<Source<slack::SlackSettings>>,
    /// A Telegram bot, likewise.
    pub telegram: Option<Source<telegram::TelegramSettings>>,
    /// ntfy, likewise.
    pub ntfy: Option<Source<ntfy::NtfySettings>>,
    /// A server of one's own, likewise.
    pub webhook: Option<Source<webhook::WebhookSettings>>,
    /// So many alerts in 10 min are told one by one on each channel; more are a storm, and become a digest.
    pub calm: usize,
    /// Nobody is disturbed from one time of day to another.
    pub quiet_hours: Option<(jiff::civil::Time, jiff::civil::Time)>,
    /// The channel that is told only what no other one has receipted in time.
    pub fallback: Option<String>,
    /// How long the others have for that.
    pub fallback_after: Duration,
    /// How long the same kind of alert about the same gateway, but another incident, is held back.
    pub cooldown: Duration,
    /// The same for critical alerts.
    pub critical_cooldown: Duration,
    /// How patiently a channel that fails is tried again.
    pub pace: outbox::Pace,
}
