//! How Lifeguard itself is kept running: a launchd agent, or a systemd user unit, that starts it at login and again
//! when it dies. What ends by itself, as by Quit, stays ended until the next login.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plist::{Dictionary, Value};

use super::ServiceError;
use super::command::{CommandError, run};
use super::launchctl::Launchctl;
use super::setup::{GatewaySetup, Kind};
use crate::platform::desktop::own_agent::{self, LABEL, UNIT};

/// Limit for one command to systemd.
const ORDER_LIMIT: Duration = Duration::from_secs(30);

/// Seconds between an end and the next start.
const THROTTLE: u32 = 10;

/// Why Lifeguard's own agent could not be installed or taken away.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// Its file cannot be written or taken away.
    #[error("cannot change {}: {source}; look at the folder's permissions", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program's path holds characters that a unit cannot hold.
    #[error("{0:?} cannot stand in a systemd unit; move Lifeguard to a plain path")]
    OddPath(String),
    /// launchd refused.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// systemd could not be asked.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// systemd refused.
    #[error("systemctl --user {action} failed: {reason}")]
    Refused {
        /// What was asked of it.
        action: String,
        /// What it said.
        reason: String,
    },
}

/// Lifeguard's own agent or unit.
#[derive(Debug)]
pub struct Keeper {
    /// The command that runs Lifeguard.
    pub command: Vec<String>,
    /// Variables that are set for it.
    pub environment: Vec<(String, String)>,
    /// Takes what it says before its own log is open.
    pub error_log: PathBuf,
    /// Who keeps it: launchd, or else systemd.
    pub kind: Kind,
    /// The user's home folder.
    pub home: PathBuf,
    /// The user.
    pub uid: u32,
    /// Path of `launchctl`.
    pub launchctl: PathBuf,
    /// Path of `systemctl`.
    pub systemctl: PathBuf,
}

impl Keeper {
    /// The keeper of this system for Lifeguard, run by this command.
    #[must_use]
    pub fn new(command: Vec<String>, environment: Vec<(String, String)>, error_log: PathBuf) -> Self {
        let usual = GatewaySetup::new("", 0, PathBuf::new(), PathBuf::new());
        let kind = if cfg!(target_os = "macos") { Kind::Launchd } else { Kind::Systemd };
        let GatewaySetup { home, uid, launchctl, systemctl, .. } = usual;
        Self { command, environment, error_log, kind, home, uid, launchctl, systemctl }
    }

