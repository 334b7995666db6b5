//! What users report (gateway.md, section 6), done to the real gateway, and what Lifeguard makes of it: each test is a
//! check, and its rows are the table of `docs/fault-table.md` (`make fault-table`).
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
#[path = "support/provider.rs"]
mod provider;
#[path = "support/real_gateway.rs"]
mod real_gateway;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use gateway::{GatewayHome, START_LIMIT, ask_within, wait_until};
use lifeguard::drill::faults::Fault;
use lifeguard::snapshot::GatewaySnapshot;
use lifeguard::supervisor::verdict::Health;
use lifeguard_process::{DOWN, Lifeguard, QUICK, RECOVERED, SOON, Watch, signal_gateway};
use practice::fault;
use provider::Provider;
use rustix::process::Signal;
use serde_json::{Value, json};

/// The defaults but for what would make each row wait for minutes: the distance of the rows' crashes and the time that
/// health must hold. What a row waits for is as users have it.
const AS_USERS_HAVE_IT: &str = "[heal]\nhealthy_hold = \"1s\"\nbudget = 100\ncrash_limit = 100\n";

/// A word as the alert channel says it: a headline.
const WAITS: &str = "OpenClaw gateway waits for something that is missing";
const TAKES: &str = "OpenClaw gateway takes much memory";
const RENEWED: &str = "OpenClaw gateway was restarted to free memory";
const NEEDS_YOU: &str = "OpenClaw gateway needs you";
const CHANGED: &str = "OpenClaw gateway: its configuration was changed";

/// A real gateway into which faults can be put.
fn real(options: &str) -> GatewayHome {
    let preload = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/fault.cjs");
    let mut home = real_gateway::home();
    let file = home.path().join("fault");
    let place = home.command.iter().position(|word| word.starts_with("HOME=")).unwrap();
    let variables = [
        format!("NODE_OPTIONS=--require={} {options}", preload.display()),
        format!("LIFEGUARD_FAULT_FILE={}", file.display()),
    ];
    home.command.splice(place..place, variables);
    home
}

/// One gateway and its Lifeguard, and what came of the faults so far.
struct Scene<'a> {
    watch: &'a Watch<'a>,
    lifeguard: Lifeguard<'a>,
    gateway: &'static str,
}

/// One fault, from its beginning on.
struct Case<'a> {
    scene: &'a Scene<'a>,
    number: u32,
    fault: &'static str,
    before: GatewaySnapshot,
    heals: usize,
    told: usize,
    began: Instant,
    seen: Option<(Duration, String)>,
}

impl<'a> Scene<'a> {
    fn new(watch: &'a Watch<'a>, gateway: &'static str) -> Self {
        let lifeguard = watch.start();
        lifeguard.wait_healthy(START_LIMIT * 2);
        Self { watch, lifeguard, gateway }
    }

