//! `lifeguard config-guard`, `config-guard diff`, `config-guard roll-back`: copies of OpenClaw's configuration.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Exit;
use super::context::{Context, Failure};
use super::restart::follow;
use crate::config::ConfigGuardChoice;
use crate::config::discovery::discover;
use crate::guard::ConfigGuard;
use crate::supervisor::configuration::{Alteration, ConfigStanding};
use crate::supervisor::event::Command as Wish;
use crate::text::command::CommandPhrase;
use crate::text::words::alteration;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(long, short, global = true, value_name = "GATEWAY")]
    gateway: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Diff,
    RollBack,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> Result<Exit, Failure> {
    if let Some(Command::RollBack) = arguments.command {
        let asked = follow(context, arguments.gateway, Wish::RollBack, &CommandPhrase::RollingBack);
        return Context::runtime()?.block_on(asked);
    }
    let guard = guard(context, arguments.gateway.as_deref())?;
    let copies = guard.copies();
    if copies.is_empty() {
        return Err(Failure::Said(CommandPhrase::NoCopies, Exit::Bad));
    }
    let standing = Context::runtime()?.block_on(guard.look()).standing;
    if let Some(Command::Diff) = arguments.command {
        return tell(context, &standing);
    }
    for copy in copies {
        context.line(&format!("{}  {}", clock(copy.taken), copy.path.display()))?;
    }
    tell(context, &standing)
}

/// Says what was changed since the newest copy, one setting on a line.
fn tell(context: &Context, standing: &ConfigStanding) -> Result<Exit, Failure> {
    match standing {
        ConfigStanding::Unknown => return Err(Failure::Said(CommandPhrase::NotCompared, Exit::Bad)),
        ConfigStanding::Good => context.say(&CommandPhrase::ConfigUnchanged)?,
        ConfigStanding::Changed(change) => {
            context.say(&CommandPhrase::ConfigChanged(clock(change.good)))?;
            match &change.alteration {
                Alteration::Settings(settings) if !settings.is_empty() => {
                    for setting in settings {
                        context.line(&format!("  {setting}"))?;
                    }
                }
                other => context.line(&format!("  {}", alteration(other, context.language)))?,
            }
        }
    }
    Ok(Exit::Good)
}

fn clock(at: i64) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The guard of the gateway of this name, or of the first one.
fn guard(context: &Context, gateway: Option<&str>) -> Result<ConfigGuard, Failure> {
    let config = context.config()?;
    let mut found = config.watched().into_iter().map(|watched| discover(&watched, &context.environment));
    let found = found.find(|found| gateway.is_none_or(|wanted| wanted == found.name));
    let Some(found) = found else {
        return Err(Failure::Said(CommandPhrase::NoSuchGateway(gateway.unwrap_or_default().to_owned()), Exit::Bad));
    };
    let keeps = config.heal.config_guard != ConfigGuardChoice::Off;
    Ok(ConfigGuard::new(&context.paths.state_dir, &found.name, &found.config_path, keeps))
}
