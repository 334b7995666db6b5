//! Where Lifeguard keeps its things, and folders that only their owner can enter.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::environment::Environment;
use super::hash::fnv1a;
use crate::text::place::PlaceProblem;
use crate::text::{Language, Phrase};

/// The longest path of a socket, in bytes: macOS's `sun_path` has 104 with the closing zero, Linux's 108.
const LONGEST_SOCKET: usize = 103;

/// Every place on disk that Lifeguard uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The configuration.
    pub config_file: PathBuf,
    /// The person named the configuration, so it must exist.
    pub config_named: bool,
    /// What must survive a restart: the cores' state, the outbox, the lock.
    pub state_dir: PathBuf,
    /// Lifeguard's own logs and those of gateways that it owns.
    pub logs_dir: PathBuf,
    /// The control socket, in a folder of its own.
    pub socket: PathBuf,
}

impl Paths {
    /// The places for this environment. `config` is what `--config` said; it goes before `LIFEGUARD_CONFIG`.
    /// `LIFEGUARD_STATE_DIR` moves everything but the configuration.
    pub fn of(environment: &Environment, config: Option<&Path>) -> Result<Self, PathsError> {
        let named = config.map(Path::to_owned).or_else(|| environment.path("LIFEGUARD_CONFIG"));
        let state = environment.path("LIFEGUARD_STATE_DIR");
        let project = || ProjectDirs::from("", "", "Lifeguard").ok_or(PathsError(PlaceProblem::NoHome));
        let config_named = named.is_some();
        let config_file = match named {
            Some(path) => absolute(&path)?,
            None => project()?.config_dir().join("config.toml"),
        };
        let (state_dir, logs_dir) = if let Some(state) = state {
            let state = absolute(&state)?;
            let logs = state.join("logs");
            (state, logs)
        } else {
            let project = project()?;
            let state = project.state_dir().unwrap_or(project.data_local_dir()).to_owned();
            let logs = if cfg!(target_os = "macos") {
                environment.home().ok_or(PathsError(PlaceProblem::NoHome))?.join("Library/Logs/Lifeguard")
            } else {
                state.join("logs")
            };
            (state, logs)
        };
        Ok(Self { config_file, config_named, socket: socket_for(&state_dir), state_dir, logs_dir })
    }

    /// Places of their own for the practice gateway, so that a demo touches nothing of the real thing.
    #[must_use]
    pub fn for_demo(&self) -> Self {
        let state_dir = self.state_dir.join("demo");
        Self { logs_dir: state_dir.join("logs"), socket: socket_for(&state_dir), state_dir, ..self.clone() }
    }

    /// Makes the folders, mode 0700, and refuses those that others could tamper with.
    pub fn prepare(&self) -> Result<(), PathsError> {
        private_folder(&self.state_dir)?;
        private_folder(&self.logs_dir)?;
        match self.socket.parent() {
            Some(folder) => closed_folder(folder),
            None => Ok(()),
        }
    }

    /// The file whose lock says that a Lifeguard runs.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.state_dir.join("instance.lock")
    }

    /// Lifeguard's own log.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.logs_dir.join("lifeguard.log")
    }
}

/// The socket's path: below the state folder, or if that is too deep, in a folder of the user's own below the
/// temporary folder. It does not depend on the session (`XDG_RUNTIME_DIR`): a job of cron must find the Lifeguard of
/// the desktop.
fn socket_for(state_dir: &Path) -> PathBuf {
    let usual = state_dir.join("run/control.sock");
    if usual.as_os_str().as_bytes().len() <= LONGEST_SOCKET {
        return usual;
    }
    let user = rustix::process::geteuid().as_raw();
    let name = format!("lifeguard-{user}-{:08x}", fnv1a(state_dir.as_os_str().as_bytes()));
    // macOS has a short temporary folder for each user; elsewhere TMPDIR may be anything.
    let temporary = if cfg!(target_os = "macos") { std::env::temp_dir() } else { PathBuf::from("/tmp") };
    temporary.join(name).join("control.sock")
}

