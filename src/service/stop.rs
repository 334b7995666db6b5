//! Stopping one confirmed process and what it leaves behind.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::setup::GatewaySetup;
use super::{ServiceError, identity};
use crate::platform::process::{ExitWatch, ProcessKey, Signal, SignalError, is_listed, is_running, signal, tree};
use crate::supervisor::ladder::{Heal, Rung};
use crate::supervisor::observation::Identity;

/// SIGTERM to SIGKILL for a gateway that answers nothing, or that a person wants gone now (gateway.md, section 6,
/// row 3).
const HASTY: Duration = Duration::from_secs(5);

/// SIGTERM to SIGKILL in an ordinary restart: launchd's `ExitTimeOut` for the gateway (gateway.md, section 5).
const ORDINARY: Duration = Duration::from_secs(20);

/// A process that is killed is gone within 0.1 s (gateway.md, section 4), unless it hangs inside the kernel.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// The gateway's helpers end by themselves within 3.5 s of its death (gateway.md, section 2).
const HELPERS_LIMIT: Duration = Duration::from_secs(4);

/// SIGTERM to SIGKILL for helpers that did not.
const HELPERS_TERM_LIMIT: Duration = Duration::from_secs(2);

/// How long a zombie is waited for: its parent, or the system's first process, asks for its end within milliseconds.
const ZOMBIE_LIMIT: Duration = Duration::from_secs(5);

/// How often a zombie is looked at.
const ZOMBIE_POLL: Duration = Duration::from_millis(10);

/// How often helpers are looked at.
const HELPERS_POLL: Duration = Duration::from_millis(50);

/// How long a heal lets the process shut down in order.
pub(super) fn patience(heal: &Heal, drain_limit: Duration) -> Duration {
    match heal.rung {
        _ if heal.hasty => HASTY,
        Rung::Graceful => drain_limit,
        Rung::Stop => drain_limit,
        Rung::Start
        | Rung::Restart
        | Rung::StartChannels
        | Rung::FreePort
        | Rung::RollBack
        | Rung::Doctor
        | Rung::Hook => ORDINARY.min(drain_limit),
    }
}

/// Ends a process: SIGTERM, then after `patience` SIGKILL if that is allowed. `Ok` if it has ended, whoever did it.
pub(super) async fn stop(
    target: &Identity,
    patience: Duration,
    may_kill: bool,
    killed: &(impl Fn() + Send + Sync),
) -> Result<(), ServiceError> {
    let key = identity::key(target);
    match signal(key, Signal::Terminate) {
        Ok(()) => {}
        Err(SignalError::Gone(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    if timeout(patience, ExitWatch::new(key).wait()).await.is_ok() {
        return Ok(());
    }
    if !may_kill {
        return Err(ServiceError::DidNotStop { pid: target.pid, waited: patience });
    }
    if !is_running(key) {
        return Ok(());
    }
    tracing::warn!(pid = target.pid, ?patience, "the gateway did not stop in time: killing it");
    killed();
    match signal(key, Signal::Kill) {
        Ok(()) => {}
        Err(SignalError::Gone(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    match timeout(KILL_LIMIT, ExitWatch::new(key).wait()).await {
        Ok(()) => Ok(()),
        Err(_) => Err(ServiceError::Unkillable(target.pid)),
    }
}

/// Ends the leftover gateway that a heal found on the port, if it is still one.
pub(super) async fn stop_leftover(
    setup: &GatewaySetup,
    heal: &Heal,
    killed: &(impl Fn() + Send + Sync),
) -> Result<(), ServiceError> {
    let Some(target) = &heal.target else { return Ok(()) };
    match identity::confirm(target.pid, setup.uid) {
        None => Ok(()),
        Some(found) if found.is_same(target) => {
            stop_tree(&found, patience(heal, setup.drain_limit), heal.may_kill, killed).await
        }
        Some(found) => Err(ServiceError::ProcessChanged { now: found.pid }),
    }
}

/// Ends a process and its tree. The members of the tree are known by identity before anything is signalled, and
/// again before a kill: afterwards nothing would tell whose children they were.
pub(super) async fn stop_tree(
    target: &Identity,
    patience: Duration,
    may_kill: bool,
    killed: &(impl Fn() + Send + Sync),
) -> Result<(), ServiceError> {
    let key = identity::key(target);
    let members = std::sync::Mutex::new(HashSet::new());
    let collect = || {
        let mut members = members.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        members.extend(tree(key));
    };
    collect();
    let before_kill = || {
        collect();
        killed();
    };
    stop(target, patience, may_kill, &before_kill).await?;
    vanished(key).await;
    let mut members = members.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Lifeguard itself may have been started from a shell of the gateway.
    members.retain(|member| member.pid != std::process::id());
    sweep(members).await;
    Ok(())
}

/// Waits until a process that has ended is no longer listed: a gateway that is started earlier takes the zombie that
/// its lock names for a living one, and refuses.
async fn vanished(key: ProcessKey) {
    let deadline = Instant::now() + ZOMBIE_LIMIT;
    while is_listed(key) {
        if Instant::now() >= deadline {
            tracing::warn!(pid = key.pid, "nobody asked for the end of the stopped gateway: it stays a zombie");
            return;
        }
        sleep(ZOMBIE_POLL).await;
    }
}

/// Waits for what a dead gateway left behind, and ends what does not end by itself.
async fn sweep(mut members: HashSet<ProcessKey>) {
    if all_ended(&mut members, HELPERS_LIMIT).await {
        return;
    }
    signal_all(&members, Signal::Terminate);
    if all_ended(&mut members, HELPERS_TERM_LIMIT).await {
        return;
    }
    signal_all(&members, Signal::Kill);
    if !all_ended(&mut members, HELPERS_TERM_LIMIT).await {
        let pids: Vec<u32> = members.iter().map(|member| member.pid).collect();
        tracing::error!(?pids, "helpers of the stopped gateway survived SIGKILL");
    }
}

async fn all_ended(members: &mut HashSet<ProcessKey>, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        members.retain(|member| is_running(*member));
        if members.is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(HELPERS_POLL).await;
    }
}

fn signal_all(members: &HashSet<ProcessKey>, which: Signal) {
    for member in members {
        match signal(*member, which) {
            Ok(()) => tracing::info!(pid = member.pid, ?which, "signalled a helper that the gateway left behind"),
            Err(SignalError::Gone(_)) => {}
            Err(error) => tracing::warn!(pid = member.pid, %error, "cannot signal a helper of the gateway"),
        }
    }
}
