//! `lifeguard import`: takes over what an older watchdog of scripts was told and has counted. Shows what it would do;
//! with `--yes` it does it. Nothing of the old one is changed, and nothing of it is run.

mod old;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use self::old::{Counted, Settings, Value};
use super::Exit;
use super::context::{Context, Failure};
use crate::app::{TakeOver, take_over_crashes};
use crate::config::edit::put_if_absent;
use crate::config::load::parse;
use crate::config::paths::private_folder;
use crate::control::instance::{InstanceError, InstanceLock};
use crate::platform::keychain::{self, KeychainError};
use crate::platform::private;
use crate::text::Phrase;
use crate::text::command::CommandPhrase;
use crate::text::import::ImportPhrase;
use crate::text::place::PlaceProblem;

#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Arguments {
    #[arg(long)]
    yes: bool,
}

/// A channel's settings: all of them are taken over, or none.
struct Channel {
    /// Old names and new ones.
    values: &'static [(&'static str, [&'static str; 3])],
    /// What its secret, the first value, is called in the keychain. Never a name that a person would choose: theirs stays.
    secret: &'static str,
}

const CHANNELS: [Channel; 3] = [
    Channel { values: &[("DISCORD_WEBHOOK_URL", ["alerts", "discord", "webhook"])], secret: "imported-discord" },
    Channel { values: &[("SLACK_WEBHOOK_URL", ["alerts", "slack", "webhook"])], secret: "imported-slack" },
    Channel {
        values: &[
            ("TELEGRAM_BOT_TOKEN", ["alerts", "telegram", "token"]),
            ("TELEGRAM_CHAT_ID", ["alerts", "telegram", "chat"]),
        ],
        secret: "imported-telegram",
    },
];

/// What would be done for one channel.
struct Plan<'a> {
    channel: &'a Channel,
    /// The values, in the channel's order.
    texts: Vec<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> Result<Exit, Failure> {
    // A file that cannot be used as it is must not be added to.
    context.config()?;
    let home = context.environment.home().unwrap_or_else(|| PathBuf::from("/"));
    let settings = old::settings(&home).map_err(|cause| unreadable(&home, &cause))?;
    let counted = old::counted(&home, SystemTime::now()).map_err(|cause| unreadable(&home, &cause))?;
    let mut file = ConfigFile::read(&context.paths.config_file)?;
    let plans = match &settings {
        Some(settings) => plan(context, settings, &file)?,
        None => Vec::new(),
    };
    if plans.is_empty() && counted.is_none() {
        context.say(&if settings.is_some() { ImportPhrase::NothingToTake } else { ImportPhrase::Nothing })?;
        return Ok(Exit::Good);
    }
    if !arguments.yes {
        preview(context, &plans, counted.as_ref())?;
        return Ok(Exit::Good);
    }
    for plan in &plans {
        take_over(context, plan, &mut file)?;
    }
    let exit = match counted {
        Some(counted) => take_over_count(context, &counted)?,
        None => Exit::Good,
    };
    context.say(&ImportPhrase::Afterwards)?;
    Ok(exit)
}

/// What can be taken over; what cannot is said.
fn plan(context: &Context, settings: &Settings, file: &ConfigFile) -> Result<Vec<Plan<'static>>, Failure> {
    context.say(&ImportPhrase::Found(settings.file.display().to_string()))?;
    let mut plans = Vec::new();
    'channels: for channel in &CHANNELS {
        let mut texts = Vec::new();
        let mut tried = file.text.clone();
        for (variable, path) in channel.values {
            let (variable, key) = ((*variable).to_owned(), path.join("."));
            let text = match settings.get(&variable) {
                None => continue 'channels,
                Some(Value::Computed) => {
                    context.say(&ImportPhrase::Computed(variable))?;
                    continue 'channels;
                }
                Some(Value::Text(text)) => text,
            };
            match put_if_absent(&tried, path, text) {
                Ok(Some(new)) => tried = new,
                Ok(None) => {
                    context.say(&ImportPhrase::StaysAsSet { variable, key })?;
                    continue 'channels;
                }
                Err(error) => return Err(file.unusable(&error.to_string())),
            }
            texts.push(text.clone());
        }
        // The file as it would be, checked as every file is; what it says of a value shows no secret.
        if let Err(error) = parse(&tried, &file.path, &context.environment) {
            let variable = channel.values.iter().map(|(variable, _)| *variable).collect::<Vec<_>>().join(", ");
            let problems = error.problems.iter().map(|problem| problem.problem.say(context.language));
            let problem = problems.collect::<Vec<_>>().join("; ");
            context.say(&ImportPhrase::Unusable { variable, problem })?;
            continue;
        }
        plans.push(Plan { channel, texts });
    }
    Ok(plans)
}

