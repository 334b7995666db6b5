//! The drills on a practice gateway.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::course::{Course, Witness};
use super::place::{GATEWAY, LOOK, Place, Wishes};
use super::score::Score;
use crate::cli::context::{Context, Failure};
use crate::drill::exercise::Exercise;
use crate::drill::faults::Fault;
use crate::drill::receiver::Receiver;
use crate::guard::ConfigGuard;
use crate::platform::process::{self, ProcessKey, Signal};
use crate::snapshot::GatewaySnapshot;
use crate::supervisor::verdict::Health;
use crate::text::drill::DrillProblem;

/// Limit for each stretch of a drill. The longest takes about ten seconds.
const LIMIT: Duration = Duration::from_mins(1);

/// An answer that is later than this is slow (`Policy::slow_answer`: 2 s), and still in time for a patient probe.
const LATENCY: u64 = 2_100;

/// Memory that is taken at once, in MiB: more than the whole limit.
const LEAK: u32 = 500;

/// How often the port is tried that the gateway has just left.
const GRAB: Duration = Duration::from_millis(1);

impl Witness for Receiver {
    fn kinds(&self) -> Vec<String> {
        Self::kinds(self)
    }
}

/// Runs a drill from the start of its gateway to its score. What it started is still there afterwards.
pub(super) async fn run(place: &mut Place, exercise: Exercise, speaker: Option<&Context>) -> Result<Score, Failure> {
    let host = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(no_fault)?;
    let address = host.local_addr().map_err(no_fault)?;
    let wishes = Wishes {
        patient: exercise == Exercise::Slow,
        host: (exercise == Exercise::Dependency).then(|| address.to_string()),
        no_room: false,
    };
    place.start(&wishes)?;
    let mut before = place.wait_healthy().await?;
    if exercise == Exercise::Config {
        wait_guarded(place).await?;
    }
    if exercise == Exercise::Disk {
        // The gateway lives on, now looked after by a Lifeguard that finds too little room for it.
        place.crash().await?;
        place.start(&Wishes { no_room: true, ..wishes.clone() })?;
        before = place.wait_healthy().await?;
    }
    let gateway = place.gateway(before.pid)?;
    let witness: Arc<dyn Witness> = Arc::clone(&place.receiver) as _;
    let mut course = Course::begin(exercise, place.client()?, &before, witness, speaker)?;
    let kill = || process::signal(gateway, Signal::Kill).map_err(|error| DrillProblem::NoFault(error.to_string()));
    let old = before.pid;
    let told = match exercise {
        Exercise::Kill => {
            kill()?;
            mended(&mut course, old, exercise).await?
        }
        Exercise::Hang => {
            place.fault(&Fault::Hang).await?;
            mended(&mut course, old, exercise).await?
        }
        Exercise::Memory => {
            place.fault(&Fault::Leak { mebibytes: LEAK }).await?;
            mended(&mut course, old, exercise).await?
        }
        Exercise::Config => {
            std::fs::write(place.gateway_config(), "{ broken").map_err(no_fault)?;
            kill()?;
            mended(&mut course, old, exercise).await?
        }
        Exercise::Slow => {
            place.fault(&Fault::Slow { latency: LATENCY }).await?;
            if course.told(LIMIT, "degraded").await? {
                place.fault(&Fault::Clear).await?;
                course.lift()?;
            }
            // It is told of and not restarted: the process stays the same.
            mended(&mut course, None, exercise).await?
        }
        Exercise::Port => {
            kill()?;
            let stranger = grab(place.port).await?;
            if course.until(LIMIT, waits_for_a_person).await? {
                drop(stranger);
                course.lift()?;
            }
            mended(&mut course, old, exercise).await?
        }
        Exercise::Dependency => {
            drop(host);
            kill()?;
            let mut back = None;
            if course.until(LIMIT, waits_for_a_person).await? {
                back = Some(TcpListener::bind(address).map_err(no_fault)?);
                course.lift()?;
            }
            let told = mended(&mut course, old, exercise).await?;
            drop(back);
            told
        }
        Exercise::Webhook => {
            place.receiver.refuse(true);
            kill()?;
            let healed = course.recover(LIMIT, old).await?;
            let receiver = Arc::clone(&place.receiver);
            let refused = course.until(LIMIT, |_, _| receiver.refused() > 0).await?;
            place.receiver.refuse(false);
            course.lift()?;
            healed && refused && course.told(LIMIT, exercise.last_alert()).await?
        }
        Exercise::Disk => {
            kill()?;
            if course.until(LIMIT, waits_for_a_person).await? {
                wait_unlisted(gateway).await;
                place.crash().await?;
                place.start(&wishes)?;
                course.lift()?;
            }
            mended(&mut course, old, exercise).await?
        }
    };
    let rungs = place.heals(course.began_wall).into_iter().map(|heal| heal.rung).collect();
    course.score(rungs, told)
}

/// Whether Lifeguard has told, and leaves the gateway alone until something changes.
fn waits_for_a_person(gateway: &GatewaySnapshot, kinds: &[String]) -> bool {
    gateway.health == Health::Blocked && !kinds.is_empty()
}

/// Waits until the gateway is healthy again, in another process than `old`; whether the end was told.
async fn mended(course: &mut Course<'_>, old: Option<u32>, exercise: Exercise) -> Result<bool, Failure> {
    Ok(course.detect(LIMIT).await?
        && course.recover(LIMIT, old).await?
        && course.told(LIMIT, exercise.last_alert()).await?)
}

/// Waits until a copy of the good configuration is kept.
async fn wait_guarded(place: &Place) -> Result<(), Failure> {
    let guard = ConfigGuard::new(&place.state_dir(), GATEWAY, &place.gateway_config(), false);
    let end = Instant::now() + LIMIT;
    while guard.copies().is_empty() {
        if Instant::now() > end {
            return Err(DrillProblem::NoFault("no copy of the good configuration was taken".to_owned()).into());
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// Waits until the system has forgotten the gateway that was killed: it is nobody's child any more, and some systems
/// keep such a zombie for a while, which the next gateway takes for one that runs.
async fn wait_unlisted(gateway: ProcessKey) {
    let end = Instant::now() + LIMIT;
    while process::is_listed(gateway) && Instant::now() < end {
        sleep(LOOK).await;
    }
}

/// Takes the port that the gateway has just left, before the next one opens it.
async fn grab(port: u16) -> Result<TcpListener, Failure> {
    let end = Instant::now() + LIMIT;
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if Instant::now() > end => return Err(no_fault(error).into()),
            Err(_) => sleep(GRAB).await,
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn no_fault(cause: io::Error) -> DrillProblem {
    DrillProblem::NoFault(cause.to_string())
}
