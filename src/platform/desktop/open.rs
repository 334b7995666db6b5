//! Opens a file or an address with the program that the desktop has chosen for it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long an opener may take to say that it failed. Some come back at once, some stay as long as the viewer is
/// open; one that still runs after this has found something to open with.
const VERDICT: Duration = Duration::from_secs(5);

/// Openers of this system, in the order in which they are tried, each with its leading arguments.
#[cfg(target_os = "macos")]
const OPENERS: &[&[&str]] = &[&["/usr/bin/open"]];
/// Openers of this system, in the order in which they are tried, each with its leading arguments.
#[cfg(not(target_os = "macos"))]
const OPENERS: &[&[&str]] = &[&["xdg-open"], &["gio", "open"]];

/// Why nothing was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No opener is installed.
    #[error("nothing on this system opens files; open {0} by hand, or install xdg-utils")]
    NoOpener(String),
    /// The opener said no.
    #[error("{opener} could not open {target} ({status}); open it by hand")]
    Refused {
        /// The opener.
        opener: String,
        /// What was to be opened.
        target: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The opener could not be run.
    #[error("{opener} could not be run: {cause}; open {target} by hand")]
    Failed {
        /// The opener.
        opener: String,
        /// What was to be opened.
        target: String,
        /// What the system said.
        cause: io::Error,
    },
}

/// Opens a file or an address. Returns once the opener has ended well, or has run long enough to count as well.
/// The viewer lives on when Lifeguard ends.
pub async fn open(target: impl AsRef<OsStr> + Send) -> Result<(), OpenError> {
    open_with(OPENERS, target.as_ref(), VERDICT).await
}

async fn open_with(
    openers: &[&[impl AsRef<OsStr> + Sync]],
    target: &OsStr,
    verdict: Duration,
) -> Result<(), OpenError> {
    for argv in openers {
        let Some((program, arguments)) = argv.split_first() else { continue };
        let opener = program.as_ref().to_string_lossy().into_owned();
        let shown = target.to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.args(arguments).arg(target);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(cause) => return Err(OpenError::Failed { opener, target: shown, cause }),
        };
        return match tokio::time::timeout(verdict, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(OpenError::Refused { opener, target: shown, status }),
            Ok(Err(cause)) => Err(OpenError::Failed { opener, target: shown, cause }),
            Err(_) => {
                tracing::debug!(opener, target = shown, "the opener stays in the foreground of its viewer");
                Ok(())
            }
        };
    }
    Err(OpenError::NoOpener(OsString::from(target).to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn script(folder: &Path, body: &str) -> PathBuf {
        crate::platform::desktop::tests::script(folder, "opener", body)
    }

    #[tokio::test]
    async fn an_opener_gets_the_target_as_one_argument() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let opener = script(folder.path(), &format!("printf '%s' \"$#:$2\" > '{}'", seen.display()));
        let argv = [opener.as_os_str(), OsStr::new("-e")];
        open_with(&[&argv], OsStr::new("/tmp/a file; rm"), VERDICT).await.unwrap();
        assert_eq!(std::fs::read_to_string(seen).unwrap(), "2:/tmp/a file; rm");
    }

    #[tokio::test]
    async fn a_refusal_names_opener_and_target() {
        let folder = tempfile::tempdir().unwrap();
        let opener = script(folder.path(), "exit 3");
        let error = open_with(&[&[opener.as_os_str()]], OsStr::new("x.log"), VERDICT).await.unwrap_err();
        assert!(matches!(error, OpenError::Refused { .. }), "{error}");
        assert!(error.to_string().contains("could not open x.log (exit status: 3)"), "{error}");
    }

    #[tokio::test]
    async fn an_opener_that_stays_counts_as_opened() {
        let folder = tempfile::tempdir().unwrap();
        let opener = script(folder.path(), "exec sleep 2");
        open_with(&[&[opener.as_os_str()]], OsStr::new("x"), Duration::from_millis(50)).await.unwrap();
    }

    #[tokio::test]
    async fn the_next_opener_is_tried_when_one_is_missing_and_none_at_all_is_said_so() {
        let folder = tempfile::tempdir().unwrap();
        let opener = script(folder.path(), "exit 0");
        let missing = folder.path().join("missing");
        open_with(&[&[missing.as_os_str()], &[opener.as_os_str()]], OsStr::new("x"), VERDICT).await.unwrap();
        let error = open_with(&[&[missing.as_os_str()]], OsStr::new("x"), VERDICT).await.unwrap_err();
        assert!(matches!(error, OpenError::NoOpener(_)), "{error}");
    }
}
