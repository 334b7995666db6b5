//! Which kind of service a gateway has.

use super::launchd::Launchd;
use super::setup::{GatewaySetup, Kind};
use super::systemd::Systemd;
use super::{GatewayService, identity};
use crate::platform::process::is_running;
use crate::supervisor::observation::ServiceState;

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