    /// Does a fault to the healthy gateway.
    fn case(&'a self, number: u32, fault: &'static str, act: impl FnOnce(&GatewaySnapshot)) -> Case<'a> {
        let before = self.lifeguard.wait_healthy(START_LIMIT * 2);
        let reset = self.watch.run(&["reset"]);
        assert!(reset.status.success(), "{reset:?}");
        let (heals, told) = (self.rungs().len(), self.watch.headlines().len());
        act(&before);
        Case { scene: self, number, fault, before, heals, told, began: Instant::now(), seen: None }
    }

    fn rungs(&self) -> Vec<String> {
        let log = self.watch.log();
        let begun = log.lines().filter(|line| line.contains("heal begins"));
        begun.map(|line| line.split("rung=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()).collect()
    }

    fn inject(&self, word: &str) {
        fs::write(self.watch.home.path().join("fault"), word).unwrap();
    }
}

impl Case<'_> {
    /// Waits until Lifeguard shows that something is the matter.
    fn seen(&mut self, limit: Duration, verdict: &str) {
        let shown = self.scene.lifeguard.wait(limit, verdict, |gateway| {
            let incident = gateway.incident.as_ref().map(|incident| incident.verdict.name());
            gateway.verdict.name() == verdict || incident == Some(verdict)
        });
        self.seen = Some((self.began.elapsed(), verdict.to_owned()));
        assert_ne!(shown.health, Health::Healthy);
    }

    /// Waits until a new process, or the old one, is healthy again.
    fn healthy(&self, limit: Duration, new_process: bool) -> Duration {
        let old = self.before.pid;
        self.scene.lifeguard.wait(limit, "a healthy gateway", |gateway| {
            let is_new = gateway.pid.is_some() && gateway.pid != old;
            gateway.health == Health::Healthy && gateway.heal.is_none() && (!new_process || is_new)
        });
        self.began.elapsed()
    }

    /// Checks what was done and told, and writes the row.
    fn row(self, recovered: Option<Duration>, rungs: &[&str], told: &[&str]) {
        let titles = || -> Vec<String> {
            let shorten = |title: String| match title {
                recovered if recovered.starts_with(RECOVERED) => RECOVERED.to_owned(),
                memory if memory.ends_with(" of memory") => TAKES.to_owned(),
                other => other,
            };
            self.scene.watch.headlines().into_iter().skip(self.told).map(shorten).collect()
        };
        assert!(wait_until(SOON, || titles().len() >= told.len()), "{:?}\n{}", titles(), self.scene.watch.log());
        assert_eq!(titles(), told, "{}\n{}", self.fault, self.scene.watch.log());
        let done = self.scene.rungs().split_off(self.heals);
        assert_eq!(done, rungs, "{}\n{}", self.fault, self.scene.watch.log());
        let Ok(folder) = std::env::var("FAULT_TABLE") else { return };
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        let (seen, verdict) = self.seen.map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |(time, verdict)| (seconds(time), format!("`{verdict}`")),
        );
        let list = |words: &[&str]| {
            if words.is_empty() {
                "none".to_owned()
            } else {
                words.join(", ").replace("OpenClaw gateway: ", "").replace("OpenClaw gateway ", "")
            }
        };
        let row = format!(
            "| {} | {} | {} | {verdict} | {seen} | {} | {} | {} |\n",
            self.number,
            self.fault,
            self.scene.gateway,
            recovered.map_or_else(|| "-".to_owned(), seconds),
            list(rungs),
            list(told),
        );
        fs::create_dir_all(&folder).unwrap();
        fs::write(Path::new(&folder).join(format!("{:02}.row", self.number)), row).unwrap();
    }
}

#[test]
fn ends_of_every_kind() {
    let home = real("--max-old-space-size=700");
    let watch = Watch::new(&home, "child", AS_USERS_HAVE_IT);
    let scene = Scene::new(&watch, "real");

    let mut case = scene.case(1, "Killed (SIGKILL)", |gateway| signal_gateway(gateway.pid.unwrap(), Signal::KILL));
    case.seen(SOON, "gone");
    let recovered = case.healthy(START_LIMIT, true);
    case.row(Some(recovered), &["start"], &[DOWN, RECOVERED]);

    let mut case = scene.case(2, "Uncaught exception (exit code 1)", |_| scene.inject("throw"));
    case.seen(SOON, "gone");
    let recovered = case.healthy(START_LIMIT, true);
    case.row(Some(recovered), &["start"], &[DOWN, RECOVERED]);

    let mut case = scene.case(3, "Heap used up (SIGABRT)", |_| scene.inject("heap"));
    case.seen(SOON * 3, "gone");
    let recovered = case.healthy(START_LIMIT, true);
    case.row(Some(recovered), &["start"], &[DOWN, RECOVERED]);

    let case = scene.case(4, "Somebody's `kill PID` (SIGTERM, exit code 0)", |gateway| {
        signal_gateway(gateway.pid.unwrap(), Signal::TERM);
    });
    let recovered = case.healthy(START_LIMIT, true);
    case.row(Some(recovered), &["start"], &[]);
}

