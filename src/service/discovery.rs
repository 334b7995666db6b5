//! Which kind of service a gateway has, and where OpenClaw's program is.

use std::path::{Path, PathBuf};

use super::launchd::Launchd;
use super::setup::{GatewaySetup, Kind};
use super::systemd::Systemd;
use super::{GatewayService, identity};
use crate::platform::process::is_running;
use crate::supervisor::observation::ServiceState;

/// Where programs are that a menu-bar app's short `PATH` leaves out.
pub(super) const USUAL_PLACES: [&str; 3] = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"];

/// Finds out which kind of service applies, unless the configuration fixed it: a service of the system's manager
/// first, then a gateway that runs, then a command that could start one.
pub async fn discover(setup: &GatewaySetup) -> Kind {
    if let Some(kind) = setup.kind {
        return kind;
    }
    let managed = if cfg!(target_os = "macos") { Kind::Launchd } else { Kind::Systemd };
    let state = match managed {
        Kind::Launchd => Launchd::new(setup.clone()).observe().await.state,
        _ => Systemd::new(setup.clone()).observe().await.state,
    };
    match state {
        ServiceState::NotInstalled => {}
        // A machine without the manager, or one that cannot be asked from here: no sign of a service.
        ServiceState::Unknown(reason) => {
            tracing::info!(gateway = setup.name, reason, "cannot ask the service manager");
        }
        _ => return managed,
    }
    let ours = setup.started_before.as_ref();
    if ours.is_some_and(|identity| is_running(identity::key(identity))) {
        return Kind::Child;
    }
    if identity::find(setup).await.is_some() {
        return Kind::Attached;
    }
    if setup.command.is_some() { Kind::Child } else { Kind::NotInstalled }
}

/// The command that runs the installed OpenClaw's gateway in the foreground on the setup's port; `None` if OpenClaw
/// is not found on the `PATH` nor in the usual places.
#[must_use]
pub fn gateway_command(setup: &GatewaySetup) -> Option<Vec<String>> {
    let path = std::env::var("PATH").ok();
    let program = find_openclaw(setup, path.as_deref())?;
    let words = ["gateway", "run", "--port"].map(ToOwned::to_owned);
    Some([program.to_string_lossy().into_owned()].into_iter().chain(words).chain([setup.port.to_string()]).collect())
}

/// The `openclaw` program. A menu-bar app gets a short `PATH`, so the places of the usual installers follow it.
pub(super) fn find_openclaw(setup: &GatewaySetup, path: Option<&str>) -> Option<PathBuf> {
    let own = [".npm-global/bin", ".local/bin", ".bun/bin", "Library/pnpm", ".local/share/pnpm"];
    std::env::split_paths(path.unwrap_or_default())
        .chain(own.map(|folder| setup.home.join(folder)))
        .chain(USUAL_PLACES.map(PathBuf::from))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("openclaw"))
        .find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
