//! Lifeguard beside those who do the same: `make bench-peers`, or `make bench-peers PARTS="kills polls hangs idle"` for
//! some parts of it.
//!
//! Everyone keeps the same gateway running, one that starts in a millisecond (`stub_gateway`) and that writes down when
//! it was started and when it listens. This program kills or stops it, and reads there what became of that.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "../tests/support/cost.rs"]
mod cost;
#[path = "../tests/support/gateway.rs"]
mod gateway;
#[path = "../tests/support/stub.rs"]
mod stub;
#[path = "../tests/support/watch.rs"]
mod watch;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use cost::Cost;
use gateway::{GatewayHome, START_LIMIT, wait_until};
use jiff::Timestamp;
use lifeguard::supervisor::verdict::Verdict;
use rustix::process::{Pid, Signal, kill_process};
use stub::{Journal, Start};
use watch::Watch;

/// A gateway is left alone so long after its start: runsv, supervisord and pm2 take one that ends within a second for
/// one that cannot start, and Lifeguard has to see that it works.
const SETTLE: Duration = Duration::from_secs(2);
/// Limit for a restart by one who looks at intervals, beside two intervals.
const SOON: Duration = Duration::from_secs(30);
/// How long a gateway hangs before it is said that nobody noticed, beside two intervals.
const HANG_LIMIT: Duration = Duration::from_mins(2);
/// How long nothing happens in the last part.
const IDLE: Duration = Duration::from_mins(2);

/// Who keeps the gateway running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// Nobody but this program, which waits for the end of its child: what the system itself takes.
    Bare,
    /// `lifeguard watch` with these sections in its configuration.
    Lifeguard(&'static str),
    /// runit's `runsvdir`, with the service script of its manual.
    Runit,
    /// supervisord, with these lines in the program's section.
    Supervisord(&'static str),
    /// pm2's daemon.
    Pm2,
    /// monit with this cycle, in seconds. It asks for `/healthz` too.
    Monit(u64),
    /// A script that asks for `/healthz` at this distance, in seconds, as cron or launchd would run it.
    Poll(u64),
}

/// One row.
#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    peer: Peer,
}

const LIFEGUARD: Case = Case { name: "Lifeguard", peer: Peer::Lifeguard("") };
/// Everything about looking at its shortest that answers of a busy gateway allow.
const EAGER: Case = Case {
    name: "Lifeguard, interval 500 ms",
    peer: Peer::Lifeguard(
        "[probe]\ninterval = \"500ms\"\nretry_interval = \"500ms\"\nconnect_timeout = \"500ms\"\ntimeout = \"500ms\"\n",
    ),
};
const RUNIT: Case = Case { name: "runit", peer: Peer::Runit };
const SUPERVISORD: Case = Case { name: "supervisord", peer: Peer::Supervisord("") };
const SUPERVISORD_EAGER: Case = Case { name: "supervisord, startsecs 0", peer: Peer::Supervisord("startsecs=0\n") };
const PM2: Case = Case { name: "pm2", peer: Peer::Pm2 };
const MONIT_EAGER: Case = Case { name: "monit, cycle 1 s", peer: Peer::Monit(1) };
const MONIT: Case = Case { name: "monit, cycle 120 s", peer: Peer::Monit(120) };
const CRON: Case = Case { name: "poll script, each 60 s", peer: Peer::Poll(60) };
const SCRIPT: Case = Case { name: "poll script, each 180 s", peer: Peer::Poll(180) };

impl Peer {
    /// Distance of two of its looks at the process, where it looks at intervals.
    fn cycle(self) -> Duration {
        Duration::from_secs(match self {
            Self::Monit(seconds) | Self::Poll(seconds) => seconds,
            Self::Supervisord(_) => 1,
            Self::Bare | Self::Lifeguard(_) | Self::Runit | Self::Pm2 => 0,
        })
    }
}

