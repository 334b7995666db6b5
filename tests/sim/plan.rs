//! What happens in one history: drawn from its seed, and from nothing else.

use std::time::Duration;

use lifeguard::supervisor::event::Command;
use lifeguard::supervisor::intent::Intent;
use lifeguard::supervisor::observation::Exit;
use lifeguard::supervisor::policy::{Manager, Policy};

use super::channels::Weather;
use super::clock::{HOUR, MINUTE, SECOND, Time};
use super::gateway::{Ailment, Flavour, Need};

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// The process ends.
    End(Exit),
    /// Something ails the gateway, or its service, for so long; a new life may be free of it.
    Ill { ailment: Ailment, lasts: Time, cured_by_end: bool },
    /// The process restarts within itself.
    InProcess,
    /// Its user did this on purpose; after so long it runs again. Before its end it may finish its work for a while.
    Deed { intent: Intent, lasts: Time, drains: Option<Time> },
    /// Somebody starts it.
    Started,
    /// OpenClaw's configuration is edited.
    Edited,
    /// Lifeguard's configuration is edited: looks have another distance from now on.
    Interval(Duration),
    /// A person asks Lifeguard for something.
    Asked(Ask),
    /// One round of probes gets no answer in time.
    Missed,
    /// News of a heal that is long over.
    LateReport { killed: bool },
    /// The end of a process is reported once more.
    LateExit,
    /// The machine sleeps.
    Sleep(Time),
    /// Somebody sets the clock.
    ClockStep(i64),
    /// The machine is off for so long.
    Reboot(Time),
    /// Lifeguard stands still.
    Standstill(Time),
    /// Lifeguard is killed, and started again after so long.
    Death { when: KillPoint, absence: Time },
    /// A channel fares so, for so long.
    Weather { channel: usize, weather: Weather, lasts: Time },
}

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ask {
    Restart { force: bool },
    Stop,
    Reset,
    Pause(Option<Time>),
    Resume,
    Probe,
}

impl Ask {
    /// The command; a pause ends on the wall clock.
    pub(crate) fn command(self, wall: i64) -> Command {
        match self {
            Self::Restart { force } => Command::Restart { force },
            Self::Stop => Command::Stop,
            Self::Reset => Command::Reset,
            Self::Pause(lasts) => Command::Pause { until: lasts.map(|lasts| wall + lasts) },
            Self::Resume => Command::Resume,
            Self::Probe => Command::Probe,
        }
    }
}

/// At which instant Lifeguard is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KillPoint {
    /// Between two steps.
    Idle,
    /// After the next step that has something to save, before it is saved.
    BeforeSave,
    /// After the next step that has something to save, before anything that it calls for is done.
    BeforeActions,
    /// After a channel's server has taken the next alert, before its receipt arrives.
    BeforeReceipt,
    /// After the next SIGKILL, before the news of it arrives.
    AfterKill,
}

/// A fault, when it comes, and to which gateway.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Planned {
    pub(crate) at: Time,
    pub(crate) gateway: usize,
    pub(crate) fault: Fault,
}

/// How one gateway is run.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    pub(crate) policy: Policy,
    pub(crate) flavour: Flavour,
    pub(crate) startup: Time,
    /// There are hosts that the configuration names.
    pub(crate) networked: bool,
    /// It runs when the history begins.
    pub(crate) runs: bool,
}

/// A whole history.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) faults: Vec<Planned>,
    /// When the faults end, and all is mended.
    pub(crate) length: Time,
    /// Nothing happens that is a reason to heal or to tell.
    pub(crate) calm: bool,
}

/// Hours of quiet at the end, in which everything must come back by itself: the longest distance of two trials, and
/// what proves health after it.
pub(crate) const AFTERMATH: Time = 9 * HOUR;

