//! One alert as plain text, for services that show no more than that. Pure.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::channel::{Dispatch, Form};
use super::fact::{Value, facts};
use super::redact::{cut, one_line};
use super::remark::remarks;
use super::when;
use crate::supervisor::event::AlertKind;
use crate::text::alert::{self as say, Subject};
use crate::text::{Language, Phrase};

/// Characters of a headline at most.
const TITLE: usize = 250;
/// Characters of a fact's value at most.
const VALUE: usize = 300;
/// Characters of the sentences at most.
const BODY: usize = 3000;

/// What writes the letters of one channel.
#[derive(Debug, Clone)]
pub struct Writer {
    /// Language of the texts.
    pub language: Language,
    /// Name of this machine.
    pub host: String,
}

/// One alert in plain words. Each text is on one line, free of secrets and of bounded length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The headline.
    pub title: String,
    /// The sentences.
    pub body: String,
    /// Facts, each with its name.
    pub facts: Vec<(String, String)>,
    /// Who writes, and the alert's name, by which a repeat is told from news.
    pub footer: String,
}

impl Writer {
    /// One that speaks `language` on this machine.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self { language, host: sysinfo::System::host_name().unwrap_or_default() }
    }

    /// Writes a letter with moments in `zone`.
    #[must_use]
    pub fn write(&self, dispatch: &Dispatch<'_>, zone: &TimeZone) -> Letter {
        let (alert, language) = (dispatch.alert, self.language);
        let kind = &alert.alert.kind;
        let name = one_line(&alert.gateway);
        let subject = Subject { name: &name, practice: alert.practice };
        let moment = |at: i64| when::ahead(at, alert.alert.at, language, zone);
        let sentences = cut(&one_line(&say::body(kind, subject, language, &moment)), BODY);
        let happened = when::written(alert.alert.at, dispatch.now, language, zone);
        let body = remarks(dispatch, &happened, language)
            .into_iter()
            .fold(sentences, |text, remark| format!("{text} {remark}"));
        let facts = facts(alert, &self.host, language).into_iter().map(|fact| {
            let value = match fact.value {
                Value::Text(text) => cut(&text, VALUE),
                Value::Past(at) | Value::Ahead(at) => when::whole(at, zone),
            };
            (fact.field.say(language), value)
        });
        let practice = if alert.practice { format!("{} · ", say::practice(language)) } else { String::new() };
        Letter {
            title: cut(&one_line(&headline(dispatch, subject, language)), TITLE),
            body,
            facts: facts.collect(),
            footer: format!("Lifeguard {} · {practice}{}", env!("CARGO_PKG_VERSION"), dispatch.id),
        }
    }
}

/// The headline; that of an outage's message which is over says how long it lasted.
#[must_use]
pub fn headline(dispatch: &Dispatch<'_>, subject: Subject<'_>, language: Language) -> String {
    match (&dispatch.alert.alert.kind, dispatch.form) {
        (AlertKind::Recovered { downtime, .. }, Form::Edit(_)) => {
            say::over(Duration::from_millis(*downtime), subject, language)
        }
        (kind, _) => say::title(kind, subject, language),
    }
}

impl Letter {
    /// Sentences, facts and footer as one text of at most `limit` units, `size` being the units of a character. What
    /// is too long is cut in its sentences first.
    #[must_use]
    pub fn text(&self, limit: usize, size: fn(char) -> usize) -> String {
        let mut rest = String::new();
        for (name, value) in &self.facts {
            rest = format!("{rest}\n{name}: {value}");
        }
        let rest = fit(&rest, limit / 2, size);
        let rest = format!("{rest}\n{}", self.footer);
        let used: usize = rest.chars().map(size).sum::<usize>() + 1;
        format!("{}\n{rest}", fit(&self.body, limit.saturating_sub(used), size))
    }
}

/// The text cut to so many units, the last character an ellipsis if anything was cut.
#[must_use]
pub fn fit(text: &str, limit: usize, size: fn(char) -> usize) -> String {
    if text.chars().map(size).sum::<usize>() <= limit {
        return text.to_owned();
    }
    let mut room = limit.saturating_sub(size('…'));
    let mut kept: String = text
        .chars()
        .take_while(|character| {
            let fits = size(*character) <= room;
            room = room.saturating_sub(size(*character));
            fits
        })
        .collect();
    kept.push('…');
    kept
}

#[cfg(test)]
pub(super) mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::alert::{GatewayAlert, sample};
    use crate::supervisor::event::Alert;
    use crate::supervisor::verdict::Verdict;

    /// A writer on a machine of this name.
    pub(in crate::alert) fn writer(language: Language) -> Writer {
        Writer { language, host: "workshop".to_owned() }
    }

    /// An alert whose texts from outside try everything.
    pub(in crate::alert) fn hostile() -> GatewayAlert {
        let text = format!(
            "`x` *b* _i_ ~s~ @everyone <!channel> <b>&amp; [a](http://b) \u{202E}\r\n😀 /start {}",
            "ㄱ😀x ".repeat(25_000)
        );
        let mut alert = sample::degraded(7);
        alert.gateway = format!("*{}", "g<&>😀".repeat(2_000));
        alert.address = "<@U1> & \"quotes\"".to_owned();
        alert.alert = Alert { kind: AlertKind::Degraded { verdict: Verdict::Failing(text) }, ..alert.alert };
        alert
    }

    #[test]
    fn every_alert_reads_well_in_both_languages() {
        let mut all = String::new();
        for language in Language::ALL {
            for (name, alert) in sample::every() {
                let letter = writer(language).write(&sample::dispatch(&alert), &TimeZone::UTC);
                let text = letter.text(4096, |_| 1);
                writeln!(all, "{name}\n{}\n{text}\n", letter.title).unwrap();
            }
        }
        insta::assert_snapshot!(all.replace(env!("CARGO_PKG_VERSION"), "0.0.0"));
    }

    #[test]
    fn a_late_repeat_says_both() {
        let alert = GatewayAlert { practice: true, ..sample::down(7) };
        let dispatch = Dispatch { now: sample::AT + 720_000, repeat: true, ..sample::dispatch(&alert) };
        let letter = writer(Language::English).write(&dispatch, &TimeZone::UTC);
        let wanted = "Delivered 12 min late: this happened at 14:03:22. Possibly a repeat: the connection broke before the first attempt was confirmed.";
        assert!(letter.body.ends_with(wanted), "{}", letter.body);
        assert!(letter.footer.ends_with(" · practice · test-7"), "{}", letter.footer);
    }

    #[test]
    fn hostile_texts_are_one_line_each_and_end() {
        let letter = writer(Language::English).write(&sample::dispatch(&hostile()), &TimeZone::UTC);
        assert!(!letter.body.contains(['\n', '\r', '\u{202E}']));
        assert!(letter.body.contains("@everyone <!channel>"), "escaping is each service's own");
        assert!(letter.body.chars().count() < 3_500 && letter.title.chars().count() <= 250);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_text_fits_its_limit_whatever_the_unit(body in "\\PC{0,6000}", value in "\\PC{0,2000}", limit in 400_usize..5000) {
            let letter = Letter {
                title: String::new(),
                body,
                facts: vec![("Host".to_owned(), value)],
                footer: "Lifeguard".to_owned(),
            };
            for size in [char::len_utf8, char::len_utf16, |_| 1] {
                let text = letter.text(limit, size);
                prop_assert!(text.chars().map(size).sum::<usize>() <= limit);
                prop_assert!(text.ends_with("\nLifeguard"));
            }
        }
    }
}