impl Case {
    /// Distance of two of its looks at whether it answers.
    fn looks(self) -> Duration {
        match self.peer {
            Peer::Lifeguard("") => Duration::from_secs(10),
            Peer::Lifeguard(_) => Duration::from_millis(500),
            _ => self.peer.cycle(),
        }
    }
}

fn main() {
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|word| word == part);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{}, load {}", Timestamp::now(), load.trim());
    print!("lifeguard {}\n{}", env!("CARGO_PKG_VERSION"), fs::read_to_string(peers().join("versions")).unwrap());
    if wanted("kills") {
        kills();
    }
    if wanted("polls") {
        polls();
    }
    if wanted("hangs") {
        hangs();
    }
    if wanted("idle") {
        idle();
    }
}

/// Where `bundle/set-up.sh peers` has put them.
fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/cache/peers")
}

/// Held while files are written that are to be run, and while processes are started: a process that is started meanwhile
/// would hold such a file open, and what is open for writing cannot be run.
static STARTING: Mutex<()> = Mutex::new(());

/// A gateway's home, with the stub as its command.
fn home() -> GatewayHome {
    let _alone = STARTING.lock().unwrap();
    let mut home = GatewayHome::new(&[], |_| Vec::new());
    home.command = stub::command(&home.path(), home.port, &["--pid-file", &path(&home.path().join("gateway.pid"))]);
    home
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

fn journal(home: &GatewayHome) -> Journal {
    Journal::of(&home.path())
}

/// Whoever keeps the gateway of a home running. Ended when it is dropped; what lives in the home ends with that.
struct Keeper<'a> {
    home: &'a GatewayHome,
    /// Its first process.
    pid: u32,
    peer: Peer,
    watch: Option<Watch<'a>>,
    child: Option<Child>,
}

impl<'a> Keeper<'a> {
    fn start(peer: Peer, home: &'a GatewayHome) -> Self {
        let _alone = STARTING.lock().unwrap();
        let folder = home.path();
        let words: Vec<&str> = home.command.iter().map(String::as_str).collect();
        let line = home.command.join(" ");
        let child = match peer {
            Peer::Bare => panic!("nobody keeps it"),
            Peer::Lifeguard(sections) => {
                let watch = Watch::start(home, &format!("{sections}[heal]\nbudget = 1000\n"));
                return Self { home, pid: watch.pid(), peer, watch: Some(watch), child: None };
            }
            Peer::Runit => {
                let service = folder.join("service/gateway");
                fs::create_dir_all(&service).unwrap();
                script(&service.join("run"), &format!("#!/bin/sh\nexec {line}\n"));
                // runsvdir starts runsv by its name.
                run(home, &peers().join("usr/bin/runsvdir"), &["-P", &path(&folder.join("service"))])
            }
            Peer::Supervisord(lines) => {
                let (config, state) = (folder.join("supervisord.conf"), path(&folder));
                let section = format!(
                    "[supervisord]\nnodaemon=true\nlogfile={state}/supervisord.log\npidfile={state}/supervisord.pid\n\
                     childlogdir={state}\n[program:gateway]\ncommand={line}\nautorestart=true\n{lines}"
                );
                fs::write(&config, section).unwrap();
                run(home, &peers().join("usr/bin/supervisord"), &["-c", &path(&config)])
            }
            Peer::Pm2 => return Self::start_pm2(home, &words),
            Peer::Monit(seconds) => {
                let (config, state, port) = (folder.join("monitrc"), path(&folder), home.port);
                // monit takes a start that has not ended after 30 s for one that failed.
                script(&folder.join("start"), &format!("#!/bin/sh\nsetsid {line} </dev/null >/dev/null 2>&1 &\n"));
                script(&folder.join("stop"), &format!("#!/bin/sh\nkill -KILL \"$(cat {state}/gateway.pid)\"\n"));
                let text = format!(
                    "set daemon {seconds}\nset log {state}/monit.log\nset pidfile {state}/monit.pid\n\
                     set idfile {state}/monit.id\nset statefile {state}/monit.state\n\
                     check process gateway with pidfile {state}/gateway.pid\n  start program = \"{state}/start\"\n  \
                     stop program = \"{state}/stop\"\n  \
                     if failed port {port} protocol http request \"/healthz\" with timeout 5 seconds then restart\n"
                );
                fs::write(&config, text).unwrap();
                fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
                run(home, &peers().join("usr/bin/monit"), &["-I", "-c", &path(&config)])
            }
            Peer::Poll(seconds) => {
                let (state, port) = (path(&folder), home.port);
                let look = format!(
                    "#!/bin/sh\ncurl --fail --silent --output /dev/null --max-time 5 http://127.0.0.1:{port}/healthz \
                     && exit\n[ -f {state}/gateway.pid ] && kill -KILL \"$(cat {state}/gateway.pid)\" 2>/dev/null\n\
                     setsid {line} </dev/null >>{state}/gateway.log 2>&1 &\n"
                );
                script(&folder.join("look"), &look);
                script(&folder.join("clock"), &format!("#!/bin/sh\nwhile :; do {state}/look; sleep {seconds}; done\n"));
                run(home, &folder.join("clock"), &[])
            }
        };
        Self { home, pid: child.id(), peer, watch: None, child: Some(child) }
    }

