//! What must not be lost, in one SQLite file: the core's state, incidents, alerts and their deliveries, what was
//! measured.
//!
//! A step of a gateway is stored in one transaction: the state and the alerts that it caused are there together or
//! not at all. The file is in WAL mode with `synchronous = NORMAL`: killing Lifeguard at any instant loses nothing,
//! and only a power cut may lose the newest transactions.

pub mod alerts;
mod examine;
pub mod recorder;
mod retention;
pub mod samples;
mod schema;
pub mod states;
pub mod timeline;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use serde::{Deserialize, Serialize};

use crate::supervisor::moment::{Moment, Shift};
use crate::supervisor::state::shift_between_boots;

pub use examine::{Examination, examine};

/// Name of the file in the state folder.
pub const FILE: &str = "history.sqlite3";

/// Longest wait for another process that writes: the command line's.
const BUSY_LIMIT: Duration = Duration::from_secs(2);

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Something is wrong with the history on disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryProblem {
    /// The file is damaged; it was kept aside.
    #[error("the history was damaged ({reason}); it is kept as {} and a new one was begun", kept.display())]
    Damaged {
        /// What was wrong.
        reason: String,
        /// Where it is now.
        kept: PathBuf,
    },
    /// The file is of a newer Lifeguard; it was kept aside.
    #[error("the history is of a newer Lifeguard; it is kept as {} and a new one was begun", kept.display())]
    Newer {
        /// Where it is now.
        kept: PathBuf,
    },
    /// The file cannot be opened.
    #[error("the history cannot be kept in {}: {reason}; until this is mended, a restart of Lifeguard forgets", path.display())]
    NoAccess {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// A change could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// SQLite refused.
    #[error("the history could not be written: {0}; check that the disk has room")]
    Sqlite(#[from] rusqlite::Error),
    /// A value could not be turned into text or back.
    #[error("a record of the history could not be read or written: {0}")]
    Json(#[from] serde_json::Error),
}

/// When something was stored, on which boot of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Names the boot, where the system does.
    pub boot: Option<String>,
    /// When.
    pub saved: Moment,
}

impl Stamp {
    /// Whether that was on the boot that is named `boot` and now stands at `now`.
    #[must_use]
    pub fn is_of_boot(&self, boot: Option<&str>, now: Moment) -> bool {
        match (self.boot.as_deref(), boot) {
            (Some(saved), Some(current)) => saved == current,
            // The clock that never steps tells: it cannot have gone back on one boot.
            _ => self.saved.elapsed <= now.elapsed,
        }
    }

    /// How moments of then move onto the clocks of now; `None` if they are the same clocks.
    #[must_use]
    pub fn shift_to(&self, boot: Option<&str>, now: Moment) -> Option<Shift> {
        (!self.is_of_boot(boot, now)).then(|| shift_between_boots(self.saved, now))
    }
}

/// The history, open. One per process; shared by all tasks.
pub struct History {
    connection: Mutex<Connection>,
    boot: Option<String>,
    name: String,
    read_only: bool,
    alerts: AtomicI64,
    deliveries: AtomicI64,
}

/// A history, and what was wrong with the one on disk.
pub struct Opened {
    /// The history: in memory if there can be none on disk.
    pub history: History,
    /// What the person should know.
    pub problem: Option<HistoryProblem>,
}

impl History {
    /// Opens the history in `folder`. What cannot be used is kept aside, never overwritten; where nothing can be
    /// kept, the history lives in memory. `boot` names this boot of the machine, where the system does.
    pub fn open(folder: &Path, boot: Option<String>, now: Moment) -> Result<Opened, HistoryError> {
        let path = folder.join(FILE);
        let (mut history, problem) = match open_file(&path) {
            Ok(history) => (history, None),
            Err(Refusal::NoAccess(reason)) => (Self::new(memory()?)?, Some(HistoryProblem::NoAccess { path, reason })),
            Err(refusal) => match put_aside(&path, now) {
                Ok(kept) => {
                    let problem = match refusal {
                        Refusal::Damaged(reason) | Refusal::NoAccess(reason) => {
                            HistoryProblem::Damaged { reason, kept }
                        }
                        Refusal::Newer => HistoryProblem::Newer { kept },
                    };
                    match open_file(&path) {
                        Ok(history) => (history, Some(problem)),
                        Err(_) => (Self::new(memory()?)?, Some(problem)),
                    }
                }
                Err(error) => {
                    (Self::new(memory()?)?, Some(HistoryProblem::NoAccess { path, reason: error.to_string() }))
                }
            },
        };
        history.boot = boot;
        // A disk that is full is no reason to forget everything, or not to start.
        if let Err(error) = history.prune(now.wall) {
            tracing::warn!(%error, "what is old could not be forgotten");
        }
        Ok(Opened { history, problem })
    }

    /// The history in `folder` as it stands, to be looked at: nothing is written, made or moved.
    pub fn look(folder: &Path, boot: Option<String>) -> Result<Self, HistoryError> {
        let on_disk = || -> Result<Self, HistoryError> {
            let connection = Connection::open_with_flags(folder.join(FILE), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(BUSY_LIMIT)?;
            let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            if version != schema::VERSION {
                return Err(rusqlite::Error::InvalidQuery.into());
            }
            Self::new(connection)
        };
        let history = match on_disk() {
            Ok(history) => history,
            // There is nothing, or nothing that can be used: the Lifeguard that runs says what is wrong.
            Err(_) => Self::new(memory()?)?,
        };
        Ok(Self { read_only: true, boot, ..history })
    }

    /// Whether it is only to be looked at.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether it outlives the process.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        self.lock().path().is_some_and(|path| !path.is_empty())
    }

    /// A history that ends with the process.
    pub fn in_memory() -> Result<Self, HistoryError> {
        Self::new(memory()?)
    }

    fn new(connection: Connection) -> Result<Self, HistoryError> {
        let newest = |table: &str| -> rusqlite::Result<i64> {
            connection.query_row(&format!("SELECT coalesce(max(id), 0) FROM {table}"), [], |row| row.get(0))
        };
        let (alerts, deliveries) = (newest("alerts")?, newest("deliveries")?);
        let name = connection.query_row("SELECT value FROM facts WHERE name = 'name'", [], |row| row.get(0))?;
        Ok(Self {
            connection: Mutex::new(connection),
            boot: None,
            name,
            read_only: false,
            alerts: AtomicI64::new(alerts),
            deliveries: AtomicI64::new(deliveries),
        })
    }

    /// Names this history among all others: eight hexadecimal digits, drawn when it was begun.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The boot that stamps are made on.
    #[must_use]
    pub fn boot(&self) -> Option<&str> {
        self.boot.as_deref()
    }

    /// A stamp of now.
    #[must_use]
    pub fn stamp(&self, now: Moment) -> Stamp {
        Stamp { boot: self.boot.clone(), saved: now }
    }

    /// The number of the next alert.
    pub fn next_alert(&self) -> i64 {
        self.alerts.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of the next delivery.
    pub fn next_delivery(&self) -> i64 {
        self.deliveries.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Makes a change as a whole or not at all.
    pub fn change<T>(&self, work: impl FnOnce(&Change<'_>) -> Result<T, HistoryError>) -> Result<T, HistoryError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&Change { transaction: &transaction })?;
        transaction.commit()?;
        Ok(done)
    }

    /// A panic while the lock was held rolled its transaction back.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for History {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("History").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A change that is being made.
#[derive(Debug)]
pub struct Change<'a> {
    transaction: &'a Transaction<'a>,
}

/// Why a file cannot be used.
enum Refusal {
    Damaged(String),
    Newer,
    NoAccess(String),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory,
            ) => Self::NoAccess(error.to_string()),
            // Whatever else is wrong is wrong with the file itself.
            _ => Self::Damaged(error.to_string()),
        }
    }
}

fn memory() -> Result<Connection, HistoryError> {
    let mut connection = Connection::open_in_memory()?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

impl From<HistoryError> for Refusal {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Sqlite(error) => error.into(),
            HistoryError::Json(error) => Self::Damaged(error.to_string()),
        }
    }
}

/// Opens the file for writing and makes a history of it.
fn open_file(path: &Path) -> Result<History, Refusal> {
    close_to_others(path);
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > schema::VERSION {
        return Err(Refusal::Newer);
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Refusal::Damaged(verdict));
    }
    check_ours(&connection, found)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    schema::migrate(&mut connection)?;
    // A damaged header may forbid writing, which shows at the first write only.
    if let Err(error) = connection.pragma_update(None, "user_version", schema::VERSION)
        && error.sqlite_error_code() == Some(ErrorCode::ReadOnly)
    {
        let writable = std::fs::OpenOptions::new().write(true).open(path).is_ok();
        return Err(if writable { Refusal::Damaged(error.to_string()) } else { error.into() });
    }
    Ok(History::new(connection)?)
}

