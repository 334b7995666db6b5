//! Keeping Lifeguard itself running.

use std::path::PathBuf;

use super::{AppError, runtime};
use crate::config::environment::Environment;
use crate::config::paths::Paths;
use crate::platform::desktop::login_item::{self, LoginItem};
use crate::service::keeper::Keeper;

/// Installs Lifeguard's own agent or unit, which starts Lifeguard; the login item, which would start a second one, is
/// switched off. Gives the file that was written.
pub fn install_agent(environment: &Environment, paths: &Paths) -> Result<PathBuf, AppError> {
    if login_item::state() == LoginItem::On {
        login_item::set(false)?;
    }
    let keeper = keeper(environment, paths)?;
    runtime()?.block_on(keeper.install())?;
    Ok(keeper.file())
}

/// Takes Lifeguard's own agent or unit away; `false` if there was none.
pub fn uninstall_agent(environment: &Environment, paths: &Paths) -> Result<bool, AppError> {
    Ok(runtime()?.block_on(keeper(environment, paths)?.uninstall())?)
}

/// The app in its bundle is run with its icon; everything else without: a unit may start before there is a display.
fn keeper(environment: &Environment, paths: &Paths) -> Result<Keeper, AppError> {
    let program = std::env::current_exe().map_err(login_item::LoginItemError::NoProgram)?;
    let mut command = vec![program.display().to_string()];
    if paths.config_named {
        command.extend(["--config".to_owned(), paths.config_file.display().to_string()]);
    }
    if !login_item::in_bundle() {
        command.push("watch".to_owned());
    }
    let moved = environment.path("LIFEGUARD_STATE_DIR").is_some();
    let places = moved.then(|| ("LIFEGUARD_STATE_DIR".to_owned(), paths.state_dir.display().to_string()));
    Ok(Keeper::new(command, places.into_iter().collect(), paths.logs_dir.join("agent.log")))
}
