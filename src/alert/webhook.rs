//! A server of one's own: each alert as JSON, with a name that stays the same at every attempt, signed where there is
//! a key. Headers and signature are those of Standard Webhooks (standardwebhooks.com, specification 1), so that its
//! libraries check them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use reqwest::Method;
use ring::hmac;
use serde::Serialize;

use super::channel::{Confirmed, Dispatch, Failure};
use super::letter::Writer;
use super::redact::one_line;
use super::remote::{Answer, Recipient, Request};
use super::secret::SecretUrl;
use super::when;
use crate::supervisor::event::Level;
use crate::text::{Language, Phrase};

/// Version of the body's shape. A key may be added to it; one that goes or changes makes a new version.
const VERSION: u32 = 1;

/// How a Standard Webhooks secret begins; what follows is base64.
const STANDARD_SECRET: &str = "whsec_";

/// Where to post, and what to sign with.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// The address.
    pub url: SecretUrl,
    /// The key of the signature.
    pub key: Option<SigningKey>,
}

/// A key that signs, and never prints itself.
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// The key that a text stands for: a Standard Webhooks secret, or the text itself. `None` if it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = match text.strip_prefix(STANDARD_SECRET) {
            Some(encoded) => STANDARD.decode(encoded).ok()?,
            None => text.as_bytes().to_vec(),
        };
        (!bytes.is_empty()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// `v1,` and the signature of a message, in base64.
    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
        format!("v1,{}", STANDARD.encode(hmac::sign(&self.0, &signed)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(hidden)")
    }
}

/// The recipient `webhook`.
#[derive(Debug)]
pub struct Webhook {
    settings: WebhookSettings,
    writer: Writer,
}

/// The body, version [`VERSION`]. `docs/alerts.md` says what each key means.
#[derive(Debug, Serialize)]
struct Body<'a> {
    version: u32,
    id: &'a str,
    kind: &'a str,
    level: Level,
    title: String,
    text: String,
    happened: String,
    sent: String,
    repeat: bool,
    folded: bool,
    gateway: Gateway,
    incident: Option<Incident>,
    host: String,
    lifeguard: &'a str,
}

#[derive(Debug, Serialize)]
struct Gateway {
    name: String,
    address: String,
    practice: bool,
}

#[derive(Debug, Serialize)]
struct Incident {
    id: u64,
    began: String,
    ended: Option<String>,
    seconds: u64,
    attempts: u32,
    matter: String,
}

impl Recipient for Webhook {
    const NAME: &'static str = "webhook";
    const SERVICE: &'static str = "Webhook";

    type Settings = WebhookSettings;

    fn new(settings: Self::Settings, language: Language) -> Self {
        Self { settings, writer: Writer::new(language) }
    }

    fn is_loopback(&self) -> bool {
        self.settings.url.is_loopback()
    }

    fn request(&self, dispatch: &Dispatch<'_>) -> Request {
        let alert = dispatch.alert;
        let letter = self.writer.write(dispatch, &TimeZone::system());
        let incident = alert.alert.incident.as_ref().map(|incident| Incident {
            id: incident.id,
            began: when::stamp(incident.began),
            ended: incident.ended.map(when::stamp),
            seconds: incident.duration / 1000,
            attempts: incident.attempts,
            matter: one_line(&incident.verdict.say(self.writer.language)),
        });
        let body = Body {
            version: VERSION,
            id: dispatch.id,
            kind: alert.alert.kind.name(),
            level: alert.alert.kind.level(),
            title: letter.title,
            text: letter.body,
            happened: when::stamp(alert.alert.at),
            sent: when::stamp(dispatch.now),
            repeat: dispatch.repeat,
            folded: dispatch.folded,
            gateway: Gateway {
                name: one_line(&alert.gateway),
                address: one_line(&alert.address),
                practice: alert.practice,
            },
            incident,
            host: self.writer.host.clone(),
            lifeguard: env!("CARGO_PKG_VERSION"),
        };
        let mut request = Request::json(Method::POST, self.settings.url.expose().clone(), &body);
        let timestamp = dispatch.now.div_euclid(1000).to_string();
        if let Some(key) = &self.settings.key {
            request.headers.push(("webhook-signature", key.sign(dispatch.id, &timestamp, &request.body)));
        }
        request.headers.extend([("webhook-id", dispatch.id.to_owned()), ("webhook-timestamp", timestamp)]);
        request
    }

    /// Any success counts: nobody prescribes what a server of one's own says.
    fn judge(&self, _: &Dispatch<'_>, answer: &Answer) -> Result<Confirmed, Failure> {
        if answer.status.is_success() {
            return Ok(Confirmed::default());
        }
        Err(answer.failure::<Self>(|_| None, |_| None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{letter, sample};

    fn webhook() -> Webhook {
        let url = SecretUrl::parse("https://example.org/hook").unwrap();
        let settings = WebhookSettings { url, key: SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") };
        Webhook { settings, writer: letter::tests::writer(Language::English) }
    }

    #[test]
    fn the_shape_of_version_1() {
        let alert = sample::recovered(7);
        let request = webhook().request(&Dispatch { repeat: true, ..sample::dispatch(&alert) });
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let text = serde_json::to_string_pretty(&body).unwrap();
        insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "0.0.0"));
    }

    #[test]
    fn the_signature_is_the_one_that_the_specification_gives_as_its_example() {
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{key:?}"), "SigningKey(hidden)");
    }

    #[test]
    fn the_signature_covers_what_is_sent() {
        let alert = sample::down(7);
        let request = webhook().request(&sample::dispatch(&alert));
        let header = |wanted: &str| request.headers.iter().find(|(name, _)| *name == wanted).unwrap().1.clone();
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(header("webhook-id"), "test-7");
        assert_eq!(
            header("webhook-signature"),
            key.sign(&header("webhook-id"), &header("webhook-timestamp"), &request.body)
        );
    }

    #[test]
    fn a_text_of_any_kind_is_a_key_but_an_empty_one() {
        assert!(SigningKey::parse("any text").is_some());
        assert!(SigningKey::parse("").is_none());
        assert!(SigningKey::parse("whsec_").is_none());
        assert!(SigningKey::parse("whsec_not base64").is_none());
    }
}
