//! Lifeguard's own log: one file, appended, for its owner's eyes only.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Mutex;

use tracing::error;
use tracing_subscriber::EnvFilter;

use super::AppError;
use crate::config::paths::Paths;

/// Starts logging to the file. `LIFEGUARD_LOG` sets the level, as in `debug` or `lifeguard::engine=debug`.
pub(super) fn start(paths: &Paths) -> Result<(), AppError> {
    let path = paths.log_file();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
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
