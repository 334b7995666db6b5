//! A copy of OpenClaw's state, taken before its `doctor` changes it. OpenClaw's own `backup create` refuses where the
//! configuration cannot be read (measured with 2026.9.6), which is just when the doctor is called.

use std::fs::{self, DirEntry, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{GuardError, is_in_git_tree, stamped};
use crate::platform::private::{create_folder, file_name};

/// Backups that are kept.
pub const KEPT_BACKUPS: usize = 2;

/// Largest state that is copied, in bytes: more would take minutes, and fill the disk.
const MOST: u64 = 1024 * 1024 * 1024;

/// Most files that are copied.
const MOST_FILES: usize = 20_000;

/// Deepest folder that is entered.
const DEEPEST: usize = 16;

/// Parts of the state that the doctor does not change, or that are made anew: downloads, caches, logs, the agents' own
/// files.
const LEFT_OUT: [&str; 8] = ["cache", "tmp", "logs", "media", "workspace", "node_modules", "plugins", "browser"];

/// Where the backups of one gateway are.
#[derive(Debug, Clone)]
pub struct Backups {
    folder: PathBuf,
}

impl Backups {
    /// The backups of the gateway `name` in Lifeguard's state folder.
    #[must_use]
    pub fn new(state_dir: &Path, name: &str) -> Self {
        Self { folder: state_dir.join("backups").join(file_name(name)) }
    }

    /// Copies the configuration and the state of a gateway that does not run; gives the folder. It is there as a whole
    /// or not at all. Blocks.
    pub fn take(&self, state: &Path, config: &Path, now: i64) -> Result<PathBuf, GuardError> {
        if is_in_git_tree(&self.folder) {
            return Err(GuardError::InGitTree(self.folder.clone()));
        }
        create_folder(&self.folder).map_err(GuardError::at(&self.folder))?;
        let unfinished = tempfile::Builder::new()
            .prefix("unfinished-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&self.folder)
            .map_err(GuardError::at(&self.folder))?;
        let mut copying = Copying { state: state.to_owned(), bytes: 0, files: 0 };
        copying.folder(state, &unfinished.path().join("state"), 0)?;
        if config.is_file() {
            let name = config.file_name().unwrap_or_default();
            copying.file(config, &unfinished.path().join(name))?;
        }
        let whole = self.folder.join(stamped(now));
        fs::rename(unfinished.keep(), &whole).map_err(GuardError::at(&whole))?;
        self.rotate()?;
        Ok(whole)
    }

    fn rotate(&self) -> Result<(), GuardError> {
        let failed = GuardError::at(&self.folder);
        let entries = fs::read_dir(&self.folder).map_err(&failed)?;
        let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        // The time is the name; what was never finished sorts after it and goes first.
        found.retain(|path| path.is_dir());
        found.sort();
        let (unfinished, whole): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("unfinished-")));
        let old = whole.len().saturating_sub(KEPT_BACKUPS);
        for folder in unfinished.iter().chain(&whole[..old]) {
            fs::remove_dir_all(folder).map_err(GuardError::at(folder))?;
        }
        Ok(())
    }
}

struct Copying {
    state: PathBuf,
    bytes: u64,
    files: usize,
}

impl Copying {
    fn folder(&mut self, from: &Path, to: &Path, depth: usize) -> Result<(), GuardError> {
        create_folder(to).map_err(GuardError::at(to))?;
        let entries = fs::read_dir(from).map_err(GuardError::at(from))?;
        for entry in entries {
            let entry = entry.map_err(GuardError::at(from))?;
            self.entry(&entry, to, depth)
                .map_err(|error| match error {
                    // What went away meanwhile was of no account.
                    GuardError::Unusable { cause, .. } if cause.kind() == io::ErrorKind::NotFound => None,
                    error => Some(error),
                })
                .or_else(|error| error.map_or(Ok(()), Err))?;
        }
        Ok(())
    }

    /// Links, sockets and pipes are no state of OpenClaw's own.
    fn entry(&mut self, entry: &DirEntry, to: &Path, depth: usize) -> Result<(), GuardError> {
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().map_err(GuardError::at(&path))?;
        let left_out = LEFT_OUT.iter().any(|part| name.to_string_lossy().starts_with(part));
        if kind.is_dir() && depth < DEEPEST && !left_out {
            self.folder(&path, &to.join(name), depth + 1)
        } else if kind.is_file() {
            self.file(&path, &to.join(name))
        } else {
            Ok(())
        }
    }

    fn file(&mut self, from: &Path, to: &Path) -> Result<(), GuardError> {
        self.bytes = self.bytes.saturating_add(from.metadata().map_err(GuardError::at(from))?.len());
        self.files += 1;
        if self.bytes > MOST || self.files > MOST_FILES {
            return Err(GuardError::TooMuchState(self.state.clone()));
        }
        // Takes the mode along; the folder above is closed to everybody else.
        fs::copy(from, to).map_err(GuardError::at(to))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_795_356_202_007;

    fn state(folder: &Path) -> PathBuf {
        let state = folder.join("claw");
        for place in ["state", "agents/main/agent", "cache/x", "workspace-2", "logs"] {
            fs::create_dir_all(state.join(place)).unwrap();
            fs::write(state.join(place).join("a.sqlite"), place).unwrap();
        }
        fs::write(state.join("openclaw.json"), "{broken").unwrap();
        std::os::unix::fs::symlink("/etc", state.join("link")).unwrap();
        state
    }

    #[test]
    fn the_state_is_copied_without_what_is_made_anew() {
        let home = tempfile::tempdir().unwrap();
        let state = state(home.path());
        let backups = Backups::new(home.path(), "home");
        let whole = backups.take(&state, &state.join("openclaw.json"), AT).unwrap();
        assert!(whole.ends_with("backups/home/20261122T140322.007Z"), "{}", whole.display());
        let text = |place: &str| fs::read_to_string(whole.join(place)).ok();
        assert_eq!(text("openclaw.json").as_deref(), Some("{broken"));
        assert_eq!(text("state/openclaw.json").as_deref(), Some("{broken"));
        assert_eq!(text("state/state/a.sqlite").as_deref(), Some("state"));
        assert_eq!(text("state/agents/main/agent/a.sqlite").as_deref(), Some("agents/main/agent"));
        for place in ["state/cache", "state/workspace-2", "state/logs", "state/link"] {
            assert!(!whole.join(place).exists(), "{place}");
        }
        assert_eq!(whole.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn the_newest_two_stay_and_nothing_unfinished() {
        let home = tempfile::tempdir().unwrap();
        let state = state(home.path());
        let backups = Backups::new(home.path(), "home");
        fs::create_dir_all(home.path().join("backups/home/unfinished-1")).unwrap();
        for number in 0..4 {
            backups.take(&state, &state.join("none.json"), AT + number * 1_000).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(home.path().join("backups/home"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["20261122T140324.007Z", "20261122T140325.007Z"]);
    }

    #[test]
    fn a_state_beyond_reason_is_refused_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let state = state(home.path());
        fs::File::create(state.join("state/huge.sqlite")).unwrap().set_len(MOST + 1).unwrap();
        let refused = Backups::new(home.path(), "home").take(&state, &state.join("openclaw.json"), AT).unwrap_err();
        assert!(matches!(refused, GuardError::TooMuchState(_)), "{refused}");
        assert_eq!(fs::read_dir(home.path().join("backups/home")).unwrap().count(), 0);
    }
}
