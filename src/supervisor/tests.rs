//! The core's rules, in virtual time, against a gateway of a few lines.

mod asked;
mod configuration;
mod invariants;
mod outages;
mod regressions;
mod simulated;
mod surroundings;
mod time;
mod world;
