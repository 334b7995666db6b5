//! The lock that a gateway holds on its state folder: `<state>/tmp/openclaw-<uid>/gateway.state.lock`.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, getuid, test_kill_process};
use serde::{Deserialize, Serialize};

/// White space after the JSON, which the real one has too: a reader that takes the whole file for JSON must cope.
const PADDING: &str = "\t\t \t   \t\t \t \t\t\t  \t    \t\n";

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    pid: u32,
    owner_id: String,
    created_at: String,
    config_path: PathBuf,
    state_dir: PathBuf,
    port: u16,
    /// Start of the process in clock ticks after boot, on systems with `/proc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<u64>,
}

/// A lock that is held. Dropping it leaves the file behind, as a crash does; [`Lock::release`] removes it.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
}

/// What taking the lock came to.
#[derive(Debug)]
pub(super) enum Taken {
    /// It is ours.
    Ours(Lock),
    /// A living process has it.
    Held {
        /// Its process id.
        pid: u32,
    },
}

impl Lock {
    /// Takes the lock; a file whose owner is dead does not count.
    pub(super) fn take(state_dir: &Path, config_path: &Path, port: u16) -> io::Result<Taken> {
        let folder = state_dir.join("tmp").join(format!("openclaw-{}", getuid().as_raw()));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let path = folder.join("gateway.state.lock");
        if let Some(pid) = living_owner(&path)? {
            return Ok(Taken::Held { pid });
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let pid = std::process::id();
        let held = Held {
            pid,
            owner_id: format!("practice-{:016x}", fastrand::u64(..)),
            created_at: jiff::Timestamp::now().to_string(),
            config_path: config_path.to_owned(),
            state_dir: state_dir.to_owned(),
            port,
            start_time: start_time(pid),
        };
        let text = serde_json::to_string_pretty(&held)? + "\n" + PADDING;
        let mut file = match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(Taken::Held { pid: living_owner(&path)?.unwrap_or_default() });
            }
            Err(error) => return Err(error),
        };
        file.write_all(text.as_bytes())?;
        Ok(Taken::Ours(Self { path }))
    }

    /// Gives it up.
    pub(super) fn release(self) -> io::Result<()> {
        fs::remove_file(self.path)
    }
}

/// The lock's owner, if there is one and it lives. A file that cannot be read as a lock has none.
fn living_owner(path: &Path) -> io::Result<Option<u32>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(Ok(owner)) = serde_json::Deserializer::from_str(&text).into_iter::<Held>().next() else {
        return Ok(None);
    };
    let lives = i32::try_from(owner.pid).ok().and_then(Pid::from_raw).is_some_and(|pid| test_kill_process(pid).is_ok());
    let same = owner.start_time.is_none() || owner.start_time == start_time(owner.pid);
    Ok((lives && same).then_some(owner.pid))
}

/// Field 22 of `/proc/<pid>/stat`; the name in field 2 may hold spaces and brackets, so it counts from its end.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path) -> Taken {
        Lock::take(folder, &folder.join("openclaw.json"), 18789).unwrap()
    }

    #[test]
    fn a_second_taker_is_told_who_has_it_until_it_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let Taken::Ours(lock) = take(folder.path()) else { panic!("the first taker gets it") };
        assert!(matches!(take(folder.path()), Taken::Held { pid } if pid == std::process::id()));
        lock.release().unwrap();
        assert!(matches!(take(folder.path()), Taken::Ours(_)));
    }

    #[test]
    fn a_lock_of_a_dead_process_or_of_another_one_with_the_same_pid_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let Taken::Ours(lock) = take(folder.path()) else { panic!("the first taker gets it") };
        let text = fs::read_to_string(&lock.path).unwrap();
        let dead = text.replace(&std::process::id().to_string(), "2147483646");
        fs::write(&lock.path, dead).unwrap();
        assert!(matches!(take(folder.path()), Taken::Ours(_)));
        if let Some(ticks) = start_time(std::process::id()) {
            fs::write(&lock.path, text.replace(&ticks.to_string(), &(ticks + 1).to_string())).unwrap();
            assert!(matches!(take(folder.path()), Taken::Ours(_)));
        }
        fs::write(&lock.path, "{damaged").unwrap();
        assert!(matches!(take(folder.path()), Taken::Ours(_)));
    }
}
