//! What the gateway and its helpers use: memory, processor, open files.

use std::time::Duration;

use crate::platform::process;
use crate::supervisor::observation::Identity;

/// What a process and its descendants use, taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory, in bytes. Pages that they share are counted for each of them.
    pub memory: u64,
    /// Processor time since each of them started; `None` where the system does not tell.
    pub processor: Option<Duration>,
    /// Open files and sockets; `None` where the system does not tell.
    pub open_files: Option<u64>,
}

/// What a process and its descendants use; `None` if the process does not run. A descendant counts half a minute after
/// its start at the latest. Reads some files of `/proc`, and seldom many: not for a thread that must not block.
#[must_use]
pub fn tree(identity: &Identity) -> Option<Usage> {
    let root = process::ProcessKey { pid: identity.pid, started: identity.started };
    let mut usage = Usage {
        memory: process::resident(root)?,
        processor: process::processor_time(root),
        open_files: process::open_files(root),
    };
    for member in process::tree_lately(root) {
        usage.memory += process::resident(member).unwrap_or(0);
        let processor = process::processor_time(member).unwrap_or_default();
        usage.processor = usage.processor.map(|time| time + processor);
        usage.open_files = usage.open_files.map(|files| files + process::open_files(member).unwrap_or(0));
    }
    Some(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn children_count_and_a_process_that_is_gone_uses_nothing() {
        let me = process::identify(std::process::id()).unwrap();
        let mut identity = Identity { pid: me.key.pid, started: me.key.started, command: me.command() };
        let mut child = tokio::process::Command::new("sleep").arg("60").kill_on_drop(true).spawn().unwrap();
        let own = process::resident(me.key).unwrap();
        let usage = tree(&identity).unwrap();
        // A page or two may come and go between the two readings; the child has hundreds.
        assert!(usage.memory > own.saturating_sub(own / 4));
        assert!(usage.open_files.unwrap() > 3);
        let child_key = process::key_of_own_child(child.id().unwrap()).unwrap();
        assert!(process::tree(me.key).contains(&child_key));
        child.kill().await.unwrap();
        assert!(!process::tree(me.key).contains(&child_key));
        identity.started += 1;
        assert_eq!(tree(&identity), None);
    }

    #[test]
    fn work_takes_processor_time() {
        let me = process::identify(std::process::id()).unwrap();
        let identity = Identity { pid: me.key.pid, started: me.key.started, command: me.command() };
        let used = || process::processor_time(me.key).unwrap();
        let before = used();
        let begun = std::time::Instant::now();
        let mut sum = 0_u64;
        while used() < before + Duration::from_millis(50) {
            assert!(begun.elapsed() < Duration::from_secs(20));
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(tree(&identity).unwrap().processor.unwrap() >= before + Duration::from_millis(50));
    }
}
