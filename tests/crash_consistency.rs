//! The history on disk after power cuts, on bad disks and in places that cannot be written: it opens, what was committed
//! is there as a whole or not at all, and what cannot be used is kept aside with one warning.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lifeguard::history::alerts::AlertRecord;
use lifeguard::history::recorder::Recorder;
use lifeguard::history::{FILE, History, HistoryProblem, Opened};
use lifeguard::supervisor::moment::Moment;
use rusqlite::Connection;
use tempfile::TempDir;

/// Commits that have been merged into the database, and commits that are in its log only.
const MERGED: i64 = 300;
const LOGGED: i64 = 30;

/// The commit after all of these.
const NEXT: i64 = MERGED + LOGGED + 1;

/// Bit flips and cuts at random places, for each file.
const RANDOM: usize = 300;

fn at(millis: i64) -> Moment {
    Moment { awake: millis, elapsed: millis, wall: millis }
}

fn open(folder: &Path) -> Opened {
    History::open(folder, Some("boot".to_owned()), at(7)).unwrap_or_else(|error| panic!("it does not open: {error}"))
}

/// A step as the engine stores it: the state and the alert that it caused, together.
fn commit(history: &History, number: i64) {
    let alert = AlertRecord {
        id: number,
        gateway: "gateway".to_owned(),
        incident: None,
        kind: "down".to_owned(),
        happened: number,
        recorded: number,
        record: "x".repeat(usize::try_from(number % 700).unwrap()),
    };
    history
        .change(|change| {
            change.save_state("gateway", &number.to_string())?;
            change.add_alert(&alert)
        })
        .unwrap();
}

/// The number of the newest commit that is there; the state and the alerts must agree on it.
fn newest(history: &History) -> i64 {
    let state = history.state("gateway").unwrap().map_or(0, |state| state.parse().unwrap());
    let alerts = history.passed(1).unwrap().first().map_or(0, |passed| passed.alert.id);
    assert_eq!(state, alerts, "half a commit is there");
    state
}

/// The database and its log as they are while Lifeguard runs, at some moment.
struct Image {
    database: Vec<u8>,
    log: Vec<u8>,
    /// The newest commit of all.
    newest: i64,
}

impl Image {
    fn take() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = open(folder.path()).history;
        (1..=MERGED).for_each(|number| commit(&history, number));
        // The last one who closes it merges the log.
        drop(history);
        let history = open(folder.path()).history;
        (1..=LOGGED).for_each(|number| commit(&history, MERGED + number));
        let log = fs::read(log_of(folder.path())).unwrap();
        Self { database: fs::read(folder.path().join(FILE)).unwrap(), log, newest: newest(&history) }
    }

    fn lay_down(database: &[u8], log: &[u8]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), database).unwrap();
        fs::write(log_of(folder.path()), log).unwrap();
        folder
    }
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join(format!("{FILE}-wal"))
}

/// Every border of 512 bytes within a file, and random places.
fn places(length: usize, random: &mut fastrand::Rng) -> Vec<usize> {
    let borders = (0..length).step_by(512);
    let anywhere: Vec<usize> = (0..RANDOM).map(|_| random.usize(0..length)).collect();
    borders.chain(anywhere).collect()
}

/// Opens what is there: it is used, or kept aside as it was; then it can be written to, and the next start has nothing
/// to warn of. The newest commit, if the history is the old one.
fn survives(folder: &Path, database: &[u8], what: &str) -> Option<i64> {
    let Opened { history, problem } = open(folder);
    assert!(history.is_on_disk(), "{what}: {problem:?}");
    let found = match &problem {
        // What SQLite's own check does not find may show in a single record: that is read with an error, never a panic.
        None => history.state("gateway").ok().flatten().and_then(|state| state.parse().ok()),
        Some(HistoryProblem::Damaged { kept, .. } | HistoryProblem::Newer { kept }) => {
            assert_eq!(fs::read(kept).unwrap(), database, "{what}: what was put aside is not what was there");
            assert_eq!(newest(&history), 0, "{what}: the new one is not empty");
            None
        }
        Some(other) => panic!("{what}: {other}"),
    };
    if problem.is_some() {
        commit(&history, NEXT);
        drop(history);
        let again = open(folder);
        assert!(again.problem.is_none(), "{what}: warned twice: {:?}", again.problem);
        assert_eq!(newest(&again.history), NEXT, "{what}");
    }
    found
}

#[test]
fn a_log_that_was_cut_anywhere_gives_a_whole_earlier_commit() {
    let image = Image::take();
    let mut random = fastrand::Rng::with_seed(6);
    let mut seen = std::collections::BTreeSet::new();
    let places = places(image.log.len(), &mut random);
    for &place in &places {
        let folder = Image::lay_down(&image.database, &image.log[..place]);
        let opened = open(folder.path());
        assert!(opened.problem.is_none(), "cut at {place}: {:?}", opened.problem);
        let found = newest(&opened.history);
        assert!((MERGED..=image.newest).contains(&found), "cut at {place}: {found}");
        seen.insert(found);
    }
    assert!(seen.len() > 25 && seen.contains(&(image.newest - 1)), "the cuts are all alike: {seen:?}");
    println!("{} cuts of the log, {} different commits", places.len(), seen.len());
}

