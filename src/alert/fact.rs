//! The facts that are listed below an alert, whatever a channel makes of them. Pure.

use std::time::Duration;

use super::GatewayAlert;
use super::redact::one_line;
use crate::supervisor::event::AlertKind;
use crate::text::alert::{self as say, Field};
use crate::text::{Language, Phrase, words};

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub field: Field,
    /// What it is.
    pub value: Value,
}

/// A fact's value: each channel writes moments in its own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One line, free of secrets.
    Text(String),
    /// A moment that has passed: Unix milliseconds.
    Past(i64),
    /// A moment ahead: Unix milliseconds.
    Ahead(i64),
}

/// The facts of an alert, in order; those that nobody knows are left out.
#[must_use]
pub fn facts(alert: &GatewayAlert, host: &str, language: Language) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |field, value: Value| {
        if !matches!(&value, Value::Text(text) if text.is_empty()) {
            facts.push(Fact { field, value });
        }
    };
    let text = |text: &str| Value::Text(one_line(text));
    add(Field::Gateway, text(&alert.gateway));
    add(Field::Address, text(&alert.address));
    add(Field::Host, text(host));
    let (verdict, next) = match &alert.alert.kind {
        AlertKind::Down { verdict, next_at, .. } => (Some(verdict), *next_at),
        AlertKind::SafeMode { verdict, next_trial_at } => (Some(verdict), Some(*next_trial_at)),
        AlertKind::Degraded { verdict }
        | AlertKind::Blocked { verdict, .. }
        | AlertKind::ConfigSuspect { verdict, .. }
        | AlertKind::Progress { verdict, .. } => (Some(verdict), None),
        AlertKind::Recovered { .. }
        | AlertKind::RestartFinished { .. }
        | AlertKind::Memory { .. }
        | AlertKind::Renewed { .. }
        | AlertKind::Report(_)
        | AlertKind::Check(_)
        | AlertKind::Digest { .. }
        | AlertKind::Test => (None, None),
    };
    let recovered = matches!(alert.alert.kind, AlertKind::Recovered { .. });
    let verdict = verdict.or(alert.alert.incident.as_ref().filter(|_| recovered).map(|incident| &incident.verdict));
    if let Some(verdict) = verdict {
        add(Field::Matter, text(&verdict.say(language)));
    }
    if let Some(incident) = &alert.alert.incident {
        add(Field::Since, Value::Past(incident.began));
        if recovered {
            let lasted = words::duration(Duration::from_millis(incident.duration), language);
            add(Field::Lasted, Value::Text(lasted));
        }
        add(Field::Attempts, Value::Text(incident.attempts.to_string()));
    }
    if let Some(next) = next.filter(|next| !say::is_now(*next, alert.alert.at)) {
        add(Field::Next, Value::Ahead(next));
    }
    if let Some(incident) = &alert.alert.incident {
        add(Field::Incident, Value::Text(incident.id.to_string()));
    }
    facts
}
