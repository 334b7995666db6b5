//! The pure core: observations and commands in, actions out. No I/O, no clock, no tokio.

pub mod breaker;
pub mod event;
pub mod incident;
pub mod ladder;
pub mod moment;
pub mod observation;
pub mod policy;
pub mod verdict;

/// The core of one gateway.
#[derive(Debug)]
pub struct Supervisor;
