//! Makes the figures of `docs/performance.md`: `make measure`, or `make measure PARTS="kills start real idle tray"` for some.
//!
//! Measured from outside, on the release build: signals are sent by this program, and Lifeguard's log and control
//! socket say what it made of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "../tests/support/desktop.rs"]
mod desktop;
#[path = "../tests/support/discord.rs"]
mod discord;
#[path = "../tests/support/gateway.rs"]
mod gateway;
#[path = "../tests/support/real_gateway.rs"]
mod real_gateway;
#[path = "../tests/support/stage.rs"]
mod stage;

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use desktop::Desktop;
use gateway::{GatewayHome, START_LIMIT, ask_within, wait_until};
use jiff::Timestamp;
use lifeguard::control::client::ControlClient;
use lifeguard::platform::process::own_uid;
use lifeguard::service::identity::confirm;
use lifeguard::snapshot::GatewaySnapshot;
use lifeguard::supervisor::event::Command as Order;
use lifeguard::supervisor::verdict::{Health, Verdict};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use stage::Stage;
use tokio::runtime::Runtime;

/// Kills in the first part.
const KILLS: usize = 30;
/// Starts of Lifeguard beside a gateway that runs.
const STARTS: usize = 20;
/// Calls of `lifeguard status`.
const CALLS: usize = 50;
/// Rounds on the real gateway.
const ROUNDS: usize = 3;
/// SIGSTOPs, at different distances from the last round of probes.
const STOPS: usize = 5;
/// How long nothing happens in the last part.
const IDLE: Duration = Duration::from_mins(5);
/// Limit for what takes a second or less.
const SOON: Duration = Duration::from_mins(1);

fn main() {
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|word| word == part);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{}, load {}", Timestamp::now(), load.trim());
    if wanted("kills") {
        kills();
    }
    if wanted("start") {
        start();
    }
    if wanted("real") {
        real();
    }
    if wanted("idle") {
        idle();
    }
    if wanted("tray") {
        tray();
    }
}

/// The release build of the program, beside this one.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let found = own.parent().and_then(|folder| folder.parent()).unwrap().join("lifeguard");
    assert!(found.is_file(), "{} is missing: use `make measure`", found.display());
    found
}

/// The program, on the configuration of a home.
fn lifeguard(home: &GatewayHome) -> Command {
    let mut command = Command::new(program());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("LIFEGUARD_STATE_DIR", home.path().join("lifeguard"))
        .arg("--config")
        .arg(home.path().join("lifeguard.toml"));
    command
}

/// A `lifeguard watch` on the gateway of a home. Killed when it is dropped; the gateway ends with its home.
struct Watch<'a> {
    home: &'a GatewayHome,
    child: Child,
    client: ControlClient,
    runtime: Runtime,
}

impl<'a> Watch<'a> {
    fn start(home: &'a GatewayHome, sections: &str) -> Self {
        let command: Vec<Value> = home.command.iter().map(|word| Value::from(word.as_str())).collect();
        let config = home.path().join("lifeguard.toml");
        let text = format!(
            "[[gateway]]\nservice = \"child\"\nport = {}\nstate_dir = {}\nconfig_path = {}\ncommand = {}\n\
             [alerts.native]\nenabled = false\n{sections}",
            home.port,
            Value::from(home.state_dir().to_str()),
            Value::from(home.config_path().to_str()),
            Value::from(command)
        );
        fs::write(&config, text).unwrap();
        let child = lifeguard(home).arg("watch").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = ControlClient::new(&home.path().join("lifeguard/run/control.sock")).unwrap();
        Self { home, child, client, runtime }
    }

    /// The program, asked about this Lifeguard.
    fn command(&self) -> Command {
        lifeguard(self.home)
    }

