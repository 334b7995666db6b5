//! The drills on a person's own gateway, watched by the Lifeguard that runs.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use super::course::{Course, Witness};
use super::score::Score;
use super::{Interruption, Run};
use crate::cli::Exit;
use crate::cli::context::{Context, Failure};
use crate::config::discovery::discover;
use crate::drill::exercise::Exercise;
use crate::history::History;
use crate::platform::process::{self, ProcessKey, Signal, own_uid};
use crate::platform::{boot_id, clock};
use crate::service::identity::{self, confirm};
use crate::snapshot::{GatewaySnapshot, Snapshot};
use crate::supervisor::verdict::Health;
use crate::text::Phrase;
use crate::text::command::CommandPhrase;
use crate::text::drill::{DrillPhrase, DrillProblem};

/// Limit for Lifeguard to notice: two probes that run into their limit, at the slowest that is sensible.
const DETECTION_LIMIT: Duration = Duration::from_mins(3);

/// Limit for the gateway to be healthy again: patience with a hang, a start of five minutes, and health that holds.
const RECOVERY_LIMIT: Duration = Duration::from_mins(15);

/// Limit for the last alert to be delivered.
const TOLD_LIMIT: Duration = Duration::from_secs(30);

/// Alerts that are looked at: a drill causes two or three.
const ALERTS: u32 = 50;

/// Runs a drill on the gateway that was named, or on the first.
pub(super) fn run(context: &Context, exercise: Exercise, run: &Run) -> Result<Score, Failure> {
    if !exercise.is_safe_for_real() {
        return Err(DrillProblem::NotForReal(exercise).into());
    }
    let runtime = Context::runtime()?;
    let client = Context::client_of(&context.paths)?;
    let wanted = run.gateway.as_deref();
    let (_, gateway) = ready(context, &runtime.block_on(client.snapshot())?, wanted)?;
    if !run.yes {
        ask(context, exercise, &gateway)?;
    }
    runtime.block_on(async {
        let mut interruption = Interruption::listen()?;
        // A person takes their time to type, and much may have happened.
        let snapshot = client.snapshot().await?;
        let (key, before) = ready(context, &snapshot, wanted)?;
        let speaker = (!run.json).then_some(context);
        let witness = Arc::new(Told::of(context, &before.name));
        let mut course = Course::begin(exercise, client, &before, Arc::clone(&witness) as _, speaker)?;
        let channels = !snapshot.channels.is_empty();
        let signal = if exercise == Exercise::Hang { Signal::Freeze } else { Signal::Kill };
        process::signal(key, signal).map_err(|error| DrillProblem::NoFault(error.to_string()))?;
        let result = tokio::select! {
            result = follow(&mut course, before.pid, exercise, channels) => result,
            () = interruption.comes() => Err(DrillProblem::Interrupted.into()),
        };
        if exercise == Exercise::Hang {
            // The usual end is that it is gone.
            let _ = process::signal(key, Signal::Thaw);
        }
        let told = result?;
        course.score(witness.rungs(), told)
    })
}

/// Waits until it is over; whether it was told, as far as there is anybody to tell.
async fn follow(
    course: &mut Course<'_>,
    old: Option<u32>,
    exercise: Exercise,
    channels: bool,
) -> Result<bool, Failure> {
    let healed = course.detect(DETECTION_LIMIT).await? && course.recover(RECOVERY_LIMIT, old).await?;
    if !healed || !channels {
        return Ok(healed);
    }
    course.told(TOLD_LIMIT, exercise.last_alert()).await
}

/// The gateway and its process, if a drill may begin with it now.
fn ready(
    context: &Context,
    snapshot: &Snapshot,
    wanted: Option<&str>,
) -> Result<(ProcessKey, GatewaySnapshot), Failure> {
    let mut gateways = snapshot.gateways.iter();
    let found = match wanted {
        None => gateways.next(),
        Some(name) => gateways.find(|gateway| gateway.name == name),
    };
    let Some(gateway) = found.cloned() else {
        let name = wanted.unwrap_or_default().to_owned();
        return Err(Failure::Said(CommandPhrase::NoSuchGateway(name), Exit::Bad));
    };
    if gateway.practice {
        return Err(DrillProblem::OnlyDemo.into());
    }
    let name = gateway.name.clone();
    let health = snapshot.health(&gateway, clock::elapsed());
    if health != Health::Healthy || gateway.heal.is_some() || gateway.incident.is_some() {
        return Err(DrillProblem::NotHealthy { gateway: name, health }.into());
    }
    if let Some(work) = gateway.in_flight.filter(|work| *work > 0) {
        return Err(DrillProblem::Busy { gateway: name, work }.into());
    }
    if gateway.service == "attached" && !starts_when_dead(context, &name)? {
        return Err(DrillProblem::NobodyStarts(name).into());
    }
    if gateway.crashes + 1 >= gateway.crash_limit {
        return Err(DrillProblem::NearBreaker(name).into());
    }
    let Some(identity) = gateway.pid.and_then(|pid| confirm(pid, own_uid())) else {
        return Err(DrillProblem::Unconfirmed(name).into());
    };
    Ok((identity::key(&identity), gateway))
}

/// Whether the configuration has a gateway that somebody starts by hand started again.
fn starts_when_dead(context: &Context, name: &str) -> Result<bool, Failure> {
    let watched = context.config()?.watched();
    let found = watched.iter().find(|gateway| discover(gateway, &context.environment).name == name);
    Ok(found.is_some_and(|gateway| gateway.start_when_dead))
}

/// Has the person type the drill's name.
fn ask(context: &Context, exercise: Exercise, gateway: &GatewaySnapshot) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(DrillProblem::NotConfirmed.into());
    }
    let question = DrillPhrase::Confirm {
        exercise,
        gateway: gateway.name.clone(),
        address: gateway.address.clone(),
        pid: gateway.pid.unwrap_or_default(),
    };
    context.output.prompt(&question.say(context.language)).map_err(Failure::Output)?;
    let mut word = String::new();
    io::stdin().read_line(&mut word).map_err(Failure::Output)?;
    if word.trim() == exercise.name() { Ok(()) } else { Err(DrillProblem::WrongWord.into()) }
}

/// What the history says of one gateway since the drill began.
struct Told {
    state_dir: std::path::PathBuf,
    gateway: String,
    from: i64,
}

impl Told {
    fn of(context: &Context, gateway: &str) -> Self {
        Self { state_dir: context.paths.state_dir.clone(), gateway: gateway.to_owned(), from: clock::wall() }
    }

    fn rungs(&self) -> Vec<String> {
        let history = History::look(&self.state_dir, boot_id());
        let heals = history.and_then(|history| history.heals(&self.gateway, self.from, i64::MAX)).unwrap_or_default();
        heals.into_iter().map(|heal| heal.rung).collect()
    }
}

impl Witness for Told {
    /// What was delivered on any channel as a message of its own.
    fn kinds(&self) -> Vec<String> {
        let history = History::look(&self.state_dir, boot_id());
        let mut passed = history.and_then(|history| history.passed(ALERTS)).unwrap_or_default();
        passed.retain(|line| {
            let ours = line.alert.gateway == self.gateway && line.alert.happened >= self.from;
            ours && !line.edit && line.status.as_deref() == Some("delivered")
        });
        passed.sort_by_key(|line| line.alert.id);
        passed.dedup_by_key(|line| line.alert.id);
        passed.into_iter().map(|line| line.alert.kind).collect()
    }
}
