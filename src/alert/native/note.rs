//! What a notification says, and how loudly. Pure.

use jiff::tz::TimeZone;

use crate::alert::GatewayAlert;
use crate::alert::channel::Dispatch;
use crate::alert::redact::{cut, one_line};
use crate::alert::remark::remarks;
use crate::alert::when;
use crate::request::Reply;
use crate::supervisor::event::{AlertKind, Level};
use crate::supervisor::verdict::Verdict;
use crate::text::alert::{self as say, Button, Pressed, Subject};
use crate::text::{Language, Phrase};

/// Characters of a body at most: desktops cut far earlier, some without a sign.
const BODY: usize = 500;
/// The same for a title.
const TITLE: usize = 120;

/// How much a notification may disturb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    /// No sound, low urgency.
    Quiet,
    /// As others.
    Usual,
    /// Stays until it is dismissed, through "do not disturb" where the desktop lets it.
    Urgent,
}

/// What a notification looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Something is wrong.
    Trouble,
    /// Something wants attention.
    Caution,
    /// News.
    News,
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Notes with the same key replace each other: one per incident.
    pub key: String,
    /// Headline, plain text.
    pub title: String,
    /// Text below, plain text.
    pub body: String,
    /// How loudly.
    pub loudness: Loudness,
    /// What it looks like.
    pub look: Look,
    /// Stays until it is dismissed or replaced.
    pub stays: bool,
    /// Buttons, at most three (GNOME shows no more).
    pub buttons: Vec<Button>,
}

impl Note {
    /// The note for an alert.
    #[must_use]
    pub fn of_alert(dispatch: &Dispatch<'_>, language: Language, zone: &TimeZone) -> Self {
        let alert = dispatch.alert;
        let kind = &alert.alert.kind;
        let name = one_line(&alert.gateway);
        let subject = Subject { name: &name, practice: alert.practice };
        let moment = |at: i64| when::ahead(at, alert.alert.at, language, zone);
        let mut body = say::body(kind, subject, language, &moment);
        for remark in remarks(dispatch, &when::written(alert.alert.at, dispatch.now, language, zone), language) {
            body = format!("{body} {remark}");
        }
        Self {
            key: key(alert),
            title: cut(&one_line(&say::title(kind, subject, language)), TITLE),
            body: cut(&one_line(&body), BODY),
            loudness: loudness(kind),
            look: look(kind),
            stays: look(kind) == Look::Trouble,
            buttons: buttons(kind),
        }
    }

    /// Makes this the note that shows what became of a press. Where the press did not help, `buttons` come back.
    pub fn answer(&mut self, what: &Pressed, buttons: &[Button], language: Language) {
        self.body = cut(&one_line(&what.say(language)), BODY);
        self.loudness = Loudness::Quiet;
        self.buttons = if what.helped() { Vec::new() } else { buttons.to_vec() };
        if let Pressed::Answered(_, Reply::Concluded(outcome)) = what {
            let kind = AlertKind::RestartFinished { outcome: outcome.clone() };
            let subject = Subject { name: "", practice: false };
            self.title = say::title(&kind, subject, language);
            self.look = look(&kind);
            self.stays = !outcome.succeeded();
        }
    }
}

fn key(alert: &GatewayAlert) -> String {
    let last = alert
        .alert
        .incident
        .as_ref()
        .map_or_else(|| alert.alert.kind.name().to_owned(), |incident| incident.id.to_string());
    format!("lifeguard.{}.{last}", alert.gateway)
}

fn loudness(kind: &AlertKind) -> Loudness {
    match kind {
        AlertKind::SafeMode { .. } | AlertKind::Blocked { .. } | AlertKind::ConfigSuspect { .. } => Loudness::Urgent,
        AlertKind::Recovered { .. } => Loudness::Quiet,
        AlertKind::Renewed { .. } | AlertKind::Progress { .. } => Loudness::Quiet,
        AlertKind::Down { .. }
        | AlertKind::Degraded { .. }
        | AlertKind::RestartFinished { .. }
        | AlertKind::Memory { .. }
        | AlertKind::Report(_)
        | AlertKind::Check(_)
        | AlertKind::Digest { .. }
        | AlertKind::Test => Loudness::Usual,
    }
}

fn look(kind: &AlertKind) -> Look {
    match kind {
        AlertKind::Down { .. }
        | AlertKind::SafeMode { .. }
        | AlertKind::Blocked { .. }
        | AlertKind::ConfigSuspect { .. } => Look::Trouble,
        AlertKind::Degraded { .. } | AlertKind::Memory { .. } | AlertKind::Progress { .. } => Look::Caution,
        AlertKind::Check(_) => Look::Caution,
        AlertKind::RestartFinished { outcome } if !outcome.succeeded() => Look::Caution,
        AlertKind::Digest { .. } if kind.level() == Level::Warning => Look::Caution,
        AlertKind::Recovered { .. }
        | AlertKind::RestartFinished { .. }
        | AlertKind::Renewed { .. }
        | AlertKind::Report(_)
        | AlertKind::Digest { .. }
        | AlertKind::Test => Look::News,
    }
}

