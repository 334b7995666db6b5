//! The core's state on disk: one small file per gateway, replaced as a whole.
//!
//! The new file takes the old one's place before an action that it tells of is begun, so that killing Lifeguard at
//! any instant loses nothing. It is flushed to the disk right after: only a power cut may lose the newest change.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::platform::private::file_name;
use crate::supervisor::moment::Moment;
use crate::supervisor::state::{State, VERSION, shift_between_boots};

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    boot: Option<String>,
    saved: Moment,
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
    /// The file could not be read as a state; it was kept aside.
    #[error("the saved state was damaged ({reason}); it is kept as {} and Lifeguard started anew", kept.display())]
    Damaged {
        /// What was wrong.
        reason: String,
        /// Where it is now.
        kept: PathBuf,
    },
    /// The file is of a newer Lifeguard; it was kept aside.
    #[error("the saved state is of a newer Lifeguard; it is kept as {} and this one started anew", kept.display())]
    Newer {
        /// Where it is now.
        kept: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("the state cannot be kept in {}: {reason}; until this is mended, a restart of Lifeguard forgets", path.display())]
    NoAccess {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// One gateway's state file.
#[derive(Debug, Clone)]
pub struct StateStore {
    path: PathBuf,
    boot: Option<String>,
}

impl StateStore {
    /// The file of the gateway `name` in `folder`; `boot` names this boot of the machine, where the system does.
    #[must_use]
    pub fn new(folder: &Path, name: &str, boot: Option<String>) -> Self {
        Self { path: folder.join(format!("gateway-{}.json", file_name(name))), boot }
    }

    /// Loads the state, moved onto this boot's clocks. What cannot be read is kept aside, never overwritten.
    #[must_use]
    pub fn load(&self, now: Moment) -> Loaded {
        let fresh = |problem| Loaded { state: State::default(), same_boot: false, problem };
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return fresh(None),
            Err(error) => return fresh(Some(self.no_access(&error))),
        };
        let record: Record = match serde_json::from_slice(&text) {
            Ok(record) => record,
            Err(error) => {
                let newer = serde_json::from_slice::<Header>(&text).is_ok_and(|header| header.version > VERSION);
                return fresh(Some(self.put_aside(now, newer, &error.to_string())));
            }
        };
        if record.version > VERSION {
            return fresh(Some(self.put_aside(now, true, "")));
        }
        let same_boot = match (&record.boot, &self.boot) {
            (Some(saved), Some(current)) => saved == current,
            // The clock that never steps tells: it cannot have gone back on one boot.
            _ => record.saved.elapsed <= now.elapsed,
        };
        let mut state = record.state;
        if !same_boot {
            state.shift(shift_between_boots(record.saved, now));
        }
        Loaded { state, same_boot, problem: None }
    }

    /// Saves the state: in place when this returns, flushed to the disk shortly after.
    pub fn save(&self, state: &State, now: Moment) -> Result<(), StoreProblem> {
        let file = self.replace(state, now).map_err(|error| self.no_access(&error))?;
        let path = self.path.clone();
        let flush = move || {
            if let Err(error) = file.sync_all() {
                warn!(%error, path = %path.display(), "the state could not be flushed to the disk");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(flush)),
            Err(_) => flush(),
        }
        Ok(())
    }

    fn replace(&self, state: &State, now: Moment) -> std::io::Result<File> {
        let record = Record { version: VERSION, boot: self.boot.clone(), saved: now, state: state.clone() };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut temporary, &record)?;
        temporary.flush()?;
        Ok(temporary.persist(&self.path)?)
    }

    fn put_aside(&self, now: Moment, newer: bool, reason: &str) -> StoreProblem {
        let kept = self.path.with_extension(format!("json.kept-{}", now.wall));
        match std::fs::rename(&self.path, &kept) {
            Err(error) => self.no_access(&error),
            Ok(()) if newer => StoreProblem::Newer { kept },
            Ok(()) => StoreProblem::Damaged { reason: reason.to_owned(), kept },
        }
    }

    fn no_access(&self, error: &std::io::Error) -> StoreProblem {
        StoreProblem::NoAccess { path: self.path.clone(), reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Moment {
        Moment { awake: millis, elapsed: millis, wall: millis }
    }

    fn store(folder: &tempfile::TempDir, boot: &str) -> StateStore {
        StateStore::new(folder.path(), "my gateway/1", Some(boot.to_owned()))
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let state = State { seed: 5, next_heal: 9, ..State::default() };
        store(&folder, "a").save(&state, at(1_000)).unwrap();
        let loaded = store(&folder, "a").load(at(2_000));
        assert_eq!(loaded.state, state);
        assert!(loaded.same_boot && loaded.problem.is_none());
        assert!(!store(&folder, "b").load(at(2_000)).same_boot);
    }

    #[test]
    fn a_damaged_file_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, "a");
        std::fs::write(&store.path, "{half").unwrap();
        let loaded = store.load(at(7));
        assert_eq!(loaded.state, State::default());
        let Some(StoreProblem::Damaged { kept, .. }) = loaded.problem else { panic!("{loaded:?}") };
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "{half");
        assert!(store.load(at(8)).problem.is_none());
    }

    #[test]
    fn a_file_of_a_newer_version_is_kept_aside_and_named_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, "a");
        std::fs::write(&store.path, r#"{"version": 99, "anything": []}"#).unwrap();
        assert!(matches!(store.load(at(7)).problem, Some(StoreProblem::Newer { .. })));
    }

    #[test]
    fn a_folder_that_is_gone_is_told_and_not_fatal() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::new(&folder.path().join("gone"), "a", None);
        assert!(matches!(store.save(&State::default(), at(7)), Err(StoreProblem::NoAccess { .. })));
    }

    #[test]
    fn the_state_of_the_first_version_still_loads() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, "boot-of-the-first-version");
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/state/version-1.json"), &store.path).unwrap();
        let loaded = store.load(at(i64::MAX / 2));
        assert!(loaded.problem.is_none(), "{:?}", loaded.problem);
        assert_eq!(loaded.state.crashes.count(), 2);
        assert!(loaded.state.incident.is_some());
    }
}
