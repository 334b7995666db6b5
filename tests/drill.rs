//! `lifeguard drill`: each drill from beginning to end, and that none leaves anything behind.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/practice.rs"]
mod practice;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

use gateway::wait_until;
use insta::assert_snapshot;
use lifeguard::platform::process::{ProcessInfo, is_running, of_user, own_uid};
use lifeguard::supervisor::verdict::Health;
use lifeguard_process::{DOWN, Lifeguard, QUICK, RECOVERED, SOON, Watch};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A person without a gateway, whose temporary folder is watched.
struct Person {
    home: TempDir,
}

impl Person {
    fn new() -> Self {
        let home = tempfile::Builder::new().prefix("lg-").tempdir().unwrap();
        fs::create_dir(home.path().join("tmp")).unwrap();
        Self { home }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeguard"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("TMPDIR", self.home.path().join("tmp"))
            .args(words)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// The processes of drills of this person's.
    fn processes(&self) -> Vec<ProcessInfo> {
        let place = self.home.path().join("tmp").to_string_lossy().into_owned();
        let mut found = of_user(own_uid());
        found.retain(|info| info.argv.iter().any(|word| word.starts_with(&place)));
        found
    }

    /// Nothing runs any more, and nothing is there.
    fn assert_nothing_left(&self) {
        assert!(wait_until(SOON, || self.processes().is_empty()), "{:?}", self.processes());
        let left: Vec<_> =
            fs::read_dir(self.home.path().join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
        let state: Vec<_> = fs::read_dir(self.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(state, ["tmp"], "a drill touches nothing of the person's own");
    }

    /// Runs one drill; its row of the scoreboard.
    fn drill(&self, name: &str) -> Value {
        let output = self.run(&["drill", "run", name, "--json"]);
        let board: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"));
        assert!(output.status.success() && board["healed"] == true, "{board:#}");
        self.assert_nothing_left();
        let row = board["drills"][0].clone();
        assert_eq!((&row["drill"], &row["told"]), (&name.into(), &true.into()), "{row:#}");
        let at = |key: &str| row[key].as_u64().unwrap_or_else(|| panic!("no {key} in {row:#}"));
        assert!(at("detected") <= at("recovered"), "{row:#}");
        row
    }
}

/// Waits for the end of a process of ours.
fn wait_ended(child: &mut Child) -> i32 {
    let mut status = None;
    wait_until(SOON, || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap().code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_killed_gateway_is_started() {
    let row = Person::new().drill("kill");
    assert_eq!((&row["seen_as"], &row["rungs"]), (&"gone".into(), &serde_json::json!(["start"])));
    assert_eq!(row["alerts"], serde_json::json!(["down", "recovered"]));
    assert_eq!(row["fault_ended"], Value::Null);
}

#[test]
fn a_hanging_gateway_is_restarted() {
    let row = Person::new().drill("hang");
    assert_eq!((&row["seen_as"], &row["rungs"]), (&"hung".into(), &serde_json::json!(["restart"])));
    assert_eq!(row["alerts"], serde_json::json!(["down", "recovered"]));
}

#[test]
fn a_slow_gateway_is_told_of_and_left_alone() {
    let row = Person::new().drill("slow");
    assert_eq!((&row["seen_as"], &row["rungs"]), (&"slow".into(), &serde_json::json!([])));
    assert_eq!(row["alerts"], serde_json::json!(["degraded", "recovered"]));
    assert!(row["fault_ended"].as_u64().is_some(), "{row:#}");
}

#[test]
fn a_taken_port_is_told_and_waited_for() {
    let row = Person::new().drill("port");
    assert_eq!(row["seen_as"], "port_taken");
    assert!(row["fault_ended"].as_u64() < row["recovered"].as_u64(), "{row:#}");
    assert!(row["alerts"].as_array().unwrap().contains(&"blocked".into()), "{row:#}");
}

#[test]
fn a_broken_configuration_is_put_back() {
    let row = Person::new().drill("config");
    assert_eq!(row["seen_as"], "refuses");
    assert!(row["rungs"].as_array().unwrap().contains(&"roll_back".into()), "{row:#}");
}

#[test]
fn a_gateway_that_takes_too_much_memory_is_restarted_in_order() {
    let row = Person::new().drill("memory");
    assert_eq!((&row["seen_as"], &row["rungs"]), (&"memory".into(), &serde_json::json!(["graceful"])));
    assert_eq!(row["alerts"], serde_json::json!(["memory", "renewed"]));
}

#[test]
fn a_host_that_is_missing_is_waited_for() {
    let row = Person::new().drill("dependency");
    assert!(row["waits_for"][0].as_str().unwrap().starts_with("network:127.0.0.1:"), "{row:#}");
    assert!(row["fault_ended"].as_u64() < row["recovered"].as_u64(), "{row:#}");
}

#[test]
fn an_alert_that_was_refused_arrives_later() {
    let row = Person::new().drill("webhook");
    assert_eq!((&row["seen_as"], &row["alerts"]), (&"gone".into(), &serde_json::json!(["recovered"])));
}

#[test]
fn a_full_disk_is_waited_for() {
    let row = Person::new().drill("disk");
    assert_eq!(row["waits_for"], serde_json::json!(["disk"]));
    assert!(row["fault_ended"].as_u64() < row["recovered"].as_u64(), "{row:#}");
}

#[test]
fn what_is_seen_is_shown_live_and_as_a_table_in_both_languages() {
    let person = Person::new();
    for (language, words) in [
        ("en", ["alert: down", "recovered in", "1 of 1 ended well."]),
        ("ko", ["알림: 중단", "복구", "1건 중 1건이 잘 끝났습니다."]),
    ] {
        let output = person.run(&["--language", language, "drill", "run", "kill"]);
        let said = text(&output.stdout);
        assert!(output.status.success(), "{output:?}");
        for word in words {
            assert!(said.contains(word), "{word} is not in: {said}");
        }
    }
    person.assert_nothing_left();
}

#[test]
fn the_list_in_both_languages() {
    let person = Person::new();
    let list = |language| text(&person.run(&["--language", language, "drill", "list"]).stdout);
    assert_snapshot!(format!("{}\n{}", list("en"), list("ko")));
}

#[test]
fn an_interrupted_drill_leaves_nothing_behind() {
    let person = Person::new();
    // While it prepares, while it waits for Lifeguard, and in the middle of a heal.
    for (signal, line) in [(Signal::INT, "starting"), (Signal::TERM, "(pid "), (Signal::HUP, "[restart]")] {
        let mut command = person.command(&["--language", "en", "drill", "run", "hang"]);
        let mut drill = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(drill.stdout.take().unwrap()).lines();
        assert!(lines.any(|found| found.unwrap().contains(line)), "{line} was not said");
        kill_process(Pid::from_child(&drill), signal).unwrap();
        assert_eq!(wait_ended(&mut drill), 1);
        let mut said = String::new();
        drill.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("Broken off"), "{said}");
        person.assert_nothing_left();
    }
}

#[test]
fn a_drill_that_cannot_begin_says_why_and_leaves_nothing_behind() {
    let person = Person::new();
    let mut command = person.command(&["--language", "en", "drill", "run", "kill"]);
    let output = command.env("TMPDIR", person.home.path().join("none")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("TMPDIR"), "{output:?}");
    person.assert_nothing_left();
}

/// A gateway of the person's own, as far as Lifeguard knows.
fn own_gateway() -> gateway::GatewayHome {
    practice::home(&["--unclean-window", "1ms"])
}

/// The own gateway's pid and start stamp.
fn running(lifeguard: &Lifeguard<'_>) -> Option<u32> {
    lifeguard.wait_healthy(SOON).pid
}

#[test]
fn the_own_gateway_is_killed_frozen_and_healed() {
    let home = own_gateway();
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let first = running(&lifeguard);
    for (name, seen_as, rung) in [("kill", "gone", "start"), ("hang", "hung", "restart")] {
        let output = watch.run(&["drill", "run", name, "--real", "--yes", "--gateway", "gateway", "--json"]);
        let board: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"));
        assert!(output.status.success(), "{board:#}");
        let row = &board["drills"][0];
        assert_eq!((&board["real"], &row["seen_as"]), (&true.into(), &seen_as.into()), "{board:#}");
        assert_eq!(row["rungs"], serde_json::json!([rung]), "{board:#}");
        assert_eq!(row["alerts"], serde_json::json!(["down", "recovered"]), "{board:#}");
    }
    assert_ne!(running(&lifeguard), first);
    watch.wait_told(SOON, &[DOWN, RECOVERED, DOWN, RECOVERED]);
}

#[test]
fn a_real_drill_that_is_interrupted_lets_the_gateway_go_on() {
    let home = own_gateway();
    // Patient: within the test nobody restarts it.
    let watch = Watch::new(&home, "child", &QUICK.replace("hang_patience = \"1s\"", "hang_patience = \"10m\""));
    let lifeguard = watch.start();
    let pid = running(&lifeguard).unwrap();
    let key = lifeguard::platform::process::identify(pid).unwrap().key;
    let mut command = watch.command(&["--language", "en", "drill", "run", "hang", "--real", "--yes"]);
    let mut drill = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(drill.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("it hangs")), "it was not seen to hang");
    kill_process(Pid::from_child(&drill), Signal::INT).unwrap();
    assert_eq!(wait_ended(&mut drill), 1);
    assert_eq!(running(&lifeguard), Some(pid), "it answers again");
    assert!(is_running(key));
    assert_eq!(watch.heals(), 1, "the start");
}

#[test]
fn real_drills_are_refused_where_they_would_do_harm() {
    let home = own_gateway();
    let watch = Watch::new(&home, "child", QUICK);
    let refused = |words: &[&str]| {
        let output = watch.run(&[&["--language", "en", "drill", "run"], words].concat());
        assert_eq!(text(&output.stdout), "");
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let (code, said) = refused(&["kill", "--real", "--yes"]);
    assert!(code == 3 && said.contains("not running"), "{said}");

    let stranger = TcpListener::bind(("127.0.0.1", home.port)).unwrap();
    let lifeguard = watch.start();
    lifeguard.wait_health(SOON, Health::Blocked);
    let (code, said) = refused(&["kill", "--real", "--yes"]);
    assert!(code == 1 && said.contains("is not up and ready (Needs you)"), "{said}");
    drop(stranger);
    let pid = running(&lifeguard);

    for name in ["slow", "port", "config", "memory", "dependency", "webhook", "disk"] {
        let (code, said) = refused(&[name, "--real", "--yes"]);
        assert!(code == 2 && said.contains("is not for your own gateway: "), "{said}");
    }
    let (code, said) = refused(&["all", "--real", "--yes"]);
    assert!(code == 2 && said.contains("one drill is run at a time"), "{said}");
    let (code, said) = refused(&["kill", "--real"]);
    assert!(code == 2 && said.contains("--yes"), "{said}");
    let (code, said) = refused(&["kill", "--real", "--yes", "--gateway", "none"]);
    assert!(code == 1 && said.contains("No gateway is called \"none\""), "{said}");
    let (code, _) = refused(&["kill", "--gateway", "gateway"]);
    assert_eq!(code, 2, "the practice gateway has no other name");
    let (code, _) = refused(&["nonsense"]);
    assert_eq!(code, 2);

    assert!(watch.run(&["pause"]).status.success());
    lifeguard.wait_health(SOON, Health::Paused);
    let (code, said) = refused(&["hang", "--real", "--yes"]);
    assert!(code == 1 && said.contains("(Paused)"), "{said}");
    assert_eq!(lifeguard.gateway().pid, pid, "nothing was done to it");
}

#[test]
fn a_gateway_that_nobody_would_start_again_is_left_alone() {
    let home = own_gateway();
    let mut gateway = home.start_ready();
    let watch = Watch::new(&home, "attached", QUICK);
    let lifeguard = watch.start();
    running(&lifeguard);
    let output = watch.run(&["--language", "en", "drill", "run", "kill", "--real", "--yes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("was started by hand"), "{output:?}");
    assert!(gateway.is_alive());
}

#[test]
fn the_word_is_typed_at_a_terminal() {
    let home = own_gateway();
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let first = running(&lifeguard);
    for (typed, code) in [("yes\n", 1), ("kill\n", 0)] {
        let asked = watch.command(&["--language", "en", "drill", "run", "kill", "--real"]);
        let words: Vec<&str> =
            [asked.get_program()].into_iter().chain(asked.get_args()).map(|word| word.to_str().unwrap()).collect();
        // util-linux's `script` gives it a terminal.
        let mut command = Command::new("script");
        command.env_clear().envs(asked.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]);
        let mut drill = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(drill.stdout.take().unwrap());
        let mut question = String::new();
        while !question.contains("to go on:") {
            let mut letter = [0];
            said.read_exact(&mut letter).unwrap_or_else(|error| panic!("{error} after {question}"));
            question.push(char::from(letter[0]));
        }
        assert!(question.contains("This is your own gateway"), "{question}");
        assert_eq!(lifeguard.gateway().pid, first, "nothing is done before the word is there");
        let mut keyboard = drill.stdin.take().unwrap();
        keyboard.write_all(typed.as_bytes()).unwrap();
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert_eq!(wait_ended(&mut drill), code, "{rest}");
    }
    assert_ne!(running(&lifeguard), first);
}
