//! `lifeguard secrets set|list|remove`: what the keychain keeps for the configuration. A secret comes from a prompt that
//! does not show it, or from standard input; never from the command line, which others can read.

use std::io::{self, IsTerminal, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Exit;
use super::context::{Context, Failure};
use crate::config::secret::is_name;
use crate::platform::keychain::{self, KeychainError};
use crate::text::Phrase;
use crate::text::command::CommandPhrase;
use crate::text::place::PlaceProblem;

/// The largest secret that is taken, in bytes.
const LARGEST: u64 = 8 * 1024;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Set(Name),
    List,
    Remove(Name),
}

#[derive(Debug, clap::Args)]
pub(super) struct Name {
    name: String,
}

pub(super) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Set(Name { name }) => set(context, &checked(name)?),
        Command::List => list(context),
        Command::Remove(Name { name }) => remove(context, &checked(name)?),
    }
}

fn checked(name: String) -> Result<String, Failure> {
    if is_name(&name) {
        Ok(name)
    } else {
        Err(Failure::Said(CommandPhrase::Keychain(PlaceProblem::BadSecretName), Exit::Usage))
    }
}

fn set(context: &Context, name: &str) -> Result<Exit, Failure> {
    let runtime = Context::runtime()?;
    let secret = if io::stdin().is_terminal() {
        let asked = runtime.block_on(ask(context, name));
        let Some(secret) = asked? else {
            // The thread that still reads from the terminal ends with the process.
            runtime.shutdown_background();
            return Err(Failure::Said(CommandPhrase::NothingKept, Exit::Bad));
        };
        secret
    } else {
        let mut secret = String::new();
        io::stdin().take(LARGEST + 1).read_to_string(&mut secret).map_err(Failure::Output)?;
        secret
    };
    let secret = secret.trim();
    if secret.is_empty() || u64::try_from(secret.len()).is_ok_and(|length| length > LARGEST) {
        return Err(Failure::Said(CommandPhrase::NothingKept, Exit::Usage));
    }
    runtime.block_on(keychain::set(name, secret)).map_err(failed)?;
    context.say(&CommandPhrase::SecretKept(name.to_owned()))?;
    Ok(Exit::Good)
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let names = Context::runtime()?.block_on(keychain::names()).map_err(failed)?;
    if names.is_empty() {
        context.say(&CommandPhrase::NoSecrets)?;
    }
    for name in names {
        context.line(&name)?;
    }
    Ok(Exit::Good)
}

fn remove(context: &Context, name: &str) -> Result<Exit, Failure> {
    if Context::runtime()?.block_on(keychain::remove(name)).map_err(failed)? {
        context.say(&CommandPhrase::SecretRemoved(name.to_owned()))?;
        return Ok(Exit::Good);
    }
    Err(Failure::Said(CommandPhrase::Keychain(PlaceProblem::NotInKeychain(name.to_owned())), Exit::Bad))
}

fn failed(error: KeychainError) -> Failure {
    Failure::Said(CommandPhrase::Keychain(PlaceProblem::Keychain(error)), Exit::Bad)
}

/// Asks on the terminal, which shows nothing of the answer; `None` if the person broke off.
async fn ask(context: &Context, name: &str) -> Result<Option<String>, Failure> {
    let silence = Silence::begin().map_err(Failure::Output)?;
    let question = CommandPhrase::SecretAsked(name.to_owned()).say(context.language);
    context.output.prompt(&question).map_err(Failure::Output)?;
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let answer = tokio::select! {
        line = reading => Some(line),
        _ = tokio::signal::ctrl_c() => None,
    };
    drop(silence);
    context.output.prompt("\n").map_err(Failure::Output)?;
    match answer {
        None => Ok(None),
        Some(Ok(line)) => line.map(Some).map_err(Failure::Output),
        Some(Err(cause)) => Err(Failure::Output(io::Error::other(cause))),
    }
}

/// A terminal that does not echo, until this is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // If the terminal is gone there is nothing to put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
