//! The file by which launchd or systemd starts Lifeguard at login and again when it dies.

use std::path::{Path, PathBuf};

/// Label of Lifeguard's own launchd agent. Never one that begins with `ai.openclaw.`: the gateway's `doctor --fix`
/// ends such jobs.
pub const LABEL: &str = "io.lifeguard.Lifeguard.agent";

/// Name of Lifeguard's own systemd user unit.
pub const UNIT: &str = "lifeguard.service";

/// The agent's plist in this home folder.
#[must_use]
pub fn plist(home: &Path) -> PathBuf {
    home.join("Library/LaunchAgents").join(format!("{LABEL}.plist"))
}

/// The unit in this home folder. Lifeguard's units stay in systemd's usual place, whatever `XDG_CONFIG_HOME` says
/// here: the session's systemd has its own idea of that.
#[must_use]
pub fn unit(home: &Path) -> PathBuf {
    home.join(".config/systemd/user").join(UNIT)
}

/// Whether this person's Lifeguard is kept running by an agent or a unit.
#[must_use]
pub fn is_installed() -> bool {
    let file = if cfg!(target_os = "macos") { plist } else { unit };
    std::env::home_dir().is_some_and(|home| file(&home).exists())
}
