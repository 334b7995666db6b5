//! A log that this process writes itself.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{Bounds, began, name_of_part, tidy};
use crate::platform::clock;

/// The log, open for appending. One per file and process.
///
/// A disk that is full costs lines, and nothing else: that is said once on standard error, and again in the log, with
/// the number of lines that were lost, when there is room.
#[derive(Debug)]
pub struct OwnLog {
    path: PathBuf,
    bounds: Bounds,
    file: File,
    size: u64,
    began: i64,
    /// Lines that could not be written, and why.
    lost: Option<(u64, io::Error)>,
    /// Size at which a rotation that failed is tried again.
    patience: u64,
}

impl OwnLog {
    /// Opens the log, mode 0600, and puts in order what an earlier run left.
    pub fn open(path: &Path, bounds: Bounds) -> io::Result<Self> {
        let file = open(path)?;
        let size = file.metadata()?.len();
        let log = Self { path: path.to_owned(), bounds, file, size, began: began(path)?, lost: None, patience: 0 };
        log.tidy_beside();
        Ok(log)
    }

    fn is_due(&self, more: u64) -> bool {
        let size = self.size + more;
        let old = clock::wall().saturating_sub(self.began) >= self.bounds.age;
        self.size > 0 && size > self.patience && (size > self.bounds.size || old)
    }

    /// Renames the log and begins a new one. Where that cannot be, the old one goes on.
    fn rotate(&mut self) {
        let now = clock::wall();
        let part = name_of_part(&self.path, now);
        let renewed = std::fs::rename(&self.path, &part).and_then(|()| open(&self.path));
        match renewed {
            Ok(file) => {
                (self.file, self.size, self.began, self.patience) = (file, 0, now, 0);
                self.tidy_beside();
            }
            Err(error) => {
                self.patience = self.size + self.bounds.size / 10;
                say(&format!("{} cannot be rotated: {error}", self.path.display()));
            }
        }
    }

    /// Compressing takes its time, and a log's writer has none.
    fn tidy_beside(&self) {
        let (path, kept) = (self.path.clone(), self.bounds.kept);
        let work = move || {
            if let Err(error) = tidy(&path, kept) {
                tracing::warn!(log = %path.display(), %error, "old parts of the log could not be put in order");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("log-packer".to_owned()).spawn(work) {
            say(&format!("old parts of {} are not compressed: {error}", self.path.display()));
        }
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        if let Some((count, error)) = &self.lost {
            let note = format!("\n{count} lines were lost here: {error}\n");
            self.file.write_all(note.as_bytes())?;
            self.size += u64::try_from(note.len()).unwrap_or(0);
            self.lost = None;
        }
        self.file.write_all(text)?;
        self.size += u64::try_from(text.len()).unwrap_or(0);
        Ok(())
    }
}

impl Write for OwnLog {
    /// Writes a line; never fails, for a log that cannot be written must not stop what it tells of.
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.is_due(u64::try_from(text.len()).unwrap_or(0)) {
            self.rotate();
        }
        if let Err(error) = self.append(text) {
            if let Some((count, _)) = &mut self.lost {
                *count += 1;
            } else {
                say(&format!("{} cannot be written: {error}; make room on the disk", self.path.display()));
                self.lost = Some((1, error));
            }
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).mode(0o600).open(path)
}

/// The log itself cannot say it. If standard error is closed, there is nobody left to tell.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "lifeguard: {text}");
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::logs::{open_part, parts};

    fn bounds(size: u64) -> Bounds {
        Bounds { size, ..Bounds::default() }
    }

    /// Waits until every part is compressed.
    fn settled(log: &Path) -> Vec<PathBuf> {
        let began = Instant::now();
        loop {
            let found = parts(log);
            let folder = std::fs::read_dir(log.parent().unwrap()).unwrap().count();
            if found.iter().all(|part| part.extension().unwrap() == "gz") && folder == found.len() + 1 {
                return found;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{found:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn every_line_is_kept_across_rotations_and_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lifeguard.log");
        let mut expected = String::new();
        for run in 0..2 {
            let mut log = OwnLog::open(&path, bounds(1000)).unwrap();
            for line in 0..60 {
                let line = format!("run {run}, line {line}: some words\n");
                log.write_all(line.as_bytes()).unwrap();
                expected.push_str(&line);
                settled(&path);
            }
        }
        let mut found = String::new();
        let kept = settled(&path);
        assert!(kept.len() >= 3, "{kept:?}");
        for part in kept {
            found.push_str(&io::read_to_string(open_part(&part).unwrap()).unwrap());
        }
        found.push_str(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(found, expected);
    }

    #[test]
    fn an_old_log_is_rotated_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = OwnLog::open(&path, Bounds::default()).unwrap();
        log.write_all(b"yesterday\n").unwrap();
        log.began -= Bounds::default().age;
        log.write_all(b"today\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "today\n");
        assert_eq!(settled(&path).len(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_costs_lines_and_says_so_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = OwnLog::open(&path, Bounds::default()).unwrap();
        let good = std::mem::replace(&mut log.file, File::options().append(true).open("/dev/full").unwrap());
        log.write_all(b"lost\n").unwrap();
        log.write_all(b"lost too\n").unwrap();
        assert_eq!(log.lost.as_ref().map(|(count, _)| *count), Some(2));
        log.file = good;
        log.write_all(b"here again\n").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("\n2 lines were lost here: ") && text.ends_with("\nhere again\n"), "{text:?}");
    }

    #[test]
    fn a_log_that_cannot_be_rotated_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = OwnLog::open(&path, bounds(10)).unwrap();
        log.write_all(b"0123456789\n").unwrap();
        std::fs::remove_file(&path).unwrap();
        log.write_all(b"abcdefghij\n").unwrap();
        assert_eq!(log.patience, 12);
        assert_eq!(parts(&path), Vec::<PathBuf>::new());
    }
}
