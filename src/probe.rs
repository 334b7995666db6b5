//! Looking: one file per thing that can be observed.

pub mod memory;
pub mod port;
pub mod process;
