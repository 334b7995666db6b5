//! ntfy: a push notification on a topic, named so that a repeat takes the place of what it repeats.

use jiff::tz::TimeZone;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::channel::{Confirmed, Dispatch, Failure};
use super::letter::Writer;
use super::redact::one_line;
use super::redact::secret::Secret;
use super::remote::{Answer, Recipient, Request};
use super::secret::SecretUrl;
use crate::supervisor::event::{AlertKind, Level};
use crate::text::Language;
use crate::text::problem::{Problem, RemoteProblem};

/// Longest message in bytes: a longer one would become a file (ntfy's documentation, "Limitations").
const MESSAGE: usize = 4096;

/// ntfy's codes of a topic that cannot be written to (`server/errors.go`: topic invalid, topic disallowed).
const NO_TOPIC: [u32; 2] = [40_009, 40_010];

/// Where to push.
#[derive(Debug, Clone)]
pub struct NtfySettings {
    /// The topic's address.
    pub topic: SecretUrl,
    /// The access token, for a topic that is protected.
    pub token: Option<Secret>,
    /// What opens when the notification is tapped.
    pub click: Option<String>,
}

/// The recipient `ntfy`.
#[derive(Debug)]
pub struct Ntfy {
    settings: NtfySettings,
    writer: Writer,
}

/// The body of a request ("Publish as JSON").
#[derive(Debug, Serialize)]
struct Publication<'a> {
    topic: &'a str,
    /// Messages with the same one take each other's place.
    sequence_id: &'a str,
    title: &'a str,
    message: String,
    priority: u8,
    tags: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a str>,
}

/// From 1 (no sound) to 5 (goes on ringing).
fn priority(kind: &AlertKind) -> u8 {
    match (kind, kind.level()) {
        (AlertKind::SafeMode { .. } | AlertKind::Blocked { .. } | AlertKind::ConfigSuspect { .. }, _) => 5,
        (_, Level::Critical) => 4,
        (_, Level::Warning | Level::Info) => 3,
        (_, Level::Success) => 2,
    }
}

/// The short code of an emoji.
fn tag(level: Level) -> &'static str {
    match level {
        Level::Critical => "rotating_light",
        Level::Warning => "warning",
        Level::Info => "information_source",
        Level::Success => "white_check_mark",
    }
}

/// The part of an answer that proves that the message was taken.
#[derive(Deserialize)]
struct Published {
    id: String,
    event: String,
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: u32,
    error: String,
}

impl Recipient for Ntfy {
    const NAME: &'static str = "ntfy";
    const SERVICE: &'static str = "ntfy";

    type Settings = NtfySettings;

    fn new(settings: Self::Settings, language: Language) -> Self {
        Self { settings, writer: Writer::new(language) }
    }

    fn is_loopback(&self) -> bool {
        self.settings.topic.is_loopback()
    }

    fn request(&self, dispatch: &Dispatch<'_>) -> Request {
        let letter = self.writer.write(dispatch, &TimeZone::system());
        let kind = &dispatch.alert.alert.kind;
        let address = self.settings.topic.expose();
        // A message in JSON goes to the server itself and names its topic, the last part of the address.
        let topic = address.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
        let publication = Publication {
            topic,
            sequence_id: dispatch.id,
            title: &letter.title,
            message: letter.text(MESSAGE, char::len_utf8),
            priority: priority(kind),
            tags: [tag(kind.level())],
            click: self.settings.click.as_deref(),
        };
        let mut server = address.clone();
        if let Ok(mut path) = server.path_segments_mut() {
            path.pop().push("");
        }
        let mut request = Request::json(Method::POST, server, &publication);
        if let Some(token) = &self.settings.token {
            request.headers.push(("authorization", format!("Bearer {}", token.expose())));
        }
        request
    }

