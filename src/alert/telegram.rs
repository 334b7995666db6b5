//! Telegram, by a bot of one's own: one message per incident that is edited as it moves.

use jiff::tz::TimeZone;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::channel::{Confirmed, Dispatch, Failure, Form};
use super::letter::{Letter, Writer, fit};
use super::redact::one_line;
use super::redact::secret::Secret;
use super::remote::{Answer, Recipient, Request};
use super::secret::SecretUrl;
use crate::supervisor::event::Level;
use crate::text::Language;
use crate::text::problem::{Problem, RemoteProblem};

/// Longest text of a message, in UTF-16 code units (Bot API, `sendMessage`).
const TEXT: usize = 4096;
/// Units of the headline at most.
const TITLE: usize = 512;

/// What the Bot API says of a chat that cannot be written to. Its numbers alone do not tell.
const PLACES: [&str; 9] = [
    "chat not found",
    "chat_id is empty",
    "chat was upgraded",
    "PEER_ID_INVALID",
    "CHAT_WRITE_FORBIDDEN",
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "TOPIC_CLOSED",
];
/// What it says of a message that cannot be edited any more.
const GONE: [&str; 3] = ["message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID"];
/// What it says of an edit that was made already.
const SAME: &str = "message is not modified";

/// Which bot writes, and where.
#[derive(Debug, Clone)]
pub struct TelegramSettings {
    /// The server of the Bot API. Its address is no secret, but that of a request has the token in it.
    pub server: SecretUrl,
    /// The bot's token.
    pub token: Secret,
    /// The chat: its number, or `@name`.
    pub chat: String,
}

/// The recipient `telegram`.
#[derive(Debug)]
pub struct Telegram {
    settings: TelegramSettings,
    writer: Writer,
}

impl Telegram {
    fn method(&self, name: &str) -> Url {
        let mut url = self.settings.server.expose().clone();
        // An address of the web can always be a base.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(&format!("bot{}", self.settings.token.expose())).push(name);
        }
        url
    }
}

/// The text, and what is bold in it. Without a mode of parsing nothing in it is markup, so nothing is escaped; a name
/// is kept from calling anybody.
fn text(letter: &Letter) -> (String, Value) {
    let title = fit(&quiet(&letter.title), TITLE, char::len_utf16);
    let bold: usize = title.chars().map(char::len_utf16).sum();
    let body = quiet(&letter.text(TEXT / 2, char::len_utf16));
    let body = fit(&body, TEXT - bold - 1, char::len_utf16);
    (format!("{title}\n{body}"), json!([{ "type": "bold", "offset": 0, "length": bold }]))
}

/// Telegram turns `@name` into a call by itself; an invisible joiner after the sign keeps it from that.
fn quiet(text: &str) -> String {
    text.replace('@', "@\u{2060}")
}

/// The body of every answer.
#[derive(Deserialize)]
struct Reply {
    ok: bool,
    #[serde(default)]
    description: String,
    #[serde(default)]
    result: Option<Message>,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Message {
    message_id: i64,
}

#[derive(Deserialize, Default)]
struct Parameters {
    retry_after: Option<f64>,
}

impl Recipient for Telegram {
    const NAME: &'static str = "telegram";
    const SERVICE: &'static str = "Telegram";
    const EDITS: bool = true;

    type Settings = TelegramSettings;

    fn new(settings: Self::Settings, language: Language) -> Self {
        Self { settings, writer: Writer::new(language) }
    }

    fn is_loopback(&self) -> bool {
        self.settings.server.is_loopback()
    }

    fn request(&self, dispatch: &Dispatch<'_>) -> Request {
        let (text, entities) = text(&self.writer.write(dispatch, &TimeZone::system()));
        let mut body = json!({
            "chat_id": self.settings.chat,
            "text": text,
            "entities": entities,
            "link_preview_options": { "is_disabled": true },
        });
        let method = match dispatch.form {
            Form::New => {
                body["disable_notification"] = json!(dispatch.alert.alert.kind.level() == Level::Success);
                "sendMessage"
            }
            Form::Edit(reference) => {
                body["message_id"] = json!(reference.parse::<i64>().unwrap_or_default());
                "editMessageText"
            }
        };
        Request::json(Method::POST, self.method(method), &body)
    }

