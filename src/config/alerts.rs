//! `[alerts]`: whom to tell, and how often.

use std::time::Duration;

use jiff::civil::{Time, Weekday, time};
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

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
    /// The daily and the weekly report.
    pub report: ReportConfig,
    /// Nobody is disturbed within these hours: `"23:00-07:00"`.
    pub quiet_hours: Option<String>,
    /// The channel that is told only what is critical and what no other has receipted within 2 min.
    pub fallback: Option<String>,
    /// The same kind of alert, for another incident, is held back for this long.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub cooldown: Duration,
    /// The same for critical alerts.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub critical_cooldown: Duration,
    /// Alerts of a channel in 10 min; what comes beyond them is gathered and told as one digest.
    pub storm_after: usize,
    /// Tell what the daily self-check finds for the first time.
    pub self_check: bool,
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

/// `[alerts.report]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportConfig {
    /// When the daily report is sent, in local time, `"off"` for never.
    #[serde(deserialize_with = "time_or_off")]
    pub daily: Option<Time>,
    /// The day of the weekly report, `"off"` for never.
    #[serde(deserialize_with = "day_or_off")]
    pub weekly: Option<Weekday>,
    /// When the weekly report is sent, in local time.
    #[serde(deserialize_with = "time_of_day")]
    pub weekly_time: Time,
}

/// The word that turns a report off.
const OFF: &str = "off";

fn time_of_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &"a time of the day such as \"09:00\""))
}

fn time_or_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == OFF {
        return Ok(None);
    }
    let wanted = "a time of the day such as \"09:00\", or \"off\"";
    text.parse().map(Some).map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &wanted))
}

fn day_or_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Weekday>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(Some(match text.as_str() {
        OFF => return Ok(None),
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => {
            let wanted = "a day such as \"monday\", or \"off\"";
            return Err(D::Error::invalid_value(Unexpected::Str(&text), &wanted));
        }
    }))
}

/// The two times of day of `quiet_hours`; `None` if it is not written so, or both are the same.
#[must_use]
pub fn hours(text: &str) -> Option<(Time, Time)> {
    let (from, to) = text.split_once('-')?;
    let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
    let (from, to) = (time(from)?, time(to)?);
    (from != to).then_some((from, to))
}

impl AlertsConfig {
    /// The names of the channels that are configured, in the order in which they are told.
    #[must_use]
    pub fn configured(&self) -> Vec<&'static str> {
        let all = [
            ("native", self.native.enabled),
            ("discord", self.discord.webhook.is_some()),
            ("slack", self.slack.webhook.is_some()),
            ("telegram", self.telegram.token.is_some()),
            ("ntfy", self.ntfy.topic.is_some()),
            ("webhook", self.webhook.url.is_some()),
        ];
        all.into_iter().filter(|(_, configured)| *configured).map(|(name, _)| name).collect()
    }
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
            report: ReportConfig::default(),
            quiet_hours: None,
            fallback: None,
            cooldown: Duration::from_mins(30),
            critical_cooldown: Duration::from_mins(5),
            storm_after: 5,
            self_check: true,
        }
    }
}

impl Default for ReportConfig {
    fn default() -> Self {
        Self { daily: Some(time(9, 0, 0, 0)), weekly: Some(Weekday::Monday), weekly_time: time(9, 0, 0, 0) }
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