impl Plan {
    /// The history of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let calm = rng.u8(..10) == 0;
        let gateways: Vec<Gateway> = (0..*choice(&mut rng, &[1, 1, 2, 4])).map(|_| gateway(&mut rng, calm)).collect();
        let length = rng.i64(4..60) * HOUR;
        // From a fault every few seconds to one in half a day.
        let pace = [20 * SECOND, 3 * MINUTE, 15 * MINUTE, 90 * MINUTE, 8 * HOUR];
        let gap = *choice(&mut rng, &pace);
        let crowded = !calm && rng.bool();
        let favourites: Vec<u8> = (0..rng.u8(1..6)).map(|_| rng.u8(..FAMILIES)).collect();
        let mut faults = Vec::new();
        if crowded && rng.bool() {
            // Lifeguard is killed during the first start.
            let (at, gateway) = (rng.i64(0..20) * SECOND, rng.usize(..gateways.len()));
            faults.push(Planned { at, gateway, fault: Fault::Death { when: KillPoint::Idle, absence: SECOND } });
            let (at, family) = (at + SECOND + rng.i64(0..15 * SECOND), *choice(&mut rng, &UPON));
            faults.push(Planned { at, gateway, fault: fault(family, &mut rng) });
        }
        let mut at = 3 * MINUTE;
        loop {
            at += 1 + rng.i64(0..gap) + rng.i64(0..gap);
            if at >= length || faults.len() >= 600 {
                break;
            }
            let family = if calm { CALM[rng.usize(..CALM.len())] } else { *choice(&mut rng, &favourites) };
            let family = if !calm && rng.u8(..4) == 0 { rng.u8(..FAMILIES) } else { family };
            let gateway = rng.usize(..gateways.len());
            faults.push(Planned { at, gateway, fault: fault(family, &mut rng) });
            // One thing on top of another: a command during an attempt, an end during a pause.
            for _ in 0..if crowded { rng.usize(..4) } else { 0 } {
                let reach = *choice(&mut rng, &[SECOND, 20 * SECOND, 2 * MINUTE, 12 * MINUTE]);
                let (at, family) = (at + 1 + rng.i64(0..reach), *choice(&mut rng, &UPON));
                faults.push(Planned { at, gateway, fault: fault(family, &mut rng) });
                if family == COMMANDS {
                    let at = at + 1 + rng.i64(0..2 * SECOND);
                    faults.push(Planned { at, gateway, fault: fault(COMMANDS, &mut rng) });
                }
            }
        }
        let length = length.min(at + 2 * HOUR);
        if !calm {
            faults.extend(hangs_again(seed, gateways.len(), length));
            faults.extend(refused(seed, gateways.len(), length));
        }
        faults.retain(|planned: &Planned| planned.at < length);
        Self { seed, gateways, faults, length, calm }
    }

    /// Gateway-hours that it tells of.
    pub(crate) fn hours(&self) -> u64 {
        u64::try_from((self.length + AFTERMATH) / HOUR).unwrap_or(0) * self.gateways.len() as u64
    }
}

/// A gateway that hangs soon after each start, so that one SIGKILL follows the other, and Lifeguard is killed before the
/// news of the first arrives: too rare to be met by chance. Drawn apart from all else.
fn hangs_again(seed: u64, gateways: usize, length: Time) -> Vec<Planned> {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x4A46);
    if rng.u8(..4) > 0 {
        return Vec::new();
    }
    let (at, gateway) = (rng.i64(3 * MINUTE..length), rng.usize(..gateways));
    let ailment = Ailment::HangsAgain { after: rng.i64(8..30) * SECOND };
    let faults = [
        (0, Fault::Ill { ailment, lasts: rng.i64(5..30) * MINUTE, cured_by_end: false }),
        (1, Fault::Death { when: KillPoint::AfterKill, absence: rng.i64(0..4) * SECOND }),
        (1 + rng.i64(1..20) * SECOND, Fault::Asked(Ask::Restart { force: true })),
    ];
    faults.into_iter().map(|(later, fault)| Planned { at: at + later, gateway, fault }).collect()
}

/// A model whose provider refuses, and a person who tries to help it by a restart, in a pause or without one. Drawn apart
/// from all else.
fn refused(seed: u64, gateways: usize, length: Time) -> Vec<Planned> {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x4D52);
    if rng.u8(..3) > 0 {
        return Vec::new();
    }
    let (at, gateway) = (rng.i64(3 * MINUTE..length), rng.usize(..gateways));
    let lasts = rng.i64(10..90) * MINUTE;
    let mut faults = vec![(0, Fault::Ill { ailment: Ailment::ModelRefused, lasts, cured_by_end: false })];
    let asked = rng.i64(MINUTE..lasts);
    if rng.bool() {
        faults.push((asked, Fault::Asked(Ask::Pause(Some(10 * MINUTE)))));
    }
    faults.push((asked + SECOND, Fault::Asked(Ask::Restart { force: rng.bool() })));
    faults.into_iter().map(|(later, fault)| Planned { at: at + later, gateway, fault }).collect()
}

