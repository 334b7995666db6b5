//! A newcomer's path, from the clone to a healed gateway, exactly as `README.md` says it: its commands are read from
//! there and run in its order, on a machine without OpenClaw and without a display.
//!
//! Only the build is not done again: `make run` is held against the `Makefile`, and what it starts is the program
//! under test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const README: &str = include_str!("../README.md");
const MAKEFILE: &str = include_str!("../Makefile");

/// A crash is announced as healed once the gateway has been up for a minute; a busy machine takes its time.
const LIMIT: Duration = Duration::from_mins(4);

/// The program where `make run` leaves it, as the README writes it.
const PROGRAM: &str = "target/quick/lifeguard ";

/// The commands of the shell blocks up to the heading that follows, without their remarks.
fn commands() -> Vec<&'static str> {
    let (_, rest) = README.split_once("## Two commands\n").unwrap();
    let (path, _) = rest.split_once("\n## ").unwrap();
    let blocks = path.split("```sh\n").skip(1).map(|block| block.split_once("```").unwrap().0);
    blocks.flat_map(str::lines).map(|line| line.split('#').next().unwrap().trim()).collect()
}

/// A machine of a newcomer's.
struct Newcomer {
    home: tempfile::TempDir,
    app: Option<Child>,
}

impl Newcomer {
    fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeguard"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .args(words)
            .stdin(Stdio::null());
        // A gateway that runs on this machine is none of the newcomer's.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        command.env("OPENCLAW_GATEWAY_PORT", port.to_string());
        command
    }

    /// `make run`: its last line, with the program that is built already.
    fn make_run(&mut self) {
        let recipe = MAKEFILE.split_once("\nrun: ").unwrap().1.split_once("\n\n").unwrap().0;
        assert!(recipe.ends_with("run --locked --profile quick -- $(ARGS)"), "{recipe}");
        let arguments = MAKEFILE.lines().find_map(|line| line.strip_prefix("ARGS ?= ")).unwrap();
        let words: Vec<&str> = arguments.split(' ').collect();
        self.app = Some(self.program(&words).stdout(Stdio::null()).spawn().unwrap());
        self.wait("the practice gateway is up", |gateway| gateway["health"] == "healthy");
    }

    fn gateway(&self) -> Value {
        let output = self.program(&["status", "--json"]).output().unwrap();
        let mut status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if status["lifeguard_running"] == true { status["gateways"][0].take() } else { Value::Null }
    }

    fn wait(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let gateway = self.gateway();
            if holds(&gateway) {
                return gateway;
            }
            assert!(began.elapsed() < LIMIT, "{what}: {gateway:#}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn run(&self, words: &str) -> Output {
        self.program(&words.split(' ').collect::<Vec<_>>()).output().unwrap()
    }
}

impl Drop for Newcomer {
    /// Asked to end, a demo takes its gateway along.
    fn drop(&mut self) {
        let Some(mut app) = self.app.take() else { return };
        let pid = rustix::process::Pid::from_child(&app);
        let _gone_already = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _reaped = app.wait();
    }
}

fn kill(pid: i32) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_newcomer_kills_the_gateway_and_sees_it_healed() {
    let mut newcomer = Newcomer { home: tempfile::tempdir().unwrap(), app: None };
    let mut told = String::new();
    let mut first = Value::Null;
    for command in commands() {
        match command {
            "make run" => newcomer.make_run(),
            // It runs this test.
            "make test" => assert!(MAKEFILE.contains("\ntest: ")),
            "kill -9 PID" => {
                let pid = told.lines().find_map(|line| line.trim().strip_prefix("pid")).unwrap().trim();
                assert_eq!(first["pid"].to_string(), pid, "the id that status shows");
                kill(pid.parse().unwrap());
                newcomer.wait("the end is seen", |gateway| gateway["pid"] != first["pid"]);
            }
            "" => {}
            program => {
                let words = program.strip_prefix(PROGRAM).unwrap_or_else(|| panic!("the README says {program:?}"));
                let output = newcomer.run(words);
                told = String::from_utf8(output.stdout).unwrap();
                match words {
                    "status" if first == Value::Null => {
                        assert!(told.contains("Up and ready"), "{told}");
                        assert!(told.contains("practice"), "labelled everywhere: {told}");
                        first = newcomer.gateway();
                    }
                    "status" => {
                        let healed = newcomer.wait("healed", |gateway| gateway["health"] == "healthy");
                        assert_ne!(healed["pid"], first["pid"]);
                        assert_eq!(healed["last_incident"]["verdict"], "gone");
                    }
                    "alerts test" => assert!(told.contains("native: "), "a receipt for each channel: {told}"),
                    _ => panic!("the README says {program:?}, which this test does not know"),
                }
            }
        }
    }
    assert_ne!(first, Value::Null, "the README has lost its path");
    // What it left in the newcomer's home is the demo's.
    assert!(Path::new(&newcomer.home.path().join(".local/state/lifeguard/demo")).exists());
}
