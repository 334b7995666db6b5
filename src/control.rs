//! The control socket: how the command line and a second Lifeguard talk to the one that runs.
//!
//! HTTP with JSON on a Unix socket that only its owner can open. `docs/cli.md` has the requests.

pub mod client;
pub mod instance;
pub mod protocol;
pub mod server;