    fn judge(&self, _: &Dispatch<'_>, answer: &Answer) -> Result<Confirmed, Failure> {
        let remote = |problem| Problem::Remote { service: Self::SERVICE, problem };
        if answer.status.is_success() {
            let published = serde_json::from_slice::<Published>(&answer.body);
            return if published.is_ok_and(|published| published.event == "message" && !published.id.is_empty()) {
                Ok(Confirmed::default())
            } else {
                Err(Failure::later(remote(RemoteProblem::NotUnderstood)))
            };
        }
        let refusal = serde_json::from_slice::<Refusal>(&answer.body).ok();
        if let Some(refusal) = refusal.as_ref().filter(|refusal| NO_TOPIC.contains(&refusal.code)) {
            return Err(Failure::Parked(remote(RemoteProblem::NoPlace(one_line(&refusal.error)))));
        }
        Err(answer.failure::<Self>(|_| refusal.map(|refusal| refusal.error), |_| None))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::alert::{letter, sample};

    fn ntfy(topic: &str) -> Ntfy {
        let topic = SecretUrl::parse(topic).unwrap();
        let settings = NtfySettings { topic, token: Some(Secret::new("tk_x")), click: None };
        Ntfy { settings, writer: letter::tests::writer(Language::English) }
    }

    fn body(ntfy: &Ntfy, alert: &crate::alert::GatewayAlert) -> (String, Value) {
        let request = ntfy.request(&sample::dispatch(alert));
        (request.url.to_string(), serde_json::from_slice(&request.body).unwrap())
    }

    fn answer(status: u16, body: &str) -> Result<Confirmed, Failure> {
        let status = reqwest::StatusCode::from_u16(status).unwrap();
        let alert = sample::test();
        let answer = Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.as_bytes().to_vec() };
        ntfy("https://ntfy.sh/t").judge(&sample::dispatch(&alert), &answer)
    }

    #[test]
    fn the_topic_is_the_last_part_of_its_address() {
        let alert = sample::safe_mode(7);
        let (url, message) = body(&ntfy("https://push.example.org/ntfy/alerts"), &alert);
        assert_eq!((url.as_str(), &message["topic"]), ("https://push.example.org/ntfy/", &Value::from("alerts")));
        let (url, message) = body(&ntfy("https://ntfy.sh/alerts"), &alert);
        assert_eq!(url, "https://ntfy.sh/");
        assert_eq!((&message["priority"], &message["tags"][0]), (&Value::from(5), &Value::from("rotating_light")));
        assert_eq!(message["sequence_id"], "test-7");
    }

    #[test]
    fn how_loud_it_rings() {
        let of = |alert: crate::alert::GatewayAlert| priority(&alert.alert.kind);
        let all = [sample::blocked(7), sample::down(7), sample::degraded(7), sample::recovered(7), sample::test()];
        assert_eq!(all.map(of), [5, 4, 3, 2, 3]);
    }

    #[test]
    fn a_message_never_becomes_a_file() {
        let (_, message) = body(&ntfy("https://ntfy.sh/alerts"), &letter::tests::hostile());
        assert!(message["message"].as_str().unwrap().len() <= MESSAGE);
    }

    #[test]
    fn only_a_published_message_is_a_confirmation() {
        assert_eq!(answer(200, r#"{"id":"x","event":"message"}"#), Ok(Confirmed::default()));
        for body in ["", "ok", r#"{"id":"x","event":"open"}"#] {
            assert!(matches!(answer(200, body), Err(Failure::Later { .. })), "{body}");
        }
        let disallowed = r#"{"code":40010,"http":400,"error":"invalid request: topic name is disallowed"}"#;
        assert!(matches!(answer(400, disallowed), Err(Failure::Parked(_))));
        assert!(matches!(answer(403, r#"{"code":40301,"error":"forbidden"}"#), Err(Failure::Parked(_))));
        assert!(matches!(answer(413, r#"{"code":41303,"error":"too large"}"#), Err(Failure::Rejected(_))));
        assert!(matches!(answer(429, r#"{"code":42901,"error":"please be nice"}"#), Err(Failure::Later { .. })));
    }
}
