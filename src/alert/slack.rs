//! Slack, by an incoming webhook. A message cannot be changed there, and is confirmed by nothing but `ok`.

use jiff::tz::TimeZone;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::channel::{Confirmed, Dispatch, Failure};
use super::discord::embed::colour;
use super::letter::{Letter, Writer, fit};
use super::redact::one_line;
use super::remote::{Answer, Recipient, Request};
use super::secret::SecretUrl;
use crate::supervisor::event::Level;
use crate::text::Language;
use crate::text::problem::{Problem, RemoteProblem};

/// Limits of a message, in characters (Slack's reference: section block, context block, text object).
const SECTION: usize = 3000;
const FIELD: usize = 2000;
const FIELDS: usize = 10;

/// What Slack answers when the place is wrong and not the message (its list of errors for incoming webhooks).
const PLACES: [&str; 10] = [
    "action_prohibited",
    "channel_is_archived",
    "channel_not_found",
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_team",
    "posting_to_general_channel_denied",
    "team_disabled",
    "user_not_found",
];

/// Where to tell Slack.
#[derive(Debug, Clone)]
pub struct SlackSettings {
    /// The incoming webhook.
    pub url: SecretUrl,
}

/// The recipient `slack`.
#[derive(Debug)]
pub struct Slack {
    settings: SlackSettings,
    writer: Writer,
}

/// The body of a request.
#[derive(Debug, Serialize)]
struct Message {
    /// The headline, also what a notification shows.
    text: String,
    /// No markup in `text`.
    mrkdwn: bool,
    attachments: [Attachment; 1],
}

/// What has a coloured bar at its side.
#[derive(Debug, Serialize)]
struct Attachment {
    color: String,
    blocks: Vec<Value>,
}

impl Message {
    fn new(letter: &Letter, level: Level) -> Self {
        let facts = letter.facts.iter().take(FIELDS).map(|(name, value)| plain(&format!("{name}: {value}"), FIELD));
        let facts: Vec<Value> = facts.collect();
        let mut blocks = vec![json!({ "type": "section", "text": plain(&letter.body, SECTION) })];
        if !facts.is_empty() {
            blocks.push(json!({ "type": "section", "fields": facts }));
        }
        blocks.push(json!({ "type": "context", "elements": [plain(&letter.footer, FIELD)] }));
        Self {
            text: escape(&letter.title, SECTION),
            mrkdwn: false,
            attachments: [Attachment { color: format!("#{:06X}", colour(level)), blocks }],
        }
    }
}

/// A text in which nothing is markup.
fn plain(text: &str, limit: usize) -> Value {
    json!({ "type": "plain_text", "emoji": false, "text": escape(text, limit) })
}

/// The text with Slack's three control characters escaped, cut so that what comes out is within the limit.
fn escape(text: &str, limit: usize) -> String {
    let size = |character| match character {
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        _ => 1,
    };
    fit(text, limit, size).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Recipient for Slack {
    const NAME: &'static str = "slack";
    const SERVICE: &'static str = "Slack";

    type Settings = SlackSettings;

    fn new(settings: Self::Settings, language: Language) -> Self {
        Self { settings, writer: Writer::new(language) }
    }

    fn is_loopback(&self) -> bool {
        self.settings.url.is_loopback()
    }

    fn request(&self, dispatch: &Dispatch<'_>) -> Request {
        let letter = self.writer.write(dispatch, &TimeZone::system());
        let message = Message::new(&letter, dispatch.alert.alert.kind.level());
        Request::json(Method::POST, self.settings.url.expose().clone(), &message)
    }

    fn judge(&self, _: &Dispatch<'_>, answer: &Answer) -> Result<Confirmed, Failure> {
        let said = one_line(&String::from_utf8_lossy(&answer.body));
        let remote = |problem| Problem::Remote { service: Self::SERVICE, problem };
        if answer.status.is_success() {
            return if said == "ok" {
                Ok(Confirmed::default())
            } else {
                Err(Failure::later(remote(RemoteProblem::NotUnderstood)))
            };
        }
        if answer.status.is_client_error() && PLACES.contains(&said.as_str()) {
            return Err(Failure::Parked(remote(RemoteProblem::NoPlace(said))));
        }
        Err(answer.failure::<Self>(|_| None, |_| None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{letter, sample};

    fn slack() -> Slack {
        let url = SecretUrl::parse("https://hooks.slack.com/services/T0/B0/x").unwrap();
        Slack { settings: SlackSettings { url }, writer: letter::tests::writer(Language::English) }
    }

    fn answer(status: u16, body: &str) -> Result<Confirmed, Failure> {
        let status = reqwest::StatusCode::from_u16(status).unwrap();
        let alert = sample::test();
        let answer = Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.as_bytes().to_vec() };
        slack().judge(&sample::dispatch(&alert), &answer)
    }

    #[test]
    fn a_message_as_slack_gets_it() {
        let mut alert = sample::recovered(7);
        alert.gateway = "a <!channel> & *b*".to_owned();
        let letter = slack().writer.write(&sample::dispatch(&alert), &TimeZone::UTC);
        let text = serde_json::to_string_pretty(&Message::new(&letter, Level::Success)).unwrap();
        insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "0.0.0"));
    }

    #[test]
    fn an_escape_is_never_torn() {
        assert_eq!(escape("<a&b>", 100), "&lt;a&amp;b&gt;");
        for limit in 1..24 {
            let escaped = escape("<<<<<<", limit);
            assert!(escaped.chars().count() <= limit, "{limit}: {escaped}");
            assert_eq!(escaped.trim_end_matches('…').replace("&lt;", ""), "", "{limit}");
        }
    }

    #[test]
    fn only_its_own_word_is_a_confirmation() {
        assert_eq!(answer(200, "ok"), Ok(Confirmed::default()));
        let foreign = Failure::later(Problem::Remote { service: "Slack", problem: RemoteProblem::NotUnderstood });
        for body in ["", "<html>ok</html>", "okay"] {
            assert_eq!(answer(200, body), Err(foreign.clone()), "{body}");
        }
    }

    #[test]
    fn a_wrong_place_is_told_from_a_wrong_message() {
        for (status, word) in [(403, "action_prohibited"), (404, "no_service"), (410, "channel_is_archived")] {
            let problem = RemoteProblem::NoPlace(word.to_owned());
            assert_eq!(answer(status, word), Err(Failure::Parked(Problem::Remote { service: "Slack", problem })));
        }
        assert!(matches!(answer(400, "invalid_payload"), Err(Failure::Rejected(_))));
        assert!(matches!(answer(404, "<html>"), Err(Failure::Parked(_))));
        assert!(matches!(answer(500, "rollup_error"), Err(Failure::Later { .. })));
    }
}
