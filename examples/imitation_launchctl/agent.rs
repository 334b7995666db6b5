//! What launchd reads in an agent's plist. Written from `launchd.plist(5)`, on purpose without Lifeguard's own reader.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// The keys that this launchd knows; others are ignored, as by the real one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Agent {
    pub(crate) label: String,
    pub(crate) program_arguments: Vec<String>,
    pub(crate) environment_variables: BTreeMap<String, String>,
    pub(crate) working_directory: Option<PathBuf>,
    pub(crate) standard_out_path: Option<PathBuf>,
    pub(crate) standard_error_path: Option<PathBuf>,
    pub(crate) run_at_load: bool,
    keep_alive: KeepAlive,
    throttle_interval: Option<u64>,
    exit_time_out: Option<u64>,
}

/// `KeepAlive`: a switch, or conditions of which one is enough.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum KeepAlive {
    Always(bool),
    When {
        #[serde(rename = "SuccessfulExit")]
        successful_exit: Option<bool>,
    },
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self::Always(false)
    }
}

impl Agent {
    /// Distance of two starts; 10 s where the plist names none.
    pub(crate) fn throttle(&self) -> Duration {
        Duration::from_secs(self.throttle_interval.unwrap_or(10))
    }

    /// SIGTERM to SIGKILL; 20 s where the plist names none.
    pub(crate) fn exit_time_out(&self) -> Duration {
        Duration::from_secs(self.exit_time_out.unwrap_or(20))
    }

    /// `KeepAlive` is there in some form: the job starts when it is loaded.
    pub(crate) fn is_kept_alive(&self) -> bool {
        !matches!(self.keep_alive, KeepAlive::Always(false))
    }

    /// It starts again after such an end.
    pub(crate) fn starts_again(&self, successful: bool) -> bool {
        match self.keep_alive {
            KeepAlive::Always(always) => always,
            KeepAlive::When { successful_exit } => successful_exit == Some(successful),
        }
    }
}
