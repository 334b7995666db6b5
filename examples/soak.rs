//! `make soak MINUTES=30`: the whole app on a real desktop, beside the real gateway, while one fault follows the other.
//! Writes what came of it to `docs/soak.md`, and fails where an incident or an alert was missing, or something grew.
//!
//! `soak MINUTES [SEED]`: the faults and what is between them are drawn from the seed, which is printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot go on has failed"
)]
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
#[path = "../tests/support/witness.rs"]
mod witness;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desktop::{Desktop, TrayItem};
use gateway::wait_until;
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
use witness::Witness;

/// Health is believed sooner than at default, and one fault does not make the next one's attempts rarer. Everything else is
/// as users have it.
const SETTINGS: &str = "[heal]\nhealthy_hold = \"10s\"\nbudget = 100\ncrash_limit = 100\n\n\
    [alerts]\ncooldown = \"0s\"\ncritical_cooldown = \"0s\"\nstorm_after = 1000\nself_check = false\n";
/// Longest way back to health of the real gateway on a busy machine.
const LIMIT: Duration = Duration::from_mins(6);
/// Distance of two samples.
const SAMPLING: Duration = Duration::from_secs(10);
/// Longest rest in which threads and descriptors are counted: longer than idle connections and threads are kept.
const REST: Duration = Duration::from_secs(100);
/// The share of the time that counts as warming up.
const WARM_UP: f64 = 1.0 / 6.0;
/// The goal, in megabytes per hour.
const GOAL: f64 = 0.1;
/// Headlines.
const DOWN: &str = "is down";
const RECOVERED: &str = "Recovered in";

/// What is done to the gateway, or asked of Lifeguard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Killed,
    StoppedForAWhile,
    StoppedForGood,
    ConfigurationBroken,
    PortTaken,
    WebhookFails,
    KilledInAPause,
    RestartAsked,
}

impl Fault {
    const ALL: [Self; 8] = [
        Self::Killed,
        Self::StoppedForAWhile,
        Self::StoppedForGood,
        Self::ConfigurationBroken,
        Self::PortTaken,
        Self::WebhookFails,
        Self::KilledInAPause,
        Self::RestartAsked,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed (SIGKILL)",
            Self::StoppedForAWhile => "stopped (SIGSTOP) until it is seen",
            Self::StoppedForGood => "stopped (SIGSTOP) for good",
            Self::ConfigurationBroken => "configuration broken and killed; mended when it is seen",
            Self::PortTaken => "killed, its port taken by another program until that is seen",
            Self::WebhookFails => "killed while Discord answers with errors",
            Self::KilledInAPause => "killed while Lifeguard is paused",
            Self::RestartAsked => "a restart is asked for",
        }
    }

    fn is_incident(self) -> bool {
        self != Self::RestartAsked
    }
}

/// What Lifeguard's process takes at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Seconds since the first.
    at: f64,
    /// Megabytes.
    resident: f64,
    /// Megabytes that are its own.
    private: f64,
    threads: usize,
    descriptors: usize,
}

fn sample(pid: u32, began: Instant) -> Sample {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("Lifeguard has ended");
    let field = |name: &str| -> f64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|value| value.parse().ok()).unwrap_or_default()
    };
    let count = |folder: &str| fs::read_dir(format!("/proc/{pid}/{folder}")).map_or(0, Iterator::count);
    Sample {
        at: began.elapsed().as_secs_f64(),
        resident: field("VmRSS:") * 1024.0 / 1e6,
        private: field("RssAnon:") * 1024.0 / 1e6,
        threads: count("task"),
        descriptors: count("fd"),
    }
}

