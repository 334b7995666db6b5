//! The end of a file, and what is added to it, across rotations.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::logs::{parts, read};
use crate::platform::front;

/// Bytes that are read at once.
const BLOCK: u64 = 64 * 1024;

/// A log that is being read.
pub(super) struct Tail {
    file: File,
    /// Its length at the last look.
    length: u64,
    /// The newest of its old parts at the last look.
    part: Option<PathBuf>,
}

/// What a look at a growing log brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing, or more of the same log.
    Same,
    /// A new log has taken its place.
    Rotated(PathBuf),
}

impl Tail {
    /// Opens a log at its last `lines` lines, and tells how many of them it does not have. Reads no more than these.
    pub(super) fn open(path: &Path, lines: usize) -> io::Result<(Self, usize)> {
        let mut file = File::open(path)?;
        let (start, found) = start_of_last(&mut file, lines)?;
        file.seek(SeekFrom::Start(start))?;
        let tail = Self { length: file.metadata()?.len(), part: parts(path).pop(), file };
        Ok((tail, lines - found))
    }

    /// Opens a log at its beginning.
    pub(super) fn open_whole(path: &Path) -> io::Result<Self> {
        Ok(Self::open(path, usize::MAX)?.0)
    }

    /// Copies what was written since a moment (Unix milliseconds).
    pub(super) fn copy_since(&mut self, since: i64, output: &mut impl Write) -> io::Result<()> {
        let mut text = Vec::new();
        self.file.read_to_end(&mut text)?;
        output.write_all(read::from(&text, since))?;
        output.flush()
    }

    /// Copies what there is from here on.
    pub(super) fn copy(&mut self, output: &mut impl Write) -> io::Result<()> {
        io::copy(&mut self.file, output)?;
        output.flush()
    }

