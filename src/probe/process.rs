//! The gateway's main process.

use crate::platform::process::identify;
use crate::supervisor::observation::{Identity, ProcessState};

/// Whether exactly this process still runs, and for how long it has. One small file of `/proc` or one system call.
#[must_use]
pub fn state(identity: &Identity) -> ProcessState {
    match identify(identity.pid) {
        Some(found) if found.key.started == identity.started => {
            ProcessState::Running { identity: identity.clone(), age: found.age }
        }
        _ => ProcessState::Gone,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_pid_that_another_process_has_now_is_gone() {
        let me = identify(std::process::id()).unwrap();
        let mut identity = Identity { pid: me.key.pid, started: me.key.started, command: me.command() };
        let ProcessState::Running { age, .. } = state(&identity) else { panic!("not running") };
        assert!(age < Duration::from_hours(1));
        identity.started -= 1;
        assert_eq!(state(&identity), ProcessState::Gone);
    }
}
