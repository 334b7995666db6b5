//! One alert as the message that Discord gets, within Discord's documented limits. Pure.

use serde::Serialize;

use crate::alert::channel::{Dispatch, Form};
use crate::alert::fact::{Value, facts};
use crate::alert::letter::headline;
use crate::alert::redact::{cut, one_line};
use crate::alert::remark::remarks;
use crate::alert::when;
use crate::supervisor::event::Level;
use crate::text::alert::{self as say, Field, Subject};
use crate::text::{Language, Phrase};

/// Limits of an embed, in characters (Discord's documentation, "Embed Limits").
const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const FIELDS: usize = 25;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1024;
const FOOTER: usize = 2048;
const TOGETHER: usize = 6000;
/// Limit of a webhook's name for one message.
const USERNAME: usize = 80;

/// What a message needs besides the alert.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Language of the texts.
    pub language: Language,
    /// Name shown in Discord, if not the webhook's own.
    pub username: Option<&'a str>,
    /// Name of this machine.
    pub host: &'a str,
}

/// The body of a webhook request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    embeds: [Embed; 1],
    allowed_mentions: AllowedMentions,
}

/// Nothing in a message ever calls anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct AllowedMentions {
    parse: [String; 0],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Embed {
    title: String,
    description: String,
    color: u32,
    fields: Vec<EmbedField>,
    timestamp: String,
    footer: Footer,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Image>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct EmbedField {
    name: String,
    value: String,
    inline: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Image {
    url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Footer {
    text: String,
}

/// The colour of a level.
#[must_use]
pub fn colour(level: Level) -> u32 {
    match level {
        Level::Critical => 15_158_332,
        Level::Warning => 16_776_960,
        Level::Info => 3_447_003,
        Level::Success => 3_066_993,
    }
}

impl Message {
    /// Writes the message.
    #[must_use]
    pub fn new(dispatch: &Dispatch<'_>, context: Context<'_>) -> Self {
        let (alert, language) = (dispatch.alert, context.language);
        let kind = &alert.alert.kind;
        let name = one_line(&alert.gateway);
        let subject = Subject { name: &name, practice: alert.practice };
        // Only what comes from outside could hold secrets or markup, but whether it did is past telling here: the
        // whole sentence is cleaned, the moments (which are markup) put in afterwards.
        let relative = |at: i64| {
            if say::is_now(at, alert.alert.at) {
                say::now(language).to_owned()
            } else {
                format!("\u{E000}{at}\u{E001}")
            }
        };
        let sentences = one_line(&say::body(kind, subject, language, &relative));
        let mut description = with_moments(&escape(&sentences));
        let remarks = remarks(dispatch, &moment(alert.alert.at, 'f'), language);
        if !remarks.is_empty() {
            let remarks = remarks.iter().fold(String::new(), |all, remark| format!("{all}\n*{remark}*"));
            description = cut(&description, DESCRIPTION - remarks.chars().count()) + &remarks;
        }
        let version = env!("CARGO_PKG_VERSION");
        let footer = if alert.practice {
            format!("Lifeguard {version} · {}", say::practice(language))
        } else {
            format!("Lifeguard {version}")
        };
        let title = headline(dispatch, subject, language);
        let mut embed = Embed {
            title: cut(&escape(&one_line(&title)), TITLE),
            description: cut(&description, DESCRIPTION),
            color: colour(kind.level()),
            fields: fields(alert, context),
            timestamp: when::stamp(alert.alert.at),
            footer: Footer { text: cut(&footer, FOOTER) },
            image: None,
        };
        embed.fit();
        // A message keeps the name that it was created with.
        let username = context.username.filter(|_| dispatch.form == Form::New);
        let username = username.map(one_line).filter(|name| !name.is_empty());
        Self {
            username: username.map(|name| cut(&name, USERNAME)),
            embeds: [embed],
            allowed_mentions: AllowedMentions { parse: [] },
        }
    }
}

impl Message {
    /// Shows a file of this name that is sent with the message.
    pub fn show(&mut self, name: &str) {
        let [embed] = &mut self.embeds;
        embed.image = Some(Image { url: format!("attachment://{name}") });
    }
}

impl Embed {
    /// Shortens the description, and then drops fields from the end, until the whole is within the limit.
    fn fit(&mut self) {
        self.fields.truncate(FIELDS);
        let count = |text: &str| text.chars().count();
        let mut rest = count(&self.title) + count(&self.footer.text);
        rest += self.fields.iter().map(|field| count(&field.name) + count(&field.value)).sum::<usize>();
        while rest > TOGETHER - 1 {
            let Some(field) = self.fields.pop() else { break };
            rest -= count(&field.name) + count(&field.value);
        }
        self.description = cut(&self.description, TOGETHER.saturating_sub(rest));
    }
}

fn fields(alert: &crate::alert::GatewayAlert, context: Context<'_>) -> Vec<EmbedField> {
    let fields = facts(alert, context.host, context.language).into_iter().map(|fact| {
        let value = match fact.value {
            Value::Text(text) => escape(&text),
            Value::Past(at) => moment(at, 'f'),
            Value::Ahead(at) => moment(at, 'R'),
        };
        EmbedField {
            name: cut(&fact.field.say(context.language), FIELD_NAME),
            value: cut(&value, FIELD_VALUE),
            inline: fact.field != Field::Matter,
        }
    });
    fields.collect()
}

/// A moment as Discord's own markup, shown in each reader's time zone: `f` is date and time, `R` "in 2 minutes".
fn moment(at: i64, style: char) -> String {
    format!("<t:{}:{style}>", at.div_euclid(1000))
}

/// Turns the marks of moments (private-use characters, which [`escape`] leaves alone) into markup.
fn with_moments(text: &str) -> String {
    let mut parts = text.split('\u{E000}');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('\u{E001}').map(|(at, rest)| (at.parse::<i64>(), rest)) {
            Some((Ok(at), rest)) => {
                out.push_str(&moment(at, 'R'));
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// Takes its meaning from every character that Discord's markdown gives one.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '#' | '[' | ']' | '@') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::alert::{GatewayAlert, sample};
    use crate::supervisor::event::AlertKind;
    use crate::supervisor::verdict::Verdict;

    fn context(language: Language) -> Context<'static> {
        Context { language, username: None, host: "workshop" }
    }

    fn json(alert: &GatewayAlert, context: Context<'_>) -> Value {
        json_at(alert, sample::AT + 1_000, context)
    }

    fn json_at(alert: &GatewayAlert, now: i64, context: Context<'_>) -> Value {
        serde_json::to_value(Message::new(&Dispatch { now, ..sample::dispatch(alert) }, context)).unwrap()
    }

    #[test]
    fn every_alert_reads_well_in_both_languages() {
        for (file, language) in [("english", Language::English), ("korean", Language::Korean)] {
            let mut all = String::new();
            for (name, alert) in sample::every() {
                let text = serde_json::to_string_pretty(&json(&alert, context(language))).unwrap();
                writeln!(all, "{name}: {text}").unwrap();
            }
            insta::assert_snapshot!(file, all.replace(env!("CARGO_PKG_VERSION"), "0.0.0"));
        }
    }

    #[test]
    fn a_practice_alert_says_so_and_a_late_one_when_it_happened() {
        let alert = GatewayAlert { practice: true, gateway: "practice".to_owned(), ..sample::down(7) };
        let named = Context { username: Some("  Life\nguard "), ..context(Language::English) };
        let message = json_at(&alert, sample::AT + 720_000, named);
        let embed = &message["embeds"][0];
        assert_eq!(embed["title"], "Practice gateway is down");
        assert!(embed["footer"]["text"].as_str().unwrap().ends_with(" · practice"));
        let description = embed["description"].as_str().unwrap();
        assert!(description.ends_with("\n*Delivered 12 min late: this happened <t:1795356202:f>.*"), "{description}");
        assert_eq!(embed["timestamp"], "2026-11-22T14:03:22Z");
        assert_eq!(message["username"], "Life guard");
    }

    #[test]
    fn the_message_of_an_outage_says_when_it_is_over() {
        let alert = sample::recovered(7);
        let dispatch = Dispatch { form: Form::Edit("1"), repeat: true, ..sample::dispatch(&alert) };
        let message = serde_json::to_value(Message::new(&dispatch, context(Language::English))).unwrap();
        let embed = &message["embeds"][0];
        assert_eq!(
            (embed["title"].as_str(), embed["color"].as_u64()),
            (Some("OpenClaw gateway was down for 42 s"), Some(3_066_993))
        );
        assert!(!embed["description"].as_str().unwrap().contains("repeat"), "a change that is made twice is no repeat");
    }

    #[test]
    fn text_from_outside_is_only_text() {
        let verdict = Verdict::Failing("`@everyone` **x** <@1> [a](http://b)\n# big \u{202E} token=abcdef".to_owned());
        let alert = GatewayAlert {
            alert: crate::supervisor::event::Alert {
                kind: AlertKind::Degraded { verdict },
                ..sample::degraded(7).alert
            },
            ..sample::degraded(7)
        };
        let message = json(&alert, context(Language::English));
        insta::assert_snapshot!(
            message["embeds"][0]["description"].as_str().unwrap(),
            @r"It answers with errors: \`\@everyone\` \*\*x\*\* \<\@1\> \[a\](http://b) \# big token=\[hidden\] Lifeguard keeps watching."
        );
        assert_eq!(message["allowed_mentions"], serde_json::json!({ "parse": [] }));
    }

    proptest! {
        // Few, since a debug build takes its time over such texts.
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn every_limit_holds(
            gateway in "\\PC{0,1200}",
            address in "\\PC{0,1200}",
            reason in "\\PC{0,7000}",
            host in "\\PC{0,1200}",
            late in any::<bool>(),
        ) {
            let mut alert = sample::down(7);
            alert.gateway = gateway;
            alert.address = address;
            alert.alert.kind = AlertKind::Down {
                verdict: Verdict::Failing(reason),
                next: None,
                next_at: Some(i64::MIN),
                waits_for: Vec::new(),
            };
            let now = if late { i64::MAX } else { 0 };
            let message = json_at(&alert, now, Context { host: &host, ..context(Language::Korean) });
            let embed = &message["embeds"][0];
            let count = |value: &Value| value.as_str().unwrap().chars().count();
            let fields = embed["fields"].as_array().unwrap();
            let of_fields: usize = fields.iter().map(|field| count(&field["name"]) + count(&field["value"])).sum();
            prop_assert!(fields.len() <= 25);
            prop_assert!(fields.iter().all(|field| (1..=1024).contains(&count(&field["value"]))));
            prop_assert!((1..=256).contains(&count(&embed["title"])));
            prop_assert!((1..=4096).contains(&count(&embed["description"])));
            let together = count(&embed["title"]) + count(&embed["description"]) + count(&embed["footer"]["text"]);
            prop_assert!(together + of_fields <= 6000);
        }
    }
}
