//! `lifeguard`: parse arguments, choose a mode, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    lifeguard::cli::run(std::env::args_os())
}