#[test]
fn a_restart_by_its_user() {
    let home = real("");
    let watch = Watch::new(&home, "child", AS_USERS_HAVE_IT);
    let scene = Scene::new(&watch, "real");
    let case = scene.case(5, "`openclaw gateway restart` by its user", |_| {
        let run = home.command.iter().position(|word| word == "gateway").unwrap();
        let command =
            Command::new(&home.command[0]).args(&home.command[1..run]).args(["gateway", "restart"]).output().unwrap();
        assert!(command.status.success(), "{command:?}");
    });
    // In a container it starts anew within its process; elsewhere it ends, for whoever supervises it to start it.
    let anew = || {
        watch.gateway_log().matches("[gateway] ready").count() > 1 || scene.lifeguard.gateway().pid != case.before.pid
    };
    assert!(wait_until(SOON, anew), "it was not restarted:\n{}", watch.gateway_log());
    let recovered = case.healthy(START_LIMIT, false);
    let rungs = scene.rungs().split_off(case.heals);
    let rungs: Vec<&str> = rungs.iter().map(String::as_str).collect();
    assert!(matches!(rungs[..], [] | ["start"]), "{rungs:?}");
    case.row(Some(recovered), &rungs, &[]);
}

#[test]
fn hangs() {
    let home = real("");
    let watch = Watch::new(&home, "child", AS_USERS_HAVE_IT);
    let scene = Scene::new(&watch, "real");

    let pid = |gateway: &GatewaySnapshot| gateway.pid.unwrap();
    let mut case = scene.case(6, "Stopped for 30 s (SIGSTOP), then going on", |gateway| {
        signal_gateway(pid(gateway), Signal::STOP);
    });
    case.seen(SOON, "hung");
    let began = case.began;
    wait_until(Duration::from_secs(30).saturating_sub(began.elapsed()), || false);
    signal_gateway(pid(&case.before), Signal::CONT);
    let recovered = case.healthy(SOON, false);
    assert_eq!(scene.lifeguard.gateway().pid, case.before.pid, "short blocks end by themselves");
    case.row(Some(recovered), &[], &[DOWN, RECOVERED]);

    let mut case = scene.case(7, "Event loop blocked for ever", |_| scene.inject("block"));
    case.seen(SOON, "hung");
    let recovered = case.healthy(START_LIMIT * 2, true);
    case.row(Some(recovered), &["restart"], &[DOWN, RECOVERED]);
}

/// A key that OpenClaw does not know.
fn break_config(home: &GatewayHome, good: &str) {
    let mut config: Value = serde_json::from_str(good).unwrap();
    config["gateway"]["prot"] = 1.into();
    fs::write(home.config_path(), config.to_string()).unwrap();
}

#[test]
fn a_configuration_that_openclaw_refuses() {
    let home = real("");
    let watch = Watch::new(&home, "child", AS_USERS_HAVE_IT);
    let scene = Scene::new(&watch, "real");
    let good = fs::read_to_string(home.config_path()).unwrap();
    let break_it = || break_config(&home, &good);

    let mut case = scene.case(8, "Unknown key in the configuration, then killed; mended by hand", |gateway| {
        break_it();
        signal_gateway(gateway.pid.unwrap(), Signal::KILL);
    });
    scene.lifeguard.wait_health(START_LIMIT, Health::Blocked);
    let named = || watch.seen().messages.iter().any(|message| message.to_string().contains("prot"));
    assert!(wait_until(SOON * 2, named), "nobody was told which key:\n{}", watch.log());
    case.seen(SOON, "refuses");
    fs::write(home.config_path(), &good).unwrap();
    let mended = Instant::now();
    let recovered = case.healthy(START_LIMIT, true);
    println!("healthy {:?} after it was mended, {recovered:?} in all", mended.elapsed());
    let rungs: Vec<String> = scene.rungs().split_off(case.heals);
    assert!(rungs.len() <= 4 && rungs.iter().all(|rung| rung == "start"), "{rungs:?}");
    let rungs: Vec<&str> = rungs.iter().map(String::as_str).collect();
    case.row(Some(mended.elapsed()), &rungs, &[DOWN, WAITS, RECOVERED]);

    let case = scene.case(9, "Unknown key, then a restart is asked for", |_| break_it());
    let refused = watch.run(&["restart"]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("Unrecognized key"), "{said}");
    assert_eq!(scene.lifeguard.gateway().pid, case.before.pid, "it was left alone");
    fs::write(home.config_path(), &good).unwrap();
    case.healthy(SOON, false);
    case.row(None, &["graceful"], &[]);
}

