//! The memory of the gateway and its helpers.

use crate::platform::process;
use crate::supervisor::observation::Identity;

/// Resident memory of a process and its descendants, in bytes; `None` if the process does not run. Pages that
/// they share are counted for each of them.
pub async fn tree(identity: &Identity) -> Option<u64> {
    let root = process::ProcessKey { pid: identity.pid, started: identity.started };
    let read = tokio::task::spawn_blocking(move || {
        let own = process::resident(root)?;
        Some(own + process::tree(root).into_iter().filter_map(process::resident).sum::<u64>())
    });
    read.await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn children_count_and_a_process_that_is_gone_has_no_memory() {
        let me = process::identify(std::process::id()).unwrap();
        let mut identity = Identity { pid: me.key.pid, started: me.key.started, command: me.command() };
        let mut child = tokio::process::Command::new("sleep").arg("60").kill_on_drop(true).spawn().unwrap();
        let own = process::resident(me.key).unwrap();
        // A page or two may come and go between the two readings; the child has hundreds.
        assert!(tree(&identity).await.unwrap() > own.saturating_sub(own / 4));
        let child_key = process::key_of_own_child(child.id().unwrap()).unwrap();
        assert!(process::tree(me.key).contains(&child_key));
        child.kill().await.unwrap();
        assert!(!process::tree(me.key).contains(&child_key));
        identity.started += 1;
        assert_eq!(tree(&identity).await, None);
    }
}
