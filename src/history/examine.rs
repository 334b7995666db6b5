//! A look at the history of another process, or of nobody: whole, or not. Nothing is changed.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{BUSY_LIMIT, FILE, Refusal, schema};

/// How the history on disk was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examination {
    /// There is none yet.
    Missing,
    /// SQLite's own quick check found nothing.
    Whole {
        /// Bytes on disk, with what has not been merged yet.
        size: u64,
    },
    /// It cannot be used; why.
    Bad(String),
}

/// Looks at the history in this folder. Reads all of it: about a second for 200 MB.
#[must_use]
pub fn examine(folder: &Path) -> Examination {
    let path = folder.join(FILE);
    if !path.exists() {
        return Examination::Missing;
    }
    match check(&path) {
        Ok(()) => {
            let log = PathBuf::from(format!("{}-wal", path.display()));
            let size = |file: &Path| file.metadata().map_or(0, |metadata| metadata.len());
            Examination::Whole { size: size(&path) + size(&log) }
        }
        Err(Refusal::Newer) => Examination::Bad("a newer Lifeguard has made it".to_owned()),
        Err(Refusal::Damaged(reason) | Refusal::NoAccess(reason)) => Examination::Bad(reason),
    }
}

fn check(path: &Path) -> Result<(), Refusal> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > schema::VERSION {
        return Err(Refusal::Newer);
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(Refusal::Damaged(verdict)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;
    use crate::history::tests::at;

    #[test]
    fn a_history_is_missing_whole_newer_or_damaged() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(examine(folder.path()), Examination::Missing);
        let opened = History::open(folder.path(), None, at(7)).unwrap();
        assert!(matches!(examine(folder.path()), Examination::Whole { size: 1.. }), "while it is in use");
        drop(opened);
        assert!(matches!(examine(folder.path()), Examination::Whole { size: 1.. }));
        let file = folder.path().join(FILE);
        let connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        assert_eq!(examine(folder.path()), Examination::Bad("a newer Lifeguard has made it".to_owned()));
        std::fs::write(&file, "this is no database, but it is long enough to be one".repeat(40)).unwrap();
        assert!(matches!(examine(folder.path()), Examination::Bad(_)));
    }
}