#[test]
fn a_log_with_a_bit_flipped_gives_a_whole_earlier_commit() {
    let image = Image::take();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..RANDOM {
        let mut log = image.log.clone();
        let place = random.usize(0..log.len());
        log[place] ^= 1 << random.u8(0..8);
        let folder = Image::lay_down(&image.database, &log);
        let opened = open(folder.path());
        assert!(opened.problem.is_none(), "flipped at {place}: {:?}", opened.problem);
        let found = newest(&opened.history);
        assert!((MERGED..=image.newest).contains(&found), "flipped at {place}: {found}");
    }
    println!("{RANDOM} flips in the log");
}

#[test]
fn a_database_that_was_cut_anywhere_is_used_or_kept_aside() {
    let image = Image::take();
    let mut random = fastrand::Rng::with_seed(8);
    let places = places(image.database.len(), &mut random);
    let mut kept = 0;
    for &place in &places {
        let database = &image.database[..place];
        let folder = Image::lay_down(database, &[]);
        kept += usize::from(survives(folder.path(), database, &format!("cut at {place}")).is_none());
    }
    println!("{} cuts of the database, {kept} times nothing of it was left to use", places.len());
}

#[test]
fn a_database_with_a_bit_flipped_is_used_or_kept_aside() {
    let image = Image::take();
    let mut random = fastrand::Rng::with_seed(9);
    // The header's hundred bytes decide most, so each of their bits gets its turn.
    let header = (0..100).flat_map(|place| (0..8).map(move |bit| (place, bit)));
    let anywhere: Vec<(usize, u8)> =
        (0..RANDOM).map(|_| (random.usize(100..image.database.len()), random.u8(0..8))).collect();
    let (mut all, mut kept) = (0, 0);
    for (place, bit) in header.chain(anywhere) {
        let mut database = image.database.clone();
        database[place] ^= 1 << bit;
        let folder = Image::lay_down(&database, &[]);
        kept += usize::from(survives(folder.path(), &database, &format!("bit {bit} of byte {place}")).is_none());
        all += 1;
    }
    println!("{all} flips in the database, {kept} times nothing of it was left to use");
}

#[test]
fn a_whole_database_of_something_else_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE songs (name TEXT)").unwrap();
    drop(connection);
    for version in [0, 1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join(FILE);
        fs::copy(&path, &copy).unwrap();
        Connection::open(&copy).unwrap().pragma_update(None, "user_version", version).unwrap();
        let before = fs::read(&copy).unwrap();
        assert!(History::look(folder.path(), None).is_ok());
        assert_eq!(survives(folder.path(), &before, &format!("songs of version {version}")), None);
    }
}

#[test]
fn a_look_at_what_cannot_be_used_finds_nothing_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    for content in [&b"no database"[..], b"", &[0xff; 4096]] {
        fs::write(&path, content).unwrap();
        let history = History::look(folder.path(), None).unwrap();
        assert_eq!(history.state("gateway").unwrap(), None);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

/// A history of which nothing can be forgotten, as on a disk that is full.
#[test]
fn a_disk_that_is_full_at_the_start_is_no_reason_not_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path()).history;
    commit(&history, 1);
    drop(history);
    let connection = Connection::open(folder.path().join(FILE)).unwrap();
    connection
        .execute_batch("CREATE TRIGGER full BEFORE DELETE ON alerts BEGIN SELECT RAISE(ABORT, 'disk full'); END;")
        .unwrap();
    drop(connection);
    // Late enough for everything to be old.
    let opened = History::open(folder.path(), None, at(i64::MAX / 2)).unwrap();
    assert!(opened.problem.is_none() && opened.history.is_on_disk());
    assert_eq!(newest(&opened.history), 1);
    // So small that there is something to be forgotten, which cannot be done either.
    let history = Arc::new(opened.history);
    let _recorder = Recorder::open(Arc::clone(&history), 1);
    assert_eq!(newest(&history), 1);
}

#[test]
fn where_nothing_can_be_written_the_history_lives_in_memory_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    let history = open(&state).history;
    commit(&history, 1);
    drop(history);
    // Root may write anywhere, so a folder takes the place of the log that SQLite has to write.
    if rustix::process::geteuid().is_root() {
        fs::create_dir(log_of(&state)).unwrap();
    } else {
        fs::set_permissions(&state, fs::Permissions::from_mode(0o500)).unwrap();
    }
    let opened = open(&state);
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    let Some(HistoryProblem::NoAccess { path, .. }) = &opened.problem else { panic!("{:?}", opened.problem) };
    assert!(path.starts_with(&state) && !opened.history.is_on_disk());
    commit(&opened.history, 2);
    assert_eq!(newest(&opened.history), 2);
}

#[test]
fn a_file_that_may_not_be_read_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    // For root only a folder cannot be read as a file.
    if rustix::process::geteuid().is_root() {
        fs::create_dir(&path).unwrap();
    } else {
        fs::write(&path, "mine").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    }
    let opened = open(folder.path());
    assert!(matches!(opened.problem, Some(HistoryProblem::NoAccess { .. })), "{:?}", opened.problem);
    assert!(path.exists() && fs::read_dir(folder.path()).unwrap().count() == 1, "something was moved");
}
