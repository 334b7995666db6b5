//! Where a channel's settings come from: they are there, or stand in a keychain that may have to be unlocked first.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::text::problem::Problem;
use crate::text::{Language, Phrase};

/// Distance of two looks into the keychain by one who can do nothing without it.
const AGAIN: Duration = Duration::from_secs(30);

type Fetching<S> = Pin<Box<dyn Future<Output = Result<S, Problem>> + Send>>;

/// Settings, or the way to them.
#[derive(Clone)]
pub enum Source<S> {
    /// They are there.
    Ready(S),
    /// They are asked for when they are needed, until they are had. Each try ends within a limit of its own.
    Later(Arc<dyn Fn() -> Fetching<S> + Send + Sync>),
}

impl<S: Clone> Source<S> {
    /// Settings that `fetch` gives, once it can.
    pub fn later<F>(fetch: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<S, Problem>> + Send + 'static,
    {
        Self::Later(Arc::new(move || Box::pin(fetch())))
    }

    /// The settings, if they can be had now.
    pub async fn get(&self) -> Result<S, Problem> {
        match self {
            Self::Ready(settings) => Ok(settings.clone()),
            Self::Later(fetch) => fetch().await,
        }
    }

    /// The settings, however long it takes. `who` is told of in the log, once.
    pub async fn wait(&self, who: &str) -> S {
        let mut told = false;
        loop {
            match self.get().await {
                Ok(settings) => return settings,
                Err(problem) if !told => {
                    told = true;
                    tracing::warn!(who, cause = problem.say(Language::English), "its secret is not there");
                }
                Err(_) => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

impl<S> From<S> for Source<S> {
    fn from(settings: S) -> Self {
        Self::Ready(settings)
    }
}

impl<S: fmt::Debug> fmt::Debug for Source<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(settings) => settings.fmt(formatter),
            Self::Later(_) => formatter.write_str("Later"),
        }
    }
}
