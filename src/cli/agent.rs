//! `lifeguard install-agent` and `lifeguard uninstall-agent`.

use super::Exit;
use super::context::{Context, Failure};
use crate::app;
use crate::text::command::CommandPhrase;

pub(super) fn install(context: &Context) -> Result<Exit, Failure> {
    let file = app::install_agent(&context.environment, &context.paths)?;
    context.say(&CommandPhrase::AgentInstalled(file.display().to_string()))?;
    Ok(Exit::Good)
}

pub(super) fn uninstall(context: &Context) -> Result<Exit, Failure> {
    let existed = app::uninstall_agent(&context.environment, &context.paths)?;
    context.say(&if existed { CommandPhrase::AgentUninstalled } else { CommandPhrase::NoAgent })?;
    Ok(Exit::Good)
}
