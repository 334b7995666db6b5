//! The loopback server: the status page, `/metrics` and `/healthz`. It only looks; whoever can reach it can ask for
//! nothing but to see.
//!
//! `docs/page.md` has the requests.

mod guard;
mod live;
mod page;
mod past;
mod server;

use std::path::PathBuf;

pub use server::{BindError, WebServer};

use crate::text::Language;

/// What the page shows beside the pictures.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// The language of a page that asks for none.
    pub language: Language,
    /// Where evidence is stored.
    pub state_dir: PathBuf,
    /// Lines that the charts show.
    pub limits: Limits,
}

/// Where measured values begin to be too high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Limits {
    /// An answer that takes longer is slow, in microseconds.
    pub slow: u64,
    /// Memory worth knowing, in bytes.
    pub warning: u64,
    /// Memory worth a restart as soon as no work is in flight, in bytes.
    pub critical: u64,
    /// Memory at which a restart is due, in bytes.
    pub limit: u64,
}
