//! From the configuration to the channels of alerts and the dead-man's switch.

use std::time::Duration;

use super::{AppError, Setting};
use crate::alert::AlertSettings;
use crate::alert::deadman::DeadmanSettings;
use crate::alert::discord::DiscordSettings;
use crate::alert::native::NativeSettings;
use crate::alert::ntfy::NtfySettings;
use crate::alert::outbox::Pace;
use crate::alert::report::Subject;
use crate::alert::report::reporter::ReportSettings;
use crate::alert::report::schedule::Schedule;
use crate::alert::secret::SecretUrl;
use crate::alert::slack::SlackSettings;
use crate::alert::source::Source;
use crate::alert::telegram::TelegramSettings;
use crate::alert::webhook::{SigningKey, WebhookSettings};
use crate::config::MEGABYTE;
use crate::config::alerts::hours;
use crate::config::secret::{fetch, keychain_name};
use crate::engine::GatewaySpec;
use crate::redact::secret::Secret;
use crate::text::place::PlaceProblem;
use crate::text::problem::Problem;

/// How long the other channels have to deliver what is critical before the fallback is told.
const FALLBACK_AFTER: Duration = Duration::from_mins(2);

/// Whom to tell.
pub(super) fn alerts(setting: &Setting<'_>) -> Result<AlertSettings, AppError> {
    let alerts = &setting.config.alerts;
    let username = alerts.discord.username.clone();
    let discord = source("alerts.discord", alerts.discord.webhook.as_ref(), None, move |webhook, _| {
        Some(DiscordSettings { url: url(webhook)?, username: username.clone() })
    })?;
    let slack = source("alerts.slack", alerts.slack.webhook.as_ref(), None, |webhook, _| {
        Some(SlackSettings { url: url(webhook)? })
    })?;
    let (server, chat) = (Secret::new(&alerts.telegram.server), alerts.telegram.chat.clone().unwrap_or_default());
    let telegram = source("alerts.telegram", alerts.telegram.token.as_ref(), None, move |token, _| {
        Some(TelegramSettings { server: url(&server)?, token: token.clone(), chat: chat.clone() })
    })?;
    let click = alerts.ntfy.click.clone();
    let ntfy = source("alerts.ntfy", alerts.ntfy.topic.as_ref(), alerts.ntfy.token.as_ref(), move |topic, token| {
        Some(NtfySettings { topic: url(topic)?, token: token.cloned(), click: click.clone() })
    })?;
    let webhook =
        source("alerts.webhook", alerts.webhook.url.as_ref(), alerts.webhook.signing_key.as_ref(), |address, key| {
            let key = match key {
                Some(key) => Some(SigningKey::parse(key.expose())?),
                None => None,
            };
            Some(WebhookSettings { url: url(address)?, key })
        })?;
    Ok(AlertSettings {
        language: setting.language,
        native: alerts.native.enabled.then(NativeSettings::default),
        discord,
        slack,
        telegram,
        ntfy,
        webhook,
        calm: alerts.storm_after,
        quiet_hours: alerts.quiet_hours.as_deref().and_then(hours),
        fallback: alerts.fallback.clone(),
        fallback_after: FALLBACK_AFTER,
        cooldown: alerts.cooldown,
        critical_cooldown: alerts.critical_cooldown,
        pace: Pace::default(),
    })
}

/// What is reported, and when.
pub(super) fn reports(setting: &Setting<'_>, specs: &[GatewaySpec]) -> ReportSettings {
    let (report, memory) = (&setting.config.alerts.report, &setting.config.memory);
    let limits = [memory.warning_megabytes, memory.limit_megabytes].map(|size| size.saturating_mul(MEGABYTE));
    let subject = |spec: &GatewaySpec| Subject {
        name: spec.name.clone(),
        kept_as: spec.store.name().to_owned(),
        limits: limits.to_vec(),
    };
    ReportSettings {
        subjects: specs.iter().map(subject).collect(),
        schedule: Schedule { daily: report.daily, weekly: report.weekly, time: report.weekly_time },
    }
}

/// The dead-man's switch, if one is wanted.
pub(super) fn deadman(setting: &Setting<'_>) -> Result<Option<Source<DeadmanSettings>>, AppError> {
    let interval = setting.config.deadman.interval;
    source("deadman", setting.config.deadman.url.as_ref(), None, move |address, _| {
        Some(DeadmanSettings { url: url(address)?, interval })
    })
}

fn url(secret: &Secret) -> Option<SecretUrl> {
    SecretUrl::parse(secret.expose()).ok()
}

/// Settings that are made of a secret, without which there are none, and perhaps a second one. What stands in the
/// keychain is had later: it may be locked, and nothing waits for it.
fn source<S: Clone + Send + 'static>(
    key: &'static str,
    first: Option<&Secret>,
    second: Option<&Secret>,
    make: impl Fn(&Secret, Option<&Secret>) -> Option<S> + Clone + Send + Sync + 'static,
) -> Result<Option<Source<S>>, AppError> {
    let Some(first) = first else { return Ok(None) };
    let place = keychain_name(first).or_else(|| second.and_then(keychain_name)).map(str::to_owned);
    let Some(name) = place else {
        let settings = make(first, second).ok_or(AppError::Channel(key))?;
        return Ok(Some(Source::Ready(settings)));
    };
    let (first, second) = (first.clone(), second.cloned());
    Ok(Some(Source::later(move || {
        let (first, second, make, name) = (first.clone(), second.clone(), make.clone(), name.clone());
        async move {
            let problem = |error: crate::config::secret::SecretError| Problem::NoSecret(error.0);
            let first = fetch(&first).await.map_err(problem)?;
            let second = match &second {
                Some(second) => Some(fetch(second).await.map_err(problem)?),
                None => None,
            };
            make(&first, second.as_ref()).ok_or(Problem::NoSecret(PlaceProblem::WrongInKeychain(name)))
        }
    })))
}
