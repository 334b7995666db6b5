//! Where a process spends its time: `sample` of macOS.

use std::path::Path;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::log::printable;
use super::{LARGEST_FILE, end_of};
use crate::platform::private::write;
use crate::redact::redact;
use crate::service::command::run;

/// The program of macOS.
pub(super) const PROGRAM: &str = "/usr/bin/sample";

/// Left for cutting its output to size.
const MARGIN: Duration = Duration::from_millis(500);

/// Samples a process for a second and stores what was found in `place`; within `limit`, or not at all.
pub(super) async fn take(program: &str, pid: u32, place: &Path, limit: Duration) {
    let Some(limit) = limit.checked_sub(MARGIN) else { return };
    let Some(file) = place.to_str() else { return };
    let arguments = [pid.to_string(), "1".to_owned(), "-mayDie".to_owned(), "-file".to_owned(), file.to_owned()];
    if let Err(error) = run(program, &arguments, limit).await {
        tracing::warn!(pid, %error, "the process could not be sampled");
    }
    // Also after a failure: what was written by then may not stay as large as it is.
    let place = place.to_owned();
    let cut = spawn_blocking(move || match std::fs::read(&place) {
        Ok(text) => {
            let text = String::from_utf8_lossy(&text);
            // The call graph comes first.
            let head = &text[..text.floor_char_boundary(LARGEST_FILE)];
            write(&place, end_of(&printable(&redact(head)), LARGEST_FILE).as_bytes())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    });
    match cut.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(pid, %error, "the sample could not be kept"),
        Err(error) => tracing::warn!(pid, %error, "the sample could not be kept"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    fn program(folder: &Path, body: &str) -> PathBuf {
        let program = folder.join("sample");
        std::fs::write(&program, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        program
    }

    #[tokio::test]
    async fn a_sample_is_private_and_cut_to_size() {
        let folder = tempfile::tempdir().unwrap();
        let program =
            program(folder.path(), "echo \"pid $1 $2 $3\" > \"$5\"; head -c 1000000 /dev/zero | tr '\\0' x >> \"$5\"");
        let place = folder.path().join("sample.txt");
        take(program.to_str().unwrap(), 77, &place, Duration::from_secs(20)).await;
        let text = std::fs::read_to_string(&place).unwrap();
        assert!(text.starts_with("pid 77 1 -mayDie\nxxx"), "{}", &text[..20]);
        assert_eq!(text.len(), LARGEST_FILE);
        assert_eq!(place.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_sample_that_takes_too_long_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), "exec sleep 60");
        let place = folder.path().join("sample.txt");
        let begin = std::time::Instant::now();
        take(program.to_str().unwrap(), 77, &place, Duration::from_millis(700)).await;
        assert!(begin.elapsed() < Duration::from_secs(30));
        assert!(!place.exists());
    }
}
