//! `[alerts]`: whom to tell, and how often.

use std::time::Duration;

use serde::Deserialize;

use crate::redact::secret::Secret;

/// `[alerts]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertsConfig {
    /// Desktop notifications.
    pub native: NativeConfig,
    /// Discord.
    pub discord: DiscordConfig,
    /// Slack.
    pub slack: SlackConfig,
    /// A Telegram bot.
    pub telegram: TelegramConfig,
    /// ntfy.
    pub ntfy: NtfyConfig,
    /// A server of one's own.
    pub webhook: WebhookConfig,
    /// The same kind of alert, for another incident, is held back for this long.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub cooldown: Duration,
    /// The same for critical alerts.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub critical_cooldown: Duration,
}

/// `[alerts.native]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NativeConfig {
    /// Show desktop notifications.
    pub enabled: bool,
}

/// `[alerts.discord]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiscordConfig {
    /// The webhook's address: in the file the address itself, `env:NAME` or `file:PATH`; once loaded, the address.
    pub webhook: Option<Secret>,
    /// Name shown in Discord, if not the webhook's own.
    pub username: Option<String>,
}

/// `[alerts.slack]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlackConfig {
    /// The incoming webhook's address, a secret as Discord's.
    pub webhook: Option<Secret>,
}

/// `[alerts.telegram]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelegramConfig {
    /// The bot's token, a secret.
    pub token: Option<Secret>,
    /// The chat to write to: its number, or `@name` of a public one.
    pub chat: Option<String>,
    /// The server of the Bot API.
    pub server: String,
}

/// `[alerts.ntfy]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NtfyConfig {
    /// The topic's address. Who knows it can read along, so it is a secret.
    pub topic: Option<Secret>,
    /// The access token, for a topic that is protected; a secret.
    pub token: Option<Secret>,
    /// What opens when the notification is tapped.
    pub click: Option<String>,
}

/// `[alerts.webhook]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where to post, a secret.
    pub url: Option<Secret>,
    /// The key of the signature, a secret; without it nothing is signed.
    pub signing_key: Option<Secret>,
}

impl Default for AlertsConfig {
    fn default() -> Self {
        Self {
            native: NativeConfig::default(),
            discord: DiscordConfig::default(),
            slack: SlackConfig::default(),
            telegram: TelegramConfig::default(),
            ntfy: NtfyConfig::default(),
            webhook: WebhookConfig::default(),
            cooldown: Duration::from_mins(30),
            critical_cooldown: Duration::from_mins(5),
        }
    }
}

impl Default for TelegramConfig {
    fn default() -> Self {
        Self { token: None, chat: None, server: "https://api.telegram.org".to_owned() }
    }
}

impl Default for NativeConfig {
    fn default() -> Self {
        Self { enabled: true }
    }
}