struct Soak {
    stage: Stage,
    witness: Witness,
    item: TrayItem,
    client: ControlClient,
    pid: u32,
    good_config: String,
    problems: Vec<String>,
    seconds: BTreeMap<Fault, Vec<f64>>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("a number"));
    let minutes = arguments.next().expect("soak MINUTES [SEED]");
    let seed = arguments.next().unwrap_or_else(|| fastrand::u64(..1_000_000));
    let mut random = fastrand::Rng::with_seed(seed);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{}, {minutes} minutes, seed {seed}, load {}", Timestamp::now(), load.trim());

    let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("lifeguard");
    let mut desktop = Desktop::start().await;
    desktop.start_notifications().await;
    let witness = Witness::begin(desktop.connect().await).await;
    let stage = Stage::set(program, desktop, real_gateway::home(), SETTINGS).await;
    let app = stage.start();
    let item = stage.desktop.tray_item(app.pid()).await;
    let client = ControlClient::new(&stage.home().join("state/run/control.sock")).unwrap();
    let good_config = fs::read_to_string(stage.gateway.config_path()).unwrap();
    let (problems, seconds) = (Vec::new(), BTreeMap::new());
    let mut soak = Soak { stage, witness, item, client, pid: app.pid(), good_config, problems, seconds };
    soak.wait("the first health", |gateway| gateway.health == Health::Healthy).await;

    let length = Duration::from_secs(minutes * 60);
    let began = Instant::now();
    let samples = Arc::new(Mutex::new(Vec::new()));
    let sampling = tokio::spawn(keep_sampling(soak.pid, began, Arc::clone(&samples)));
    let rest = REST.min(length / 10);
    // Whatever is loaded only when it is needed has been needed once.
    for fault in Fault::ALL {
        soak.round(fault, &mut random).await;
    }
    let before = soak.rest(rest).await;
    while began.elapsed() + rest < length {
        let fault = Fault::ALL[random.usize(..Fault::ALL.len())];
        soak.round(fault, &mut random).await;
        tokio::time::sleep(Duration::from_millis(random.u64(..8_000))).await;
    }
    let after = soak.rest(rest).await;
    sampling.abort();
    soak.check_all_told();
    let samples = samples.lock().unwrap().clone();
    let report = Report { minutes, seed, load: load.trim().to_owned(), samples, before, after };
    let text = report.text(&mut soak);
    println!("{text}");
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/soak.md"), text).unwrap();
    if soak.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn keep_sampling(pid: u32, began: Instant, samples: Arc<Mutex<Vec<Sample>>>) {
    loop {
        samples.lock().unwrap().push(sample(pid, began));
        tokio::time::sleep(SAMPLING).await;
    }
}

impl Soak {
    async fn look(&self) -> Option<GatewaySnapshot> {
        self.client.snapshot().await.ok().map(|mut snapshot| snapshot.gateways.remove(0))
    }

