//! What is right for a channel of alerts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::{Findings, is_safe, is_this_machine};
use crate::config::alerts::{AlertsConfig, TelegramConfig, hours};
use crate::config::environment::Environment;
use crate::text::config::ConfigProblem;

/// Discord's own limit for a webhook's user name.
const LONGEST_USERNAME: usize = 80;

pub(super) fn validate(alerts: &mut AlertsConfig, environment: &Environment, findings: &mut Findings) {
    if let Some(username) = &alerts.discord.username {
        let path = ["alerts", "discord", "username"];
        if username.trim().is_empty() {
            findings.add(path, ConfigProblem::EmptyText("username".to_owned()));
        } else if username.chars().count() > LONGEST_USERNAME {
            let problem = ConfigProblem::TooManyLetters { key: "username".to_owned(), most: LONGEST_USERNAME };
            findings.add(path, problem);
        }
    }
    let mut secret = |section, key, secret, is_right: fn(&str) -> bool, problem| {
        findings.secret(["alerts", section, key], secret, environment, is_right, problem);
    };
    secret("discord", "webhook", &mut alerts.discord.webhook, is_of_discord, ConfigProblem::NotDiscord);
    secret("slack", "webhook", &mut alerts.slack.webhook, is_of_slack, ConfigProblem::NotSlack);
    secret("telegram", "token", &mut alerts.telegram.token, is_bot_token, ConfigProblem::NotABotToken);
    secret("ntfy", "topic", &mut alerts.ntfy.topic, is_topic, ConfigProblem::NotATopic);
    secret("ntfy", "token", &mut alerts.ntfy.token, is_header, ConfigProblem::NotAToken);
    secret("webhook", "url", &mut alerts.webhook.url, is_address, ConfigProblem::NotAWebhook);
    secret("webhook", "signing_key", &mut alerts.webhook.signing_key, is_signing_key, ConfigProblem::NotASigningKey);
    telegram(&alerts.telegram, findings);
    if alerts.quiet_hours.as_deref().is_some_and(|text| hours(text).is_none()) {
        findings.add(["alerts", "quiet_hours"], ConfigProblem::NotHours);
    }
    if let Some(fallback) = &alerts.fallback {
        let configured = alerts.configured();
        if configured.len() < 2 || !configured.contains(&fallback.as_str()) {
            findings.add(["alerts", "fallback"], ConfigProblem::NotAFallback);
        }
    }
    if alerts.ntfy.click.as_ref().is_some_and(|click| Url::parse(click).is_err()) {
        findings.add(["alerts", "ntfy", "click"], ConfigProblem::NotALink("click".to_owned()));
    }
    let needed = [
        ("ntfy", "topic", alerts.ntfy.topic.is_none() && (alerts.ntfy.token.is_some() || alerts.ntfy.click.is_some())),
        ("webhook", "url", alerts.webhook.url.is_none() && alerts.webhook.signing_key.is_some()),
    ];
    for (section, key, _) in needed.into_iter().filter(|(_, _, missing)| *missing) {
        findings.add(["alerts", section], ConfigProblem::Missing(key.to_owned()));
    }
}

fn telegram(telegram: &TelegramConfig, findings: &mut Findings) {
    let missing = match (&telegram.token, &telegram.chat) {
        (Some(_), None) => Some("chat"),
        (None, Some(_)) => Some("token"),
        _ => None,
    };
    if let Some(key) = missing {
        findings.add(["alerts", "telegram"], ConfigProblem::Missing(key.to_owned()));
    }
    if telegram.chat.as_ref().is_some_and(|chat| !is_chat(chat)) {
        findings.add(["alerts", "telegram", "chat"], ConfigProblem::NotAChat);
    }
    if !is_address(&telegram.server) {
        findings.add(["alerts", "telegram", "server"], ConfigProblem::NotAWebhook);
    }
}

/// An address that may be posted to.
fn is_address(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| is_safe(&url))
}

