//! Puts Lifeguard.app together, signs it, and reads it again: on macOS and on Linux.
//!
//! `build` takes one executable for each kind of machine and makes `Lifeguard.app` and a zip of it. `verify` trusts
//! nothing of that: it reads the app from the disk and compares it with what macOS asks for.

mod archive;
mod assemble;
mod icon;
mod layout;
mod sign;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Packs Lifeguard for macOS.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Makes Lifeguard.app and a zip of it.
    ///
    /// Signed ad hoc, or with a Developer ID: `LIFEGUARD_SIGN_P12` names the certificate with its key as a PKCS #12
    /// file, `LIFEGUARD_SIGN_PASSWORD_FILE` a file with its password. With `LIFEGUARD_NOTARY_KEY`, the JSON of an App
    /// Store Connect key, it is notarized and stapled too.
    Build {
        /// A Mach-O executable; one for each kind of machine.
        #[arg(long, required = true)]
        executable: Vec<PathBuf>,
        /// The folder that the app and the zip are put into.
        #[arg(long, default_value = "dist")]
        into: PathBuf,
    },
    /// Reads an app again, and the zip beside it; fails if anything is not as macOS wants it.
    Verify {
        /// The folder with the app and the zip.
        #[arg(long, default_value = "dist")]
        folder: PathBuf,
        /// Kinds of machine that must be in it: `arm64`, `x86_64`.
        #[arg(long, value_delimiter = ',', default_value = "arm64,x86_64")]
        machines: Vec<String>,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().verb {
        Verb::Build { executable, into } => {
            let source = layout::Source::find()?;
            let app = assemble::assemble(&source, &executable, &into)?;
            let identity = sign::Identity::of_environment()?;
            sign::sign(&app, &source.identifier()?, identity.as_ref())?;
            sign::notarize(&app)?;
            let archive = archive::pack(&app, &source.version)?;
            println!("{}\n{}", app.display(), archive.display());
            Ok(ExitCode::SUCCESS)
        }
        Verb::Verify { folder, machines } => {
            let report = verify::verify(&layout::Source::find()?, &folder, &machines);
            for fact in &report.facts {
                println!("{fact}");
            }
            for problem in &report.problems {
                eprintln!("problem: {problem}");
            }
            Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