    /// Waits until the gateway is so; ends the run where it does not come.
    async fn wait(&self, what: &str, wished: impl Fn(&GatewaySnapshot) -> bool) -> GatewaySnapshot {
        let began = Instant::now();
        loop {
            let seen = self.look().await;
            if let Some(gateway) = seen.as_ref().filter(|gateway| wished(gateway)) {
                return gateway.clone();
            }
            assert!(began.elapsed() < LIMIT, "waited in vain for {what}: {seen:#?}\n{}", self.stage.log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn order(&self, order: Order) {
        self.client.command(None, order).await.unwrap();
    }

    fn headlines(&self) -> Vec<String> {
        let messages = self.stage.discord.seen().messages;
        messages.iter().map(|message| message["embeds"][0]["title"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn notices(&self) -> Vec<String> {
        self.witness.notices().into_iter().map(|notice| notice.title + " " + &notice.body).collect()
    }

    /// One fault, from health to health that is told.
    async fn round(&mut self, fault: Fault, random: &mut fastrand::Rng) {
        let healthy = |gateway: &GatewaySnapshot| {
            gateway.health == Health::Healthy && gateway.heal.is_none() && gateway.incident.is_none()
        };
        let before = self.wait("health before a fault", healthy).await;
        self.order(Order::Reset).await;
        let (told, noticed) = (self.headlines().len(), self.witness.count());
        let began = Instant::now();
        self.act(fault, &before, random).await;
        let incident = |gateway: &GatewaySnapshot| gateway.last_incident.as_ref().map(|incident| incident.id);
        let known = incident(&before);
        let over = |gateway: &GatewaySnapshot| {
            let done = if fault.is_incident() { incident(gateway) != known } else { gateway.pid != before.pid };
            healthy(gateway) && done
        };
        let after = self.wait(fault.name(), over).await;
        self.seconds.entry(fault).or_default().push(began.elapsed().as_secs_f64());
        // What Lifeguard draws and says meanwhile takes memory, too.
        let rows = self.item.menu().await.len();
        let (_, tooltip) = self.item.tooltip().await;
        if rows == 0 || !tooltip.contains("Up and ready") {
            self.problem(fault, &format!("the icon has {rows} rows and says {tooltip:?}"));
        }
        let expected = known.unwrap_or(0) + u64::from(fault.is_incident());
        if incident(&after).unwrap_or(0) != expected {
            self.problem(fault, &format!("incident {:?} instead of {expected}", incident(&after)));
        }
        if !fault.is_incident() {
            return;
        }
        // What could not be delivered in time is gathered: then the recovery tells of the outage.
        let wanted: &[&str] = if fault == Fault::WebhookFails { &[RECOVERED] } else { &[DOWN, RECOVERED] };
        let missing = |all: &[String], wanted: &[&str]| -> Vec<String> {
            let absent = |part: &&&str| !all.iter().any(|line| line.contains(**part));
            wanted.iter().filter(absent).map(|part| (*part).to_owned()).collect()
        };
        let over = Instant::now();
        loop {
            let discord = missing(&self.headlines()[told..], wanted);
            let desktop = missing(&self.notices()[noticed..], &[DOWN, RECOVERED]);
            if discord.is_empty() && desktop.is_empty() {
                break;
            }
            if over.elapsed() > LIMIT {
                self.problem(fault, &format!("Discord lacks {discord:?}, the desktop {desktop:?}"));
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn problem(&mut self, fault: Fault, what: &str) {
        println!("PROBLEM after {}: {what}", fault.name());
        self.problems.push(format!("{}: {what}", fault.name()));
    }

    async fn act(&self, fault: Fault, before: &GatewaySnapshot, random: &mut fastrand::Rng) {
        let pid = before.pid.unwrap();
        println!("{} {}", Timestamp::now(), fault.name());
        match fault {
            Fault::Killed => signal(pid, Signal::KILL),
            Fault::StoppedForAWhile => {
                signal(pid, Signal::STOP);
                self.wait("a hang that is seen", |gateway| gateway.verdict == Verdict::Hung).await;
                signal(pid, Signal::CONT);
            }
            Fault::StoppedForGood => signal(pid, Signal::STOP),
            Fault::ConfigurationBroken => {
                let mut config: Value = serde_json::from_str(&self.good_config).unwrap();
                config["gateway"]["prot"] = 1.into();
                fs::write(self.stage.gateway.config_path(), config.to_string()).unwrap();
                signal(pid, Signal::KILL);
                self.wait("a refusal that is seen", |gateway| gateway.health == Health::Blocked).await;
                fs::write(self.stage.gateway.config_path(), &self.good_config).unwrap();
            }
            Fault::PortTaken => {
                signal(pid, Signal::KILL);
                let mut stranger = None;
                let taken = wait_until(LIMIT, || {
                    stranger = TcpListener::bind(("127.0.0.1", self.stage.gateway.port)).ok();
                    stranger.is_some()
                });
                assert!(taken, "the port could not be taken");
                let taken = |gateway: &GatewaySnapshot| matches!(gateway.verdict, Verdict::PortTaken { .. });
                self.wait("a stranger that is seen", taken).await;
            }
            Fault::WebhookFails => {
                self.stage.discord.always(Some(discord::Fault::Status(503)));
                signal(pid, Signal::KILL);
                tokio::time::sleep(Duration::from_millis(random.u64(1_000..30_000))).await;
                self.stage.discord.always(None);
            }
            Fault::KilledInAPause => {
                let until = Timestamp::now().as_millisecond() + random.i64(5_000..20_000);
                self.order(Order::Pause { until: Some(until) }).await;
                signal(pid, Signal::KILL);
            }
            Fault::RestartAsked => self.order(Order::Restart { force: random.bool() }).await,
        }
    }

    /// The fewest threads and descriptors while nothing happens.
    async fn rest(&self, length: Duration) -> (usize, usize) {
        let began = Instant::now();
        let (mut threads, mut descriptors) = (usize::MAX, usize::MAX);
        while began.elapsed() < length {
            let now = sample(self.pid, began);
            threads = threads.min(now.threads);
            descriptors = descriptors.min(now.descriptors);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        (threads, descriptors)
    }

    /// Each incident once on each channel, and nothing that was not one.
    fn check_all_told(&mut self) {
        let incidents: usize =
            self.seconds.iter().filter(|(fault, _)| fault.is_incident()).map(|(_, all)| all.len()).sum();
        for (channel, lines) in [("Discord", self.headlines()), ("the desktop", self.notices())] {
            let recovered = lines.iter().filter(|line| line.contains(RECOVERED)).count();
            if recovered != incidents {
                self.problems.push(format!("{channel}: {recovered} recoveries of {incidents} incidents"));
            }
        }
        let seen = self.stage.discord.seen();
        if !seen.violations.is_empty() || seen.hammered > 0 {
            self.problems.push(format!("Discord's rules: {:?}, {} too early", seen.violations, seen.hammered));
        }
    }
}

fn signal(pid: u32, signal: Signal) {
    assert!(confirm(pid, own_uid()).is_some(), "process {pid} is no gateway");
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

/// The slope of a line through points by Theil and Sen, with the bounds of its 95 % confidence interval by Kendall's
/// statistic (Hollander, Wolfe: Nonparametric Statistical Methods, 9.3). It takes the points to be independent.
struct Slope {
    lowest: f64,
    middle: f64,
    highest: f64,
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of pairs, at most some thousands squared"
)]
fn slope(points: &[(f64, f64)]) -> Slope {
    let pairs = points
        .iter()
        .enumerate()
        .flat_map(|(place, one)| points[place + 1..].iter().map(move |other| (other.1 - one.1) / (other.0 - one.0)));
    let mut slopes: Vec<f64> = pairs.filter(|slope| slope.is_finite()).collect();
    slopes.sort_by(f64::total_cmp);
    let (count, all) = (points.len() as f64, slopes.len() as f64);
    let reach = 1.96 * (count * (count - 1.0) * (2.0 * count + 5.0) / 18.0).sqrt();
    let at = |place: f64| slopes[place.clamp(0.0, all - 1.0) as usize];
    Slope { lowest: at((all - reach) / 2.0), middle: at(all / 2.0), highest: at(f64::midpoint(all, reach)) }
}

struct Report {
    minutes: u64,
    seed: u64,
    load: String,
    samples: Vec<Sample>,
    before: (usize, usize),
    after: (usize, usize),
}

impl Report {
    fn text(&self, soak: &mut Soak) -> String {
        let length = self.samples.last().map_or(0.0, |sample| sample.at);
        let warm: Vec<Sample> = self.samples.iter().copied().filter(|sample| sample.at >= length * WARM_UP).collect();
        let of = |value: fn(&Sample) -> f64| -> Slope {
            slope(&warm.iter().map(|sample| (sample.at / 3600.0, value(sample))).collect::<Vec<_>>())
        };
        let (private, resident) = (of(|sample| sample.private), of(|sample| sample.resident));
        if private.lowest > GOAL {
            soak.problems.push(format!("private memory grows by {:.2} MB/h at least", private.lowest));
        }
        if self.after.0 > self.before.0 || self.after.1 > self.before.1 {
            soak.problems.push(format!("threads and descriptors at rest: {:?}, then {:?}", self.before, self.after));
        }
        let verdict = if private.highest < GOAL {
            format!("below {GOAL} MB/h with 95 % confidence")
        } else if private.lowest > GOAL {
            format!("above {GOAL} MB/h with 95 % confidence")
        } else {
            format!("not told apart from {GOAL} MB/h in this time")
        };
        let faults: usize = soak.seconds.values().map(Vec::len).sum();
        let mut text = format!(
            "# Soak\n\nThe whole app ({} build) on a desktop (Xvfb, xfce4-panel, xfce4-notifyd) with its icon in the panel, beside the real\n\
             OpenClaw gateway {}, while one fault follows the other. Made by `make soak MINUTES={} SEED={}` on {},\n\
             load of the machine at the beginning {}. `healthy_hold` is 10 s, and the limits on repeated heals are off.\n\n\
             Every fault must have its incident, and every incident its two alerts on the desktop and on a stand-in for Discord; the\n\
             run fails otherwise, or where threads or file descriptors at rest grow, or where the memory surely does.\n\n",
            if cfg!(debug_assertions) { "debug" } else { "release" },
            real_gateway::VERSION,
            self.minutes,
            self.seed,
            Timestamp::now().strftime("%Y-%m-%d"),
            self.load
        );
        writeln!(text, "| {faults} faults | times | median s until well and believed |\n| --- | ---: | ---: |")
            .unwrap();
        for (fault, seconds) in &mut soak.seconds {
            seconds.sort_by(f64::total_cmp);
            writeln!(text, "| {} | {} | {:.1} |", fault.name(), seconds.len(), seconds[seconds.len() / 2]).unwrap();
        }
        let signed = |slope: &Slope| format!("{:+.2} ({:+.2} to {:+.2})", slope.middle, slope.lowest, slope.highest);
        write!(
            text,
            "\n| Lifeguard's process, {} samples, the first {:.0} s not counted for the slope | |\n| --- | --- |\n\
             | private memory, slope by Theil and Sen, 95 % interval | {} MB/h: {verdict} |\n\
             | resident memory, the same | {} MB/h |\n\
             | threads at rest, after each fault had happened once, and at the end | {}, {} |\n\
             | file descriptors, the same | {}, {} |\n\
             | missing incidents and alerts, and other complaints | {} |\n",
            self.samples.len(),
            length * WARM_UP,
            signed(&private),
            signed(&resident),
            self.before.0,
            self.after.0,
            self.before.1,
            self.after.1,
            soak.problems.len()
        )
        .unwrap();
        for problem in &soak.problems {
            writeln!(text, "\n- **{problem}**").unwrap();
        }
        text.push_str(
            "\n| minute | private MB | resident MB | threads | descriptors |\n| ---: | ---: | ---: | ---: | ---: |\n",
        );
        for minute in (0..=self.minutes).step_by(usize::try_from(self.minutes / 15).unwrap_or(1).max(1)) {
            #[expect(clippy::cast_precision_loss, reason = "minutes")]
            let Some(sample) = self.samples.iter().find(|sample| sample.at >= minute as f64 * 60.0) else { break };
            let Sample { private, resident, threads, descriptors, .. } = sample;
            writeln!(text, "| {minute} | {private:.2} | {resident:.2} | {threads} | {descriptors} |").unwrap();
        }
        text
    }
}
