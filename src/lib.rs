//! Lifeguard: a menu-bar guardian that watches, heals and reports on an OpenClaw gateway.
//!
//! `docs/architecture.md` draws the house. Data goes one way round: [`probe`] sees, [`supervisor`] decides,
//! [`engine`] lets [`service`] act and [`alert`] tell, and every view shows a [`snapshot`].

pub mod alert;
pub mod app;
pub mod check;
pub mod cli;
pub mod config;
pub mod control;
pub mod drill;
pub mod engine;
pub mod evidence;
pub mod guard;
pub mod history;
pub mod logs;
pub mod metrics;
pub mod platform;
pub mod probe;
pub mod redact;
pub mod request;
pub mod service;
pub mod snapshot;
pub mod supervisor;
pub mod text;
#[cfg(feature = "tray")]
pub mod tray;
pub mod web;
