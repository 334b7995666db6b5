//! The command line.

use clap::{Parser, Subcommand};

use crate::drill::practice::PracticeOptions;

/// Guardian of an OpenClaw gateway.
#[derive(Debug, Parser)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The modes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Imitate an OpenClaw gateway.
    #[command(hide = true)]
    PracticeGateway(PracticeOptions),
}
