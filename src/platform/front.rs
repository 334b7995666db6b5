//! Taking away the front of a file that somebody else is appending to, so that not a byte of theirs is lost.
//!
//! Copying a file and then truncating it loses what was written between the two. Here the front alone goes, in one
//! step of the file system, and what was appended meanwhile stays. The other one must have opened the file for
//! appending.

use std::fs::File;
use std::io;

use rustix::fs::{SeekFrom, seek};

/// What the front's length must be a multiple of, in bytes: no file system that Lifeguard meets has larger blocks.
pub const BLOCK: u64 = 4096;

/// Takes away the first `length` bytes, a multiple of [`BLOCK`], smaller than the file. Where the file system cannot
/// move the rest to the beginning, the front becomes a hole, which takes no room and reads as zeros.
pub fn cut(file: &File, length: u64) -> io::Result<()> {
    super::system::cut_front(file, length).map_err(io::Error::from)
}

/// Where the content begins: behind the hole that [`cut`] may have left.
pub fn begin(file: &File) -> io::Result<u64> {
    use std::io::Seek;

    let mut place = file;
    let before = place.stream_position()?;
    let found = seek(file, SeekFrom::Data(0));
    place.seek(io::SeekFrom::Start(before))?;
    match found {
        Ok(begin) => Ok(begin),
        // Nothing but a hole, or an empty file.
        Err(rustix::io::Errno::NXIO) => Ok(file.metadata()?.len()),
        // A file system that knows no holes has none.
        Err(_) => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_front_goes_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, [vec![b'a'; 4096], vec![b'b'; 4096], b"rest\n".to_vec()].concat()).unwrap();
        let mut writer = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        assert_eq!(begin(&file).unwrap(), 0);
        cut(&file, 2 * BLOCK).unwrap();
        writer.write_all(b"more\n").unwrap();
        let begin = usize::try_from(begin(&file).unwrap()).unwrap();
        assert_eq!(&std::fs::read(&path).unwrap()[begin..], b"rest\nmore\n");
    }
}