/// Distances of looks that a user may set, the default most often.
fn interval(rng: &mut fastrand::Rng) -> Duration {
    Duration::from_secs(*choice(rng, &[10, 10, 10, 20, 60, 120, 300, 300, 300, 300, 300, 300]))
}

fn gateway(rng: &mut fastrand::Rng, calm: bool) -> Gateway {
    let patience = Duration::from_secs(20);
    let managers = [
        Manager::Ourselves,
        Manager::Ourselves,
        Manager::ServiceManager { patience },
        Manager::ServiceManager { patience },
        Manager::Nobody { start_when_dead: true },
        Manager::Nobody { start_when_dead: false },
    ];
    let means = rng.u8(..3) == 0;
    let interval = interval(rng);
    let policy = Policy {
        manager: *choice(rng, &managers),
        probe_interval: interval,
        roll_back: means && rng.bool(),
        doctor: means && rng.bool(),
        hook: means && rng.bool(),
        ..Policy::default()
    };
    let flavour = *choice(rng, &[Flavour::Whole, Flavour::Whole, Flavour::Whole, Flavour::Plain, Flavour::Page]);
    Gateway { policy, flavour, startup: rng.i64(1..25) * SECOND, networked: rng.bool(), runs: calm || rng.u8(..8) > 0 }
}

/// Families of faults, so that a history has its favourites.
const FAMILIES: u8 = 16;
/// Families that come on top of another fault.
const UPON: [u8; 8] = [2, 4, 12, 12, COMMANDS, COMMANDS, COMMANDS, 15];
/// The family of what a person asks for.
const COMMANDS: u8 = 14;
/// Families that are no reason to heal or to tell.
const CALM: [u8; 4] = [0, 1, 2, 3];

