//! The receiving side: Discord by its documented rules, and a plain one that edits nothing.

use std::collections::BTreeMap;
use std::fmt;

use lifeguard::alert::channel::{Confirmed, Dispatch, Failure, Form};
use lifeguard::alert::discord::{Discord, DiscordSettings};
use lifeguard::alert::remote::{Answer, Recipient};
use lifeguard::alert::secret::SecretUrl;
use lifeguard::text::Language;
use lifeguard::text::problem::{Problem, RemoteProblem};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::discord::rules_broken;

/// A message that the server has accepted.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub(crate) struct Accepted {
    pub(crate) alert: i64,
    pub(crate) incident: u64,
    pub(crate) kind: &'static str,
    /// It says that it may be a repeat.
    pub(crate) marked: bool,
    /// It says that it tells of the outage, too.
    pub(crate) folded: bool,
    /// Lifeguard was told that it was accepted.
    pub(crate) confirmed: bool,
    /// Lifeguard was killed before it could hear.
    pub(crate) killed: bool,
}

impl fmt::Debug for Accepted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = [
            (self.marked, "marked"),
            (self.folded, "folded"),
            (self.confirmed, "confirmed"),
            (self.killed, "killed before it was heard"),
        ];
        let facts: Vec<&str> = facts.into_iter().filter_map(|(holds, name)| holds.then_some(name)).collect();
        write!(formatter, "alert {}: {} of incident {} {facts:?}", self.alert, self.kind, self.incident)
    }
}

/// What becomes of a request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives,
    /// It cannot connect.
    Unreachable,
    /// The connection breaks before the server has it.
    CutBefore,
    /// The connection breaks after the server has accepted it.
    CutAfter,
    /// The server answers so, and accepts nothing.
    Status(u16),
    /// Discord's limit.
    Limited(u32),
}

impl Fate {
    /// Draws one.
    pub(crate) fn draw(chance: &mut fastrand::Rng) -> Self {
        match chance.u32(..8) {
            0 => Self::Unreachable,
            1 => Self::CutBefore,
            2 | 3 => Self::CutAfter,
            4 => Self::Limited(chance.u32(1..60)),
            5 => Self::Status(502),
            6 => Self::Status(401),
            _ => Self::Status(503),
        }
    }
}

/// A server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) violations: Vec<String>,
    discord: Option<Discord>,
    /// Headlines as they stand; `None`: a person deleted the message.
    messages: Vec<Option<String>>,
    first: BTreeMap<u64, usize>,
    limited_until: i64,
    /// Lifeguard has heard of the limit since it started.
    limit_is_known: bool,
}

impl Server {
    pub(crate) fn discord() -> Self {
        let url = SecretUrl::parse("https://discord.com/api/webhooks/1/secret").unwrap();
        let discord = Discord::new(DiscordSettings { url, username: None }, Language::English);
        Self { discord: Some(discord), ..Self::plain_named("discord") }
    }

    pub(crate) fn plain() -> Self {
        Self::plain_named("plain")
    }

    fn plain_named(name: &'static str) -> Self {
        Self {
            name,
            accepted: Vec::new(),
            violations: Vec::new(),
            discord: None,
            messages: Vec::new(),
            first: BTreeMap::new(),
            limited_until: 0,
            limit_is_known: false,
        }
    }

    /// How the message that moves with an incident reads now; `None` where there is none, or a person deleted it.
    pub(crate) fn standing(&self, incident: u64) -> Option<String> {
        let place = self.first.get(&incident)?;
        self.messages[*place].clone()
    }

    /// A person deletes the newest message.
    pub(crate) fn delete_newest(&mut self) {
        if let Some(message) = self.messages.last_mut() {
            *message = None;
        }
    }