#[test]
fn a_refused_configuration_that_lifeguard_may_mend() {
    let home = real("");
    let watch = Watch::new(&home, "child", &format!("{AS_USERS_HAVE_IT}config_guard = \"rollback\"\n"));
    let scene = Scene::new(&watch, "real");
    assert!(wait_until(SOON * 2, || watch.run(&["config-guard"]).status.success()), "{}", watch.log());
    let good = fs::read_to_string(home.config_path()).unwrap();
    let mut case = scene.case(14, "Unknown key, then killed, with `config_guard = \"rollback\"`", |gateway| {
        break_config(&home, &good);
        signal_gateway(gateway.pid.unwrap(), Signal::KILL);
    });
    case.seen(START_LIMIT, "refuses");
    let recovered = case.healthy(START_LIMIT * 2, true);
    assert_eq!(fs::read_to_string(home.config_path()).unwrap(), good);
    assert!(watch.seen().messages.iter().any(|message| message.to_string().contains("gateway.prot = 1")));
    case.row(Some(recovered), &["start", "roll_back"], &[DOWN, CHANGED, RECOVERED]);
    drop(scene);

    watch.reconfigure("child", &format!("{AS_USERS_HAVE_IT}config_guard = \"off\"\ndoctor = true\n"));
    let scene = Scene::new(&watch, "real");
    let mut case = scene.case(15, "Unknown key, then killed, with `doctor = true`", |gateway| {
        break_config(&home, &good);
        signal_gateway(gateway.pid.unwrap(), Signal::KILL);
    });
    case.seen(START_LIMIT, "refuses");
    let recovered = case.healthy(START_LIMIT * 3, true);
    assert!(!fs::read_to_string(home.config_path()).unwrap().contains("prot"), "{}", watch.log());
    assert_eq!(fs::read_dir(watch.state_dir().join("backups/gateway")).unwrap().count(), 1);
    case.row(Some(recovered), &["start", "doctor"], &[DOWN, RECOVERED]);
}

#[test]
fn memory_that_grows() {
    let home = real("");
    let sections = format!(
        "{AS_USERS_HAVE_IT}[memory]\nlimit_megabytes = 1300\ncritical_megabytes = 1250\nwarning_megabytes = 1200\n"
    );
    let watch = Watch::new(&home, "child", &sections);
    let scene = Scene::new(&watch, "real");
    let case = scene.case(13, "Memory beyond its limit for a minute", |_| scene.inject("grow"));
    let recovered = case.healthy(START_LIMIT * 2, true);
    case.row(Some(recovered), &["graceful"], &[TAKES, RENEWED]);
}

#[test]
fn a_port_that_another_program_took() {
    let home = real("");
    let watch = Watch::new(&home, "child", AS_USERS_HAVE_IT);
    let scene = Scene::new(&watch, "real");
    let mut stranger = None;
    let mut case = scene.case(10, "Killed, and another program takes its port", |gateway| {
        signal_gateway(gateway.pid.unwrap(), Signal::KILL);
        let taken = wait_until(SOON, || {
            stranger = TcpListener::bind(("127.0.0.1", home.port)).ok();
            stranger.is_some()
        });
        assert!(taken);
    });
    case.seen(START_LIMIT, "port_taken");
    let own = std::process::id();
    let named = || watch.seen().messages.iter().any(|message| message.to_string().contains(&format!("pid {own}")));
    assert!(wait_until(SOON, named), "nobody was told which program:\n{}", watch.log());
    drop(stranger);
    let freed = Instant::now();
    case.healthy(START_LIMIT * 2, true);
    let recovered = freed.elapsed();
    let rungs: Vec<String> = scene.rungs().split_off(case.heals);
    let rungs: Vec<&str> = rungs.iter().map(String::as_str).collect();
    assert!(rungs.len() <= 3 && rungs.iter().all(|rung| *rung == "start"), "{rungs:?}");
    case.row(Some(recovered), &rungs, &[DOWN, NEEDS_YOU, RECOVERED]);
}