    fn judge(&self, dispatch: &Dispatch<'_>, answer: &Answer) -> Result<Confirmed, Failure> {
        let reply = serde_json::from_slice::<Reply>(&answer.body).ok();
        let remote = |problem| Problem::Remote { service: Self::SERVICE, problem };
        if answer.status.is_success() {
            let message = reply.filter(|reply| reply.ok).and_then(|reply| reply.result);
            let message = message.ok_or_else(|| Failure::later(remote(RemoteProblem::NotUnderstood)))?;
            return Ok(Confirmed { reference: Some(message.message_id.to_string()) });
        }
        let said = reply.as_ref().map(|reply| one_line(&reply.description)).unwrap_or_default();
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if answer.status.as_u16() == 400 {
            if let Form::Edit(reference) = dispatch.form {
                if says(&[SAME]) {
                    return Ok(Confirmed { reference: Some(reference.to_owned()) });
                }
                if says(&GONE) {
                    return Err(Failure::Gone);
                }
            }
            if says(&PLACES) {
                return Err(Failure::Parked(remote(RemoteProblem::NoPlace(said))));
            }
        }
        Err(answer.failure::<Self>(
            |_| (!said.is_empty()).then_some(said),
            |_| reply.and_then(|reply| reply.parameters.retry_after),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::alert::{letter, sample};

    fn telegram() -> Telegram {
        let server = SecretUrl::parse("https://api.telegram.org").unwrap();
        let settings = TelegramSettings { server, token: Secret::new("1:key"), chat: "@ops".to_owned() };
        Telegram { settings, writer: letter::tests::writer(Language::English) }
    }

    fn answer(form: Form<'_>, status: u16, body: &str) -> Result<Confirmed, Failure> {
        let status = reqwest::StatusCode::from_u16(status).unwrap();
        let alert = sample::test();
        let answer = Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.as_bytes().to_vec() };
        telegram().judge(&Dispatch { form, ..sample::dispatch(&alert) }, &answer)
    }

    fn refused(code: u16, description: &str) -> String {
        json!({ "ok": false, "error_code": code, "description": description }).to_string()
    }

    #[test]
    fn the_token_stands_in_the_path_and_an_edit_names_its_message() {
        let alert = sample::recovered(7);
        let new = telegram().request(&sample::dispatch(&alert));
        assert_eq!(new.url.as_str(), "https://api.telegram.org/bot1:key/sendMessage");
        let edit = telegram().request(&Dispatch { form: Form::Edit("42"), ..sample::dispatch(&alert) });
        assert_eq!(edit.url.path(), "/bot1:key/editMessageText");
        let body: Value = serde_json::from_slice(&edit.body).unwrap();
        assert_eq!(body["message_id"], 42);
        assert!(body["text"].as_str().unwrap().starts_with("OpenClaw gateway was down for 42 s\n"));
        assert_eq!(body["entities"][0]["length"], 34);
    }

    #[test]
    fn every_text_fits_and_nobody_is_called() {
        let alert = letter::tests::hostile();
        let request = telegram().request(&sample::dispatch(&alert));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let text = body["text"].as_str().unwrap();
        assert!(text.encode_utf16().count() <= TEXT);
        assert!(text.contains("@\u{2060}everyone") && !text.contains("@everyone"));
    }

    #[test]
    fn an_answer_is_told_by_its_words() {
        let done = Ok(Confirmed { reference: Some("42".to_owned()) });
        assert_eq!(answer(Form::New, 200, r#"{"ok":true,"result":{"message_id":42}}"#), done);
        assert!(matches!(answer(Form::New, 200, "<html>"), Err(Failure::Later { .. })));
        let edit = Form::Edit("42");
        assert_eq!(answer(edit, 400, &refused(400, "Bad Request: message is not modified: …")), done);
        assert_eq!(answer(edit, 400, &refused(400, "Bad Request: message to edit not found")), Err(Failure::Gone));
        let parked = answer(Form::New, 400, &refused(400, "Bad Request: chat not found"));
        assert!(matches!(parked, Err(Failure::Parked(Problem::Remote { problem: RemoteProblem::NoPlace(_), .. }))));
        for (status, description) in
            [(401, "Unauthorized"), (403, "Forbidden: bot was blocked by the user"), (404, "Not Found")]
        {
            let answer = answer(Form::New, status, &refused(status, description));
            assert!(matches!(answer, Err(Failure::Parked(_))), "{description}");
        }
        let long = answer(Form::New, 400, &refused(400, "Bad Request: message is too long"));
        assert!(matches!(long, Err(Failure::Rejected(_))));
        let limited = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 34","parameters":{"retry_after":34}}"#;
        let Err(Failure::Later { after, .. }) = answer(Form::New, 429, limited) else { panic!() };
        assert_eq!(after, Some(Duration::from_secs(34)));
    }
}
