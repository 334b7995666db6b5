//! A disk on which there is really no room: a file system of its own, small enough to be filled.
//!
//! Each test runs itself again within a mount namespace, where the ignored test of the same name mounts the file system.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in tests a panic is the way to fail")]
#![allow(clippy::print_stdout, reason = "a test that says what it found")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/practice.rs"]
mod practice;

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Output};

use lifeguard::history::{History, HistoryError};
use lifeguard::supervisor::moment::Moment;
use lifeguard_process::{DOWN, QUICK, RECOVERED, SOON, Watch, signal_gateway};
use rusqlite::ErrorCode;
use rustix::process::Signal;

/// Ways into a namespace in which one may mount: as anybody where the system lets them, as root, and as one who may
/// become root.
const WAYS: [&[&str]; 3] = [
    &["unshare", "--map-root-user", "--mount"],
    &["unshare", "--mount"],
    &["sudo", "--non-interactive", "unshare", "--mount"],
];

fn mount(size: &str, folder: &Path) -> Vec<String> {
    let options = format!("size={size},mode=700");
    ["mount", "-t", "tmpfs", "-o", &options, "tmpfs", folder.to_str().unwrap()].map(str::to_owned).to_vec()
}

fn within(way: &[&str], command: &[String]) -> Option<Output> {
    Command::new(way[0]).args(&way[1..]).args(command).output().ok()
}

/// Runs the ignored test of this name in a namespace.
fn in_namespace(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let probe = mount("64k", folder.path());
    let works = |way: &&&[&str]| within(way, &probe).is_some_and(|output| output.status.success());
    let way = WAYS.iter().find(works).expect(
        "no file system can be mounted here, so nothing can be said of a full one: allow user namespaces, or run as root",
    );
    let own = std::env::current_exe().unwrap().display().to_string();
    let test = [own.as_str(), "--exact", name, "--ignored", "--nocapture"].map(str::to_owned);
    let output = within(way, &test).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{}: {said}", way.join(" "));
    assert!(output.status.success() && said.contains("1 passed"), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Mounts a file system of this size on a folder, which is made.
fn small_disk(size: &str, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mount = mount(size, folder);
    let output = Command::new(&mount[0]).args(&mount[1..]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Fills a file system to its last byte with a file, which is to be removed to make room.
fn fill(folder: &Path) -> std::path::PathBuf {
    let ballast = folder.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    for size in [64 * 1024, 1] {
        let error = loop {
            if let Err(error) = file.write_all(&vec![0; size]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
    ballast
}

#[test]
fn a_history_on_a_disk_that_fills_up_loses_nothing_and_goes_on() {
    in_namespace("history_on_a_small_disk");
}

#[test]
#[ignore = "needs a mount namespace: the test above runs it in one"]
fn history_on_a_small_disk() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    small_disk("1m", &disk);
    let open = || History::open(&disk, None, Moment { awake: 7, elapsed: 7, wall: 7 }).unwrap();
    let history = open().history;
    let save = |history: &History, number: u32| {
        history.change(|change| {
            change.save_state("one", &format!("{number} {}", "x".repeat(4_000)))?;
            change.save_state("other", &number.to_string())
        })
    };
    let number = |history: &History, gateway: &str| -> Option<u32> {
        history.state(gateway).unwrap()?.split(' ').next()?.parse().ok()
    };
    save(&history, 1).unwrap();
    let ballast = fill(&disk);
    let mut kept = 1;
    // What SQLite has for its log already may take a few more.
    let error = loop {
        match save(&history, kept + 1) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 1_000, "the disk is never full");
    };
    let HistoryError::Sqlite(error) = error else { panic!("{error}") };
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DiskFull), "{error}");
    assert_eq!((number(&history, "one"), number(&history, "other")), (Some(kept), Some(kept)));
    drop(history);

    let opened = open();
    assert!(opened.problem.is_none() && opened.history.is_on_disk(), "{:?}", opened.problem);
    assert_eq!((number(&opened.history, "one"), number(&opened.history, "other")), (Some(kept), Some(kept)));
    assert!(save(&opened.history, kept + 1).is_err());
    fs::remove_file(ballast).unwrap();
    save(&opened.history, kept + 2).unwrap();
    drop(opened);
    assert_eq!(number(&open().history, "other"), Some(kept + 2));
    println!("full after {kept} commits");
}

#[test]
fn a_gateway_is_healed_and_told_while_nothing_can_be_written() {
    in_namespace("lifeguard_on_a_small_disk");
}

#[test]
#[ignore = "needs a mount namespace: the test above runs it in one"]
fn lifeguard_on_a_small_disk() {
    let home = practice::home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    small_disk("8m", &watch.state_dir());
    let lifeguard = watch.start();
    let first = lifeguard.wait_healthy(SOON).pid.unwrap();
    let ballast = fill(&watch.state_dir());
    signal_gateway(first, Signal::KILL);
    let new = |pid: Option<u32>| pid.is_some_and(|pid| pid != first);
    let second = lifeguard.wait(SOON, "another process", |gateway| {
        new(gateway.pid) && gateway.health == lifeguard::supervisor::verdict::Health::Healthy
    });
    watch.wait_told(SOON, &[DOWN, RECOVERED]);

    fs::remove_file(ballast).unwrap();
    signal_gateway(second.pid.unwrap(), Signal::KILL);
    lifeguard.wait(SOON, "a third process", |gateway| {
        new(gateway.pid)
            && gateway.pid != second.pid
            && gateway.health == lifeguard::supervisor::verdict::Health::Healthy
    });
    watch.wait_told(SOON, &[DOWN, RECOVERED, DOWN, RECOVERED]);
    lifeguard.crash();
    let kept = History::look(&watch.state_dir(), None).unwrap().newest_incidents("gateway", i64::MAX, 9).unwrap();
    assert!(!kept.is_empty(), "the second incident is not in the history");
}
