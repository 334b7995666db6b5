//! An imitation of launchd for one test: `examples/imitation_launchctl`, with its agents and its transcript.
#![allow(dead_code, reason = "each test file uses the part that it needs")]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the way to fail")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lifeguard::platform::process::own_uid;
use plist::{Dictionary, Value};

/// OpenClaw's own label.
pub(crate) const LABEL: &str = "ai.openclaw.gateway";

/// Limit for its own start: it has nothing to load.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A launchd for whoever lives in one home. It ends when this is dropped; its jobs end with the home.
pub(crate) struct ImitationLaunchd {
    home: PathBuf,
    process: Child,
}

impl ImitationLaunchd {
    /// Starts one, without any jobs, for this home.
    pub(crate) fn start(home: &Path) -> Self {
        let program = home.join("launchd/launchctl");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        // Cargo builds examples beside the tests.
        let tests = std::env::current_exe().unwrap();
        let example = tests.parent().and_then(Path::parent).unwrap().join("examples/imitation_launchctl");
        assert!(example.exists(), "{} is needed: cargo build --example imitation_launchctl", example.display());
        symlink(example, &program).unwrap();
        let quiet = Stdio::null;
        let process =
            Command::new(&program).args(["imitate", "serve"]).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
        let launchd = Self { home: home.to_owned(), process: process.unwrap() };
        let began = Instant::now();
        while launchd.output(&["print-disabled", &domain()]).status.code() != Some(0) {
            assert!(began.elapsed() < START_LIMIT, "the imitation of launchd does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        fs::write(launchd.folder().join("transcript"), "").unwrap();
        launchd
    }

    fn folder(&self) -> PathBuf {
        self.home.join("launchd")
    }

    /// Its `launchctl`.
    pub(crate) fn launchctl(&self) -> PathBuf {
        self.folder().join("launchctl")
    }

    fn output(&self, words: &[&str]) -> std::process::Output {
        Command::new(self.launchctl()).args(words).output().unwrap()
    }

    /// Arranges something: the words after `launchctl imitate`.
    pub(crate) fn arrange(&self, words: &[&str]) {
        let output = self.output(&[&["imitate"], words].concat());
        assert!(output.status.success(), "{words:?}: {output:?}");
    }

    /// Somebody else uses `launchctl` for a label: `bootout`, `disable`, ….
    pub(crate) fn person(&self, verb: &str, label: &str) {
        self.arrange(&["person", verb, &target(label)]);
    }

    /// The plist of a label.
    pub(crate) fn plist(&self, label: &str) -> PathBuf {
        self.home.join("Library/LaunchAgents").join(format!("{label}.plist"))
    }

    /// Installs an agent that is kept alive, with a throttle of one second.
    pub(crate) fn install(&self, label: &str, command: &[String]) {
        let command: Vec<Value> = command.iter().map(|word| Value::from(word.as_str())).collect();
        let log = self.home.join("gateway.log").display().to_string();
        let agent: Dictionary = [
            ("Label", Value::from(label)),
            ("ProgramArguments", Value::Array(command)),
            ("RunAtLoad", Value::from(true)),
            ("KeepAlive", Value::from(true)),
            ("ThrottleInterval", Value::from(1)),
            ("StandardOutPath", Value::from(log.as_str())),
            ("StandardErrorPath", Value::from(log.as_str())),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect();
        let path = self.plist(label);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        Value::Dictionary(agent).to_file_xml(path).unwrap();
    }

    /// Loads an installed agent, as a login does.
    pub(crate) fn load(&self, label: &str) {
        let plist = self.plist(label).display().to_string();
        self.arrange(&["person", "bootstrap", &domain(), &plist]);
    }

    /// The process of a job, as launchd has it.
    pub(crate) fn pid(&self, label: &str) -> Option<u32> {
        let output = self.output(&["list", label]);
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find_map(|line| line.trim().strip_prefix("\"PID\" = "))?;
        line.trim_end_matches(';').parse().ok()
    }

    /// Every call, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder().join("transcript")).unwrap();
        let text = text.replace(&domain(), "gui/UID").replace(&self.home.display().to_string(), "HOME");
        text.lines().map(str::to_owned).collect()
    }

    /// What was ordered and what happened, without the looks, whose number depends on the time.
    pub(crate) fn transcript(&self) -> String {
        let looks = ["print ", "print-disabled ", "list "];
        let is_look = |line: &String| looks.iter().any(|look| line.starts_with(look));
        self.calls().into_iter().filter(|line| !is_look(line)).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for ImitationLaunchd {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// `gui/UID`.
pub(crate) fn domain() -> String {
    format!("gui/{}", own_uid())
}

/// `gui/UID/LABEL`.
pub(crate) fn target(label: &str) -> String {
    format!("{}/{label}", domain())
}
