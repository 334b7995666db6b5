//! Running a command of somebody else: an argument list, never a shell, with a limit and with capped output.

use std::ffi::{OsStr, OsString};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout, timeout_at};

use crate::platform::process::kill_group_of_own_child;

/// Most bytes that are kept of each output; the rest is read and thrown away.
pub const OUTPUT_LIMIT: usize = 64 * 1024;

/// After the command's end, how long its outputs may stay open: something that it left behind may hold them.
const OUTPUT_GRACE: Duration = Duration::from_millis(200);

/// Why a command gave no result.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started.
    #[error("cannot run {program}: {source}; check that it is installed")]
    CannotRun {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It did not end in time, and was killed with all that it had started in its process group.
    #[error("{program} did not end within {} s and was stopped; the next attempt tries again", limit.as_secs_f32())]
    TimedOut {
        /// The program.
        program: String,
        /// The limit.
        limit: Duration,
    },
}

/// What a command said and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its output, at most [`OUTPUT_LIMIT`] bytes.
    pub stdout: String,
    /// Its complaints, at most [`OUTPUT_LIMIT`] bytes.
    pub stderr: String,
}

impl CommandOutput {
    /// Whether it ended with code 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// The first line of its complaints, or of its output, or its exit code: for an error message.
    #[must_use]
    pub fn reason(&self) -> String {
        let first = |text: &str| text.lines().map(str::trim).find(|line| !line.is_empty()).map(ToOwned::to_owned);
        first(&self.stderr).or_else(|| first(&self.stdout)).unwrap_or_else(|| match self.code {
            Some(code) => format!("exit code {code}"),
            None => "ended by a signal".to_owned(),
        })
    }
}

/// Runs a command to its end, with no input and with messages in English.
pub async fn run<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: &[A],
    limit: Duration,
) -> Result<CommandOutput, CommandError> {
    run_with(program, arguments, &[], limit).await
}

/// [`run`], with variables added to its environment.
pub async fn run_with<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: &[A],
    environment: &[(OsString, OsString)],
    limit: Duration,
) -> Result<CommandOutput, CommandError> {
    let program = program.as_ref();
    let name = program.to_string_lossy().into_owned();
    let deadline = Instant::now() + limit;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let started = command.spawn().map_err(|source| CommandError::CannotRun { program: name.clone(), source })?;
    let mut group = Group(started);
    let (stdout, stderr) = (group.0.stdout.take(), group.0.stderr.take());
    let mut kept = (Vec::new(), Vec::new());
    let status = {
        let outputs = async { tokio::join!(read_capped(stdout, &mut kept.0), read_capped(stderr, &mut kept.1)) };
        tokio::pin!(outputs);
        let ended = async {
            tokio::select! {
                status = group.0.wait() => {
                    // What was said before the end is in the pipes by now.
                    drop(timeout(OUTPUT_GRACE, &mut outputs).await);
                    status
                }
                _ = &mut outputs => group.0.wait().await,
            }
        };
        timeout_at(deadline, ended).await
    };
    let status: ExitStatus = match status {
        Ok(Ok(status)) => status,
        Ok(Err(source)) => return Err(CommandError::CannotRun { program: name, source }),
        Err(_) => return Err(CommandError::TimedOut { program: name, limit }),
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(CommandOutput { code: status.code(), stdout: text(kept.0), stderr: text(kept.1) })
}

async fn read_capped(source: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut source) = source else { return };
    let mut chunk = vec![0_u8; 8192];
    // A broken pipe ends the output as its end does.
    while let Ok(count @ 1..) = source.read(&mut chunk).await {
        let room = OUTPUT_LIMIT - kept.len();
        kept.extend_from_slice(&chunk[..count.min(room)]);
    }
}

/// The command and its process group: dropped before its end, all of it is killed.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // With an id it has not been waited for, so the pid is still its own.
        let Some(leader) = self.0.id() else { return };
        if let Err(error) = kill_group_of_own_child(leader) {
            tracing::warn!(pid = leader, %error, "cannot kill a command that took too long");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn output_code_and_closed_input() {
        let output = run("cat", &["/dev/stdin", "/nowhere"], LIMIT).await.unwrap();
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
        assert!(output.reason().contains("/nowhere"), "{output:?}");
    }

    #[tokio::test]
    async fn output_is_capped() {
        let output = run("head", &["-c", "1000000", "/dev/zero"], LIMIT).await.unwrap();
        assert!(output.succeeded());
        assert_eq!(output.stdout.len(), OUTPUT_LIMIT);
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let error = run("/nowhere/launchctl", &["print"], LIMIT).await.unwrap_err();
        assert!(error.to_string().contains("/nowhere/launchctl"), "{error}");
    }

    #[tokio::test]
    async fn an_endless_output_does_not_outlive_the_limit() {
        let error = run("yes", &[""; 0], Duration::from_millis(300)).await.unwrap_err();
        assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
    }
}
