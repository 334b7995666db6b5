//! Hands a text to the person: on the clipboard, or as a file where no clipboard can be reached.
//!
//! The clipboard is written by the desktop's own small programs. A library would have to own the selection for as
//! long as the text may be pasted, and on Wayland it cannot do so without a window.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Limit for one clipboard program.
const LIMIT: Duration = Duration::from_secs(3);

/// Where a text went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandedOver {
    /// On the clipboard.
    Clipboard,
    /// Into this file, because no clipboard program took it.
    File(PathBuf),
}

/// A text could neither be put on the clipboard nor saved.
#[derive(Debug, thiserror::Error)]
#[error("no clipboard program took the text, and {path} could not be written: {cause}; install wl-clipboard or xclip")]
pub struct HandOverError {
    path: PathBuf,
    cause: io::Error,
}

/// Puts `text` on the clipboard; if that fails, writes it to `fallback`, readable for the owner only.
pub async fn hand_over(text: &str, fallback: &Path) -> Result<HandedOver, HandOverError> {
    let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some_and(|name| !name.is_empty());
    hand_over_with(programs(wayland), text, fallback, LIMIT).await
}

/// Clipboard programs of this system that read standard input, in the order in which they are tried.
fn programs(wayland: bool) -> &'static [&'static [&'static str]] {
    const X11: &[&[&str]] = &[&["xclip", "-selection", "clipboard", "-in"], &["xsel", "--clipboard", "--input"]];
    const WAYLAND: &[&[&str]] = &[&["wl-copy"], &["xclip", "-selection", "clipboard", "-in"]];
    const MACOS: &[&[&str]] = &[&["/usr/bin/pbcopy"]];
    match (cfg!(target_os = "macos"), wayland) {
        (true, _) => MACOS,
        (false, true) => WAYLAND,
        (false, false) => X11,
    }
}

async fn hand_over_with(
    programs: &[&[impl AsRef<OsStr> + Sync]],
    text: &str,
    fallback: &Path,
    limit: Duration,
) -> Result<HandedOver, HandOverError> {
    for argv in programs {
        match tokio::time::timeout(limit, feed(argv, text)).await {
            Ok(Ok(())) => return Ok(HandedOver::Clipboard),
            Ok(Err(cause)) => tracing::debug!(program = ?argv[0].as_ref(), %cause, "no clipboard by this program"),
            Err(_) => tracing::debug!(program = ?argv[0].as_ref(), "the clipboard program took too long"),
        }
    }
    save(text, fallback).map_err(|cause| HandOverError { path: fallback.to_owned(), cause })?;
    Ok(HandedOver::File(fallback.to_owned()))
}

/// Runs a program with `text` as its standard input. It may leave a child behind that owns the selection.
async fn feed(argv: &[impl AsRef<OsStr>], text: &str) -> io::Result<()> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes()).await?;
    }
    let status = child.wait().await?;
    if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
}

fn save(text: &str, path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::platform::desktop::tests::script;

    #[tokio::test]
    async fn the_first_program_that_works_takes_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        let refuses = script(folder.path(), "refuses", "exit 1");
        let works = script(folder.path(), "takes", &format!("cat > '{}'", taken.display()));
        let programs: [&[&OsStr]; 3] = [&[OsStr::new("/nowhere/copy")], &[refuses.as_os_str()], &[works.as_os_str()]];
        let fallback = folder.path().join("diagnostics.txt");
        let over = hand_over_with(&programs, "안녕 & <all>", &fallback, LIMIT).await.unwrap();
        assert_eq!(over, HandedOver::Clipboard);
        assert_eq!(std::fs::read_to_string(taken).unwrap(), "안녕 & <all>");
        assert!(!fallback.exists());
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_left_behind_and_the_text_goes_into_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let hangs = script(folder.path(), "hangs", "exec sleep 30");
        let fallback = folder.path().join("new folder/diagnostics.txt");
        let programs: [&[&OsStr]; 1] = [&[hangs.as_os_str()]];
        let over = hand_over_with(&programs, "text", &fallback, Duration::from_millis(100)).await.unwrap();
        assert_eq!(over, HandedOver::File(fallback.clone()));
        assert_eq!(std::fs::read_to_string(&fallback).unwrap(), "text");
        assert_eq!(std::fs::metadata(&fallback).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        let programs: [&[&OsStr]; 0] = [];
        let error = hand_over_with(&programs, "text", &blocked.join("x.txt"), LIMIT).await.unwrap_err();
        assert!(error.to_string().contains("file/x.txt"), "{error}");
    }
}
