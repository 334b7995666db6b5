//! OpenClaw's own configuration file: what OpenClaw itself says of it.

use std::io::{ErrorKind, Read};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use super::LOOK_LIMIT;
use crate::guard::{LARGEST, fingerprint};
use crate::service::{GatewaySetup, ServiceError, openclaw};
use crate::supervisor::dependency::Trouble;

/// `openclaw config validate` takes 1 to 3.4 s (gateway.md, section 4), and longer on a busy machine.
const VALIDATE_LIMIT: Duration = Duration::from_secs(20);

/// After it could not be asked, for want of time: the machine is busy.
const ASK_AGAIN: Duration = Duration::from_mins(5);

/// Longest reason that is kept, in characters.
const LONGEST_REASON: usize = 200;

#[derive(Debug)]
pub(super) struct ConfigFile {
    setup: GatewaySetup,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The file's length and time of change when it was last read, and what its bytes came to.
    read: Option<(u64, SystemTime, u64)>,
    /// The fingerprint now, and since when.
    stamp: Option<(u64, Instant)>,
    /// The fingerprint that OpenClaw was asked about, and what it said.
    validated: Option<(u64, Option<Trouble>)>,
    /// When OpenClaw could not be asked.
    failed: Option<Instant>,
}

impl ConfigFile {
    pub(super) fn new(setup: GatewaySetup) -> Self {
        Self { setup, known: Mutex::default() }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is the matter with the file. A gateway may run without one: that is none. OpenClaw is asked about a
    /// content that has stayed the same for `settled`.
    pub(super) async fn trouble(&self, settled: Duration) -> Option<Trouble> {
        let path = self.setup.config_path.clone();
        let before = self.known().read;
        let looked = spawn_blocking(move || read(&path, before));
        let read = match timeout(LOOK_LIMIT, looked).await {
            Ok(Ok(Ok(read))) => read,
            Ok(Ok(Err(error))) => return Some(Trouble::Invalid(error.to_string())),
            Ok(Err(error)) => return Some(Trouble::Invalid(error.to_string())),
            Err(_) => return Some(Trouble::Silent),
        };
        let (stamp, since, validated) = {
            let mut known = self.known();
            known.read = read;
            let before = known.stamp;
            known.stamp = read.map(|(_, _, stamp)| {
                before.filter(|(known, _)| *known == stamp).unwrap_or_else(|| (stamp, Instant::now()))
            });
            let (stamp, since) = known.stamp?;
            (stamp, since, known.validated.clone())
        };
        match validated {
            Some((known, trouble)) if known == stamp => trouble,
            _ if since.elapsed() >= settled && self.may_ask() => self.validate(stamp).await,
            _ => None,
        }
    }

    fn may_ask(&self) -> bool {
        self.known().failed.is_none_or(|failed| failed.elapsed() >= ASK_AGAIN)
    }

    /// Asks OpenClaw, once for each fingerprint. What it cannot be asked about is taken for good.
    async fn validate(&self, stamp: u64) -> Option<Trouble> {
        let trouble = match openclaw::run(&self.setup, &["config", "validate", "--json"], VALIDATE_LIMIT).await {
            Ok(output) if output.succeeded() => None,
            Ok(output) if output.code == Some(1) => Some(Trouble::Invalid(reason(&output.stdout))),
            Ok(output) => {
                tracing::warn!(
                    gateway = self.setup.name,
                    code = output.code,
                    "`openclaw config validate` gave no answer"
                );
                None
            }
            Err(ServiceError::NoCommand) => None,
            Err(error) => {
                tracing::warn!(gateway = self.setup.name, %error, "OpenClaw could not be asked about its configuration");
                self.known().failed = Some(Instant::now());
                return None;
            }
        };
        self.known().validated = Some((stamp, trouble.clone()));
        trouble
    }
}

/// The answer of `openclaw config validate --json`, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Validation {
    issues: Vec<Issue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Issue {
    path: String,
    message: String,
}

/// What OpenClaw names first: `gateway: Unrecognized key: "bnd"`.
fn reason(answer: &str) -> String {
    let validation: Validation = serde_json::from_str(answer).unwrap_or_default();
    let text = match validation.issues.first() {
        Some(issue) if issue.path.is_empty() => issue.message.clone(),
        Some(issue) => format!("{}: {}", issue.path, issue.message),
        None => "`openclaw config validate` says no".to_owned(),
    };
    text.chars().take(LONGEST_REASON).collect()
}

/// Reads the file, unless its length and time of change are those of last time.
fn read(
    path: &std::path::Path,
    before: Option<(u64, SystemTime, u64)>,
) -> Result<Option<(u64, SystemTime, u64)>, std::io::Error> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (length, changed) = (metadata.len(), metadata.modified()?);
    if let Some(known) = before.filter(|known| (known.0, known.1) == (length, changed)) {
        return Ok(Some(known));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(Some((length, changed, fingerprint(&bytes))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_issue_is_the_reason() {
        let answer = r#"{"ok":false,"valid":false,"issues":[{"path":"gateway","message":"Unrecognized key: \"bnd\""},{"path":"x","message":"y"}]}"#;
        assert_eq!(reason(answer), r#"gateway: Unrecognized key: "bnd""#);
        assert_eq!(reason(r#"{"issues":[{"message":"not JSON"}]}"#), "not JSON");
        assert_eq!(reason("Segmentation fault"), "`openclaw config validate` says no");
    }

    /// A stand-in for `openclaw` that notes each question and says what the file says.
    fn imitation(folder: &std::path::Path) -> GatewaySetup {
        let program = folder.join("openclaw");
        let script = "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho \"$*\" >> asked\ngrep -q good openclaw.json && exit 0\necho '{\"issues\":[{\"path\":\"a\",\"message\":\"b\"}]}'\nexit 1\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut setup = GatewaySetup::new("test", 1, folder.to_owned(), folder.join("gateway.log"));
        setup.openclaw = Some(vec![program.display().to_string()]);
        setup
    }

    #[tokio::test]
    async fn openclaw_is_asked_once_for_each_content() {
        let folder = tempfile::tempdir().unwrap();
        let config = ConfigFile::new(imitation(folder.path()));
        let write = |text: &str| std::fs::write(folder.path().join("openclaw.json"), text).unwrap();
        let asked = || std::fs::read_to_string(folder.path().join("asked")).unwrap_or_default().lines().count();
        assert_eq!(config.trouble(Duration::ZERO).await, None, "a gateway may run without one");
        write("bad");
        assert_eq!(config.trouble(Duration::MAX).await, None, "nobody asked");
        assert_eq!(asked(), 0);
        let bad = Some(Trouble::Invalid("a: b".to_owned()));
        assert_eq!(config.trouble(Duration::ZERO).await, bad);
        assert_eq!(config.trouble(Duration::ZERO).await, bad);
        assert_eq!(config.trouble(Duration::MAX).await, bad, "what is known is told");
        assert_eq!(asked(), 1);
        write("good again");
        assert_eq!(config.trouble(Duration::ZERO).await, None);
        assert_eq!(asked(), 2);
    }

    proptest! {
        #[test]
        fn any_answer_is_a_short_reason(text in "(\\{|\\}|\\[|\\]|\"issues\":|\"path\":|\"message\":|\"[a-z]{0,9}\"|,|.){0,40}") {
            prop_assert!(reason(&text).chars().count() <= LONGEST_REASON);
        }
    }
}