    /// A request and its end, as the channel sees it. `None`: Lifeguard did not live to see it.
    pub(crate) fn take(&mut self, dispatch: &Dispatch<'_>, fate: Fate, now: i64) -> Result<Confirmed, Failure> {
        let remote = |problem| Problem::Remote { service: "Discord", problem };
        match fate {
            Fate::Unreachable => return Err(Failure::later(remote(RemoteProblem::Unreachable))),
            Fate::CutBefore => return Err(Failure::Unsure(remote(RemoteProblem::Cut))),
            _ => {}
        }
        let answer = match fate {
            Fate::Status(status) => refusal(status, &json!({ "message": "no", "code": 0 })),
            Fate::Limited(seconds) => {
                self.limited_until = now + i64::from(seconds) * 1_000;
                limited(f64::from(seconds))
            }
            _ if now < self.limited_until => {
                if self.limit_is_known {
                    self.violations.push("a request while it was limited".to_owned());
                }
                let left = f64::from(u32::try_from(self.limited_until - now).unwrap());
                limited(left / 1_000.0)
            }
            _ => self.answer(dispatch),
        };
        let result = match &self.discord {
            Some(discord) => discord.judge(dispatch, &answer),
            None if answer.status.is_success() => Ok(Confirmed::default()),
            None => Err(answer.failure::<Discord>(|_| None, asked_wait)),
        };
        self.limit_is_known |= fate != Fate::CutAfter && answer.status == StatusCode::TOO_MANY_REQUESTS;
        if fate == Fate::CutAfter {
            return Err(Failure::Unsure(remote(RemoteProblem::Cut)));
        }
        if let (Ok(_), Form::New) = (&result, dispatch.form) {
            self.accepted.last_mut().unwrap().confirmed = true;
        }
        result
    }

    /// Lifeguard starts anew: it asks once, to hear of a limit.
    pub(crate) fn asked_anew(&mut self) {
        self.limit_is_known = false;
    }

    /// Lifeguard was killed after the server had accepted the newest message.
    pub(crate) fn unheard(&mut self, alert: i64) {
        if let Some(accepted) = self.accepted.last_mut().filter(|accepted| accepted.alert == alert) {
            accepted.confirmed = false;
            accepted.killed = true;
        }
    }

    fn answer(&mut self, dispatch: &Dispatch<'_>) -> Answer {
        let Some(discord) = &self.discord else {
            self.accept(dispatch, dispatch.repeat, dispatch.folded);
            return refusal(200, &json!({}));
        };
        let request = discord.request(dispatch);
        self.violations.extend(rules_broken(&request.body));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let headline = body["embeds"][0]["title"].as_str().unwrap().to_owned();
        if let Form::Edit(reference) = dispatch.form {
            if request.method != Method::PATCH || !request.url.path().ends_with(&format!("/messages/{reference}")) {
                self.violations.push("an edit is a PATCH of the message".to_owned());
            }
            let place = reference.parse::<usize>().unwrap();
            return match &mut self.messages[place] {
                Some(message) => {
                    *message = headline;
                    refusal(200, &json!({ "id": reference }))
                }
                None => refusal(404, &json!({ "message": "Unknown Message", "code": 10008 })),
            };
        }
        if request.method != Method::POST || request.url.query() != Some("wait=true") {
            self.violations.push("a message is a POST that waits".to_owned());
        }
        let text = body["embeds"][0]["description"].as_str().unwrap();
        let (marked, folded) = (text.contains("Possibly a repeat"), text.contains("this message tells both"));
        self.accept(dispatch, marked, folded);
        self.messages.push(Some(headline));
        refusal(200, &json!({ "id": (self.messages.len() - 1).to_string() }))
    }

    fn accept(&mut self, dispatch: &Dispatch<'_>, marked: bool, folded: bool) {
        let incident = dispatch.alert.alert.incident.as_ref().unwrap().id;
        self.accepted.push(Accepted {
            alert: dispatch.alert.id,
            incident,
            kind: dispatch.alert.alert.kind.name(),
            marked,
            folded,
            confirmed: false,
            killed: false,
        });
    }

    /// The channel remembers this as the message of the incident.
    pub(crate) fn note_first(&mut self, incident: u64, reference: &str) {
        self.first.entry(incident).or_insert(reference.parse().unwrap());
    }
}

fn asked_wait(body: &[u8]) -> Option<f64> {
    serde_json::from_slice::<Value>(body).ok()?["retry_after"].as_f64()
}

fn limited(seconds: f64) -> Answer {
    refusal(429, &json!({ "message": "You are being rate limited.", "retry_after": seconds, "global": false }))
}

fn refusal(status: u16, body: &Value) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: reqwest::header::HeaderMap::new(),
        body: serde_json::to_vec(body).unwrap(),
    }
}
