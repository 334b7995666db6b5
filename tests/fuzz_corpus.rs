//! What the fuzzer was given and what it has kept, run on the same functions: `make fuzz` says how more is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in tests a panic is the way to fail")]

#[path = "../fuzz/parsers.rs"]
mod parsers;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Limit for one input: none may hold up Lifeguard. Each takes well under a millisecond without the debugger's checks.
const LONGEST: Duration = Duration::from_secs(5);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_target_has_a_file_and_a_corpus_and_nothing_else_has() {
    let known: BTreeSet<String> = parsers::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("fuzz_targets")), known);
    assert_eq!(names(&folder("corpus")), known);
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for name in known {
        let file = fs::read_to_string(folder("fuzz_targets").join(&name).with_extension("rs")).unwrap();
        assert!(file.contains(&format!("run(\"{name}\", bytes)")), "{file}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no binary of the fuzzer's");
    }
}

#[test]
fn nothing_that_was_found_breaks_a_parser() {
    let mut all = 0;
    for (name, _) in parsers::TARGETS {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder("corpus").join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no seed");
        let mut longest = Duration::ZERO;
        for file in &files {
            let input = fs::read(file).unwrap();
            let began = Instant::now();
            let ended = std::panic::catch_unwind(|| parsers::run(name, &input));
            assert!(ended.is_ok(), "{} breaks {name}", file.display());
            longest = longest.max(began.elapsed());
        }
        assert!(longest < LONGEST, "an input of {name} took {longest:?}");
        all += files.len();
        println!("{name}: {} inputs, the slowest {longest:?}", files.len());
    }
    println!("{all} inputs for {} parsers", parsers::TARGETS.len());
}
