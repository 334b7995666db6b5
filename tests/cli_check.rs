//! `lifeguard check` as a person and a program see it: on a machine where all is well, and on one where it is not.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A home with an OpenClaw, its unit, and the system's tools, all imitations that say these words.
struct Machine {
    home: tempfile::TempDir,
    port: u16,
}

const UNIT: &str = "LoadState=loaded\nActiveState=inactive\nSubState=dead\nMainPID=0\nUnitFileState=enabled\n";

impl Machine {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let machine = Self { home, port };
        machine.tool("crontab", "echo 'no crontab for kim' >&2; exit 1");
        machine.tool("timedatectl", "echo yes");
        machine.tool("loginctl", "echo yes");
        machine.unit(UNIT, "enabled");
        machine.tool("node", "echo v26.10.0");
        machine.tool("openclaw", "[ \"$1\" = --version ] && echo 'OpenClaw 2026.9.6 (eb377ac)'; exit 0");
        machine.write(".openclaw/openclaw.json", "{}");
        machine
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn tool(&self, name: &str, body: &str) {
        self.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{body}\n"));
        fs::set_permissions(self.path().join("bin").join(name), Permissions::from_mode(0o755)).unwrap();
    }

    fn unit(&self, state: &str, enabled: &str) {
        self.write("bin/unit", state);
        let show = self.path().join("bin/unit").display().to_string();
        self.tool("systemctl", &format!("case \"$4\" in show) cat {show} ;; is-enabled) echo {enabled} ;; esac"));
    }

    fn check(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lifeguard"))
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", format!("{}:/usr/bin:/bin", self.path().join("bin").display()))
            .env("LIFEGUARD_STATE_DIR", self.path().join("state"))
            .env("OPENCLAW_GATEWAY_PORT", self.port.to_string())
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
            .env("TZ", "UTC")
            .arg("check")
            .args(words)
            .output()
            .unwrap()
    }

    /// What it says, without what differs from machine to machine.
    fn said(&self, words: &[&str]) -> String {
        let text = String::from_utf8(self.check(words).stdout).unwrap();
        let text = text.replace(&self.path().display().to_string(), "HOME").replace(&self.port.to_string(), "PORT");
        let room = |line: &str| match (line.split_once("At least "), line.split_once("디스크 공간")) {
            (Some((before, _)), _) => format!("{before}At least ROOM free."),
            (_, Some((before, _))) => format!("{before}디스크 공간 ROOM"),
            _ => line.trim_end().to_owned(),
        };
        text.lines().map(room).collect::<Vec<_>>().join("\n")
    }

    fn json(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let output = self.check(&words);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
    }
}

/// The finding about one subject.
fn finding<'a>(report: &'a Value, subject: &str) -> &'a Value {
    report["findings"].as_array().unwrap().iter().find(|finding| finding["subject"] == subject).unwrap()
}

#[test]
fn a_machine_where_all_is_well() {
    let machine = Machine::new();
    insta::assert_snapshot!(machine.said(&["--language", "en"]));
    assert_eq!(machine.check(&[]).status.code(), Some(0), "warnings are no problem");
}

#[test]
fn a_machine_where_much_is_not() {
    let machine = Machine::new();
    machine.write(".config/lifeguard/config.toml", "[alerts.discord]\nwebhook = \"file:~/hook\"\n[heal]\nbudget = 0\n");
    machine.write("hook", "https://discord.com/api/webhooks/1/hunter2");
    machine.tool("crontab", "echo '*/5 * * * * openclaw gateway restart'");
    let bad = machine.check(&["--language", "en"]);
    assert_eq!(bad.status.code(), Some(1));
    let said = machine.said(&["--language", "en"]);
    assert!(!said.contains("hunter2"), "{said}");
    insta::assert_snapshot!("a_machine_with_a_bad_configuration", said);

    machine.write(".config/lifeguard/config.toml", "language = \"en\"\n");
    machine.tool("openclaw", "[ \"$1\" = --version ] && exec echo 'OpenClaw 2026.9.6'; echo '{\"issues\":[{\"path\":\"gateway\",\"message\":\"odd\"}]}'; exit 1");
    machine.tool("loginctl", "echo no");
    machine.unit(&UNIT.replace("enabled", "disabled"), "disabled");
    insta::assert_snapshot!("a_machine_with_a_bad_gateway", machine.said(&[]));
    insta::assert_snapshot!("a_machine_with_a_bad_gateway_in_korean", machine.said(&["--language", "ko"]));
}

