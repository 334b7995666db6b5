//! What a desktop does for an app: open a file or an address, take a text, start the app at login, and on macOS
//! let it work on in the background, notice sleep and find its icon.

pub mod clipboard;
#[cfg(all(target_os = "linux", feature = "tray"))]
pub mod display;
pub mod login_item;
#[cfg(target_os = "macos")]
pub mod macos;
pub mod open;
pub mod own_agent;
pub mod placement;

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};

    /// An executable shell script.
    pub(super) fn script(folder: &Path, name: &str, body: &str) -> PathBuf {
        let path = folder.join(name);
        write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }
}
