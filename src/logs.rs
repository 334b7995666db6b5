//! Log files: bounded in size, kept compressed, and read as one across rotations.
//!
//! A log that Lifeguard itself writes is renamed and begun anew ([`own`]). One that another process writes, which
//! holds its file open for as long as it lives, is copied and its front taken away ([`foreign`]). Either way the old
//! part becomes `NAME.STAMP.gz` beside it, and no byte is lost.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;

pub mod foreign;
pub mod own;
pub mod read;

/// How much is kept of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// A log that has grown beyond this is rotated: bytes.
    pub size: u64,
    /// A log that is older is rotated: milliseconds.
    pub age: i64,
    /// Old parts that are kept.
    pub kept: usize,
}

impl Default for Bounds {
    /// Daily or at 10 MB, seven kept (requirements O1).
    fn default() -> Self {
        Self { size: 10 * 1024 * 1024, age: 86_400_000, kept: 7 }
    }
}

/// How the moment of a rotation stands in a file's name: sorted by name, old parts are sorted by time.
const STAMP: &str = "%Y%m%dT%H%M%S.%3fZ";

/// The old parts of a log, the oldest first. Parts that have not been compressed yet are among them.
#[must_use]
pub fn parts(log: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (log.parent(), log.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut found: Vec<PathBuf> = names.filter(|file| is_part(file, name)).map(|file| folder.join(file)).collect();
    found.sort();
    // Compressed, and killed before the plain one was removed.
    found.dedup_by(|plain, packed| plain.with_extension("") == *packed);
    found
}

fn is_part(file: &str, log: &str) -> bool {
    let stamp = file.strip_prefix(log).and_then(|rest| rest.strip_prefix('.'));
    stamp.is_some_and(|stamp| read_stamp(stamp.strip_suffix(".gz").unwrap_or(stamp)).is_some())
}

/// When an old part was put away: Unix milliseconds. It holds nothing newer.
#[must_use]
pub fn put_away(part: &Path) -> Option<i64> {
    let name = part.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    // The stamp has one dot, before its milliseconds.
    let (rest, fraction) = name.rsplit_once('.')?;
    let (_, seconds) = rest.rsplit_once('.')?;
    read_stamp(&format!("{seconds}.{fraction}"))
}

fn read_stamp(text: &str) -> Option<i64> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S%.fZ", text).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// The name under which the part of a log that ends now is kept, before it is compressed.
fn name_of_part(log: &Path, now: i64) -> PathBuf {
    let stamp = Timestamp::from_millisecond(now).unwrap_or_default().strftime(STAMP);
    PathBuf::from(format!("{}.{stamp}", log.display()))
}

/// Opens a part, compressed or not.
fn open_part(part: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::new(File::open(part)?);
    let packed = part.extension().is_some_and(|extension| extension == "gz");
    if packed { Ok(Box::new(MultiGzDecoder::new(file))) } else { Ok(Box::new(file)) }
}

/// Compresses what `source` gives into `target`, which is there as a whole or not at all.
fn pack(source: &mut impl Read, target: &Path) -> io::Result<()> {
    let unfinished = PathBuf::from(format!("{}.unfinished", target.display()));
    let packed = (|| {
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        let mut encoder = GzEncoder::new(file, Compression::default());
        io::copy(source, &mut encoder)?;
        let mut file = encoder.finish()?;
        file.flush()?;
        file.sync_all()?;
        std::fs::rename(&unfinished, target)
    })();
    if packed.is_err() {
        // On a full disk every byte counts. If it is not there, nothing is in the way.
        let _ = std::fs::remove_file(&unfinished);
    }
    packed
}

/// Compresses the parts that are still plain, and removes the oldest of too many.
fn tidy(log: &Path, kept: usize) -> io::Result<()> {
    for part in parts(log) {
        if part.extension().is_none_or(|extension| extension != "gz") {
            pack(&mut File::open(&part)?, &PathBuf::from(format!("{}.gz", part.display())))?;
            std::fs::remove_file(&part)?;
        } else {
            match std::fs::remove_file(part.with_extension("")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    let all = parts(log);
    for old in &all[..all.len().saturating_sub(kept)] {
        std::fs::remove_file(old)?;
    }
    Ok(())
}

/// When the content of a log began: Unix milliseconds.
fn began(log: &Path) -> io::Result<i64> {
    if let Some(last) = parts(log).last().and_then(|part| put_away(part)) {
        return Ok(last);
    }
    let metadata = log.metadata()?;
    // Some file systems do not know when a file was made.
    let made = metadata.created().or_else(|_| metadata.modified())?;
    let since = made.duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other)?;
    Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_sorted_by_time_and_strangers_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("gateway-home.log");
        let part = |now| name_of_part(&log, now);
        let newest = PathBuf::from(format!("{}.gz", part(1_800_000_000_123).display()));
        for file in [&newest, &part(1_700_000_000_000), &log, &folder.path().join("gateway-home.log.old.gz")] {
            std::fs::write(file, "").unwrap();
        }
        std::fs::write(folder.path().join("gateway-home2.log.20270115T080000.123Z.gz"), "").unwrap();
        assert_eq!(parts(&log), [part(1_700_000_000_000), newest.clone()]);
        assert_eq!(put_away(&newest), Some(1_800_000_000_123));
        assert!(newest.to_str().unwrap().ends_with("gateway-home.log.20270115T080000.123Z.gz"), "{newest:?}");
    }

    #[test]
    fn tidying_goes_on_where_it_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let both = name_of_part(&log, 1_000);
        std::fs::write(&both, "one").unwrap();
        pack(&mut &b"one"[..], &PathBuf::from(format!("{}.gz", both.display()))).unwrap();
        std::fs::write(name_of_part(&log, 2_000), "two").unwrap();
        assert_eq!(parts(&log).len(), 2);
        tidy(&log, 7).unwrap();
        let texts: Vec<String> =
            parts(&log).iter().map(|part| io::read_to_string(open_part(part).unwrap()).unwrap()).collect();
        assert_eq!(texts, ["one", "two"]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        tidy(&log, 1).unwrap();
        assert_eq!(parts(&log).len(), 1);
    }
}
