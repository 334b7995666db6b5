//! `lifeguard drill list|run`: faults on purpose, and a scoreboard of what Lifeguard made of them.

use std::io;
use std::process::ExitCode;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::place::Place;
use self::score::{Score, Scoreboard};
use super::Exit;
use super::context::{Context, Failure};
use super::status::width;
use crate::app;
use crate::drill::exercise::Exercise;
use crate::text::Phrase;
use crate::text::command::CommandPhrase;
use crate::text::drill::{DrillPhrase, DrillProblem};

mod course;
mod place;
mod practice;
mod real;
mod score;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    List,
    Run(Run),
}

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    #[arg(value_name = "NAME", hide_possible_values = true)]
    which: Which,
    #[arg(long)]
    real: bool,
    #[arg(long, short, value_name = "GATEWAY", requires = "real")]
    gateway: Option<String>,
    #[arg(long, requires = "real")]
    yes: bool,
    #[arg(long)]
    json: bool,
}

/// One drill, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    One(Exercise),
    All,
}

impl ValueEnum for Which {
    fn value_variants<'a>() -> &'a [Self] {
        use Exercise::{Config, Dependency, Disk, Hang, Kill, Memory, Port, Slow, Webhook};
        &[
            Self::One(Kill),
            Self::One(Hang),
            Self::One(Slow),
            Self::One(Port),
            Self::One(Config),
            Self::One(Memory),
            Self::One(Dependency),
            Self::One(Webhook),
            Self::One(Disk),
            Self::All,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::One(exercise) => exercise.name(),
            Self::All => "all",
        }))
    }
}

pub(super) fn run(context: &Context, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::List => list(context),
        Command::Run(run) if run.real => on_own_gateway(context, run),
        Command::Run(run) => on_practice_gateway(context, run),
    }
}

/// `lifeguard practice-watch`: the Lifeguard of a drill. Its gateway is a practice gateway, whatever its file says, so
/// that neither OpenClaw's own command nor anything else of the person's is ever used on it. Not for people.
pub(super) fn watch(context: &Context) -> Result<ExitCode, Failure> {
    let mut config = context.config()?.clone();
    for gateway in &mut config.gateways {
        gateway.practice = true;
    }
    context.paths.prepare()?;
    Ok(app::run_watch(&context.setting_with(&config, &context.paths))?)
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let language = context.language;
    let widest = Exercise::ALL.iter().map(|exercise| width(exercise.name())).max().unwrap_or(0);
    for exercise in Exercise::ALL {
        let name = exercise.name();
        let gap = " ".repeat(widest - width(name) + 2);
        let real = if exercise.is_safe_for_real() {
            format!(" ({})", DrillPhrase::AlsoReal.say(language))
        } else {
            String::new()
        };
        context.line(&format!("{name}{gap}{}{real}", exercise.say(language)))?;
    }
    context.line(&format!("\n{}", DrillPhrase::HowToRun.say(language)))?;
    Ok(Exit::Good)
}

fn on_own_gateway(context: &Context, run: &Run) -> Result<Exit, Failure> {
    let Which::One(exercise) = run.which else { return Err(DrillProblem::NotAllForReal.into()) };
    let score = real::run(context, exercise, run)?;
    let board = Scoreboard { real: true, scores: vec![score] };
    show(context, run, &board)
}

fn on_practice_gateway(context: &Context, run: &Run) -> Result<Exit, Failure> {
    let exercises = match run.which {
        Which::One(exercise) => vec![exercise],
        Which::All => Exercise::ALL.to_vec(),
    };
    let runtime = Context::runtime()?;
    let mut board = Scoreboard { real: false, scores: Vec::new() };
    runtime.block_on(async {
        // From here on no signal ends the process before it has cleared away.
        let mut interruption = Interruption::listen()?;
        for exercise in exercises {
            let score = one(context, exercise, run, &mut interruption).await?;
            board.scores.push(score);
        }
        Ok::<_, Failure>(())
    })?;
    show(context, run, &board)
}

/// One drill, in a place of its own that is gone afterwards, whatever happened.
async fn one(
    context: &Context,
    exercise: Exercise,
    run: &Run,
    interruption: &mut Interruption,
) -> Result<Score, Failure> {
    let speaker = (!run.json).then_some(context);
    if let Some(context) = speaker {
        context.say(&DrillPhrase::Preparing(exercise))?;
    }
    let mut place = Place::make(context.language).await?;
    let result = tokio::select! {
        result = practice::run(&mut place, exercise, speaker) => result,
        () = interruption.comes() => Err(DrillProblem::Interrupted.into()),
    };
    let cleared = place.clear_away().await;
    let score = result?;
    cleared?;
    Ok(score)
}

fn show(context: &Context, run: &Run, board: &Scoreboard) -> Result<Exit, Failure> {
    if run.json {
        let unprintable =
            |error: serde_json::Error| Failure::Said(CommandPhrase::CannotAsk(error.to_string()), Exit::Bad);
        context.line(&board.json().map_err(unprintable)?)?;
    } else {
        context.line(&format!("\n{}", board.text(context.language, context.output).trim_end()))?;
    }
    Ok(if board.scores.iter().all(Score::is_good) { Exit::Good } else { Exit::Bad })
}

/// The signals by which a person, a terminal or a service manager ends a drill.
struct Interruption([Signal; 3]);

impl Interruption {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|cause: io::Error| DrillProblem::Place(cause.to_string()));
        Ok(Self([listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?]))
    }

    async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
