//! The gateway's process tree.

use super::report::{Member, ProcessFacts};
use crate::platform::process::{ProcessKey, identify, open_files, resident, tree};
use crate::supervisor::observation::Identity;

/// What is known of the process and of those below it; `None` if it does not run.
pub(super) fn facts(identity: &Identity) -> Option<ProcessFacts> {
    let root = ProcessKey { pid: identity.pid, started: identity.started };
    let main = identify(root.pid).filter(|info| info.key == root)?;
    let members = tree(root).into_iter().filter_map(|key| {
        let info = identify(key.pid).filter(|info| info.key == key)?;
        Some(Member { pid: key.pid, command: info.command(), memory: resident(key) })
    });
    Some(ProcessFacts {
        pid: root.pid,
        command: main.command(),
        age: u64::try_from(main.age.as_millis()).unwrap_or(u64::MAX),
        memory: resident(root),
        open_files: open_files(root),
        tree: members.collect(),
    })
}