    /// Looks as often as it can.
    fn wait_closely(&self, holds: impl Fn(&GatewaySnapshot) -> bool) {
        let begin = Instant::now();
        while begin.elapsed() < SOON {
            let snapshot = self.runtime.block_on(self.client.snapshot());
            if snapshot.is_ok_and(|snapshot| snapshot.gateways.iter().all(&holds)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("not within {SOON:?}\n{}", self.log());
    }

    fn wait(&self, limit: Duration, holds: impl Fn(&GatewaySnapshot) -> bool) -> GatewaySnapshot {
        let mut last = None;
        let found = wait_until(limit, || {
            let snapshot = self.runtime.block_on(self.client.snapshot());
            last = snapshot.ok().map(|mut snapshot| snapshot.gateways.remove(0));
            last.as_ref().is_some_and(&holds)
        });
        assert!(found, "not within {limit:?}: {last:#?}\n{}", self.log());
        last.unwrap()
    }

    fn wait_healthy(&self, not: Option<u32>) -> u32 {
        let wanted = |gateway: &GatewaySnapshot| {
            works(gateway) && gateway.heal.is_none() && gateway.pid.is_some() && gateway.pid != not
        };
        self.wait(START_LIMIT, wanted).pid.unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("lifeguard/logs/lifeguard.log")).unwrap_or_default()
    }

    /// When the newest line that contains all of this was written.
    fn logged(&self, parts: &[&str]) -> Timestamp {
        let log = self.log();
        let line = log.lines().rev().find(|line| parts.iter().all(|part| line.contains(part)));
        line.unwrap_or_else(|| panic!("no {parts:?} in {log}")).split_whitespace().next().unwrap().parse().unwrap()
    }

    /// As if no crash had happened for a long time.
    fn reset(&self) {
        self.runtime.block_on(self.client.command(None, Order::Reset)).unwrap();
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// After three kills the gateway may hold its channels back; it answers all the same.
fn works(gateway: &GatewaySnapshot) -> bool {
    matches!(gateway.verdict, Verdict::Healthy | Verdict::ChannelsSuppressed(_))
}

fn signal(pid: u32, signal: Signal) {
    assert!(confirm(pid, own_uid()).is_some(), "process {pid} is no gateway");
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

/// Median, 99th percentile (the largest, with so few) and largest.
fn line(what: &str, values: &mut [f64], unit: &str) {
    values.sort_by(f64::total_cmp);
    let (smallest, median, largest) = (values[0], values[values.len() / 2], values[values.len() - 1]);
    let count = values.len();
    println!("{what}: median {median:.2} {unit}, smallest {smallest:.2}, largest {largest:.2} ({count} values)");
}

fn millis(from: Timestamp, to: Timestamp) -> f64 {
    (to - from).total(jiff::Unit::Millisecond).unwrap()
}

/// A home of the practice gateway without start-up time.
fn practice_home() -> GatewayHome {
    GatewayHome::new(&[], |home| {
        let program = program().display().to_string();
        let mut command: Vec<String> =
            [&program, "practice-gateway", "--startup", "0s", "--sidecars", "0s"].map(str::to_owned).to_vec();
        command.extend(["--unclean-window", "1ms", "--port"].map(str::to_owned));
        command.extend([home.port.to_string(), "--state-dir".to_owned(), home.state_dir().display().to_string()]);
        command
    })
}

/// From Lifeguard's start to its first verdict of a gateway that runs, and how long `lifeguard status` takes.
fn start() {
    let home = practice_home();
    let _gateway = home.start_ready();
    let mut verdicts = Vec::new();
    for _ in 0..STARTS {
        let begin = Instant::now();
        let watch = Watch::start(&home, "");
        watch.wait_closely(|gateway| gateway.verdict == Verdict::Healthy);
        verdicts.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    line("Lifeguard: start to the first verdict", &mut verdicts, "ms");
    let watch = Watch::start(&home, "");
    watch.wait_healthy(None);
    let mut calls = Vec::new();
    for _ in 0..CALLS {
        let begin = Instant::now();
        let output = watch.command().arg("status").output().unwrap();
        calls.push(begin.elapsed().as_secs_f64() * 1e3);
        assert!(output.status.success(), "{output:?}");
    }
    line("`lifeguard status`", &mut calls, "ms");
}

/// An owned child is killed: when Lifeguard has seen it, and when the next process has been started.
fn kills() {
    let home = practice_home();
    let (mut spawned, mut reaped) = (Vec::new(), Vec::new());
    for _ in 0..KILLS {
        let begin = Instant::now();
        let mut child = Command::new(&home.command[0]).args(&home.command[1..]).stdout(Stdio::null()).spawn().unwrap();
        spawned.push(begin.elapsed().as_secs_f64() * 1e3);
        let begin = Instant::now();
        child.kill().unwrap();
        child.wait().unwrap();
        reaped.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    line("bare: start of the same command", &mut spawned, "ms");
    line("bare: SIGKILL to the end of wait()", &mut reaped, "ms");

    let watch = Watch::start(&home, "[heal]\nbudget = 1000\n");
    let mut pid = watch.wait_healthy(None);
    let (mut seen, mut started, mut ready) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..KILLS {
        watch.reset();
        let killed = Timestamp::now();
        signal(pid, Signal::KILL);
        let next = watch.wait_healthy(Some(pid));
        ready.push(millis(killed, Timestamp::now()));
        seen.push(millis(killed, watch.logged(&["process ended", &format!("pid={pid} ")])));
        started.push(millis(killed, watch.logged(&["started the gateway", &format!("pid={next} ")])));
        pid = next;
    }
    line("Lifeguard: SIGKILL to exit seen", &mut seen, "ms");
    line("Lifeguard: SIGKILL to next process started", &mut started, "ms");
    line("Lifeguard: SIGKILL to verified ready", &mut ready, "ms");
}

fn answers_ready(home: &GatewayHome) -> bool {
    ask_within(Duration::from_secs(1), home.port, "GET", "/readyz").is_ok_and(|answer| answer.status == 200)
}

/// The real gateway: killed and back, beside its bare start-up; stopped, and when that is said.
fn real() {
    let (mut bare, mut healed, mut hung) = (Vec::new(), Vec::new(), Vec::new());
    let home = real_gateway::home();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let mut running = home.start();
        assert!(wait_until(START_LIMIT, || answers_ready(&home)), "{}", home.log());
        bare.push(begin.elapsed().as_secs_f64());
        running.signal(Signal::TERM);
        running.wait_ended(SOON);
    }
    let watch = Watch::start(&home, "[heal]\nbudget = 1000\n");
    let mut pid = watch.wait_healthy(None);
    for _ in 0..ROUNDS {
        watch.reset();
        let begin = Instant::now();
        signal(pid, Signal::KILL);
        assert!(wait_until(SOON, || !answers_ready(&home)), "it answers although it was killed");
        assert!(wait_until(START_LIMIT, || answers_ready(&home)), "{}", watch.log());
        healed.push(begin.elapsed().as_secs_f64());
        pid = watch.wait_healthy(Some(pid));
    }
    for stop in 0..STOPS {
        // At another place between two rounds each time.
        wait_until(Duration::from_secs(2 * stop as u64), || false);
        let begin = Instant::now();
        signal(pid, Signal::STOP);
        watch.wait(SOON, |gateway| gateway.verdict == Verdict::Hung);
        hung.push(begin.elapsed().as_secs_f64());
        signal(pid, Signal::CONT);
        watch.wait(SOON, works);
    }
    line("real gateway: bare start to ready", &mut bare, "s");
    line("real gateway: SIGKILL to ready again", &mut healed, "s");
    line("real gateway: SIGSTOP to verdict `hung`", &mut hung, "s");
}

/// What watching costs while nothing happens.
fn idle() {
    let home = real_gateway::home();
    let watch = Watch::start(&home, "");
    watch.wait_healthy(None);
    watch.wait(SOON * 2, |gateway| gateway.health == Health::Healthy);
    cost_of_idling("`lifeguard watch`", watch.child.id());
}

/// The same of the whole app, its icon in a real panel.
fn tray() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let desktop = Desktop::start().await;
        let stage = Stage::set(program(), desktop, real_gateway::home(), "[alerts.native]\nenabled = false\n").await;
        let app = stage.start();
        let healthy = |gateway: &GatewaySnapshot| gateway.health == Health::Healthy;
        stage.wait_for_status("a healthy gateway", START_LIMIT, healthy).await;
        let icon = stage.desktop.tray_item(app.pid()).await;
        assert!(icon.tooltip().await.1.contains("Up and ready"), "the icon says something else");
        cost_of_idling("`lifeguard` with its icon", app.pid());
    });
}

/// What a process uses while nothing happens.
fn cost_of_idling(what: &str, pid: u32) {
    let (busy, before) = (busy(pid), wakes(pid));
    let begin = Instant::now();
    // A thread that ends takes its count along, so everyone's is looked at often: threads live for 10 s at least.
    let mut newest = before.clone();
    while begin.elapsed() < IDLE {
        wait_until(Duration::from_millis(500), || false);
        newest.extend(wakes(pid));
    }
    let (busy, seconds) = (self::busy(pid) - busy, begin.elapsed().as_secs_f64());
    println!("{what}, idle for {seconds:.0} s, every 10 s one round of probes of the real gateway:");
    println!("  processor: {:.0} ms per minute, {:.3} % of one core", busy * 60e3 / seconds, busy * 100.0 / seconds);
    let wakes: f64 = newest.iter().map(|(thread, count)| count - before.get(thread).unwrap_or(&0.0)).sum();
    println!("  wake-ups: {:.2} per second, by {} threads", wakes / seconds, newest.len());
    let status = read(&format!("/proc/{pid}/status"));
    let megabytes = |name| field(&status, name) * 1024.0 / 1e6;
    let (resident, private, most) = (megabytes("VmRSS:"), megabytes("RssAnon:"), megabytes("VmHWM:"));
    println!("  memory: {resident:.1} MB resident, of it {private:.1} MB private; most ever {most:.1} MB");
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Seconds that a process has spent on a processor, its threads that have ended included: fields 14 and 15 of its
/// `stat`, in ticks of 10 ms.
fn busy(pid: u32) -> f64 {
    let stat = read(&format!("/proc/{pid}/stat"));
    let (_, rest) = stat.rsplit_once(')').unwrap();
    rest.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// How often each thread of a process began to wait.
fn wakes(pid: u32) -> HashMap<String, f64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let counts = threads.filter_map(|thread| {
        let thread = thread.ok()?;
        // It may have ended meanwhile.
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        Some((thread.file_name().to_string_lossy().into_owned(), field(&status, "voluntary_ctxt_switches:")))
    });
    counts.collect()
}
