//! What a person does on purpose, and what the gateway needs and lacks: no outage, or one that waits.
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

use std::net::TcpListener;

use lifeguard::supervisor::verdict::{Health, Verdict};
use lifeguard_process::{DOWN, QUICK, RECOVERED, SOON, Watch, signal_gateway};
use rustix::process::Signal;

/// A headline.
const WAITS: &str = "OpenClaw gateway waits for something that is missing";

#[test]
fn a_stop_lasts_through_a_restart_of_lifeguard_until_a_start() {
    let home = practice::home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let first = lifeguard.wait_healthy(SOON);
    let stop = watch.run(&["stop"]);
    assert!(stop.status.success(), "{stop:?}");
    let said = String::from_utf8_lossy(&stop.stdout);
    assert!(said.contains("It is stopped, and stays so until you start it."), "{said}");
    let stopped = lifeguard.wait_health(SOON, Health::Stopped);
    assert_eq!((stopped.pid, &stopped.verdict), (None, &Verdict::Stopped));

    lifeguard.crash();
    let lifeguard = watch.start();
    let checked = lifeguard.wait_health(SOON, Health::Stopped).checked;
    lifeguard.wait(SOON, "another look", |gateway| gateway.checked > checked);
    assert_eq!(lifeguard.gateway().health, Health::Stopped);

    let start = watch.run(&["restart"]);
    assert!(start.status.success(), "{start:?}");
    let second = lifeguard.wait_healthy(SOON);
    assert!(second.pid.is_some() && second.pid != first.pid);
    assert!(!watch.headlines().contains(&DOWN.to_owned()), "{:?}", watch.headlines());
    assert_eq!(second.crashes, 0);
}

#[test]
fn an_outage_waits_for_a_host_that_the_gateway_needs_and_costs_nothing() {
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = host.local_addr().unwrap();
    let home = practice::home(&[]);
    let watch = Watch::new(&home, "child", &format!("{QUICK}\n[gateway.needs]\nhosts = [\"{address}\"]\n"));
    let lifeguard = watch.start();
    let first = lifeguard.wait_healthy(SOON);

    drop(host);
    signal_gateway(first.pid.unwrap(), Signal::KILL);
    let blocked = lifeguard.wait_health(SOON, Health::Blocked);
    watch.wait_told(SOON, &[DOWN, WAITS]);
    assert_eq!((blocked.crashes, blocked.pid), (0, None));
    let checked = blocked.checked;
    lifeguard.wait(SOON, "another look", |gateway| gateway.checked > checked);
    let text = watch.seen().messages[1]["embeds"][0]["description"].as_str().unwrap().to_owned();
    assert!(text.contains(&address.to_string()) && text.contains("goes on by itself"), "{text}");

    let _host = TcpListener::bind(address).unwrap();
    lifeguard.wait_healthy(SOON);
    watch.wait_told(SOON, &[DOWN, WAITS, RECOVERED]);
    assert_eq!(lifeguard.gateway().last_incident.unwrap().attempts, 1);
}

#[test]
fn a_stop_by_openclaws_own_command_is_no_outage() {
    let home = practice::home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let first = lifeguard.wait_healthy(SOON);
    let logs = home.state_dir().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    let stamp = jiff::Timestamp::now();
    let line = format!("[{stamp:.3}] openclaw gateway lifecycle source=cli action=stop mode=rpc pid=1 interactive=0\n");
    std::fs::write(logs.join("gateway-restart.log"), line).unwrap();
    signal_gateway(first.pid.unwrap(), Signal::TERM);
    let stopped = lifeguard.wait_health(SOON, Health::Stopped);
    assert_eq!(stopped.pid, None);
    for _ in 0..5 {
        let checked = lifeguard.gateway().checked;
        lifeguard.wait(SOON, "another look", |gateway| gateway.checked > checked);
    }
    assert_eq!((watch.heals(), lifeguard.gateway().health), (1, Health::Stopped), "{}", watch.log());
    assert!(watch.headlines().is_empty(), "{:?}", watch.headlines());
}