#[test]
fn a_program_reads_the_same() {
    let machine = Machine::new();
    let report = machine.json(&[]);
    assert_eq!((&report["schema"], &report["lifeguard_version"]), (&1.into(), &env!("CARGO_PKG_VERSION").into()));
    assert!(report["taken"].as_i64().unwrap() > 0);
    assert_eq!(report["findings"].as_array().unwrap().len(), 27);
    let documentation = include_str!("../docs/cli.md");
    for finding in report["findings"].as_array().unwrap() {
        let subject = finding["subject"].as_str().unwrap();
        assert!(documentation.contains(&format!("`{subject}`")), "docs/cli.md does not name {subject}");
    }
    let node = finding(&report, "node");
    let expected = serde_json::json!({
        "subject": "node", "gateway": "gateway", "verdict": "ok", "sentence": "v26.10.0.", "mend": null, "fixable": false
    });
    assert_eq!(*node, expected);
    assert_eq!(finding(&report, "running")["mend"], "lifeguard");
}

#[test]
fn what_is_safe_is_mended_and_then_found_good() {
    let machine = Machine::new();
    fs::set_permissions(machine.path(), Permissions::from_mode(0o755)).unwrap();
    machine.write(".config/lifeguard/config.toml", "language = \"en\"\n");
    let file = machine.path().join(".config/lifeguard/config.toml");
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    let before = machine.json(&[]);
    assert_eq!(finding(&before, "config_permissions")["verdict"], "problem");
    assert_eq!(finding(&before, "config_permissions")["fixable"], true);
    let fixed = machine.check(&["--fix"]);
    assert_eq!(fixed.status.code(), Some(0), "{fixed:?}");
    let complaints = String::from_utf8(fixed.stderr).unwrap();
    assert_eq!(complaints, format!("lifeguard: mended: chmod go= {}\n", file.display()));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(finding(&machine.json(&[]), "config_permissions")["verdict"], "ok");
}

#[test]
fn a_lifeguard_that_runs_checks_by_itself_and_says_so_in_status() {
    let machine = Machine::new();
    machine.tool("crontab", "echo '*/5 * * * * openclaw gateway restart'");
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeguard"));
        command
            .env_clear()
            .env("HOME", machine.path())
            .env("PATH", format!("{}:/usr/bin:/bin", machine.path().join("bin").display()))
            .env("LIFEGUARD_STATE_DIR", machine.path().join("state"))
            .env("OPENCLAW_GATEWAY_PORT", machine.port.to_string())
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
            .args(words);
        command
    };
    let mut lifeguard = run(&["watch"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let began = std::time::Instant::now();
    let notices = loop {
        let output = run(&["status", "--json"]).output().unwrap();
        let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if let Some(notices) = status["notices"].as_array().filter(|notices| !notices.is_empty()) {
            break notices.clone();
        }
        assert!(began.elapsed() < std::time::Duration::from_mins(2), "no notice in {status}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    let report = machine.json(&[]);
    lifeguard.kill().unwrap();
    lifeguard.wait().unwrap();
    assert!(
        notices[0].as_str().unwrap().starts_with("Self-check: other watchdogs: This restarts the gateway too"),
        "{notices:?}"
    );
    assert_eq!(finding(&report, "running")["verdict"], "ok");
    assert_eq!(finding(&report, "version")["verdict"], "ok");
}
