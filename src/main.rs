//! `lifeguard`: parse arguments, choose a mode, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use lifeguard::cli::{Cli, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let Command::PracticeGateway(options) = Cli::parse().command;
    match lifeguard::drill::practice::run(options).await {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            tracing::error!(%error, "the practice gateway could not run");
            ExitCode::FAILURE
        }
    }
}
