//! The practice gateway, and fault drills.
//!
//! [`practice`] imitates the OpenClaw gateway in a process of its own; [`faults`] makes it misbehave on request.

pub mod faults;
pub mod practice;