    /// Copies what was added since. `current` is where the log is now: a file with another name (a new day's), or
    /// another file with the same name, is read from its beginning; a file that was cut short, too.
    pub(super) fn follow(&mut self, current: &Path, output: &mut impl Write) -> io::Result<News> {
        let ours = self.file.metadata()?;
        if ours.len() < self.length {
            self.shift(current, output)?;
        }
        self.length = ours.len();
        let replaced = match current.metadata() {
            Ok(metadata) => metadata.ino() != ours.ino() || metadata.dev() != ours.dev(),
            // Between the two steps of a rotation there is none; the next look will find it.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => false,
            Err(cause) => return Err(cause),
        };
        self.copy(output)?;
        if !replaced {
            return Ok(News::Same);
        }
        match File::open(current) {
            Ok(file) => {
                self.file = file;
                self.length = 0;
                self.part = parts(current).pop();
                Ok(News::Rotated(current.to_owned()))
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(News::Same),
            Err(cause) => Err(cause),
        }
    }

    /// The log is shorter than it was: its front has become an old part, and the rest has moved to the beginning; or
    /// it was emptied.
    fn shift(&mut self, current: &Path, output: &mut impl Write) -> io::Result<()> {
        let part = parts(current).pop();
        let position = self.file.stream_position()?;
        let moved = match part.as_deref().filter(|part| self.part.as_deref() != Some(*part)) {
            Some(part) => {
                let length = read::length(part)?;
                if position < length {
                    output.write_all(&read::rest_of(part, position)?)?;
                }
                position.saturating_sub(length)
            }
            None => 0,
        };
        self.part = part;
        self.file.seek(SeekFrom::Start(moved))?;
        Ok(())
    }
}

/// Where the last lines begin, looked for from the end, and how many they are.
fn start_of_last(file: &mut File, lines: usize) -> io::Result<(u64, usize)> {
    let first = front::begin(file)?;
    let length = file.seek(SeekFrom::End(0))?;
    if lines == 0 || length == first {
        return Ok((length, 0));
    }
    let mut end = length;
    let mut found = 0;
    let mut block = Vec::new();
    while end > first {
        let begin = end.saturating_sub(BLOCK).max(first);
        file.seek(SeekFrom::Start(begin))?;
        block.clear();
        Read::take(&mut *file, end - begin).read_to_end(&mut block)?;
        let mut offset = end;
        for byte in block.iter().rev() {
            offset -= 1;
            // The line break at the very end closes the last line; it does not begin another one.
            if *byte != b'\n' || offset + 1 == length {
                continue;
            }
            found += 1;
            if found == lines {
                return Ok((offset + 1, lines));
            }
        }
        end = begin;
    }
    Ok((first, found + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(text: &str, lines: usize) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, text).unwrap();
        let mut output = Vec::new();
        Tail::open(&path, lines).unwrap().0.copy(&mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn the_last_lines_are_shown() {
        assert_eq!(last("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(last("a\nb\nc", 2), "b\nc");
        assert_eq!(last("a\n", 5), "a\n");
        assert_eq!(last("a\n\n", 1), "\n");
        assert_eq!(last("", 5), "");
        assert_eq!(last("a\nb\n", 0), "");
    }

    #[test]
    fn lines_across_blocks_are_found() {
        let long = "x".repeat(100_000);
        let text = format!("first\n{long}\n{long}\nlast\n");
        assert_eq!(last(&text, 3), format!("{long}\n{long}\nlast\n"));
        assert_eq!(last(&text, 4), text);
    }

    #[test]
    fn following_goes_on_across_growth_rotation_and_truncation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "1\n2\n").unwrap();
        let mut output = Vec::new();
        let (mut tail, missing) = Tail::open(&path, 1).unwrap();
        assert_eq!(missing, 0);
        tail.copy(&mut output).unwrap();

        let mut writer = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        writer.write_all(b"3\n").unwrap();
        assert_eq!(tail.follow(&path, &mut output).unwrap(), News::Same);

        std::fs::rename(&path, folder.path().join("log.1")).unwrap();
        writer.write_all(b"4\n").unwrap();
        assert_eq!(tail.follow(&path, &mut output).unwrap(), News::Same);
        std::fs::write(&path, "5\n").unwrap();
        assert_eq!(tail.follow(&path, &mut output).unwrap(), News::Rotated(path.clone()));
        assert_eq!(tail.follow(&path, &mut output).unwrap(), News::Same);

        std::fs::write(&path, "6").unwrap();
        tail.follow(&path, &mut output).unwrap();
        let next_day = folder.path().join("log-2");
        std::fs::write(&next_day, "\n7\n").unwrap();
        assert_eq!(tail.follow(&next_day, &mut output).unwrap(), News::Rotated(next_day.clone()));
        tail.follow(&next_day, &mut output).unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), "2\n3\n4\n5\n6\n7\n");
    }

    #[test]
    fn following_goes_on_where_it_was_when_the_front_becomes_an_old_part() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let line = |number: usize| format!("line {number}\n");
        let lines = |range: std::ops::Range<usize>| range.map(line).collect::<String>();
        std::fs::write(&path, lines(0..20_000)).unwrap();
        let mut output = Vec::new();
        let (mut tail, _) = Tail::open(&path, 20_000).unwrap();
        tail.copy(&mut output).unwrap();
        let mut writer = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        let bounds = crate::logs::Bounds { size: 1000, ..crate::logs::Bounds::default() };
        // What was written before and after the rotation is seen, though no look fell between the two.
        writer.write_all(lines(20_000..20_010).as_bytes()).unwrap();
        assert!(crate::logs::foreign::rotate(&path, bounds, 7).unwrap());
        writer.write_all(lines(20_010..20_020).as_bytes()).unwrap();
        tail.follow(&path, &mut output).unwrap();
        writer.write_all(lines(20_020..20_030).as_bytes()).unwrap();
        tail.follow(&path, &mut output).unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), lines(0..20_030));
    }
}
