//! What a launchd agent's plist says.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// Longest plist that is read, in bytes; the gateway's has some 2,000.
const LIMIT: u64 = 256 * 1024;

/// launchd's own throttle where the plist names none (`launchd.plist(5)`).
const DEFAULT_THROTTLE: Duration = Duration::from_secs(10);

/// Why a plist says nothing. Only OpenClaw itself writes it anew, and only when a person asks for that.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// It cannot be read.
    #[error("cannot read {}: {source}; run `openclaw gateway install`", path.display())]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not a plist with a label and a program.
    #[error("{} is no property list with a label and a program; run `openclaw gateway install --force`", path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
    },
}

/// A launchd agent, as its plist describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Agent {
    /// Its label.
    pub label: String,
    /// Its program, as an argument list.
    pub program_arguments: Vec<String>,
    /// Variables that are set for it.
    #[serde(default)]
    pub environment_variables: BTreeMap<String, String>,
    /// Where its output goes.
    pub standard_out_path: Option<PathBuf>,
    throttle_interval: Option<u64>,
}

impl Agent {
    /// Reads a plist.
    ///
    /// # Errors
    ///
    /// If there is none, or if it is not a plist with a label and a program.
    pub fn read(path: &Path) -> Result<Self, AgentError> {
        let unreadable = |source| AgentError::Unreadable { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(LIMIT).read_to_end(&mut bytes).map_err(unreadable)?;
        Self::parse(&bytes).ok_or_else(|| AgentError::Damaged { path: path.to_owned() })
    }

    /// Reads the content of a plist; `None` if it is none, or has no label or no program.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        // The parser's words are left out: they could quote a secret.
        let agent: Option<Self> = plist::from_bytes(bytes).ok();
        agent.filter(|agent| !agent.program_arguments.is_empty())
    }

    /// Least distance of two starts.
    #[must_use]
    pub fn throttle(&self) -> Duration {
        self.throttle_interval.map_or(DEFAULT_THROTTLE, Duration::from_secs)
    }

    /// A variable's text; an empty one counts as not set, as OpenClaw has it.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment_variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// What follows `--port` or the like in its arguments.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        let position = self.program_arguments.iter().position(|word| word == name)?;
        self.program_arguments.get(position + 1).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As OpenClaw 2026.9 writes it (gateway.md, section 5), shortened.
    const GATEWAY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
  <key>Label</key><string>ai.openclaw.gateway</string>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><true/>
  <key>ThrottleInterval</key><integer>1</integer>
  <key>ExitTimeOut</key><integer>20</integer>
  <key>ProgramArguments</key><array>
    <string>/opt/homebrew/bin/node</string><string>/opt/openclaw/dist/index.js</string>
    <string>gateway</string><string>--port</string><string>18790</string>
  </array>
  <key>StandardOutPath</key><string>/Users/me/Library/Logs/openclaw/gateway.log</string>
  <key>EnvironmentVariables</key><dict>
    <key>OPENCLAW_PROFILE</key><string>work</string><key>NODE_OPTIONS</key><string></string>
  </dict>
</dict></plist>"#;

    fn read(text: &str) -> Result<Agent, AgentError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.plist");
        std::fs::write(&path, text).unwrap();
        Agent::read(&path)
    }

    #[test]
    fn the_gateways_own() {
        let agent = read(GATEWAY).unwrap();
        assert_eq!(agent.label, "ai.openclaw.gateway");
        assert_eq!(agent.throttle(), Duration::from_secs(1));
        assert_eq!((agent.option("--port"), agent.option("--bind")), (Some("18790"), None));
        assert_eq!((agent.variable("OPENCLAW_PROFILE"), agent.variable("NODE_OPTIONS")), (Some("work"), None));
        assert_eq!(agent.standard_out_path.as_deref(), Some(Path::new("/Users/me/Library/Logs/openclaw/gateway.log")));
    }

    #[test]
    fn the_throttle_has_a_default() {
        let without = GATEWAY.replace("<key>ThrottleInterval</key><integer>1</integer>", "");
        assert_eq!(read(&without).unwrap().throttle(), Duration::from_secs(10));
    }

    #[test]
    fn what_is_damaged_says_how_to_mend_it() {
        for text in ["", "<plist", "<plist version=\"1.0\"><dict></dict></plist>", "{ \"Label\": 1 }"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("openclaw gateway install --force"), "{error}");
        }
        let missing = Agent::read(Path::new("/nowhere/agent.plist")).unwrap_err().to_string();
        assert!(missing.contains("openclaw gateway install"), "{missing}");
    }

    proptest! {
        #[test]
        fn any_file_is_an_agent_or_none(
            text in "(<\\?xml version=\"1.0\"\\?>|<plist>|</plist>|<dict>|</dict>|<array>|<key>Label</key>|<string>|</string>|[a-z<>/&;]|\n){0,40}",
            noise in any::<Vec<u8>>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("agent.plist");
            for bytes in [text.into_bytes(), noise.clone(), [b"bplist00".as_slice(), &noise].concat()] {
                std::fs::write(&path, &bytes).unwrap();
                let _ = Agent::read(&path);
            }
        }
    }
}
