//! The practice gateway, and fault drills.
//!
//! [`practice`] imitates the OpenClaw gateway in a process of its own; [`faults`] makes it misbehave on request.
//! [`exercise`] names the drills, and [`receiver`] takes the alerts that a drill causes.

pub mod exercise;
pub mod faults;
pub mod practice;
pub mod receiver;
