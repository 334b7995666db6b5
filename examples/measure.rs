//! Makes the figures of `docs/performance.md`: `make measure`, or `make measure PARTS="kills start real idle tray"` for some.
//!
//! Measured from outside, on the release build: signals are sent by this program, and Lifeguard's log and control
//! socket say what it made of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "../tests/support/cost.rs"]
mod cost;
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
#[path = "../tests/support/watch.rs"]
mod watch;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use desktop::Desktop;
use gateway::{GatewayHome, START_LIMIT, ask_within, wait_until};
use jiff::Timestamp;
use lifeguard::platform::process::own_uid;
use lifeguard::service::identity::confirm;
use lifeguard::snapshot::GatewaySnapshot;
use lifeguard::supervisor::verdict::{Health, Verdict};
use rustix::process::{Pid, Signal, kill_process};
use stage::Stage;
use tokio::runtime::Runtime;
use watch::{Watch, program, works};

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
        watch.wait_closely(SOON, |gateway| gateway.verdict == Verdict::Healthy);
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
    cost_of_idling("`lifeguard watch`", watch.pid());
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
    let cost = cost::measure(vec![pid], IDLE);
    println!("{what}, idle for {:.0} s, every 10 s one round of probes of the real gateway:", cost.seconds);
    println!("  processor: {:.0} ms per minute, {:.3} % of one core", cost.processor * 600.0, cost.processor);
    println!("  wake-ups: {:.2} per second, by {} threads", cost.wakes, cost.threads);
    let (resident, private, most) = (cost.resident, cost.private, cost.most);
    println!("  memory: {resident:.1} MB resident, of it {private:.1} MB private; most ever {most:.1} MB");
}