/// A webhook of Discord's, or of a stand-in on this machine.
fn is_of_discord(address: &str) -> bool {
    is_of(address, &["discord.com", "discordapp.com"], |path| path.starts_with("/api/") && path.contains("/webhooks/"))
}

/// An incoming webhook of Slack's, or of a stand-in on this machine.
fn is_of_slack(address: &str) -> bool {
    is_of(address, &["hooks.slack.com", "hooks.slack-gov.com"], |path| path.starts_with("/services/"))
}

fn is_of(address: &str, domains: &[&str], has_path: fn(&str) -> bool) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => {
            let theirs = domains
                .iter()
                .any(|domain| host == *domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')));
            theirs && has_path(url.path())
        }
        "http" => is_this_machine(host),
        _ => false,
    }
}

/// `123456789:AA…`: the bot's number and its key.
fn is_bot_token(token: &str) -> bool {
    token.split_once(':').is_some_and(|(number, key)| {
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && key.len() >= 30
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    })
}

/// A number, or the name of a public chat.
fn is_chat(chat: &str) -> bool {
    let is_name = chat
        .strip_prefix('@')
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    is_name || chat.parse::<i64>().is_ok()
}

/// The address of a topic: ntfy's own rule for names of topics is the one for its last part.
fn is_topic(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    is_safe(&url)
        && (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// A text that can stand in a header.
fn is_header(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Any text that is not empty; one that says that it is a Standard Webhooks secret must be one.
fn is_signing_key(text: &str) -> bool {
    text.strip_prefix("whsec_").map_or(!text.is_empty(), |key| STANDARD.decode(key).is_ok_and(|key| !key.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_discord_and_this_machine_are_its_webhooks() {
        let is = is_of_discord;
        assert!(is("https://discord.com/api/webhooks/1/x"));
        assert!(is("https://ptb.discord.com/api/v10/webhooks/1/x"));
        assert!(is("https://discordapp.com/api/webhooks/1/x"));
        assert!(is("http://127.0.0.1:9999/api/webhooks/1/x"));
        assert!(is("http://[::1]:9999/x"));
        assert!(!is("http://discord.com/api/webhooks/1/x"));
        assert!(!is("https://evildiscord.com/api/webhooks/1/x"));
        assert!(!is("https://discord.com.evil.org/api/webhooks/1/x"));
        assert!(!is("https://discord.com/channels/1/2"));
        assert!(!is("http://192.168.1.2/x"));
        assert!(!is("nonsense"));
    }

    #[test]
    fn the_addresses_of_others_are_told_from_what_only_looks_like_one() {
        assert!(is_of_slack("https://hooks.slack.com/services/T0/B0/x"));
        assert!(!is_of_slack("https://hooks.slack.com/workflows/T0/B0/x"), "a workflow takes another form");
        assert!(!is_of_slack("https://slack.com/services/T0/B0/x"));
        assert!(is_topic("https://ntfy.sh/my-topic_1"));
        assert!(is_topic("https://push.example.org/ntfy/alerts"));
        assert!(!is_topic("https://ntfy.sh/"));
        assert!(!is_topic("https://ntfy.sh/a.b"));
        assert!(!is_topic("http://ntfy.sh/topic"));
        assert!(is_address("https://example.org/hook?x=1"));
        assert!(!is_address("http://example.org/hook"));
        assert!(!is_address("ftp://example.org/hook"));
    }

    #[test]
    fn a_bot_has_a_number_and_a_key_and_a_chat_a_number_or_a_name() {
        assert!(is_bot_token(&format!("123456:{}", "aA0_-".repeat(7))));
        assert!(!is_bot_token(&format!("bot123456:{}", "aA0_-".repeat(7))));
        assert!(!is_bot_token("123456:short"));
        for good in ["-1001234567890", "42", "@my_channel"] {
            assert!(is_chat(good), "{good}");
        }
        for bad in ["", "@", "me", "@my channel", "4.2"] {
            assert!(!is_chat(bad), "{bad}");
        }
    }
}