/// Makes a folder that only its owner can enter. One that exists is left as it is, unless it belongs to
/// somebody else or others may write to it: then nothing in it could be trusted.
pub fn private_folder(folder: &Path) -> Result<(), PathsError> {
    let failed = |cause: io::Error| PathsError::unusable(folder, &cause);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let metadata = folder.metadata().map_err(failed)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(PathsError::foreign(folder));
    }
    if metadata.mode() & 0o022 != 0 {
        let (place, mode) = (folder.display().to_string(), metadata.mode() & 0o7777);
        return Err(PathsError(PlaceProblem::FolderTooOpen { place, mode }));
    }
    Ok(())
}

/// The same for a folder that is Lifeguard's alone: it is closed to everybody else, and a link is refused,
/// for below the temporary folder anybody could have laid it.
pub(crate) fn closed_folder(folder: &Path) -> Result<(), PathsError> {
    private_folder(folder)?;
    if folder.is_symlink() {
        return Err(PathsError::foreign(folder));
    }
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))
        .map_err(|cause| PathsError::unusable(folder, &cause))
}

fn absolute(path: &Path) -> Result<PathBuf, PathsError> {
    std::path::absolute(path).map_err(|cause| PathsError::unusable(path, &cause))
}

/// Why there is no place for Lifeguard's things.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.say(Language::English))]
pub struct PathsError(pub PlaceProblem);

impl PathsError {
    fn unusable(place: &Path, cause: &io::Error) -> Self {
        Self(PlaceProblem::Unusable { place: place.display().to_string(), cause: cause.to_string() })
    }

    fn foreign(folder: &Path) -> Self {
        Self(PlaceProblem::Foreign(folder.display().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_folder_that_is_named_holds_everything() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let environment = Environment::default()
            .with([("LIFEGUARD_STATE_DIR", state.to_str().unwrap()), ("LIFEGUARD_CONFIG", "/etc/a.toml")]);
        let paths = Paths::of(&environment, None).unwrap();
        assert_eq!(paths.config_file, Path::new("/etc/a.toml"));
        assert!(paths.config_named);
        assert_eq!(paths.socket, state.join("run/control.sock"));
        paths.prepare().unwrap();
        for place in [&paths.state_dir, &paths.logs_dir, &state.join("run")] {
            assert_eq!(place.metadata().unwrap().mode() & 0o777, 0o700, "{}", place.display());
        }
        assert!(paths.for_demo().state_dir.starts_with(&state));
    }

    #[test]
    fn the_argument_goes_before_the_variable() {
        let environment =
            Environment::default().with([("LIFEGUARD_STATE_DIR", "/state"), ("LIFEGUARD_CONFIG", "/etc/a.toml")]);
        let paths = Paths::of(&environment, Some(Path::new("/b.toml"))).unwrap();
        assert_eq!(paths.config_file, Path::new("/b.toml"));
    }

    #[test]
    fn a_deep_state_folder_still_has_a_socket_that_fits() {
        let deep = format!("/{}", "deep/".repeat(40));
        let environment =
            Environment::default().with([("LIFEGUARD_STATE_DIR", deep.as_str()), ("LIFEGUARD_CONFIG", "/c")]);
        let socket = Paths::of(&environment, None).unwrap().socket;
        assert!(socket.as_os_str().len() <= LONGEST_SOCKET, "{}", socket.display());
        let other = format!("/{}", "deeq/".repeat(40));
        let environment = environment.with([("LIFEGUARD_STATE_DIR", other.as_str())]);
        assert_ne!(Paths::of(&environment, None).unwrap().socket, socket);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(
            private_folder(folder.path()),
            Err(PathsError(PlaceProblem::FolderTooOpen { mode: 0o777, .. }))
        ));
    }
}