/// Makes the file one that only its owner can read; SQLite gives its log the same rights. What stands in the way of that
/// stands in the way of opening it, too, and is told then.
fn close_to_others(path: &Path) {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let made = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    if let Ok(file) = made
        && let Err(error) = file.set_permissions(std::fs::Permissions::from_mode(0o600))
    {
        tracing::warn!(path = %path.display(), %error, "others may be able to read the history");
    }
}

/// Refuses a whole database of another program, before anything is written to it.
fn check_ours(connection: &Connection, version: i64) -> Result<(), Refusal> {
    if version > 0 {
        return Ok(connection.query_row("SELECT value FROM facts WHERE name = 'name'", [], |_| Ok(()))?);
    }
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))? {
        tables @ 1_i64.. => Err(Refusal::Damaged(format!("it has {tables} tables of another program"))),
        _ => Ok(()),
    }
}

/// Renames the file and what belongs to it.
fn put_aside(path: &Path, now: Moment) -> std::io::Result<PathBuf> {
    let kept = path.with_extension(format!("sqlite3.kept-{}", now.wall));
    std::fs::rename(path, &kept)?;
    for part in ["-wal", "-shm"] {
        let with = |path: &Path| PathBuf::from(format!("{}{part}", path.display()));
        match std::fs::rename(with(path), with(&kept)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn at(millis: i64) -> Moment {
        Moment { awake: millis, elapsed: millis, wall: millis }
    }

    fn open(folder: &Path) -> Opened {
        History::open(folder, Some("boot".to_owned()), at(7)).unwrap()
    }

    #[test]
    fn a_history_keeps_its_name_and_its_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path());
        assert!(first.problem.is_none());
        assert_eq!(first.history.next_alert(), 1);
        let name = first.history.name().to_owned();
        assert_eq!(name.len(), 8);
        drop(first);
        assert_eq!(open(folder.path()).history.name(), name);
    }

    #[test]
    fn a_damaged_file_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "this is no database, but it is long enough to be one".repeat(40))
            .unwrap();
        let opened = open(folder.path());
        let Some(HistoryProblem::Damaged { kept, .. }) = opened.problem else { panic!("{:?}", opened.problem) };
        assert!(std::fs::read_to_string(kept).unwrap().starts_with("this is no database"));
        drop(opened.history);
        assert!(open(folder.path()).problem.is_none());
    }

    #[test]
    fn a_file_of_a_newer_version_is_kept_aside_and_named_so() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path()));
        let connection = Connection::open(folder.path().join(FILE)).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        assert!(matches!(open(folder.path()).problem, Some(HistoryProblem::Newer { .. })));
    }

    #[test]
    fn where_nothing_can_be_kept_it_lives_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let opened = open(&folder.path().join("gone"));
        assert!(matches!(opened.problem, Some(HistoryProblem::NoAccess { .. })));
        assert_eq!(opened.history.next_alert(), 1);
    }

    #[test]
    fn on_a_full_disk_a_change_fails_as_a_whole_and_the_next_one_works() {
        let folder = tempfile::tempdir().unwrap();
        let history = open(folder.path()).history;
        let save = |text: &str| history.change(|change| change.save_state("gateway", text));
        save("good").unwrap();
        let limit = |pages: i64| {
            history
                .lock()
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        limit(1);
        let full = save(&"x".repeat(1024 * 1024)).unwrap_err();
        let HistoryError::Sqlite(error) = &full else { panic!("{full}") };
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DiskFull));
        assert_eq!(history.state("gateway").unwrap().as_deref(), Some("good"));
        limit(1_000_000);
        save("better").unwrap();
        drop(history);
        let again = open(folder.path());
        assert!(again.problem.is_none());
        assert_eq!(again.history.state("gateway").unwrap().as_deref(), Some("better"));
    }

    /// A history as an earlier version left it, opened by this one.
    fn of_version(version: u32) -> History {
        let folder = tempfile::tempdir().unwrap();
        let sample = format!("{}/tests/state/history-{version}.sql", env!("CARGO_MANIFEST_DIR"));
        let connection = Connection::open(folder.path().join(FILE)).unwrap();
        connection.execute_batch(&std::fs::read_to_string(sample).unwrap()).unwrap();
        drop(connection);
        let opened = open(folder.path());
        assert!(opened.problem.is_none(), "{:?}", opened.problem);
        opened.history
    }

    #[test]
    fn every_version_still_opens() {
        for version in 1..=u32::try_from(schema::VERSION).unwrap() {
            let history = of_version(version);
            assert_eq!(history.name(), "0123abcd");
            assert_eq!(history.next_alert(), 2);
            assert_eq!(history.newest_incidents("gateway", i64::MAX, 5).unwrap()[0].id, 3);
            assert_eq!(history.timeline("gateway", 3).unwrap().len(), if version == 1 { 0 } else { 3 });
        }
    }

    #[test]
    fn what_the_second_version_measured_is_still_there() {
        let history = of_version(2);
        let uptime = history.uptime("gateway", 0, i64::MAX, samples::Level::FiveMinutes).unwrap();
        assert_eq!(uptime.share(), Some(0.5));
        assert_eq!(history.heals("gateway", 0, i64::MAX).unwrap()[0].outcome.as_deref(), Some("restarted"));
    }
}
