//! The part of `openclaw.json` that the practice gateway heeds.

use std::path::Path;
use std::{fs, io};

use serde_json::{Map, Value};

/// Why a gateway does not start with its configuration. The texts are the real one's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Missing config. Run `openclaw setup` or set gateway.mode=local (or pass --allow-unconfigured).")]
    Missing,
    /// Also for a file that is no JSON at all; the text after it says why, for a restart in the same process.
    #[error(
        "Gateway start blocked: existing config is missing gateway.mode. Treat this as suspicious or clobbered config. Re-run `openclaw onboard --mode local` or `openclaw setup`, set gateway.mode=local manually, or pass --allow-unconfigured."
    )]
    NoMode(String),
    #[error("Gateway start blocked: set gateway.mode=local (current: {0}) or pass --allow-unconfigured.")]
    OtherMode(String),
}

/// A configuration that can be used.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Configuration {
    value: Value,
}

impl Configuration {
    /// Reads the file.
    pub(super) fn load(path: &Path) -> Result<Self, Refusal> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Refusal::Missing),
            Err(error) => return Err(Refusal::NoMode(error.to_string())),
        };
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| Refusal::NoMode(format!("JSON5 parse failed: SyntaxError: JSON5: {error}")))?;
        match value.pointer("/gateway/mode").and_then(Value::as_str) {
            Some("local") => Ok(Self { value }),
            Some(mode) => Err(Refusal::OtherMode(mode.to_owned())),
            None => Err(Refusal::NoMode("gateway.mode: required".to_owned())),
        }
    }

    /// `gateway.port`.
    pub(super) fn port(&self) -> Option<u16> {
        self.value.pointer("/gateway/port")?.as_u64()?.try_into().ok()
    }

    /// Names of the configured channels.
    pub(super) fn channels(&self) -> Vec<String> {
        let channels = self.value.get("channels").and_then(Value::as_object);
        channels.map(|channels| channels.keys().cloned().collect()).unwrap_or_default()
    }

    /// `commands.restart`: whether the restart signal is heeded.
    pub(super) fn restart_allowed(&self) -> bool {
        self.value.pointer("/commands/restart").and_then(Value::as_bool).unwrap_or(true)
    }

    /// `gateway.controlUi.enabled`: whether unknown paths answer with the web page.
    pub(super) fn has_page(&self) -> bool {
        self.value.pointer("/gateway/controlUi/enabled").and_then(Value::as_bool).unwrap_or(true)
    }

    /// Paths such as `update.checkOnStart` whose values differ.
    pub(super) fn changed_paths(&self, other: &Self) -> Vec<String> {
        let mut paths = Vec::new();
        collect_changes(&self.value, &other.value, "", &mut paths);
        paths
    }
}

fn collect_changes(old: &Value, new: &Value, prefix: &str, paths: &mut Vec<String>) {
    if old == new {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        paths.push(prefix.to_owned());
        return;
    };
    let empty = Value::Object(Map::new());
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        collect_changes(old.get(key).unwrap_or(&empty), new.get(key).unwrap_or(&empty), &path, paths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Configuration, Refusal> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("openclaw.json");
        fs::write(&path, text).unwrap();
        Configuration::load(&path)
    }

    #[test]
    fn only_a_local_gateway_may_start() {
        assert!(matches!(load("{broken"), Err(Refusal::NoMode(_))));
        assert!(matches!(load(""), Err(Refusal::NoMode(_))));
        assert!(matches!(load("{}"), Err(Refusal::NoMode(_))));
        assert_eq!(load(r#"{"gateway":{"mode":"remote"}}"#), Err(Refusal::OtherMode("remote".to_owned())));
        assert_eq!(Configuration::load(Path::new("/nowhere/openclaw.json")), Err(Refusal::Missing));
        let configuration =
            load(r#"{"gateway":{"mode":"local","port":19001},"channels":{"telegram":{"enabled":true}}}"#).unwrap();
        assert_eq!(configuration.port(), Some(19001));
        assert_eq!(configuration.channels(), ["telegram"]);
        assert!(configuration.restart_allowed());
    }

    #[test]
    fn a_change_is_named_by_its_path() {
        let old = load(r#"{"gateway":{"mode":"local"},"update":{"checkOnStart":false}}"#).unwrap();
        let new = load(r#"{"gateway":{"mode":"local","port":1},"update":{"checkOnStart":true}}"#).unwrap();
        assert_eq!(old.changed_paths(&new), ["gateway.port", "update.checkOnStart"]);
        assert_eq!(old.changed_paths(&old), Vec::<String>::new());
    }
}