fn preview(context: &Context, plans: &[Plan<'_>], counted: Option<&Counted>) -> Result<(), Failure> {
    for plan in plans {
        for (index, (variable, path)) in plan.channel.values.iter().enumerate() {
            let (variable, key) = ((*variable).to_owned(), path.join("."));
            context.say(&if index == 0 {
                ImportPhrase::WouldKeep { variable, key }
            } else {
                ImportPhrase::WouldSet { variable, key }
            })?;
        }
    }
    if let Some(Counted { crashes, ago }) = counted {
        context.say(&ImportPhrase::WouldCount { crashes: *crashes, ago: *ago })?;
    }
    context.say(&ImportPhrase::Preview)
}

/// Keeps the secret first, so that the configuration never names one that is not there.
fn take_over(context: &Context, plan: &Plan<'_>, file: &mut ConfigFile) -> Result<(), Failure> {
    let mut values = plan.texts.clone();
    if let Some(secret) = values.first_mut() {
        *secret = keep(context, plan.channel.secret, secret)?;
    }
    let mut text = file.text.clone();
    for ((_, path), value) in plan.channel.values.iter().zip(&values) {
        match put_if_absent(&text, path, value) {
            Ok(new) => text = new.unwrap_or(text),
            Err(error) => return Err(file.unusable(&error.to_string())),
        }
    }
    file.write(text)?;
    for ((_, path), value) in plan.channel.values.iter().zip(values) {
        context.say(&ImportPhrase::Set { key: path.join("."), value })?;
    }
    Ok(())
}

/// Keeps a secret in the keychain, or where there is none in a file beside the configuration; how the configuration
/// names its place.
fn keep(context: &Context, name: &str, secret: &str) -> Result<String, Failure> {
    match Context::runtime()?.block_on(keychain::set(name, secret)) {
        Ok(()) => Ok(format!("keychain:{name}")),
        Err(KeychainError::Missing(_)) => {
            let path = context.paths.config_file.with_file_name(name);
            let folder = path.parent().unwrap_or(Path::new("/"));
            private_folder(folder)?;
            private::write(&path, secret.as_bytes()).map_err(|cause| unreadable(&path, &cause))?;
            Ok(format!("file:{}", path.display()))
        }
        Err(error) => Err(Failure::Said(CommandPhrase::Keychain(PlaceProblem::Keychain(error)), Exit::Bad)),
    }
}

fn take_over_count(context: &Context, counted: &Counted) -> Result<Exit, Failure> {
    context.paths.prepare()?;
    let _lock = match InstanceLock::acquire(&context.paths.lock_file()) {
        Ok(lock) => lock,
        Err(InstanceError::Held { .. }) => {
            context.say(&ImportPhrase::RunsAlready)?;
            return Ok(Exit::Bad);
        }
        Err(error) => return Err(error.into()),
    };
    let taken = take_over_crashes(&context.setting(&context.paths)?, counted.crashes, counted.ago)?;
    context.say(&match taken {
        TakeOver::Counted(gateway, crashes) => ImportPhrase::Counted { gateway, crashes },
        TakeOver::Own(gateway, crashes) => ImportPhrase::CountsItself { gateway, crashes },
        TakeOver::Forgotten => ImportPhrase::Forgotten,
    })?;
    Ok(Exit::Good)
}

/// The configuration file and its text, which is empty where there is none.
struct ConfigFile {
    path: PathBuf,
    text: String,
}

impl ConfigFile {
    /// A link is followed, so that it stays one.
    fn read(path: &Path) -> Result<Self, Failure> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let path = path.canonicalize().map_err(|cause| unreadable(path, &cause))?;
                Ok(Self { path, text })
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                Ok(Self { path: path.to_owned(), text: String::new() })
            }
            Err(cause) => Err(unreadable(path, &cause)),
        }
    }

    fn write(&mut self, text: String) -> Result<(), Failure> {
        if let Some(folder) = self.path.parent() {
            private_folder(folder)?;
        }
        private::write(&self.path, text.as_bytes()).map_err(|cause| unreadable(&self.path, &cause))?;
        self.text = text;
        Ok(())
    }

    fn unusable(&self, cause: &str) -> Failure {
        let file = self.path.display().to_string();
        Failure::Said(CommandPhrase::ConfigUnusable { file, cause: cause.to_owned() }, Exit::Bad)
    }
}

fn unreadable(place: &Path, cause: &io::Error) -> Failure {
    Failure::Import(ImportPhrase::Unreadable { place: place.display().to_string(), cause: cause.to_string() })
}
