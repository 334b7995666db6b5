//! The core's state on disk: one record per gateway in the history.
//!
//! The record is in place before an action that it tells of is begun, so that killing Lifeguard at any instant loses
//! nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::history::{Change, History, HistoryError, Stamp};
use crate::platform::private::{file_name, write};
use crate::supervisor::moment::Moment;
use crate::supervisor::state::{State, VERSION};

/// What is kept.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    #[serde(flatten)]
    stamp: Stamp,
    state: State,
}

/// Just enough to tell a record of a newer Lifeguard.
#[derive(Deserialize)]
struct Header {
    version: u32,
}

/// What was found on disk.
#[derive(Debug)]
pub struct Loaded {
    /// The state to go on from.
    pub state: State,
    /// The state was saved on this boot of the machine: processes in it may still run.
    pub same_boot: bool,
    /// Something went wrong that the person should know.
    pub problem: Option<StoreProblem>,
}

/// Something is wrong with the state on disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreProblem {
    /// The record could not be read as a state; it was kept aside.
    #[error("the saved state was damaged ({reason}); it is kept as {} and Lifeguard started anew", kept.display())]
    Damaged {
        /// What was wrong.
        reason: String,
        /// Where it is now.
        kept: PathBuf,
    },
    /// The record is of a newer Lifeguard; it was kept aside.
    #[error("the saved state is of a newer Lifeguard; it is kept as {} and this one started anew", kept.display())]
    Newer {
        /// Where it is now.
        kept: PathBuf,
    },
    /// The record cannot be read, or what is wrong with it cannot be kept.
    #[error("the saved state cannot be read: {0}; Lifeguard started anew")]
    NoAccess(String),
}

/// Where one gateway's state is kept.
#[derive(Debug, Clone)]
pub struct StateStore {
    history: Arc<History>,
    folder: PathBuf,
    name: String,
}

impl StateStore {
    /// The state of the gateway `name` in `history`. `folder` takes what cannot be read, and may hold the file in which
    /// Lifeguard 0.1 kept the state before there was a history.
    #[must_use]
    pub fn new(history: Arc<History>, folder: &Path, name: &str) -> Self {
        Self { history, folder: folder.to_owned(), name: name.to_owned() }
    }

    /// What the gateway is called in the history.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Loads the state, moved onto this boot's clocks. What cannot be read is kept aside, never overwritten.
    #[must_use]
    pub fn load(&self, now: Moment) -> Loaded {
        let fresh = |problem| Loaded { state: State::default(), same_boot: false, problem };
        let text = match self.find() {
            Ok(Some(text)) => text,
            Ok(None) => return fresh(None),
            Err(error) => return fresh(Some(StoreProblem::NoAccess(error))),
        };
        let record: Record = match serde_json::from_str(&text) {
            Ok(record) => record,
            Err(error) => {
                let newer = serde_json::from_str::<Header>(&text).is_ok_and(|header| header.version > VERSION);
                return fresh(Some(self.put_aside(&text, now, newer, &error.to_string())));
            }
        };
        if record.version > VERSION {
            return fresh(Some(self.put_aside(&text, now, true, "")));
        }
        let shift = record.stamp.shift_to(self.history.boot(), now);
        let mut state = record.state;
        if let Some(shift) = shift {
            state.shift(shift);
        }
        Loaded { state, same_boot: shift.is_none(), problem: None }
    }

    /// Stores the state, and how far its incidents have come, as part of a change.
    pub fn save(&self, change: &Change<'_>, state: &State, now: Moment) -> Result<(), HistoryError> {
        let record = Record { version: VERSION, stamp: self.history.stamp(now), state: state.clone() };
        change.save_state(&self.name, &serde_json::to_string(&record)?)?;
        let lasting = state.incident.as_ref().map(|incident| incident.summary(now, false));
        for incident in state.last_incident.iter().chain(&lasting) {
            change.save_incident(&self.name, incident)?;
        }
        Ok(())
    }

    /// The record; the old file's content moves into the history.
    fn find(&self) -> Result<Option<String>, String> {
        let found = self.history.state(&self.name).map_err(|error| error.to_string())?;
        if found.is_some() {
            return Ok(found);
        }
        let file = self.file();
        let text = match std::fs::read(&file) {
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", file.display())),
        };
        if self.history.is_read_only() {
            return Ok(Some(text));
        }
        self.history.change(|change| change.save_state(&self.name, &text)).map_err(|error| error.to_string())?;
        let moved = file.with_extension("json.moved");
        std::fs::rename(&file, &moved).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Some(text))
    }

    fn put_aside(&self, text: &str, now: Moment, newer: bool, reason: &str) -> StoreProblem {
        if self.history.is_read_only() {
            return StoreProblem::NoAccess(reason.to_owned());
        }
        let kept = self.file().with_extension(format!("json.kept-{}", now.wall));
        if let Err(error) = write(&kept, text.as_bytes()) {
            return StoreProblem::NoAccess(format!("{}: {error}", kept.display()));
        }
        if let Err(error) = self.history.change(|change| change.forget_state(&self.name)) {
            warn!(gateway = self.name, %error, "a state that cannot be read stays in the history");
        }
        if newer { StoreProblem::Newer { kept } } else { StoreProblem::Damaged { reason: reason.to_owned(), kept } }
    }

    fn file(&self) -> PathBuf {
        self.folder.join(format!("gateway-{}.json", file_name(&self.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Moment {
        Moment { awake: millis, elapsed: millis, wall: millis }
    }

    fn store(folder: &tempfile::TempDir, boot: &str) -> StateStore {
        let opened = History::open(folder.path(), Some(boot.to_owned()), at(7)).unwrap();
        StateStore::new(Arc::new(opened.history), folder.path(), "my gateway/1")
    }

    fn save(store: &StateStore, state: &State, now: Moment) {
        store.history.change(|change| store.save(change, state, now)).unwrap();
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let state = State { seed: 5, next_heal: 9, ..State::default() };
        save(&store(&folder, "a"), &state, at(1_000));
        let loaded = store(&folder, "a").load(at(2_000));
        assert_eq!(loaded.state, state);
        assert!(loaded.same_boot && loaded.problem.is_none());
        assert!(!store(&folder, "b").load(at(2_000)).same_boot);
    }

    #[test]
    fn a_damaged_record_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, "a");
        store.history.change(|change| change.save_state("my gateway/1", "{half")).unwrap();
        let loaded = store.load(at(7));
        assert_eq!(loaded.state, State::default());
        let Some(StoreProblem::Damaged { kept, .. }) = loaded.problem else { panic!("{loaded:?}") };
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "{half");
        assert!(store.load(at(8)).problem.is_none());
    }

    #[test]
    fn a_record_of_a_newer_version_is_kept_aside_and_named_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, "a");
        store.history.change(|change| change.save_state("my gateway/1", r#"{"version": 99, "anything": []}"#)).unwrap();
        assert!(matches!(store.load(at(7)).problem, Some(StoreProblem::Newer { .. })));
    }

    #[test]
    fn the_file_of_the_first_version_moves_into_the_history() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, "boot-of-the-first-version");
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/state/version-1.json"), store.file()).unwrap();
        for _ in 0..2 {
            let loaded = store.load(at(i64::MAX / 2));
            assert!(loaded.problem.is_none(), "{:?}", loaded.problem);
            assert_eq!(loaded.state.crashes.count(), 2);
            assert!(loaded.state.incident.is_some());
            assert!(!store.file().exists());
        }
    }
}
