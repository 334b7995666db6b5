//! A practice gateway for tests, in a process of its own.
#![allow(dead_code, reason = "each test file uses the part that it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

use lifeguard::drill::faults::{self, Fault};

use super::gateway::GatewayHome;

/// The program under test.
pub(crate) const LIFEGUARD: &str = env!("CARGO_BIN_EXE_lifeguard");

/// A home for a practice gateway that is quick to start; later `arguments` win over these.
pub(crate) fn home(arguments: &[&str]) -> GatewayHome {
    GatewayHome::new(&[], |home| {
        let mut command: Vec<String> =
            [LIFEGUARD, "practice-gateway", "--startup", "100ms", "--sidecars", "100ms"].map(str::to_owned).to_vec();
        command.extend(["--port".to_owned(), home.port.to_string()]);
        command.extend(["--state-dir".to_owned(), home.state_dir().display().to_string()]);
        command.extend(arguments.iter().map(|&argument| argument.to_owned()));
        command
    })
}

/// Asks the gateway in this home for a fault.
pub(crate) fn fault(home: &GatewayHome, fault: &Fault) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(faults::ask(&home.state_dir(), fault)).unwrap();
}
