//! From the configuration to the channels of alerts and the dead-man's switch.

use super::{AppError, Setting};
use crate::alert::AlertSettings;
use crate::alert::deadman::DeadmanSettings;
use crate::alert::discord::DiscordSettings;
use crate::alert::native::NativeSettings;
use crate::alert::ntfy::NtfySettings;
use crate::alert::outbox::Pace;
use crate::alert::secret::SecretUrl;
use crate::alert::slack::SlackSettings;
use crate::alert::telegram::TelegramSettings;
use crate::alert::webhook::{SigningKey, WebhookSettings};
use crate::redact::secret::Secret;

/// Whom to tell.
pub(super) fn alerts(setting: &Setting<'_>) -> Result<AlertSettings, AppError> {
    let alerts = &setting.config.alerts;
    let (discord, slack, telegram) = (&alerts.discord, &alerts.slack, &alerts.telegram);
    let (ntfy, webhook) = (&alerts.ntfy, &alerts.webhook);
    let discord = address("alerts.discord.webhook", discord.webhook.as_ref())?
        .map(|url| DiscordSettings { url, username: discord.username.clone() });
    let slack = address("alerts.slack.webhook", slack.webhook.as_ref())?.map(|url| SlackSettings { url });
    let telegram = match (&telegram.token, &telegram.chat) {
        (Some(token), Some(chat)) => {
            let server = parse("alerts.telegram.server", &telegram.server)?;
            Some(TelegramSettings { server, token: token.clone(), chat: chat.clone() })
        }
        _ => None,
    };
    let ntfy = address("alerts.ntfy.topic", ntfy.topic.as_ref())?.map(|topic| NtfySettings {
        topic,
        token: ntfy.token.clone(),
        click: ntfy.click.clone(),
    });
    let key = webhook.signing_key.as_ref().map(signing_key).transpose()?;
    let webhook = address("alerts.webhook.url", webhook.url.as_ref())?.map(|url| WebhookSettings { url, key });
    Ok(AlertSettings {
        language: setting.language,
        native: alerts.native.enabled.then(NativeSettings::default),
        discord,
        slack,
        telegram,
        ntfy,
        webhook,
        cooldown: alerts.cooldown,
        critical_cooldown: alerts.critical_cooldown,
        pace: Pace::default(),
    })
}

/// The dead-man's switch, if one is wanted.
pub(super) fn deadman(setting: &Setting<'_>) -> Result<Option<DeadmanSettings>, AppError> {
    let deadman = &setting.config.deadman;
    let url = address("deadman.url", deadman.url.as_ref())?;
    Ok(url.map(|url| DeadmanSettings { url, interval: deadman.interval }))
}

fn address(key: &'static str, secret: Option<&Secret>) -> Result<Option<SecretUrl>, AppError> {
    secret.map(|secret| parse(key, secret.expose())).transpose()
}

fn parse(key: &'static str, text: &str) -> Result<SecretUrl, AppError> {
    SecretUrl::parse(text).map_err(|error| AppError::Channel { key, reason: error.to_string() })
}

fn signing_key(secret: &Secret) -> Result<SigningKey, AppError> {
    let unusable =
        || AppError::Channel { key: "alerts.webhook.signing_key", reason: "this key cannot sign".to_owned() };
    SigningKey::parse(secret.expose()).ok_or_else(unusable)
}