#[expect(clippy::too_many_lines, reason = "one table")]
fn fault(family: u8, rng: &mut fastrand::Rng) -> Fault {
    let ill = |ailment, lasts, cured_by_end| Fault::Ill { ailment, lasts, cured_by_end };
    let short = rng.i64(1..20) * MINUTE / 2;
    let long = rng.i64(1..300) * MINUTE;
    let lasts = if rng.bool() { short } else { long };
    match family {
        0 => match rng.u8(..4) {
            0 => Fault::Sleep(rng.i64(1..60) * SECOND),
            1 => Fault::Sleep(rng.i64(1..5) * 24 * HOUR),
            2 => Fault::Standstill(rng.i64(1..3_000) * SECOND / 3),
            _ => Fault::Sleep(rng.i64(1..9) * HOUR),
        },
        1 => Fault::ClockStep(rng.i64(-100..100) * *choice(rng, &[MINUTE, HOUR, 24 * HOUR])),
        2 => Fault::Missed,
        3 => weather(rng, lasts),
        4 => Fault::End(exit(rng)),
        5 => {
            let lifetime = *choice(rng, &[100, SECOND, 20 * SECOND, 70 * SECOND, 6 * MINUTE, 12 * MINUTE, 31 * MINUTE]);
            ill(Ailment::ShortLife { lifetime, exit: exit(rng) }, long, false)
        }
        6 => {
            let ailments = [Ailment::Hung, Ailment::Failing, Ailment::NotLive, Ailment::Breaks, Ailment::Closed];
            ill(*choice(rng, &ailments), lasts, rng.u8(..3) > 0)
        }
        7 => {
            let ailments = [
                Ailment::NotReady { channel: true },
                Ailment::NotReady { channel: false },
                Ailment::ReadyHangs,
                Ailment::Suppressed,
                Ailment::Slow,
                Ailment::LoggedOut,
                Ailment::Silent,
                Ailment::ChannelDown,
                Ailment::Overdue,
                Ailment::Orphan,
            ];
            ill(*choice(rng, &ailments), lasts, rng.bool())
        }
        8 => match rng.u8(..5) {
            0 => ill(Ailment::Refuses, lasts, false),
            1 => ill(Ailment::StuckStart { listens: rng.bool() }, lasts, false),
            2 => ill(Ailment::Deaf, lasts, rng.bool()),
            3 => ill(Ailment::Busy(rng.i64(1..340) * SECOND), lasts, rng.bool()),
            _ => ill(Ailment::LongStart(rng.i64(1..600) * SECOND), lasts, false),
        },
        9 => match rng.u8(..5) {
            0 => ill(Ailment::Thief, lasts, false),
            1 => ill(Ailment::Leftover, lasts, false),
            2 => Fault::InProcess,
            3 => Fault::Interval(interval(rng)),
            _ => Fault::Edited,
        },
        10 => {
            let needs = [Need::Docker, Need::Network, Need::Disk, Need::Configuration, Need::Program];
            ill(Ailment::Lacks(*choice(rng, &needs)), lasts, false)
        }
        11 => match rng.u8(..7) {
            0 => ill(Ailment::ManagerLate(rng.i64(1..120) * SECOND), long, false),
            1 => ill(Ailment::ManagerAbsent, long, false),
            2 => ill(Ailment::ManagerGivesUp, long, false),
            3 => ill(Ailment::ManagerTwice, long, false),
            4 => ill(Ailment::Unloaded, lasts, false),
            5 => ill(Ailment::Disabled, lasts, false),
            _ => ill(Ailment::Uninstalled, lasts, false),
        },
        12 => match rng.u8(..10) {
            0 => ill(Ailment::HealFails, lasts, false),
            1 => ill(Ailment::HealSticks, lasts, false),
            2 => ill(Ailment::ProbeLost, short, false),
            3 => ill(Ailment::Blind, short, false),
            4 => ill(Ailment::Nothing, short, false),
            _ => {
                if rng.bool() {
                    Fault::LateExit
                } else {
                    Fault::LateReport { killed: rng.bool() }
                }
            }
        },
        13 => {
            let intents = [Intent::Stop, Intent::Restart, Intent::Update, Intent::Maintenance];
            if rng.u8(..4) == 0 {
                Fault::Started
            } else {
                {
                    let drains = (rng.u8(..3) == 0).then(|| rng.i64(1..340) * SECOND);
                    Fault::Deed { intent: *choice(rng, &intents), lasts, drains }
                }
            }
        }
        COMMANDS => match rng.u8(..9) {
            0 => Fault::Asked(Ask::Stop),
            1 => Fault::Asked(Ask::Reset),
            2 => Fault::Asked(Ask::Pause(rng.bool().then_some(short))),
            3 => Fault::Asked(Ask::Resume),
            4 => Fault::Asked(Ask::Probe),
            5 => ill(Ailment::Memory(rng.u64(1_500..2_800) << 20), lasts, true),
            6 => ill(Ailment::Leak(rng.u64(100..900) << 20), long, true),
            _ => Fault::Asked(Ask::Restart { force: rng.bool() }),
        },
        _ => match rng.u8(..7) {
            0 => Fault::Reboot(rng.i64(1..600) * MINUTE),
            n => {
                let points = [
                    KillPoint::Idle,
                    KillPoint::BeforeSave,
                    KillPoint::BeforeActions,
                    KillPoint::BeforeReceipt,
                    KillPoint::AfterKill,
                ];
                let absence = if rng.bool() { rng.i64(0..5) * SECOND } else { short };
                Fault::Death { when: points[usize::from(n) % points.len()], absence }
            }
        },
    }
}

fn weather(rng: &mut fastrand::Rng, lasts: Time) -> Fault {
    let weathers = [Weather::Away, Weather::CutAfterTaking, Weather::Parked, Weather::Asks, Weather::Deletes];
    Fault::Weather { channel: rng.usize(..2), weather: *choice(rng, &weathers), lasts }
}

fn exit(rng: &mut fastrand::Rng) -> Exit {
    let code = |code| Exit { code: Some(code), signal: None };
    let signal = |signal| Exit { code: None, signal: Some(signal) };
    *choice(rng, &[signal(9), signal(9), signal(11), code(1), code(0), code(78), code(143), Exit::default()])
}

fn choice<'a, T>(rng: &mut fastrand::Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}
