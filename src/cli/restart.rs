//! `lifeguard restart`: asks, shows what happens meanwhile, and how it ended. So does `lifeguard stop`.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::Exit;
use super::context::{Context, Failure};
use crate::platform::clock;
use crate::request::Reply;
use crate::snapshot::Snapshot;
use crate::supervisor::event::Command;
use crate::text::command::CommandPhrase;
use crate::text::words::duration;
use crate::text::{Language, Phrase};

/// How often to look while waiting.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    gateway: Option<String>,
    #[arg(long)]
    force: bool,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> Result<Exit, Failure> {
    let force = arguments.force;
    let command = Command::Restart { force };
    Context::runtime()?.block_on(follow(context, arguments.gateway, command, &CommandPhrase::Restarting { force }))
}

/// Sends a command whose outcome takes its time, and tells what happens meanwhile.
pub(super) async fn follow(
    context: &Context,
    gateway: Option<String>,
    command: Command,
    announcement: &CommandPhrase,
) -> Result<Exit, Failure> {
    let client = context.client()?;
    let before = client.snapshot().await?;
    let name = gateway.clone().or_else(|| before.gateways.first().map(|gateway| gateway.name.clone()));
    let Some(name) = name.filter(|name| before.gateways.iter().any(|gateway| gateway.name == *name)) else {
        let asked = gateway.unwrap_or_default();
        return Err(Failure::Said(CommandPhrase::NoSuchGateway(asked), Exit::Bad));
    };
    context.say(announcement)?;
    let began = Instant::now();
    let mut progress = Progress::new(&before, &name, context.language);
    let command = client.command(gateway, command);
    tokio::pin!(command);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let reply = loop {
        tokio::select! {
            reply = &mut command => break reply?,
            _ = looks.tick() => {
                // A look that fails is no news: the command itself says if Lifeguard is gone.
                let Ok(snapshot) = client.snapshot().await else { continue };
                if let Some(change) = progress.change(&snapshot) {
                    context.line(&format!("  {:>7}  {change}", duration(began.elapsed(), context.language)))?;
                }
            }
        }
    };
    match reply {
        Reply::Concluded(outcome) => {
            let sentence = outcome.say(context.language);
            context.say(&CommandPhrase::Concluded { outcome: sentence, took: began.elapsed() })?;
            Ok(if outcome.succeeded() { Exit::Good } else { Exit::Bad })
        }
        Reply::Done => {
            context.say(&CommandPhrase::Done)?;
            Ok(Exit::Good)
        }
        Reply::Refused(reason) => {
            context.output.complaint(&reason);
            Ok(Exit::Bad)
        }
    }
}

/// Tells each state once.
struct Progress<'a> {
    gateway: &'a str,
    language: Language,
    last: Option<String>,
}

impl<'a> Progress<'a> {
    fn new(before: &Snapshot, gateway: &'a str, language: Language) -> Self {
        let mut progress = Self { gateway, language, last: None };
        progress.last = progress.state(before);
        progress
    }

    fn change(&mut self, snapshot: &Snapshot) -> Option<String> {
        let state = self.state(snapshot);
        if state.is_none() || state == self.last {
            return None;
        }
        self.last.clone_from(&state);
        state
    }

    fn state(&self, snapshot: &Snapshot) -> Option<String> {
        let gateway = snapshot.gateways.iter().find(|gateway| gateway.name == self.gateway)?;
        let health = snapshot.health(gateway, clock::elapsed()).say(self.language);
        let verdict = gateway.verdict.say(self.language);
        let rung = gateway.heal.map_or_else(String::new, |heal| format!(" [{}]", heal.rung.say(self.language)));
        Some(format!("{health}{rung}: {verdict}"))
    }
}