    fn start_pm2(home: &'a GatewayHome, words: &[&str]) -> Self {
        let mut all = vec!["start", words[0], "--interpreter", "none", "--name", "gateway", "--"];
        all.extend(&words[1..]);
        assert!(pm2(home, &all).wait().unwrap().success(), "pm2 did not start the gateway");
        let pid = fs::read_to_string(home.path().join(".pm2/pm2.pid")).unwrap().trim().parse().unwrap();
        Self { home, pid, peer: Peer::Pm2, watch: None, child: None }
    }

    /// Waits until everything is as if nothing had happened for a long time; gives what runs.
    fn settle(&self) -> Start {
        let (home, journal) = (self.home, journal(self.home));
        loop {
            let start = journal.wait_start(START_LIMIT + self.peer.cycle() * 2, None);
            if let Some(watch) = &self.watch {
                watch.wait_healthy(None);
                watch.reset();
            }
            wait_until(SETTLE, || false);
            let answer = gateway::ask_within(SOON, home.port, "GET", "/healthz");
            // It may have been started once more meanwhile.
            if journal.newest() == Some(start) && answer.is_ok_and(|found| found.status == 200) {
                return start;
            }
        }
    }

    /// Its processes, the gateway's own left out.
    fn processes(&self) -> Vec<u32> {
        if matches!(self.peer, Peer::Poll(_)) {
            // The others live for a moment only; their processor time is counted with this one.
            return vec![self.pid];
        }
        cost::tree(self.pid, |pid| stub::is_one(pid, &self.home.path()))
    }
}

impl Drop for Keeper<'_> {
    fn drop(&mut self) {
        if self.peer == Peer::Pm2 {
            let _gone_already = pm2(self.home, &["kill"]).wait();
        }
        if let Some(child) = &mut self.child {
            // By SIGHUP runsvdir ends what it has started, by SIGTERM only itself.
            let signal = if self.peer == Peer::Runit { Signal::HUP } else { Signal::TERM };
            let _gone_already = kill_process(Pid::from_child(child), signal);
            if !wait_until(SOON, || child.try_wait().unwrap().is_some()) {
                child.kill().unwrap();
                child.wait().unwrap();
            }
        }
    }
}

fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// Starts a peer in a home.
fn run(home: &GatewayHome, program: &Path, arguments: &[&str]) -> Child {
    let usual = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(peers().join("usr/bin")).chain(std::env::split_paths(&usual));
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("PYTHONPATH", peers().join("usr/lib/python3/dist-packages"))
        .env("HOME", home.path())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}: use `make bench-peers`", program.display()))
}

