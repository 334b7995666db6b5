//! What every command needs: the configuration, the places, the language, the way to the Lifeguard that runs.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;

use tokio::runtime::Runtime;

use super::Exit;
use super::output::Output;
use crate::app::{AppError, Setting};
use crate::config::environment::Environment;
use crate::config::load::{LoadError, load};
use crate::config::paths::{Paths, PathsError};
use crate::config::{Config, LanguageChoice};
use crate::control::client::{ClientError, ControlClient};
use crate::control::instance::InstanceError;
use crate::request::Reply;
use crate::text::command::CommandPhrase;
use crate::text::drill::DrillProblem;
use crate::text::import::ImportPhrase;
use crate::text::place::PlaceProblem;
use crate::text::{Language, Phrase};

/// What every command needs.
pub(super) struct Context {
    pub(super) environment: Environment,
    pub(super) paths: Paths,
    pub(super) language: Language,
    pub(super) output: Output,
    config: Result<Config, LoadError>,
}

impl Context {
    pub(super) fn new(
        environment: Environment,
        config: Option<&Path>,
        language: Option<LanguageChoice>,
        output: Output,
    ) -> Result<Self, Failure> {
        let paths = Paths::of(&environment, config)?;
        let config = load(&paths, &environment);
        let configured = config.as_ref().map_or(LanguageChoice::Auto, |config| config.language);
        let language = language.unwrap_or(configured).resolve(environment.locale());
        Ok(Self { environment, paths, language, output, config })
    }

    /// The configuration. A command that only asks the Lifeguard that runs does not need a good one.
    pub(super) fn config(&self) -> Result<&Config, Failure> {
        self.config.as_ref().map_err(|error| Failure::Config(error.clone()))
    }

    /// What is wrong with the configuration, if it cannot be used.
    pub(super) fn config_problem(&self) -> Option<&LoadError> {
        self.config.as_ref().err()
    }

    /// What a mode is started with, in the given places.
    pub(super) fn setting<'a>(&'a self, paths: &'a Paths) -> Result<Setting<'a>, Failure> {
        Ok(self.setting_with(self.config()?, paths))
    }

    /// The same with another configuration than the person's.
    pub(super) fn setting_with<'a>(&'a self, config: &'a Config, paths: &'a Paths) -> Setting<'a> {
        Setting { config, paths, environment: &self.environment, language: self.language, notice: None }
    }

    /// A runtime for one command.
    pub(super) fn runtime() -> Result<Runtime, Failure> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|cause| Failure::Said(CommandPhrase::NoRuntime(cause.to_string()), Exit::Bad))
    }

    /// The way to the Lifeguard that runs: the real one, or with none a demo.
    pub(super) fn client(&self) -> Result<ControlClient, Failure> {
        let answers = |paths: &Paths| UnixStream::connect(&paths.socket).is_ok();
        let demo = self.paths.for_demo();
        Self::client_of(if !answers(&self.paths) && answers(&demo) { &demo } else { &self.paths })
    }

    /// The way to the Lifeguard that runs in these places.
    pub(super) fn client_of(paths: &Paths) -> Result<ControlClient, Failure> {
        Ok(ControlClient::new(&paths.socket)?)
    }

    pub(super) fn say(&self, phrase: &impl Phrase) -> Result<(), Failure> {
        self.line(&phrase.say(self.language))
    }

    pub(super) fn line(&self, text: &str) -> Result<(), Failure> {
        self.output.line(text).map_err(Failure::Output)
    }

    /// Asks for something that is done at once, and says the outcome; `done` is the sentence for success.
    pub(super) fn order(
        &self,
        gateway: Option<String>,
        command: crate::supervisor::event::Command,
        done: &CommandPhrase,
    ) -> Result<Exit, Failure> {
        let reply = Self::runtime()?.block_on(self.client()?.command(gateway, command))?;
        match reply {
            Reply::Done => {
                self.say(done)?;
                Ok(Exit::Good)
            }
            Reply::Concluded(outcome) => {
                self.say(&outcome)?;
                Ok(if outcome.succeeded() { Exit::Good } else { Exit::Bad })
            }
            Reply::Refused(reason) => {
                self.output.complaint(&reason);
                Ok(Exit::Bad)
            }
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    Config(LoadError),
    Paths(PathsError),
    Client(ClientError),
    Instance(InstanceError),
    App(AppError),
    Output(io::Error),
    Import(ImportPhrase),
    Said(CommandPhrase, Exit),
    Drill(DrillProblem),
}

impl Failure {
    pub(super) fn reader_is_gone(&self) -> bool {
        matches!(self, Self::Output(cause) if cause.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Paths(_) => Exit::Usage,
            Self::Client(ClientError::NotRunning) => Exit::NotRunning,
            Self::Client(_) | Self::Instance(_) | Self::App(_) | Self::Output(_) | Self::Import(_) => Exit::Bad,
            Self::Drill(problem) if problem.is_usage() => Exit::Usage,
            Self::Drill(_) => Exit::Bad,
            Self::Said(_, exit) => *exit,
        }
    }
}

impl Phrase for Failure {
    fn say(&self, language: Language) -> String {
        match self {
            Self::Config(error) => error.say(language),
            Self::Paths(error) => error.0.say(language),
            Self::Client(ClientError::NotRunning) => CommandPhrase::NotRunning.say(language),
            Self::Client(ClientError::TimedOut) => CommandPhrase::NoAnswer.say(language),
            Self::Client(ClientError::Refused { problem, .. }) => problem.clone(),
            Self::Client(error) => CommandPhrase::CannotAsk(error.to_string()).say(language),
            Self::Instance(InstanceError::Held { pid }) => CommandPhrase::WatchedAlready { pid: *pid }.say(language),
            Self::Instance(InstanceError::Unusable { path, cause }) => {
                PlaceProblem::Unusable { place: path.display().to_string(), cause: cause.to_string() }.say(language)
            }
            Self::App(error) => error.to_string(),
            Self::Output(cause) => cause.to_string(),
            Self::Drill(problem) => problem.say(language),
            Self::Import(phrase) => phrase.say(language),
            Self::Said(phrase, _) => phrase.say(language),
        }
    }
}

impl From<PathsError> for Failure {
    fn from(error: PathsError) -> Self {
        Self::Paths(error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<InstanceError> for Failure {
    fn from(error: InstanceError) -> Self {
        Self::Instance(error)
    }
}

impl From<DrillProblem> for Failure {
    fn from(problem: DrillProblem) -> Self {
        Self::Drill(problem)
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}