fn buttons(kind: &AlertKind) -> Vec<Button> {
    match kind {
        // Nothing follows by itself and there is no process: the first button is the one that starts it.
        AlertKind::Down { verdict: Verdict::Gone, next: None, .. } => {
            vec![Button::Start, Button::OpenLog, Button::Pause]
        }
        AlertKind::Down { .. } | AlertKind::SafeMode { .. } => vec![Button::Restart, Button::OpenLog, Button::Pause],
        AlertKind::Blocked { .. } | AlertKind::Degraded { .. } => vec![Button::OpenLog],
        AlertKind::ConfigSuspect { rolls_back: false, .. } => vec![Button::RollBack, Button::OpenLog, Button::Pause],
        AlertKind::ConfigSuspect { rolls_back: true, .. } => vec![Button::OpenLog, Button::Pause],
        AlertKind::Memory { .. } => vec![Button::Restart],
        AlertKind::Recovered { .. }
        | AlertKind::RestartFinished { .. }
        | AlertKind::Progress { .. }
        | AlertKind::Renewed { .. }
        | AlertKind::Report(_)
        | AlertKind::Check(_)
        | AlertKind::Digest { .. }
        | AlertKind::Test => Vec::new(),
    }
}

/// A button's name towards the desktop. On macOS a set of names is one category, so a name has one label for ever.
#[must_use]
pub fn button_name(button: Button) -> &'static str {
    match button {
        Button::Restart => "restart",
        Button::Start => "start",
        Button::OpenLog => "open-log",
        Button::Pause => "pause",
        Button::RollBack => "roll-back",
    }
}

/// The button with this name; `None` for what desktops name themselves (a click beside the buttons, a dismissal).
#[must_use]
pub fn button_named(name: &str) -> Option<Button> {
    [Button::Restart, Button::Start, Button::OpenLog, Button::Pause, Button::RollBack]
        .into_iter()
        .find(|button| button_name(*button) == name)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::alert::sample;

    fn note(alert: &GatewayAlert, language: Language, now: i64) -> Note {
        Note::of_alert(&Dispatch { now, ..sample::dispatch(alert) }, language, &TimeZone::UTC)
    }

    #[test]
    fn every_alert_reads_well_in_both_languages() {
        let mut all = String::new();
        for language in Language::ALL {
            for (name, alert) in sample::every() {
                let note = note(&alert, language, sample::AT);
                let buttons: Vec<String> = note.buttons.iter().map(|button| button.say(language)).collect();
                let Note { title, body, loudness, look, stays, .. } = &note;
                writeln!(all, "{name} ({loudness:?}, {look:?}, stays: {stays})\n  {title}\n  {body}").unwrap();
                writeln!(all, "  [{}]", buttons.join("] [")).unwrap();
            }
            all += "\n";
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn one_incident_is_one_notification() {
        let keys: Vec<String> = [sample::down(7), sample::safe_mode(7), sample::recovered(7)]
            .iter()
            .map(|alert| note(alert, Language::English, 0).key)
            .collect();
        assert_eq!(keys, ["lifeguard.gateway.7", "lifeguard.gateway.7", "lifeguard.gateway.7"]);
        assert_ne!(note(&sample::down(8), Language::English, 0).key, keys[0]);
        assert_eq!(note(&sample::test(), Language::English, 0).key, "lifeguard.gateway.test");
    }

    #[test]
    fn a_late_note_says_when_it_happened() {
        let late = note(&sample::degraded(7), Language::English, sample::AT + 3_600_000);
        assert!(late.body.ends_with("Delivered 1 h late: this happened at 14:03:22."), "{}", late.body);
        let next_day = note(&sample::degraded(7), Language::Korean, sample::AT + 86_400_000);
        assert!(next_day.body.ends_with("1일 늦게 전달됨. 발생 시각: 2026-11-22 14:03:22."), "{}", next_day.body);
    }

    #[test]
    fn an_endless_reason_is_cut() {
        let mut alert = sample::degraded(7);
        alert.alert.kind = AlertKind::Degraded { verdict: Verdict::Failing("x\n".repeat(100_000)) };
        let note = note(&alert, Language::English, sample::AT);
        assert_eq!(note.body.chars().count(), BODY);
        assert!(!note.body.contains('\n'));
    }
}
