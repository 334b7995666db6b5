//! Discord: one message per incident, created once and edited as it moves, confirmed by what comes back.

use jiff::tz::TimeZone;
use reqwest::Method;
use serde::Deserialize;

use super::channel::{Confirmed, Dispatch, Failure, Form};
use super::redact::one_line;
use super::remote::{Answer, Attachment, Recipient, Request};
use super::secret::SecretUrl;
use crate::supervisor::event::AlertKind;
use crate::text::Language;
use crate::text::problem::{Problem, RemoteProblem};

pub mod embed;

/// Discord's code for a message that is not there ("JSON Error Codes").
const UNKNOWN_MESSAGE: u32 = 10_008;

/// Where and how to tell Discord.
#[derive(Debug, Clone)]
pub struct DiscordSettings {
    /// The webhook.
    pub url: SecretUrl,
    /// Name shown in Discord, if not the webhook's own.
    pub username: Option<String>,
}

/// The recipient `discord`.
#[derive(Debug)]
pub struct Discord {
    settings: DiscordSettings,
    language: Language,
    host: String,
}

impl Recipient for Discord {
    const NAME: &'static str = "discord";
    const SERVICE: &'static str = "Discord";
    const EDITS: bool = true;

    type Settings = DiscordSettings;

    fn new(settings: Self::Settings, language: Language) -> Self {
        let host = sysinfo::System::host_name().unwrap_or_default();
        Self { settings, language, host }
    }

    fn is_loopback(&self) -> bool {
        self.settings.url.is_loopback()
    }

    fn request(&self, dispatch: &Dispatch<'_>) -> Request {
        let context =
            embed::Context { language: self.language, username: self.settings.username.as_deref(), host: &self.host };
        let mut message = embed::Message::new(dispatch, context);
        let mut url = self.settings.url.expose().clone();
        match dispatch.form {
            Form::New => {
                // Without it Discord answers before the message exists: nothing would be confirmed.
                url.query_pairs_mut().append_pair("wait", "true");
                match chart(dispatch) {
                    Some(chart) => {
                        message.show(chart.name);
                        Request::with_file(Method::POST, url, &message, &chart)
                    }
                    None => Request::json(Method::POST, url, &message),
                }
            }
            Form::Edit(reference) => {
                // An https address can always be a base.
                if let Ok(mut path) = url.path_segments_mut() {
                    path.pop_if_empty().extend(["messages", reference]);
                }
                Request::json(Method::PATCH, url, &message)
            }
        }
    }

    fn judge(&self, dispatch: &Dispatch<'_>, answer: &Answer) -> Result<Confirmed, Failure> {
        judge(dispatch.form, answer)
    }
}

/// The picture that goes with a report. A report without one is better than none.
fn chart(dispatch: &Dispatch<'_>) -> Option<Attachment> {
    let AlertKind::Report(report) = &dispatch.alert.alert.kind else { return None };
    match super::chart::png(report, &TimeZone::system()) {
        Ok(bytes) => Some(Attachment { name: "chart.png", media: "image/png", bytes }),
        Err(error) => {
            tracing::warn!(%error, "a report goes without its picture");
            None
        }
    }
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
    #[serde(default)]
    code: u32,
}

/// What an answer means.
fn judge(form: Form<'_>, answer: &Answer) -> Result<Confirmed, Failure> {
    if answer.status.is_success() {
        return match serde_json::from_slice::<Created>(&answer.body) {
            Ok(created) if !created.id.is_empty() => {
                tracing::debug!(message = one_line(&created.id), "Discord confirmed the message");
                Ok(Confirmed { reference: Some(created.id) })
            }
            _ => Err(Failure::later(Problem::Remote {
                service: Discord::SERVICE,
                problem: RemoteProblem::NotUnderstood,
            })),
        };
    }
    let refusal = serde_json::from_slice::<Refusal>(&answer.body).ok();
    let gone = refusal.as_ref().is_some_and(|refusal| refusal.code == UNKNOWN_MESSAGE);
    if answer.status.as_u16() == 404 && gone && form != Form::New {
        return Err(Failure::Gone);
    }
    Err(answer.failure::<Discord>(
        |_| refusal.map(|refusal| refusal.message),
        |body| {
            let limited = serde_json::from_slice::<Limited>(body).ok()?;
            if limited.global {
                tracing::warn!("Discord limits everything that comes from this address, not only this webhook");
            }
            Some(limited.retry_after)
        },
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Result<Confirmed, Failure> {
        answer_to(Form::New, status, headers, body)
    }

    fn answer_to(
        form: Form<'_>,
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) -> Result<Confirmed, Failure> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let status = reqwest::StatusCode::from_u16(status).unwrap();
        judge(form, &Answer { status, headers, body: body.as_bytes().to_vec() })
    }

    fn remote(problem: RemoteProblem) -> Problem {
        Problem::Remote { service: "Discord", problem }
    }

    #[test]
    fn an_edit_of_a_message_that_somebody_deleted_is_told_from_a_deleted_webhook() {
        let unknown_message = r#"{"message":"Unknown Message","code":10008}"#;
        assert_eq!(answer_to(Form::Edit("7"), 404, &[], unknown_message), Err(Failure::Gone));
        let unknown_webhook = r#"{"message":"Unknown Webhook","code":10015}"#;
        let parked = Err(Failure::Parked(remote(RemoteProblem::Unknown(404))));
        assert_eq!(answer_to(Form::Edit("7"), 404, &[], unknown_webhook), parked);
        assert_eq!(answer_to(Form::New, 404, &[], unknown_message), parked);
    }

    #[test]
    fn only_a_created_message_is_a_confirmation() {
        assert_eq!(answer(200, &[], r#"{"id":"1","type":0}"#), Ok(Confirmed { reference: Some("1".to_owned()) }));
        for body in ["", "<html>log in</html>", "{}", r#"{"id":""}"#, r#"{"id":"1""#] {
            assert_eq!(answer(200, &[], body), Err(Failure::later(remote(RemoteProblem::NotUnderstood))), "{body}");
        }
        assert_eq!(answer(204, &[], ""), Err(Failure::later(remote(RemoteProblem::NotUnderstood))));
    }

    #[test]
    fn a_limit_waits_as_long_as_header_or_body_say() {
        let limited = |seconds| {
            let wait = Duration::from_secs_f64(seconds);
            Err(Failure::Later { problem: remote(RemoteProblem::RateLimited(wait)), after: Some(wait) })
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
        assert_eq!(answer(404, &[], "{}"), Err(Failure::Parked(remote(RemoteProblem::Unknown(404)))));
        assert_eq!(answer(401, &[], "{}"), Err(Failure::Parked(remote(RemoteProblem::Forbidden(401)))));
        assert_eq!(answer(302, &[], ""), Err(Failure::Parked(remote(RemoteProblem::Redirected(302)))));
        assert_eq!(answer(503, &[], ""), Err(Failure::later(remote(RemoteProblem::ServerError(503)))));
        let refused = remote(RemoteProblem::MessageRefused { status: 400, detail: "Invalid Form Body".to_owned() });
        let body = r#"{"message":"Invalid Form Body","code":50035}"#;
        assert_eq!(answer(400, &[], body), Err(Failure::Rejected(refused)));
        let long = answer(400, &[], &"x".repeat(100_000)).unwrap_err();
        let Failure::Rejected(Problem::Remote { problem: RemoteProblem::MessageRefused { detail, .. }, .. }) = long
        else {
            panic!("{long:?}")
        };
        assert_eq!(detail.chars().count(), 200);
    }
}
