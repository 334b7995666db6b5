//! The log of another process, which holds its file open and appends to it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Bounds, began, name_of_part, pack, parts, tidy};
use crate::platform::front;

/// A log that is smaller is not worth a part of its own, however old it is: bytes.
const SMALLEST: u64 = 16 * front::BLOCK;

/// Rotates a log if it is due; `true` if it was. A log that is not there is no error. `now`: Unix milliseconds.
///
/// First the part is stored, then the log's front is taken away: killed between the two, Lifeguard leaves some lines
/// twice, and loses none. On a full disk the oldest parts make room for the newest lines.
pub fn rotate(log: &Path, bounds: Bounds, now: i64) -> io::Result<bool> {
    rotate_by(log, bounds, now, |file, part| pack(file, part))
}

fn rotate_by(
    log: &Path,
    bounds: Bounds,
    now: i64,
    pack: impl Fn(&mut io::Take<&File>, &Path) -> io::Result<()>,
) -> io::Result<bool> {
    let mut file = match File::options().read(true).write(true).open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let begin = front::begin(&file)?;
    let end = file.metadata()?.len() / front::BLOCK * front::BLOCK;
    let size = end.saturating_sub(begin);
    let old = || Ok::<bool, io::Error>(now.saturating_sub(began(log)?) >= bounds.age);
    if size <= bounds.size && (size < SMALLEST || !old()?) {
        return Ok(false);
    }
    let part = PathBuf::from(format!("{}.gz", name_of_part(log, now).display()));
    let mut older = parts(log).into_iter();
    loop {
        file.seek(SeekFrom::Start(begin))?;
        match (pack(&mut Read::take(&file, size), &part), older.next()) {
            (Ok(()), _) => break,
            (Err(error), Some(oldest)) if is_full(&error) => std::fs::remove_file(oldest)?,
            (Err(error), _) => return Err(error),
        }
    }
    if let Err(error) = front::cut(&file, end) {
        std::fs::remove_file(&part)?;
        return Err(error);
    }
    tidy(log, bounds.kept)?;
    Ok(true)
}

/// Whether there is no room left, on the disk or for this user.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::logs::open_part;

    const BOUNDS: Bounds = Bounds { size: 256 * 1024, age: 86_400_000, kept: 10_000 };

    /// Everything that the log and its old parts hold, in order.
    fn whole(log: &Path) -> String {
        let mut text = String::new();
        for part in parts(log) {
            open_part(&part).unwrap().read_to_string(&mut text).unwrap();
        }
        let mut file = File::open(log).unwrap();
        file.seek(SeekFrom::Start(front::begin(&file).unwrap())).unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_log_is_rotated_when_it_is_large_or_old_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert!(!rotate(&log, BOUNDS, 0).unwrap(), "not there");
        std::fs::write(&log, "x\n".repeat(50_000)).unwrap();
        let now = began(&log).unwrap();
        assert!(!rotate(&log, BOUNDS, now + 1).unwrap());
        assert!(rotate(&log, BOUNDS, now + BOUNDS.age).unwrap(), "old");
        assert!(!rotate(&log, BOUNDS, now + 3 * BOUNDS.age).unwrap(), "what is left is not worth it");
        std::fs::File::options().append(true).open(&log).unwrap().write_all(&vec![b'y'; 300_000]).unwrap();
        assert!(rotate(&log, BOUNDS, now + BOUNDS.age + 1).unwrap(), "large");
        assert_eq!(whole(&log), "x\n".repeat(50_000) + &"y".repeat(300_000));
        assert!(
            log.metadata().unwrap().len() < 2 * front::BLOCK || front::begin(&File::open(&log).unwrap()).unwrap() > 0
        );
    }

    #[test]
    fn the_oldest_parts_go() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let bounds = Bounds { kept: 3, ..BOUNDS };
        for round in 0..6 {
            std::fs::File::options()
                .create(true)
                .append(true)
                .open(&log)
                .unwrap()
                .write_all(&vec![b'x'; 300_000])
                .unwrap();
            assert!(rotate(&log, bounds, 1_000_000 + round).unwrap());
        }
        assert_eq!(parts(&log).len(), 3);
    }

    #[test]
    fn on_a_full_disk_the_oldest_parts_make_room_and_the_log_itself_is_never_cut_unsaved() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let append = |byte| {
            let mut file = File::options().create(true).append(true).open(&log).unwrap();
            file.write_all(&vec![byte; 300_000]).unwrap();
        };
        for (round, byte) in (0_i64..).zip(*b"abc") {
            append(byte);
            assert!(rotate(&log, BOUNDS, 1_000_000 + round).unwrap());
        }
        append(b'd');
        // There is room for two parts.
        let cramped = |file: &mut io::Take<&File>, part: &Path| {
            if parts(&log).len() >= 2 { Err(io::ErrorKind::StorageFull.into()) } else { pack(file, part) }
        };
        assert!(rotate_by(&log, BOUNDS, 1_000_003, cramped).unwrap());
        assert_eq!(parts(&log).len(), 2);
        assert!(whole(&log).ends_with(&"d".repeat(300_000)) && !whole(&log).contains('a'));

        append(b'e');
        let full = |_: &mut io::Take<&File>, _: &Path| Err(io::ErrorKind::StorageFull.into());
        assert!(is_full(&rotate_by(&log, BOUNDS, 1_000_004, full).unwrap_err()));
        assert!(whole(&log).ends_with(&"e".repeat(300_000)), "what could not be stored stays");
        let refused = |_: &mut io::Take<&File>, _: &Path| Err(io::ErrorKind::PermissionDenied.into());
        append(b'f');
        let before = parts(&log).len();
        rotate_by(&log, BOUNDS, 1_000_005, refused).unwrap_err();
        assert_eq!(parts(&log).len(), before, "room is not what is missing");
    }

    /// A writer appends line after line, with the file open all the while; nothing is lost or doubled.
    #[test]
    fn nothing_is_lost_while_a_fast_writer_holds_the_file_open() {
        const ROTATIONS: i64 = 8;
        const AHEAD: usize = 1024 * 1024;
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut output = File::options().create(true).append(true).open(&log).unwrap();
        let (ended, done) = (AtomicBool::new(false), AtomicUsize::new(0));
        let expected = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut written = String::new();
                for line in 1.. {
                    let line = format!("{line}\n");
                    output.write_all(line.as_bytes()).unwrap();
                    written.push_str(&line);
                    // Never still, but not so far ahead that a busy machine's compression falls behind for good.
                    if written.len() > AHEAD * (1 + done.load(Ordering::Acquire)) {
                        std::thread::sleep(Duration::from_micros(100));
                    }
                    if ended.load(Ordering::Acquire) {
                        break;
                    }
                }
                written
            });
            let began = Instant::now();
            let mut rotations = 0;
            while rotations < ROTATIONS && began.elapsed() < Duration::from_mins(2) {
                rotations += i64::from(rotate(&log, BOUNDS, 1_000_000 + rotations).unwrap());
                done.store(usize::try_from(rotations).unwrap(), Ordering::Release);
            }
            ended.store(true, Ordering::Release);
            assert_eq!(rotations, ROTATIONS);
            writer.join().unwrap()
        });
        let found = whole(&log);
        assert_eq!(found.len(), expected.len());
        assert!(found == expected, "the lines are not the ones that were written");
    }
}
