//! What differs between two configurations, setting by setting, with nothing in it that could be a secret.

use serde_json::Value;

use super::document::{self, NotJson};
use crate::redact::{HIDDEN, cut, one_line, redact};
use crate::supervisor::configuration::Alteration;

/// Most settings that are named; the rest is counted.
const MOST: usize = 12;

/// Longest name of a setting, in characters.
const LONGEST_NAME: usize = 80;

/// Longest text that is shown, in characters: tokens and keys are longer.
const LONGEST_TEXT: usize = 16;

/// Below these, whatever they hold may be a secret.
const PRIVATE: [&str; 6] = ["env", "headers", "secrets", "credentials", "auth", "vars"];

/// What became of `good` in `now`.
pub(super) fn between(good: &[u8], now: &[u8]) -> Alteration {
    let after: Value = match document::parse(now) {
        Ok(after) => after,
        Err(NotJson { line, column }) => return Alteration::Broken { line, column },
    };
    // A good one that this parser does not take had nothing to be compared with.
    let before: Value = document::parse(good).unwrap_or_default();
    let mut found = Found::default();
    compare("", &before, &after, &mut found);
    if found.more > 0 {
        found.named.push(format!("… +{}", found.more));
    }
    Alteration::Settings(found.named)
}

/// The settings that differ: the first ones by name, the rest counted.
#[derive(Default)]
struct Found {
    named: Vec<String>,
    more: usize,
}

impl Found {
    fn add(&mut self, say: impl FnOnce() -> String) {
        if self.named.len() < MOST {
            self.named.push(say());
        } else {
            self.more += 1;
        }
    }
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Found) {
    if before == after {
        return;
    }
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        found.add(|| {
            let (before, after) = (show(path, before), show(path, after));
            if before == after {
                format!("~ {}", name(path))
            } else {
                format!("~ {}: {before} → {after}", name(path))
            }
        });
        return;
    };
    for (key, value) in after {
        let path = join(path, key);
        match before.get(key) {
            Some(known) => compare(&path, known, value, found),
            None => found.add(|| one("+", &path, value)),
        }
    }
    for (key, value) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        found.add(|| one("-", &join(path, key), value));
    }
}

fn one(sign: &str, path: &str, value: &Value) -> String {
    format!("{sign} {} = {}", name(path), show(path, value))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The setting's name; a key that looks like a secret is hidden.
fn name(path: &str) -> String {
    let clean = one_line(path);
    if clean.is_empty() { "(…)".to_owned() } else { cut(&clean, LONGEST_NAME) }
}

/// A value as far as it can be shown: whole lists and sections never, texts only if they are short, plain and not below
/// what holds secrets.
fn show(path: &str, value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) if !is_private(path) => value.to_string(),
        Value::String(text) if is_plain(path, text) => format!("\"{text}\""),
        Value::Array(list) => format!("[{}]", list.len()),
        Value::Object(section) => format!("{{{}}}", section.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => HIDDEN.to_owned(),
    }
}

fn is_private(path: &str) -> bool {
    path.split('.').any(|part| PRIVATE.contains(&part.to_ascii_lowercase().as_str()))
}

fn is_plain(path: &str, text: &str) -> bool {
    let key = path.rsplit('.').next().unwrap_or_default();
    let assigned = format!("{key}=\"{text}\"");
    text.chars().count() <= LONGEST_TEXT
        && text.chars().all(|letter| letter.is_alphanumeric() || " ._-/:".contains(letter))
        && !is_private(path)
        && redact(&assigned) == assigned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(good: &str, now: &str) -> Vec<String> {
        match between(good.as_bytes(), now.as_bytes()) {
            Alteration::Settings(settings) => settings,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_setting_is_named_with_what_became_of_it() {
        let good = r#"{"gateway": {"mode": "local", "port": 18789, "bind": "loopback"}, "list": [1]}"#;
        let now = r"// mine
            {gateway: {mode: 'local', port: 18790, bogus: true, tls: {a: 1}}, list: [1, 2]}";
        assert_eq!(
            settings(good, now),
            [
                "+ gateway.bogus = true",
                "~ gateway.port: 18789 → 18790",
                "+ gateway.tls = {1}",
                "- gateway.bind = \"loopback\"",
                "~ list: [1] → [2]"
            ]
        );
        assert_eq!(settings(good, &format!("/* new */ {good}")), [""; 0]);
    }

    #[test]
    fn what_is_no_json_is_told_by_its_place_alone() {
        assert_eq!(between(b"{}", b"{\n  \"token\": \"hunter2\" 3\n}"), Alteration::Broken { line: 2, column: 22 });
        assert_eq!(between(b"{}", &b"[".repeat(1_000_000)), Alteration::Broken { line: 0, column: 0 });
    }

    #[test]
    fn no_secret_is_shown() {
        let good = r#"{"channels": {"telegram": {"botToken": "old-secret"}}, "env": {"A": "x", "PIN": 1234}}"#;
        let now = r#"{"channels": {"telegram": {"botToken": "new-secret"}}, "env": {"A": "y", "PIN": 5678},
            "models": {"apiKey": "k1", "x": "sk-proj-abcdefghijklmnopqrstuvwx", "y": "a text that is too long"}}"#;
        assert_eq!(settings(good, now), ["~ channels.telegram.botToken", "~ env.A", "~ env.PIN", "+ models = {3}"]);
        let inner =
            r#"{"models": {"apiKey": "k2", "x": "sk-proj-zbcdefghijklmnopqrstuvwx", "y": "another one that is"}}"#;
        let outer = now.replace("\"k1\"", "\"k0\"");
        let shown = settings(&outer, inner).join("\n");
        assert!(shown.contains("~ models.apiKey\n") && !shown.contains("k0") && !shown.contains("sk-"), "{shown}");
    }

    #[test]
    fn a_thousand_changes_are_counted() {
        let now: Vec<String> = (0..1_000).map(|number| format!("\"key{number}\": {number}")).collect();
        let shown = settings("{}", &format!("{{{}}}", now.join(",")));
        assert_eq!((shown.len(), shown[MOST].as_str()), (MOST + 1, "… +988"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_compared(good in ".*", now in any::<Vec<u8>>()) {
            between(good.as_bytes(), &now);
        }

        #[test]
        fn anything_like_json5_is_compared(good in "[\\[\\]{}:,'\"a-c0-9./* \n]{0,200}", now in "[\\[\\]{}:,'\"a-c0-9./*\u{feff} \n]{0,200}") {
            between(good.as_bytes(), now.as_bytes());
        }
    }
}
