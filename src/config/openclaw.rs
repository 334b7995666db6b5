//! What Lifeguard needs of OpenClaw's own `openclaw.json`: JSON5 with comments, read and never written.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::guard::LARGEST;
use crate::guard::document::{self, NotJson};
use crate::text::discovery::DiscoveryNote;

/// The facts that were found.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The file is there.
    pub(super) exists: bool,
    /// `gateway.port`.
    pub(super) port: Option<u16>,
    /// `gateway.auth` has a token or a password, or says where to get one.
    pub(super) has_token: bool,
    /// `logging.file`.
    pub(super) log: Option<PathBuf>,
    /// What could not be understood.
    pub(super) notes: Vec<DiscoveryNote>,
}

/// The parts of the file that matter. Any value is taken, so that one of a future kind spoils nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    gateway: Value,
    logging: Value,
    #[serde(rename = "$include")]
    include: Value,
}

/// Reads the facts. Never fails: what is wrong becomes a note.
pub(super) fn read(file: &Path) -> Facts {
    let mut facts = Facts::default();
    let name = file.display().to_string();
    let mut bytes = Vec::new();
    match std::fs::File::open(file).and_then(|opened| opened.take(LARGEST).read_to_end(&mut bytes)) {
        Ok(_) => facts.exists = true,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return facts,
        Err(cause) => {
            facts.exists = true;
            facts.notes.push(DiscoveryNote::Unreadable { file: name, cause: cause.to_string() });
            return facts;
        }
    }
    let document: Document = match document::parse(&bytes) {
        Ok(document) => document,
        Err(NotJson { line, column }) => {
            let place = if line == 0 { String::new() } else { format!(" (line {line}, column {column})") };
            facts.notes.push(DiscoveryNote::NotJson { file: name, place });
            return facts;
        }
    };
    let gateway = &document.gateway;
    match gateway.get("port") {
        None | Some(Value::Null) => {}
        Some(port) => match port.as_f64().and_then(whole_port) {
            Some(port) => facts.port = Some(port),
            None => facts.notes.push(DiscoveryNote::BadPort(name.clone())),
        },
    }
    if gateway.get("mode").and_then(Value::as_str) == Some("remote") {
        facts.notes.push(DiscoveryNote::Remote(name.clone()));
    }
    if !document.include.is_null() || gateway.get("$include").is_some() {
        facts.notes.push(DiscoveryNote::Includes(name));
    }
    facts.has_token =
        ["token", "password"].iter().any(|key| match gateway.get("auth").and_then(|auth| auth.get(key)) {
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(Value::Object(reference)) => !reference.is_empty(),
            _ => false,
        });
    facts.log = document.logging.get("file").and_then(Value::as_str).filter(|file| !file.is_empty()).map(PathBuf::from);
    facts
}

/// A JSON5 number (`18789`, `0x4965`, `18789.0`) as a port.
fn whole_port(number: f64) -> Option<u16> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within bounds")]
    ((1.0..=f64::from(u16::MAX)).contains(&number) && number.fract() == 0.0).then_some(number as u16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts(text: &str) -> Facts {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("openclaw.json");
        std::fs::write(&file, text).unwrap();
        read(&file)
    }

    #[test]
    fn comments_and_a_byte_order_mark_are_taken() {
        let facts =
            facts("\u{feff}// mine\n{ gateway: { port: 19001, auth: { token: 'x' }, }, logging: { file: '/l' } }");
        assert_eq!((facts.port, facts.has_token, facts.notes.len()), (Some(19001), true, 0));
        assert_eq!(facts.log, Some(PathBuf::from("/l")));
    }

    #[test]
    fn what_is_broken_becomes_a_note_that_quotes_nothing() {
        let broken = facts("{\n  \"token\": \"hunter2\" \"x\"\n}");
        assert!(matches!(&broken.notes[..], [DiscoveryNote::NotJson { .. }]), "{:?}", broken.notes);
        assert!(!format!("{:?}", broken.notes).contains("hunter2"));
        assert!(matches!(&facts("{gateway:{port:70000}}").notes[..], [DiscoveryNote::BadPort(_)]));
        assert!(matches!(
            &facts("{gateway:{port:'x', mode:'remote'}}").notes[..],
            [DiscoveryNote::BadPort(_), DiscoveryNote::Remote(_)]
        ));
        assert!(matches!(&facts("").notes[..], [DiscoveryNote::NotJson { .. }]));
    }

    #[test]
    fn values_of_an_unknown_kind_spoil_nothing() {
        let facts = facts("{gateway: [1], logging: 3, agents: {x: NaN}}");
        assert_eq!((facts.port, facts.has_token, facts.log), (None, false, None));
    }

    #[test]
    fn nesting_beyond_reason_becomes_a_note() {
        let deep = facts(&format!("{{gateway: {}", "[".repeat(1_000_000)));
        assert!(matches!(&deep.notes[..], [DiscoveryNote::NotJson { .. }]), "{:?}", deep.notes);
    }

    #[test]
    fn a_secret_reference_counts_as_a_token() {
        assert!(facts("{gateway:{auth:{password:{source:'env', id:'PW'}}}}").has_token);
        assert!(!facts("{gateway:{auth:{mode:'none', token:''}}}").has_token);
    }

    proptest! {
        #[test]
        fn any_file_gives_facts_or_notes(
            text in "(\u{feff}|//.{0,5}\n|/\\*|\\*/|\\{|\\}|\\[|gateway|port|auth|\\$include|:|,|'|\"|-?[0-9]{1,25}|NaN|.){0,40}",
            noise in any::<Vec<u8>>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("openclaw.json");
            for bytes in [text.into_bytes(), noise] {
                std::fs::write(&file, bytes).unwrap();
                prop_assert!(read(&file).exists);
            }
        }
    }
}