    /// Where the agent or the unit is defined.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        match self.kind {
            Kind::Launchd => own_agent::plist(&self.home),
            _ => own_agent::unit(&self.home),
        }
    }

    /// Writes the file and loads it, which starts Lifeguard. One that is there is replaced.
    pub async fn install(&self) -> Result<(), KeeperError> {
        let file = self.file();
        if self.kind == Kind::Launchd {
            let launchctl = self.agent();
            // A changed plist counts only when the job is loaded anew.
            launchctl.unload().await?;
            let mut text = Vec::new();
            self.plist().to_writer_xml(&mut text).map_err(|error| failed(&file)(io::Error::other(error)))?;
            write(&file, &text).map_err(failed(&file))?;
            return Ok(launchctl.load(&file).await?);
        }
        write(&file, self.unit()?.as_bytes()).map_err(failed(&file))?;
        self.systemctl(&["daemon-reload"]).await?;
        self.systemctl(&["enable", "--", UNIT]).await?;
        self.systemctl(&["restart", "--", UNIT]).await
    }

    /// Stops Lifeguard where the agent runs it and takes the file away; `false` if there was none.
    pub async fn uninstall(&self) -> Result<bool, KeeperError> {
        let file = self.file();
        let existed = file.exists();
        // In this order: Lifeguard may be running this itself, and is ended by what comes last.
        if existed && self.kind != Kind::Launchd {
            self.systemctl(&["disable", "--", UNIT]).await?;
        }
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&file)(error)),
            _ => {}
        }
        match self.kind {
            Kind::Launchd => self.agent().unload().await?,
            _ if existed => {
                self.systemctl(&["stop", "--", UNIT]).await?;
                self.systemctl(&["daemon-reload"]).await?;
            }
            _ => {}
        }
        Ok(existed)
    }

    fn agent(&self) -> Launchctl {
        Launchctl::new(self.launchctl.clone(), self.uid, LABEL)
    }

    async fn systemctl(&self, arguments: &[&str]) -> Result<(), KeeperError> {
        let usual = ["--user", "--no-ask-password", "--no-pager"].map(OsString::from);
        let all: Vec<OsString> = usual.into_iter().chain(arguments.iter().map(OsString::from)).collect();
        let output = run(&self.systemctl, &all, ORDER_LIMIT).await?;
        if output.succeeded() {
            return Ok(());
        }
        Err(KeeperError::Refused { action: arguments.join(" "), reason: output.reason() })
    }

    fn plist(&self) -> Value {
        let text = |text: &str| Value::from(text);
        let environment: Dictionary =
            self.environment.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let on_failure = Dictionary::from_iter([("SuccessfulExit".to_owned(), Value::from(false))]);
        let agent = [
            ("Label", text(LABEL)),
            ("ProgramArguments", Value::Array(self.command.iter().map(|word| text(word)).collect())),
            ("EnvironmentVariables", Value::Dictionary(environment)),
            ("RunAtLoad", Value::from(true)),
            ("KeepAlive", Value::Dictionary(on_failure)),
            ("ThrottleInterval", Value::from(THROTTLE)),
            // Without it launchd slows a job's processor and disk down.
            ("ProcessType", text("Interactive")),
            ("LimitLoadToSessionType", text("Aqua")),
            // The name under which System Settings lists it.
            ("AssociatedBundleIdentifiers", text("io.lifeguard.Lifeguard")),
            ("StandardErrorPath", text(&self.error_log.to_string_lossy())),
        ];
        Value::Dictionary(agent.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    fn unit(&self) -> Result<String, KeeperError> {
        let words: Vec<String> = self.command.iter().map(|word| quote(word)).collect::<Result<_, _>>()?;
        let variable =
            |(name, value): &(String, String)| Ok(format!("Environment={}\n", quote(&format!("{name}={value}"))?));
        let variables: String = self.environment.iter().map(variable).collect::<Result<_, KeeperError>>()?;
        Ok(format!(
            "[Unit]\nDescription=Lifeguard, which watches an OpenClaw gateway\n\n[Service]\nExecStart={}\n{variables}\
             Restart=on-failure\nRestartSec={THROTTLE}\n\n[Install]\nWantedBy=default.target\n",
            words.join(" ")
        ))
    }
}

/// A word as systemd reads it: `%` and `$` stand for other things there, and are doubled.
fn quote(word: &str) -> Result<String, KeeperError> {
    if word.chars().any(|letter| letter.is_control() || "\"\\".contains(letter)) {
        return Err(KeeperError::OddPath(word.to_owned()));
    }
    Ok(format!("\"{}\"", word.replace('%', "%%").replace('$', "$$")))
}

/// Replaces the file as a whole. launchd refuses a plist that others may write to.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    std::fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    std::fs::write(file.path(), text)?;
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}

fn failed(path: &Path) -> impl Fn(io::Error) -> KeeperError {
    let path = path.to_owned();
    move |source| KeeperError::File { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeper(command: &[&str]) -> Keeper {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        let environment = vec![("LIFEGUARD_STATE_DIR".to_owned(), "/home/kim/a b".to_owned())];
        Keeper::new(command, environment, PathBuf::from("/home/kim/agent.log"))
    }

    #[test]
    fn the_label_is_none_of_openclaws() {
        assert!(!LABEL.starts_with("ai.openclaw."));
    }

    #[test]
    fn the_agent_comes_back_after_a_failure_only() {
        let mut text = Vec::new();
        keeper(&["/Applications/Lifeguard.app/Contents/MacOS/lifeguard"]).plist().to_writer_xml(&mut text).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap());
    }

    #[test]
    fn the_unit_quotes_what_systemd_would_read_otherwise() {
        insta::assert_snapshot!(keeper(&["/opt/100% $HOME/lifeguard", "watch"]).unit().unwrap());
        assert!(matches!(keeper(&["/opt/\"x\"/lifeguard"]).unit(), Err(KeeperError::OddPath(_))));
    }
}