fn pm2(home: &GatewayHome, words: &[&str]) -> Child {
    let program = path(&peers().join("node_modules/pm2/bin/pm2"));
    let mut all = vec![program.as_str()];
    all.extend(words);
    run(home, Path::new("node"), &all)
}

/// From a kill until the next process began, and until it listens, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Restart {
    begun: f64,
    listens: f64,
}

/// Kills the gateway so many times. `place`: which part of the cycle the first kill falls into, from 0 to 1.
fn restarts(case: Case, times: usize, place: f64) -> Vec<Restart> {
    let home = home();
    let journal = journal(&home);
    if case.peer == Peer::Bare {
        return bare(&home, &journal, times);
    }
    let keeper = Keeper::start(case.peer, &home);
    let mut found = Vec::new();
    for number in 0..times {
        let start = keeper.settle();
        wait_until(case.peer.cycle().mul_f64(place + count(number) / count(times)), || false);
        let killed = stub::signal(&start, &home.path(), Signal::KILL);
        let start = journal.wait_start(SOON + case.peer.cycle() * 2, Some(start.pid));
        found.push(Restart { begun: start.millis_after(killed), listens: start.listens_millis_after(killed) });
    }
    found
}

fn bare(home: &GatewayHome, journal: &Journal, times: usize) -> Vec<Restart> {
    let spawn = || Command::new(&home.command[0]).args(&home.command[1..]).spawn().unwrap();
    let mut child = spawn();
    let mut start = journal.wait_start(SOON, None);
    let mut found = Vec::new();
    for _ in 0..times {
        let killed = stub::signal(&start, &home.path(), Signal::KILL);
        child.wait().unwrap();
        child = spawn();
        start = journal.wait_start(SOON, Some(start.pid));
        found.push(Restart { begun: start.millis_after(killed), listens: start.listens_millis_after(killed) });
    }
    child.kill().unwrap();
    child.wait().unwrap();
    found
}

/// A row's kills: one gateway is killed again and again.
fn kills() {
    heading();
    let all = [
        (Case { name: "the system itself", peer: Peer::Bare }, 30),
        (LIFEGUARD, 30),
        (RUNIT, 30),
        (PM2, 30),
        (SUPERVISORD, 20),
        (SUPERVISORD_EAGER, 20),
        (MONIT_EAGER, 20),
    ];
    let mut own = None;
    for (case, times) in all {
        let found = restarts(case, times, 0.0);
        if case.name == LIFEGUARD.name {
            own = Some(median(found.iter().map(|restart| restart.begun)));
        }
        row(case, &found, own);
    }
}

/// The rows of those who look seldom: twenty gateways each, all at once, each killed once, at twenty places of the cycle.
fn polls() {
    const LANES: usize = 20;
    heading();
    let cases = [CRON, SCRIPT, MONIT];
    let found: Vec<Vec<Restart>> = thread::scope(|scope| {
        let lanes = |case| (0..LANES).map(move |lane| (case, count(lane) / count(LANES)));
        let running: Vec<Vec<_>> = cases
            .map(|case| lanes(case).map(|(case, place)| scope.spawn(move || restarts(case, 1, place))).collect())
            .into_iter()
            .collect();
        running.into_iter().map(|all| all.into_iter().flat_map(|lane| lane.join().unwrap()).collect()).collect()
    });
    for (case, found) in cases.into_iter().zip(found) {
        row(case, &found, None);
    }
}

