//! Identity, exit watch, signals and commands, with real processes.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/processes.rs"]
mod processes;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lifeguard::platform::process::{
    ExitWatch, ProcessKey, Signal, SignalError, identify, is_running, key_of_own_child, signal, tree,
};
use lifeguard::service::command::{CommandError, run};
use processes::{Guard, LIMIT, until};
use tokio::time::timeout;

struct Sleeper {
    child: std::process::Child,
    key: ProcessKey,
    _guard: Guard,
}

fn sleeper() -> Sleeper {
    let child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    let key = key_of_own_child(child.id()).unwrap();
    Sleeper { child, key, _guard: Guard(key) }
}

#[tokio::test]
async fn the_end_of_a_process_is_seen_by_the_kernels_event() {
    let mut best = LIMIT;
    for _ in 0..5 {
        let mut sleeper = sleeper();
        let watch = ExitWatch::new(sleeper.key);
        let waiting = tokio::spawn(async move {
            watch.wait().await;
            Instant::now()
        });
        tokio::task::yield_now().await;
        let began = Instant::now();
        signal(sleeper.key, Signal::Kill).unwrap();
        let seen = timeout(LIMIT, waiting).await.unwrap().unwrap();
        best = best.min(seen.duration_since(began));
        sleeper.child.wait().unwrap();
    }
    // The best of five: a busy machine may delay each of them.
    println!("SIGKILL to the watcher's return, best of 5: {best:?}");
    assert!(best < Duration::from_millis(20), "{best:?}");
}

#[tokio::test]
async fn a_pid_with_another_start_stamp_is_neither_watched_nor_signalled() {
    let sleeper = sleeper();
    let recycled = ProcessKey { started: sleeper.key.started + 1, ..sleeper.key };
    timeout(LIMIT, ExitWatch::new(recycled).wait()).await.unwrap();
    for which in [Signal::Terminate, Signal::Kill] {
        assert!(matches!(signal(recycled, which), Err(SignalError::Gone(pid)) if pid == sleeper.key.pid));
    }
    assert!(is_running(sleeper.key));
}

#[tokio::test]
async fn a_zombie_is_dead() {
    let mut sleeper = sleeper();
    assert!(identify(sleeper.key.pid).is_some());
    signal(sleeper.key, Signal::Kill).unwrap();
    timeout(LIMIT, ExitWatch::new(sleeper.key).wait()).await.unwrap();
    // Nobody has waited for it, so its pid is still listed.
    assert_eq!(key_of_own_child(sleeper.key.pid), Some(sleeper.key));
    assert_eq!(identify(sleeper.key.pid), None);
    assert!(matches!(signal(sleeper.key, Signal::Terminate), Err(SignalError::Gone(_))));
    timeout(LIMIT, ExitWatch::new(sleeper.key).wait()).await.unwrap();
    sleeper.child.wait().unwrap();
}

#[test]
fn groups_and_the_machine_are_never_a_target() {
    for pid in [0, 1, u32::MAX] {
        let key = ProcessKey { pid, started: 0 };
        assert!(matches!(signal(key, Signal::Terminate), Err(SignalError::Gone(_))));
    }
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_its_children() {
    // `timeout` is the leader here, and the marker tells its child from those of the other tests.
    let marker = "601.0625";
    let running =
        tokio::spawn(
            async move { run("timeout", &["--foreground", "602", "sleep", marker], Duration::from_secs(5)).await },
        );
    let me = identify(std::process::id()).unwrap().key;
    let mut grandchild = None;
    until("the grandchild", || {
        let sleeps = |key: &ProcessKey| identify(key.pid).is_some_and(|info| info.argv == ["sleep", marker]);
        grandchild = tree(me).into_iter().find(sleeps);
        grandchild.is_some()
    })
    .await;
    let grandchild = grandchild.unwrap();
    assert!(matches!(running.await.unwrap(), Err(CommandError::TimedOut { .. })));
    until("its end", || !is_running(grandchild)).await;
}

#[tokio::test]
async fn a_command_that_leaves_a_child_behind_ends_with_itself() {
    let began = Instant::now();
    // The child keeps the output open for 20 s.
    let output = run("setsid", &["--fork", "sleep", "20"], LIMIT).await.unwrap();
    assert!(output.succeeded());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
