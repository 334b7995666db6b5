//! The dead-man's switch: the real program, and a monitor on this machine that writes down what it is asked for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/practice.rs"]
mod practice;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use gateway::wait_until;
use lifeguard_process::{QUICK, SOON, Watch, signal_gateway};
use rustix::process::Signal;

/// What was asked for so far.
type Asked = Arc<Mutex<Vec<String>>>;

/// A monitor, and its port.
fn monitor() -> (u16, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            while lines.next().is_some_and(|line| !line.is_empty()) {}
            log.lock().unwrap().push(request.split(' ').nth(1).unwrap_or_default().to_owned());
            // Whoever asked may have ended.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nOK");
        }
    });
    (port, asked)
}

#[test]
fn it_is_pinged_while_lifeguard_watches_and_told_of_a_heal() {
    let (port, asked) = monitor();
    let home = practice::home(&[]);
    let sections =
        format!("{QUICK}\n[deadman]\nurl = \"http://127.0.0.1:{port}/ping/secret-uuid\"\ninterval = \"200ms\"\n");
    let watch = Watch::new(&home, "child", &sections);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid.unwrap();
    let count = |path: &str| asked.lock().unwrap().iter().filter(|asked| *asked == path).count();
    assert!(wait_until(SOON, || count("/ping/secret-uuid") >= 3), "{:?}", asked.lock().unwrap());

    let starts = count("/ping/secret-uuid/start");
    signal_gateway(pid, Signal::KILL);
    assert!(wait_until(SOON, || count("/ping/secret-uuid/start") > starts), "{:?}", asked.lock().unwrap());
    assert_eq!(count("/ping/secret-uuid/fail"), 0);
    assert!(!watch.log().contains("secret-uuid"), "the address is a secret");

    // Silence is what tells of Lifeguard's own end.
    lifeguard.crash();
    let before = asked.lock().unwrap().len();
    assert!(!wait_until(std::time::Duration::from_secs(1), || asked.lock().unwrap().len() > before + 1));
}