#[test]
fn a_model_that_refuses() {
    let home = real("");
    let provider = Provider::start();
    let mut config: Value = serde_json::from_str(&fs::read_to_string(home.config_path()).unwrap()).unwrap();
    config["models"]["providers"]["stand-in"] = json!({
        "baseUrl": format!("http://{}/v1", provider.address),
        "apiKey": "sk-of-nobody",
        "api": "openai-completions",
        "models": [{"id": "m1", "name": "M1", "contextWindow": 128_000, "maxTokens": 4096}],
    });
    config["agents"]["defaults"]["model"]["primary"] = "stand-in/m1".into();
    fs::write(home.config_path(), config.to_string()).unwrap();
    let sections = format!("{AS_USERS_HAVE_IT}unready_patience = \"1s\"\n[probe]\nactivity_interval = \"1m\"\n");
    let watch = Watch::new(&home, "child", &sections);
    let scene = Scene::new(&watch, "real");
    let ask = || {
        let run = home.command.iter().position(|word| word == "gateway").unwrap();
        let words = ["agent", "--agent", "main", "--message", "good morning"];
        Command::new(&home.command[0]).args(&home.command[1..run]).args(words).output().unwrap()
    };
    let answered = ask();
    assert!(answered.status.success(), "{answered:?}\n{}", watch.gateway_log());

    let mut case = scene.case(16, "A model's provider refuses the key; renewed by hand", |_| {
        provider.refuse(true);
        assert!(!ask().status.success(), "{}", watch.gateway_log());
    });
    case.seen(SOON * 2, "model_refused");
    assert_eq!(scene.lifeguard.gateway().health, Health::Degraded);
    let named = || watch.seen().messages.iter().any(|message| message.to_string().contains("stand-in"));
    assert!(wait_until(SOON, named), "nobody was told whose key:\n{}", watch.log());
    provider.refuse(false);
    // The gateway itself leaves a provider alone for a while that has refused it.
    assert!(wait_until(SOON * 2, || ask().status.success()), "{}", watch.gateway_log());
    let renewed = Instant::now();
    case.healthy(SOON * 3, false);
    assert_eq!(scene.lifeguard.gateway().pid, case.before.pid, "a restart would not have helped");
    case.row(Some(renewed.elapsed()), &[], &["OpenClaw gateway works only in part", RECOVERED]);
}

#[test]
fn what_the_real_gateway_cannot_be_made_to_do_here() {
    let home = practice::home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let scene = Scene::new(&watch, "practice");
    let answers = || ask_within(SOON, home.port, "GET", "/healthz").is_ok();

    // Real channels need accounts and the network.
    let mut case = scene.case(11, "A channel is not ready for a while", |_| {
        fault(&home, &Fault::NotReady { reasons: vec!["telegram".to_owned()] });
    });
    case.seen(SOON, "not_ready");
    assert!(answers());
    assert!(wait_until(SOON, || watch.headlines().len() > case.told), "{}", watch.log());
    fault(&home, &Fault::Clear);
    let recovered = case.healthy(SOON, false);
    case.row(Some(recovered), &[], &["OpenClaw gateway works only in part", RECOVERED]);

    let mut case = scene.case(12, "Its own safe mode holds channels back for a while", |_| {
        fault(&home, &Fault::Suppressed { channels: vec!["telegram".to_owned()] });
    });
    case.seen(SOON, "channels_suppressed");
    assert!(wait_until(SOON, || watch.headlines().len() > case.told), "{}", watch.log());
    fault(&home, &Fault::Clear);
    let recovered = case.healthy(SOON, false);
    case.row(Some(recovered), &[], &["OpenClaw gateway works only in part", RECOVERED]);
}
