//! One Lifeguard per state folder: a lock that the kernel releases when its holder dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The lock. Held until it is dropped or the process ends.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// Takes the lock, and writes this process's id into its file for others to read.
    pub fn acquire(path: &Path) -> Result<Self, InstanceError> {
        let failed = |cause| InstanceError::Unusable { path: path.to_owned(), cause };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(InstanceError::Held { pid: holder(file) }),
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        file.set_len(0).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// The process id in a lock file; `None` while its holder has not written it yet.
fn holder(file: File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Why the lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Another Lifeguard has it.
    #[error("Lifeguard is already running{}", .pid.map_or_else(String::new, |pid| format!(" (pid {pid})")))]
    Held {
        /// Its process id, if it has written it.
        pid: Option<u32>,
    },
    /// Its file cannot be used.
    #[error("the lock {path} cannot be used: {cause}; make its folder writable, or set LIFEGUARD_STATE_DIR")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_has_the_lock_and_the_other_learns_who() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.lock");
        let lock = InstanceLock::acquire(&path).unwrap();
        match InstanceLock::acquire(&path) {
            Err(InstanceError::Held { pid }) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(lock);
        InstanceLock::acquire(&path).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let problem = InstanceLock::acquire(Path::new("/no/such/folder/instance.lock")).unwrap_err();
        assert!(problem.to_string().contains("/no/such/folder"), "{problem}");
    }
}
