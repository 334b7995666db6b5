//! The terminal's view: one line for each change.

use std::io::Write;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tokio::sync::watch;

use crate::snapshot::{GatewaySnapshot, Snapshot};
use crate::supervisor::verdict::Verdict;
use crate::text::ticker::Line;
use crate::text::{Language, Phrase};

/// Prints each change of a gateway's state, until the app ends.
pub(super) async fn follow(mut snapshots: watch::Receiver<Snapshot>, language: Language) -> std::io::Result<()> {
    let practice = snapshots.borrow().gateways.iter().any(|gateway| gateway.practice);
    say_line(&Line::Begin { practice }.say(language))?;
    let mut shown: Vec<String> = Vec::new();
    loop {
        let lines: Vec<(String, String)> = {
            let snapshot = snapshots.borrow_and_update();
            let known = |gateway: &&GatewaySnapshot| gateway.verdict != Verdict::Unknown(String::new());
            let looked_at = snapshot.gateways.iter().filter(known);
            looked_at.map(|gateway| (gateway.name.clone(), line(gateway, language))).collect()
        };
        for (index, (name, line)) in lines.iter().enumerate() {
            if shown.get(index) != Some(line) {
                say_line(&format!("{}  {name}: {line}", clock()))?;
            }
        }
        shown = lines.into_iter().map(|(_, line)| line).collect();
        if snapshots.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// Writes one line to the terminal.
pub(super) fn say_line(line: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

fn clock() -> String {
    Zoned::now().strftime("%H:%M:%S").to_string()
}

fn line(gateway: &GatewaySnapshot, language: Language) -> String {
    let next_attempt = gateway.next_attempt.and_then(|at| {
        let at = Timestamp::from_millisecond(at).ok()?;
        Some(at.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string())
    });
    let line = Line::State {
        health: gateway.health,
        verdict: gateway.verdict.clone(),
        practice: gateway.practice,
        address: gateway.address.clone(),
        service: gateway.service.clone(),
        pid: gateway.pid,
        crashes: (gateway.crashes, gateway.crash_limit),
        rung: gateway.heal.map(|heal| heal.rung),
        next_attempt,
        notice: gateway.notice.clone(),
    };
    line.say(language)
}
