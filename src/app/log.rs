//! Lifeguard's own log: one file, appended, for its owner's eyes only; and the rotation of the gateways' logs.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use super::AppError;
use crate::config::paths::Paths;
use crate::logs::own::OwnLog;
use crate::logs::{Bounds, foreign};
use crate::platform::clock;

/// How often the gateways' logs are looked at.
const LOOK: Duration = Duration::from_mins(1);

/// Starts logging to the file. `LIFEGUARD_LOG` sets the level, as in `debug` or `lifeguard::engine=debug`.
pub(super) fn start(paths: &Paths) -> Result<(), AppError> {
    let path = paths.log_file();
    let file = OwnLog::open(&path, Bounds::default())
        .map_err(|cause| AppError::NoLog { path: path.display().to_string(), cause })?;
    let filter = EnvFilter::builder()
        .with_env_var("LIFEGUARD_LOG")
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Mutex::new(file)).finish();
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            error!(%panic, "a defect in Lifeguard; please report it");
            default(panic);
        }));
    }
    Ok(())
}

/// Keeps the logs within bounds that gateways of Lifeguard's own write, for as long as it runs. OpenClaw looks after
/// the logs that it writes itself.
pub(super) async fn tend(logs: Vec<PathBuf>) {
    let mut troubles: Vec<Option<String>> = vec![None; logs.len()];
    loop {
        for (log, told) in logs.iter().zip(&mut troubles) {
            let file = log.clone();
            let rotated =
                tokio::task::spawn_blocking(move || foreign::rotate(&file, Bounds::default(), clock::wall())).await;
            let trouble = match rotated {
                Ok(Ok(false)) => None,
                Ok(Ok(true)) => {
                    info!(log = %log.display(), "log rotated");
                    None
                }
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(error) = trouble.as_ref().filter(|trouble| Some(*trouble) != told.as_ref()) {
                warn!(log = %log.display(), error, "the log could not be rotated; it goes on growing");
            }
            *told = trouble;
        }
        tokio::time::sleep(LOOK).await;
    }
}
