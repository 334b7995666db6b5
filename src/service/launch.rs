//! Starting a gateway as a process of Lifeguard's own that lives on without it.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tokio::sync::watch;

use super::ServiceError;
use crate::platform::process::{in_new_session, key_of_own_child};
use crate::supervisor::observation::{Exit, Identity};

/// Variables that must not reach a gateway of ours: Node's options of whoever started Lifeguard, and the marks by
/// which OpenClaw would take itself for a service of systemd or launchd, or keep its restarts inside the process.
const NOT_INHERITED: [&str; 12] = [
    "NODE_OPTIONS",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "NOTIFY_SOCKET",
    "SYSTEMD_EXEC_PID",
    "XPC_SERVICE_NAME",
    "OPENCLAW_SYSTEMD_UNIT",
    "OPENCLAW_LAUNCHD_LABEL",
    "OPENCLAW_SERVICE_MARKER",
    "OPENCLAW_SERVICE_KIND",
    "OPENCLAW_NO_RESPAWN",
    "OPENCLAW_SUPERVISOR_MODE",
];

/// Where programs are that a menu-bar app's short `PATH` leaves out.
const USUAL_PLACES: [&str; 4] = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"];

/// How to start it.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) command: Vec<String>,
    /// The whole environment, or additions to our own.
    pub(super) environment: Environment,
    pub(super) working_dir: Option<PathBuf>,
    pub(super) log_path: PathBuf,
}

#[derive(Debug)]
pub(super) enum Environment {
    /// Our own, cleaned of what must not be inherited, and these.
    Added(Vec<(String, String)>),
    /// These only: what the process had that is being replaced.
    Whole(Vec<(String, String)>),
}

/// A process that was started here. Its end is awaited by a task of its own, which outlives this handle.
#[derive(Debug, Clone)]
pub(super) struct Started {
    pub(super) identity: Identity,
    exit: watch::Receiver<Option<Exit>>,
}

impl Started {
    /// How it ended, when it has.
    pub(super) async fn exit(mut self) -> Exit {
        match self.exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.unwrap_or_default(),
            // The task is gone: the runtime is shutting down.
            Err(_) => Exit::default(),
        }
    }
}

/// Starts it in a session of its own, with no input and its output in the log file.
pub(super) fn launch(plan: Launch) -> Result<Started, ServiceError> {
    let (program, arguments) = plan.command.split_first().ok_or(ServiceError::NoCommand)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    match plan.environment {
        Environment::Added(added) => {
            for name in NOT_INHERITED {
                command.env_remove(name);
            }
            command.env("PATH", search_path(std::env::var_os("PATH"), program)).envs(added);
        }
        Environment::Whole(whole) => {
            command.env_clear().envs(whole);
        }
    }
    if let Some(folder) = plan.working_dir.filter(|folder| folder.is_dir()) {
        command.current_dir(folder);
    }
    let (stdout, stderr) = outputs(&plan.log_path);
    command.stdout(stdout).stderr(stderr);
    in_new_session(&mut command);

    let failed = |source| ServiceError::CannotStart { program: program.clone(), source };
    let mut child = command.spawn().map_err(failed)?;
    let pid = child.id().ok_or_else(|| failed(io::Error::other("it has no process id")))?;
    let Some(key) = key_of_own_child(pid) else {
        return Err(failed(io::Error::other("the system does not show the new process")));
    };
    let identity = Identity { pid, started: key.started, command: plan.command.join(" ") };
    // The arguments may hold a token, so only the program is named.
    tracing::info!(pid, program, "started the gateway");

    let (sender, exit) = watch::channel(None);
    tokio::spawn(async move {
        let exit = match child.wait().await {
            Ok(status) => Exit { code: status.code(), signal: status.signal() },
            Err(error) => {
                tracing::error!(pid, %error, "cannot learn how the gateway ended");
                Exit::default()
            }
        };
        // Nobody may be interested any more.
        sender.send_replace(Some(exit));
    });
    Ok(Started { identity, exit })
}

/// The `PATH` with the program's own folder and the usual places added at its end: OpenClaw is a script that
/// looks for `node` there, and a menu-bar app gets a short one.
pub(super) fn search_path(path: Option<OsString>, program: &str) -> OsString {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path.unwrap_or_default()).collect();
    let own = Path::new(program).parent().filter(|folder| folder.is_absolute()).map(Path::to_path_buf);
    for folder in own.into_iter().chain(USUAL_PLACES.map(PathBuf::from)) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    std::env::join_paths(folders).unwrap_or_else(|_| OsString::from("/usr/local/bin:/usr/bin:/bin"))
}

/// The log file twice. A gateway without a log is better than none, so a folder that cannot be written to is no
/// reason not to start.
fn outputs(path: &Path) -> (Stdio, Stdio) {
    let opened = open_log(path).and_then(|file| Ok((file.try_clone()?, file)));
    match opened {
        Ok((stdout, stderr)) => (stdout.into(), stderr.into()),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "cannot write the gateway's log: its output is lost");
            (Stdio::null(), Stdio::null())
        }
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