fn heading() {
    println!(
        "| who | kills | next process: median | shortest | longest | listens: median | longest | Lifeguard's median × |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
}

fn row(case: Case, found: &[Restart], own: Option<f64>) {
    let begun = || found.iter().map(|restart| restart.begun);
    let listens = || found.iter().map(|restart| restart.listens);
    let [half, least, most] = [median(begun()), least(begun()), most(begun())].map(time);
    let ratio = own.map_or_else(|| "—".to_owned(), |own| format!("{:.2}", median(begun()) / own));
    println!(
        "| {} | {} | {half} | {least} | {most} | {} | {} | {ratio} |",
        case.name,
        found.len(),
        time(median(listens())),
        time(self::most(listens()))
    );
}

/// A gateway stops without ending: who notices, and when has that been mended.
fn hangs() {
    const LANES: usize = 5;
    let cases = [LIFEGUARD, EAGER, RUNIT, SUPERVISORD, PM2, MONIT_EAGER, MONIT, CRON, SCRIPT];
    println!("| who | hangs | said so: median | longest | next process: median | longest |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let found: Vec<Vec<Hang>> = thread::scope(|scope| {
        let running: Vec<Vec<_>> = cases
            .map(|case| {
                (0..LANES).map(|lane| scope.spawn(move || hang(case, count(lane) / count(LANES)))).collect::<Vec<_>>()
            })
            .into_iter()
            .collect();
        running.into_iter().map(|all| all.into_iter().map(|lane| lane.join().unwrap()).collect()).collect()
    });
    for (case, found) in cases.into_iter().zip(found) {
        let [said, mended] = [
            found.iter().filter_map(|hang| hang.said).collect::<Vec<_>>(),
            found.iter().filter_map(|hang| hang.mended).collect(),
        ]
        .map(|values| match values.len() {
            0 => "never | never".to_owned(),
            _ => format!("{} | {}", time(median(values.iter().copied())), time(most(values.iter().copied()))),
        });
        let said = if case.peer == LIFEGUARD.peer || case.peer == EAGER.peer { said } else { "— | —".to_owned() };
        println!("| {} | {} | {said} | {mended} |", case.name, found.len());
    }
}

/// From the stop until it was noticed, as far as that can be asked, and until the next process began, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Hang {
    said: Option<f64>,
    mended: Option<f64>,
}

fn hang(case: Case, place: f64) -> Hang {
    let home = home();
    let journal = journal(&home);
    let keeper = Keeper::start(case.peer, &home);
    let start = keeper.settle();
    wait_until(case.looks().mul_f64(place), || false);
    let stopped = stub::signal(&start, &home.path(), Signal::STOP);
    let begin = Instant::now();
    let said = keeper.watch.as_ref().map(|watch| {
        watch.wait(HANG_LIMIT, |gateway| gateway.verdict == Verdict::Hung);
        begin.elapsed().as_secs_f64() * 1e3
    });
    let next = journal.next_start(HANG_LIMIT + case.looks() * 2, Some(start.pid));
    if next.is_none() {
        stub::signal(&start, &home.path(), Signal::CONT);
    }
    Hang { said, mended: next.map(|next| next.millis_after(stopped)) }
}

/// What each of them costs while nothing happens, all at the same time.
fn idle() {
    let cases = [LIFEGUARD, RUNIT, SUPERVISORD, PM2, MONIT_EAGER, MONIT, CRON];
    println!("| who | memory, MB | of it private | processor, % of a core | wake-ups per second | processes |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let found: Vec<(usize, Cost)> = thread::scope(|scope| {
        let cost = |case: Case| {
            let home = home();
            let keeper = Keeper::start(case.peer, &home);
            keeper.settle();
            wait_until(IDLE / 4, || false);
            let processes = keeper.processes();
            (processes.len(), cost::measure(processes, IDLE))
        };
        let running = cases.map(|case| scope.spawn(move || cost(case)));
        running.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    for (case, (processes, cost)) in cases.into_iter().zip(found) {
        println!(
            "| {} | {:.1} | {:.1} | {:.3} | {:.2} | {processes} |",
            case.name, cost.resident, cost.private, cost.processor, cost.wakes
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few dozen")]
fn count(number: usize) -> f64 {
    number as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

fn least(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

fn most(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

/// Milliseconds, fit to be read.
fn time(millis: f64) -> String {
    if millis < 1000.0 { format!("{millis:.1} ms") } else { format!("{:.2} s", millis / 1e3) }
}
