//! The simulator: the unchanged core and the books of the alerts in virtual time, through histories full of faults.
//!
//! One seed is one history. `SIM_SEED=… cargo test --test sim replay -- --ignored --nocapture` tells one aloud.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that says what it found")]

#[path = "sim/auditor.rs"]
mod auditor;
#[path = "sim/channels.rs"]
mod channels;
#[path = "sim/checks.rs"]
mod checks;
#[path = "sim/clock.rs"]
mod clock;
#[path = "sim/coverage.rs"]
mod coverage;
#[path = "sim/gateway.rs"]
mod gateway;
#[path = "sim/plan.rs"]
mod plan;
#[path = "sim/service.rs"]
mod service;
#[path = "sim/world.rs"]
mod world;

use std::time::{Duration, Instant};

use coverage::Coverage;
use plan::Plan;
use world::{Failure, World};

/// Gateway-hours of an ordinary test run, unoptimised; `make sim` has its own number.
const HOURS: u64 = 350;

/// Gateway-hours after which all that is reachable must have been reached.
const TEST_SIZE: u64 = 100_000;

/// What this thread has had of a processor so far, where the system tells: the first number there, in nanoseconds.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn live(plan: &Plan, coverage: &mut Coverage) -> Result<u64, Failure> {
    World::new(plan, coverage, false).run()
}

/// The same history with as few faults as still break the same invariant.
fn shrunk(plan: &Plan, failure: &Failure) -> Plan {
    // The numbers in it may differ.
    let kind = |failure: &Failure| failure.invariant.replace(|letter: char| letter.is_ascii_digit(), "");
    let mut small = plan.clone();
    small.faults.retain(|planned| planned.at <= failure.at);
    let fails = |plan: &Plan| live(plan, &mut Coverage::new()).is_err_and(|other| kind(&other) == kind(failure));
    if !fails(&small) {
        return plan.clone();
    }
    let mut size = small.faults.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < small.faults.len() {
            let mut fewer = small.clone();
            fewer.faults.drain(from..(from + size).min(small.faults.len()));
            if fails(&fewer) {
                small = fewer;
            } else {
                from += size;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    small
}

fn explain(plan: &Plan, failure: &Failure) -> String {
    let small = if number("SIM_SHRINK") == Some(0) { plan.clone() } else { shrunk(plan, failure) };
    let faults: Vec<String> = small
        .faults
        .iter()
        .map(|planned| format!("  {:>12} ms  gateway {}  {:?}", planned.at, planned.gateway, planned.fault))
        .collect();
    format!(
        "seed {}: {} (at {} ms)\n{} of {} faults are enough:\n{}\nSIM_SEED={} cargo test --test sim replay -- --ignored --nocapture",
        plan.seed,
        failure.invariant,
        failure.at,
        small.faults.len(),
        plan.faults.len(),
        faults.join("\n"),
        plan.seed
    )
}

#[test]
fn every_history_keeps_the_invariants() {
    let wanted = number("SIM_HOURS").unwrap_or(HOURS);
    let first = number("SIM_FROM").unwrap_or(1);
    let began = Instant::now();
    let mut coverage = Coverage::new();
    let (mut hours, mut steps, mut faults, mut seed) = (0, 0, 0, first);
    let mut failures = Vec::new();
    while hours < wanted {
        let plan = Plan::of(seed);
        match live(&plan, &mut coverage) {
            Ok(count) => steps += count,
            Err(failure) => {
                let text = explain(&plan, &failure);
                println!("{text}");
                failures.push(text);
                if failures.len() as u64 >= number("SIM_FAILURES").unwrap_or(1) {
                    break;
                }
            }
        }
        hours += plan.hours();
        faults += plan.faults.len();
        seed += 1;
    }
    let report = coverage.report();
    let reachable = report.reached + report.missing.len();
    println!(
        "simulator: {hours} gateway-hours in {} histories, {faults} faults, {steps} steps, in {:.1} s{}",
        seed - first,
        began.elapsed().as_secs_f64(),
        processor_time().map_or_else(String::new, |time| format!(" ({:.1} s of one core)", time.as_secs_f64()))
    );
    println!("(verdict x health x event): {} of {reachable} reachable", report.reached);
    for (reason, count) in &report.unreachable {
        println!("  {count:>4} cannot come: {reason}");
    }
    if failures.is_empty() {
        report.missing.iter().for_each(|missing| println!("  not reached: {missing}"));
    }
    assert!(report.impossible.is_empty(), "these cannot come, and came: {:?}", report.impossible);
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    let complete = report.missing.is_empty() || wanted < TEST_SIZE;
    assert!(complete, "of what is reachable was not reached: {:?}", report.missing);
}

#[test]
#[ignore = "tells one history aloud: SIM_SEED=… cargo test --test sim replay -- --ignored --nocapture"]
fn replay() {
    let seed = number("SIM_SEED").expect("SIM_SEED names the history");
    let plan = Plan::of(seed);
    let mut coverage = Coverage::new();
    let small = match live(&plan, &mut coverage) {
        Ok(_) => {
            println!("seed {seed} breaks no invariant");
            return;
        }
        Err(failure) => {
            println!("{}", explain(&plan, &failure));
            shrunk(&plan, &failure)
        }
    };
    let failure = World::new(&small, &mut coverage, true).run();
    panic!("{failure:?}");
}
