//! Discord: one webhook request per alert, confirmed by the message that comes back.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode};
use serde::Deserialize;

use super::GatewayAlert;
use super::channel::{Channel, Failure};
use super::http;
use super::redact::{cut, one_line};
use super::secret::SecretUrl;
use crate::supervisor::event::AlertKind;
use crate::text::Language;
use crate::text::alert::Problem;

pub mod embed;

/// Characters of a refusal's own words that are shown.
const DETAIL: usize = 200;
/// Waited when the server limits us without naming a time.
const UNNAMED_WAIT: Duration = Duration::from_secs(5);

/// Where and how to tell Discord.
#[derive(Debug, Clone)]
pub struct DiscordSettings {
    /// The webhook.
    pub url: SecretUrl,
    /// Name shown in Discord, if not the webhook's own.
    pub username: Option<String>,
}

/// The channel `discord`.
#[derive(Debug)]
pub struct Discord {
    settings: DiscordSettings,
    language: Language,
    host: String,
    client: Option<Client>,
}

impl Discord {
    /// A channel that has not connected yet.
    #[must_use]
    pub fn new(settings: DiscordSettings, language: Language) -> Self {
        let host = sysinfo::System::host_name().unwrap_or_default();
        Self { settings, language, host, client: None }
    }

    fn client(&mut self) -> Result<Client, Failure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        match http::channel_client(self.settings.url.is_loopback()) {
            Ok(client) => Ok(self.client.insert(client).clone()),
            Err(error) => {
                tracing::error!(error = describe(error), "the HTTP client cannot be built");
                Err(Failure::later(Problem::NoHttpClient))
            }
        }
    }
}

impl Channel for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    /// The end of a restart interests the one who asked for it, who sits at the machine.
    fn wants(alert: &GatewayAlert) -> bool {
        !matches!(alert.alert.kind, AlertKind::RestartFinished { .. })
    }

    async fn deliver(&mut self, alert: &GatewayAlert, now: i64) -> Result<(), Failure> {
        let client = self.client()?;
        let context = embed::Context {
            language: self.language,
            username: self.settings.username.as_deref(),
            host: &self.host,
            now,
        };
        let message = embed::Message::new(alert, context);
        let mut url = self.settings.url.expose().clone();
        // Without it Discord answers before the message exists: nothing would be confirmed.
        url.query_pairs_mut().append_pair("wait", "true");
        let response = client.post(url).json(&message).send().await.map_err(broken)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = http::capped_body(response).await.map_err(broken)?;
        judge(status, &headers, &body)
    }

    async fn close(&mut self) {}
}

/// The part of a created message that proves that it was created.
#[derive(Deserialize)]
struct Created {
    id: String,
}

/// The body of a 429.
#[derive(Deserialize)]
struct Limited {
    retry_after: f64,
    #[serde(default)]
    global: bool,
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

/// What an answer means.
fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<(), Failure> {
    let code = status.as_u16();
    match code {
        200..=299 => match serde_json::from_slice::<Created>(body) {
            Ok(created) if !created.id.is_empty() => {
                tracing::debug!(message = one_line(&created.id), "Discord confirmed the message");
                Ok(())
            }
            _ => Err(Failure::later(Problem::NotUnderstood)),
        },
        300..=399 => Err(Failure::Parked(Problem::Redirected(code))),
        404 => Err(Failure::Parked(Problem::WebhookUnknown)),
        401 | 403 => Err(Failure::Parked(Problem::WebhookForbidden(code))),
        429 => {
            let wait = asked_wait(headers, body);
            Err(Failure::Later { problem: Problem::RateLimited(wait), after: Some(wait) })
        }
        408 => Err(Failure::later(Problem::TimedOut)),
        400..=499 => {
            let detail = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.message);
            let detail = detail.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned());
            Err(Failure::Rejected(Problem::MessageRefused { status: code, detail: cut(&one_line(&detail), DETAIL) }))
        }
        _ => Err(Failure::later(Problem::ServerError(code))),
    }
}

/// How long to wait after a 429: the longer of what header and body say. Both are in seconds; Cloudflare, in
/// front of Discord, sends only the header.
fn asked_wait(headers: &HeaderMap, body: &[u8]) -> Duration {
    let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok());
    let limited = serde_json::from_slice::<Limited>(body).ok();
    if limited.as_ref().is_some_and(|limited| limited.global) {
        tracing::warn!("Discord limits everything that comes from this address, not only this webhook");
    }
    let seconds = header.into_iter().chain(limited.map(|limited| limited.retry_after)).reduce(f64::max);
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(UNNAMED_WAIT)
}

/// What a request that got no whole answer means.
fn broken(error: reqwest::Error) -> Failure {
    let problem = if error.is_timeout() {
        Problem::TimedOut
    } else if is_untrusted(&error) {
        Problem::Untrusted
    } else {
        Problem::Unreachable
    };
    tracing::debug!(error = describe(error), "the request to Discord failed");
    Failure::later(problem)
}

/// Whether TLS is what failed. Its error travels inside an `io::Error`, which hides it from `source`.
fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || inside.is_some_and(|inside| is_untrusted(inside))
        || error.source().is_some_and(is_untrusted)
}

/// An error with its causes, without the address that it happened with.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    one_line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Result<(), Failure> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        judge(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn only_a_created_message_is_a_confirmation() {
        assert_eq!(answer(200, &[], r#"{"id":"1","type":0}"#), Ok(()));
        for body in ["", "<html>log in</html>", "{}", r#"{"id":""}"#, r#"{"id":"1""#] {
            assert_eq!(answer(200, &[], body), Err(Failure::later(Problem::NotUnderstood)), "{body}");
        }
        assert_eq!(answer(204, &[], ""), Err(Failure::later(Problem::NotUnderstood)));
    }

    #[test]
    fn a_limit_waits_as_long_as_header_or_body_say() {
        let limited = |seconds| {
            let wait = Duration::from_secs_f64(seconds);
            Err(Failure::Later { problem: Problem::RateLimited(wait), after: Some(wait) })
        };
        assert_eq!(answer(429, &[], r#"{"message":"slow","retry_after":1.5,"global":false}"#), limited(1.5));
        assert_eq!(answer(429, &[("retry-after", "65")], "error code: 1015"), limited(65.0));
        assert_eq!(answer(429, &[("retry-after", "1")], r#"{"retry_after":2.25,"global":true}"#), limited(2.25));
        for nonsense in ["-1", "NaN", "inf", "soon", "1e300"] {
            assert_eq!(answer(429, &[("retry-after", nonsense)], ""), limited(5.0), "{nonsense}");
        }
    }

    #[test]
    fn a_refusal_is_told_from_trouble() {
        assert_eq!(answer(404, &[], "{}"), Err(Failure::Parked(Problem::WebhookUnknown)));
        assert_eq!(answer(401, &[], "{}"), Err(Failure::Parked(Problem::WebhookForbidden(401))));
        assert_eq!(answer(302, &[], ""), Err(Failure::Parked(Problem::Redirected(302))));
        assert_eq!(answer(503, &[], ""), Err(Failure::later(Problem::ServerError(503))));
        let refused = Problem::MessageRefused { status: 400, detail: "Invalid Form Body".to_owned() };
        let body = r#"{"message":"Invalid Form Body","code":50035}"#;
        assert_eq!(answer(400, &[], body), Err(Failure::Rejected(refused)));
        let long = answer(400, &[], &"x".repeat(100_000)).unwrap_err();
        assert!(matches!(long.problem(), Problem::MessageRefused { detail, .. } if detail.chars().count() == DETAIL));
    }
}
