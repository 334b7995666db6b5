//! The practice gateway of a demo: a place, a port, a command, and its end.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use tracing::{info, warn};

use super::AppError;
use crate::config::paths::Paths;
use crate::config::{Config, GatewayConfig, ServiceChoice, WebConfig};
use crate::drill::practice::write_config;
use crate::platform::process::{Signal, identify, signal};
use crate::service::identity::confirm;
use crate::snapshot::Snapshot;

/// Remembers the port, so that a practice gateway that outlived its demo is found again.
const PORT_FILE: &str = "port";

/// The configuration of a demo: the person's own, but on the practice gateway.
pub(super) fn config(config: &Config, paths: &Paths) -> Result<Config, AppError> {
    let folder = paths.state_dir.join("practice");
    let failed = |cause| AppError::NoPractice { path: folder.display().to_string(), cause };
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let port = port(&paths.state_dir).map_err(failed)?;
    let gateway_config = write_config(&folder, port).map_err(failed)?;
    let program = std::env::current_exe().map_err(failed)?;
    let command = [
        program.as_os_str(),
        "practice-gateway".as_ref(),
        "--port".as_ref(),
        port.to_string().as_ref(),
        "--state-dir".as_ref(),
        folder.as_os_str(),
    ]
    .map(|word| word.to_string_lossy().into_owned())
    .to_vec();
    let gateway = GatewayConfig {
        name: "practice".to_owned(),
        service: ServiceChoice::Child,
        port: Some(port),
        config_path: Some(gateway_config),
        state_dir: Some(folder),
        command: Some(command),
        practice: true,
        ..GatewayConfig::default()
    };
    // The usual port is for the person's own gateways.
    let web = WebConfig { port: 0, ..config.web.clone() };
    Ok(Config { gateways: vec![gateway], web, ..config.clone() })
}

fn port(state_dir: &Path) -> std::io::Result<u16> {
    let file = state_dir.join(PORT_FILE);
    if let Ok(text) = std::fs::read_to_string(&file)
        && let Ok(port) = text.trim().parse()
    {
        return Ok(port);
    }
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    std::fs::write(&file, format!("{port}\n"))?;
    Ok(port)
}

/// A demo leaves nothing running behind.
pub(super) fn stop(snapshot: &Snapshot) {
    let pids = snapshot.gateways.iter().filter(|gateway| gateway.practice).filter_map(|gateway| gateway.pid);
    for pid in pids {
        let uid = crate::platform::process::own_uid();
        let Some(found) = confirm(pid, uid).and_then(|_| identify(pid)) else { continue };
        match signal(found.key, Signal::Terminate) {
            Ok(()) => info!(pid, "the practice gateway ends with the demo"),
            Err(error) => warn!(pid, %error, "the practice gateway could not be ended"),
        }
    }
}
