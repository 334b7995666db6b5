//! `lifeguard watch`: watches and heals in the terminal or as a service, without an icon.

use std::process::ExitCode;

use super::context::{Context, Failure};
use crate::app;
use crate::config::paths::Paths;
use crate::control::instance::InstanceLock;

pub(super) fn run(context: &Context) -> Result<ExitCode, Failure> {
    let _lock = claim(&context.paths)?;
    Ok(app::run_watch(&context.setting(&context.paths)?)?)
}

/// Makes the folders and takes the lock, for a mode that cannot run twice.
pub(super) fn claim(paths: &Paths) -> Result<InstanceLock, Failure> {
    paths.prepare()?;
    Ok(InstanceLock::acquire(&paths.lock_file())?)
}
