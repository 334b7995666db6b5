//! Files and folders that only their owner can read.

use std::fs::{DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A name of the person's choice as part of a file name: letters and digits stay, all else becomes a dash.
#[must_use]
pub fn file_name(name: &str) -> String {
    name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect()
}

/// Makes a folder and those above it, mode 0700. One that exists stays as it is.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes a file, mode 0600. It is there as a whole or not at all; one that was there is replaced.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, Permissions::from_mode(0o600))
}

/// Writes a file with these permissions, in place of the one that is there. It is on the disk when this returns.
pub fn replace(path: &Path, content: &[u8], permissions: Permissions) -> io::Result<()> {
    temporary(path, content, permissions)?.persist(path)?;
    Ok(())
}

/// Writes a new file with these permissions. It is on the disk when this returns; fails if one of this name is there.
pub fn write_new(path: &Path, content: &[u8], permissions: Permissions) -> io::Result<()> {
    temporary(path, content, permissions)?.persist_noclobber(path)?;
    Ok(())
}

fn temporary(path: &Path, content: &[u8], permissions: Permissions) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.as_file().set_permissions(permissions)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The git work tree that a place lies in, if it lies in one: what is put there may be published.
#[must_use]
pub fn work_tree(place: &Path) -> Option<PathBuf> {
    let place = std::path::absolute(place).ok()?;
    let existing = place.ancestors().find(|folder| folder.exists())?;
    let existing = existing.canonicalize().ok()?;
    existing.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_written_is_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        create_folder(&folder).unwrap();
        create_folder(&folder).unwrap();
        let file = folder.join("c");
        write(&file, b"one").unwrap();
        write(&file, b"two").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        assert_eq!((mode(&folder), mode(folder.parent().unwrap()), mode(&file)), (0o700, 0o700, 0o600));
        let error = write_new(&file, b"three", Permissions::from_mode(0o600)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_name_stays_one_part_of_a_path() {
        assert_eq!(file_name("../집 gateway.2"), "---집-gateway-2");
    }

    #[test]
    fn a_work_tree_is_found_from_a_folder_that_is_not_made_yet() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("state/lifeguard");
        assert_eq!(work_tree(&place), None);
        std::fs::write(home.path().join(".git"), "gitdir: elsewhere").unwrap();
        assert_eq!(work_tree(&place), Some(home.path().canonicalize().unwrap()));
    }
}
