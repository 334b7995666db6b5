//! The report of a bundle: what was known of the incident at that moment.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::log::printable;
use crate::redact::{cut, redact};
use crate::supervisor::observation::Exit;

/// The newest layout of [`Report`].
pub const VERSION: u32 = 1;

/// Most passages of the history, and most members of the tree, that are stored.
pub const LONGEST_LIST: usize = 64;

/// Longest text of a report, in characters.
const LONGEST_TEXT: usize = 500;

/// Characters of a text that are looked at: no secret is cut in two where it would be seen.
const LOOKED_AT: usize = 4 * LONGEST_TEXT;

/// What was known of an incident. Times are Unix milliseconds, sizes bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Layout of this record.
    pub version: u32,
    /// The gateway's name in the configuration.
    pub gateway: String,
    /// Number of the incident.
    pub incident: u64,
    /// When the incident began: the first failed look.
    pub began: i64,
    /// When the bundle was taken.
    pub taken: i64,
    /// The rung of the attempt that follows.
    pub rung: String,
    /// Number of that attempt within the incident.
    pub attempt: u32,
    /// What is the matter: the verdict's name.
    pub verdict: String,
    /// The same as a sentence.
    pub summary: String,
    /// Verdicts that followed one another, the oldest first.
    pub history: Vec<Passage>,
    /// How the last process ended, where the system told.
    pub exit: Option<Exit>,
    /// Crash counter.
    pub crashes: u32,
    /// Lifeguard's version.
    pub lifeguard_version: String,
    /// OpenClaw's version, where it said so.
    pub openclaw_version: Option<String>,
    /// Operating system and processor.
    pub system: String,
    /// Who runs the gateway: `child`, `attached`, `systemd` or `launchd`.
    pub service: String,
    /// OpenClaw's configuration.
    pub config: ConfigFacts,
    /// The gateway's process, if it ran.
    pub process: Option<ProcessFacts>,
}

/// A verdict, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Passage {
    /// Since when.
    pub at: i64,
    /// The verdict's name.
    pub verdict: String,
    /// The health that was shown, by name.
    pub health: String,
    /// The verdict as a sentence.
    pub summary: String,
}

/// OpenClaw's configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigFacts {
    /// Where it is.
    pub path: PathBuf,
    /// Fingerprint of its content; `None` if it was not read.
    pub fingerprint: Option<String>,
    /// It differs from the one that the gateway was last healthy with; `None` if that is not known.
    pub changed_since_good: Option<bool>,
}

/// A process and those below it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessFacts {
    /// Process id.
    pub pid: u32,
    /// Its command line.
    pub command: String,
    /// How long it had been running, in milliseconds.
    pub age: u64,
    /// Resident memory.
    pub memory: Option<u64>,
    /// Open files, sockets included.
    pub open_files: Option<u64>,
    /// The processes below it.
    pub tree: Vec<Member>,
}

/// A process below the gateway's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// Process id.
    pub pid: u32,
    /// Its command line.
    pub command: String,
    /// Resident memory.
    pub memory: Option<u64>,
}

impl Report {
    /// Takes secrets out of every text that came from outside, and cuts what is endless.
    pub(super) fn tidy(&mut self) {
        let clean = |text: &mut String| *text = cut(&printable(&redact(&cut(text, LOOKED_AT))), LONGEST_TEXT);
        clean(&mut self.summary);
        self.history.drain(..self.history.len().saturating_sub(LONGEST_LIST));
        self.history.iter_mut().for_each(|passage| clean(&mut passage.summary));
        self.openclaw_version.iter_mut().for_each(clean);
        if let Some(process) = &mut self.process {
            clean(&mut process.command);
            process.tree.truncate(LONGEST_LIST);
            process.tree.iter_mut().for_each(|member| clean(&mut member.command));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::LARGEST_FILE;
    use super::*;

    #[test]
    fn the_largest_report_has_its_limit_and_no_secret() {
        let endless = || format!("--token abcdefgh12345678 {}", "가".repeat(100_000));
        let member = Member { pid: 1, command: endless(), memory: None };
        let passage = Passage { summary: endless(), ..Passage::default() };
        let process = ProcessFacts { command: endless(), tree: vec![member; 1_000], ..ProcessFacts::default() };
        let mut report = Report {
            summary: endless(),
            history: vec![passage; 1_000],
            openclaw_version: Some(endless()),
            process: Some(process),
            ..Report::default()
        };
        report.history[999].verdict = "newest".to_owned();
        report.tidy();
        assert_eq!(report.history.last().unwrap().verdict, "newest");
        let text = serde_json::to_string_pretty(&report).unwrap();
        assert!(text.len() < LARGEST_FILE, "{}", text.len());
        assert!(!text.contains("abcdefgh12345678") && text.contains("--token [hidden]"), "{}", &text[..1_000]);
    }

    #[test]
    fn a_report_of_an_earlier_layout_still_loads() {
        let report: Report = serde_json::from_str(r#"{"version":1,"incident":3}"#).unwrap();
        assert_eq!((report.incident, report.process), (3, None));
    }
}
