//! Putting a copy in the configuration's place: at once or not at all, and with what was there kept beside it.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{GuardError, read};

/// Puts `good`, the content of `copy`, in the place of `config`. What is there stays under the name
/// `<config>.rejected-<time>`, which is given back; its mode and its owner go over to the new file.
pub(super) fn put_back(config: &Path, copy: &Path, good: &[u8], time: &str) -> Result<Option<PathBuf>, GuardError> {
    let target = target(config, copy)?;
    let failed = GuardError::at(&target);
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let before = match target.symlink_metadata() {
        Ok(metadata) => Some(metadata),
        Err(cause) if cause.kind() == ErrorKind::NotFound => None,
        Err(cause) => return Err(failed(cause)),
    };
    if let Some(before) = &before {
        if before.uid() != rustix::process::geteuid().as_raw() {
            return Err(GuardError::Foreign(target));
        }
        if read(&target)?.is_some_and(|content| content == good) {
            return Err(GuardError::Unchanged);
        }
    }
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(GuardError::at(folder))?;
    file.write_all(good).map_err(&failed)?;
    file.as_file().sync_all().map_err(&failed)?;
    let mut kept_beside = None;
    if let Some(before) = &before {
        take_over(file.as_file(), before).map_err(&failed)?;
        let beside = beside(&target, time);
        keep(&target, &beside, before).map_err(GuardError::at(&beside))?;
        // Somebody may have saved another edit in this very moment.
        if target.symlink_metadata().map_err(&failed)?.ino() != before.ino() {
            return Err(GuardError::JustEdited(target));
        }
        kept_beside = Some(beside);
    } else {
        file.as_file().set_permissions(Permissions::from_mode(0o600)).map_err(&failed)?;
    }
    file.persist(&target).map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(GuardError::at(folder))?;
    Ok(kept_beside)
}

/// The file that is to be replaced: the configuration, or what it links to within its own folder.
fn target(config: &Path, copy: &Path) -> Result<PathBuf, GuardError> {
    if !config.is_symlink() {
        return Ok(config.to_owned());
    }
    let failed = GuardError::at(config);
    let target = match config.canonicalize() {
        Ok(target) => target,
        // It leads to a file that is gone.
        Err(_) => std::fs::read_link(config).map_err(&failed)?,
    };
    let folder = config.parent().unwrap_or(Path::new(".")).canonicalize().map_err(failed)?;
    if target.parent() == Some(folder.as_path()) {
        return Ok(target);
    }
    Err(GuardError::LeadsElsewhere { config: config.to_owned(), target, copy: copy.to_owned() })
}

fn take_over(file: &File, before: &Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    if own.gid() != before.gid() {
        std::os::unix::fs::fchown(file, None, Some(before.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(before.mode() & 0o777))
}

fn beside(target: &Path, time: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".rejected-{time}"));
    target.with_file_name(name)
}

/// Gives the file a second name. Where the disk knows no second names, a copy of it; never over a file that is there.
fn keep(target: &Path, beside: &Path, before: &Metadata) -> io::Result<()> {
    match std::fs::hard_link(target, beside) {
        Err(cause) if matches!(cause.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {}
        linked => return linked,
    }
    let mode = before.mode() & 0o777;
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(mode).open(beside)?;
    io::copy(&mut File::open(target)?, &mut copy)?;
    copy.sync_all()
}
