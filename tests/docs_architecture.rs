//! `docs/architecture.md` and the code say the same.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const DOCUMENT: &str = include_str!("../docs/architecture.md");

/// The rows of the first table below a heading whose head begins with `head`: the names in backticks, cell by cell.
fn rows(head: &str) -> Vec<Vec<Vec<&'static str>>> {
    let table = DOCUMENT.split(head).nth(1).unwrap_or_else(|| panic!("no table {head}"));
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names = |cell: &'static str| cell.split('`').skip(1).step_by(2).collect();
    lines.map(|line| line.trim_matches('|').split('|').map(names).collect()).collect()
}

/// Floor of each room, the lowest first.
fn floors() -> BTreeMap<&'static str, usize> {
    let rows = rows("| floor | rooms |");
    let count = rows.len();
    rows.into_iter()
        .enumerate()
        .flat_map(|(place, cells)| cells[1].clone().into_iter().map(move |room| (room, count - place)))
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn code() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn every_room_has_its_floor_and_its_line() {
    let library = std::fs::read_to_string(code().join("lib.rs")).unwrap();
    let rooms: BTreeSet<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(floors().into_keys().collect::<BTreeSet<_>>(), rooms);
    let described: BTreeSet<&str> = rows("| room | what lives there |").iter().map(|cells| cells[0][0]).collect();
    assert_eq!(described, rooms);
}

#[test]
fn a_room_imports_only_from_floors_below_its_own() {
    let floors = floors();
    let mut found = 0;
    for path in sources(&code()) {
        let place = path.strip_prefix(code()).unwrap().with_extension("");
        let room = place.iter().next().unwrap().to_str().unwrap().to_owned();
        let Some(floor) = floors.get(room.as_str()) else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("crate::{"), "{}: name each room in a line of its own", path.display());
        for rest in text.split("crate::").skip(1) {
            let name = rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap();
            let Some(other) = floors.get(name) else { continue };
            found += 1;
            assert!(name == room || other < floor, "{} imports {name}, which is not below {room}", path.display());
        }
    }
    assert!(found > 200, "only {found} imports were found");
}

#[test]
fn every_test_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [sources(&code()), sources(&root.join("tests"))].concat();
    let code: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let invariants = rows("| # | invariant | shown by |");
    assert_eq!(invariants.len(), 11);
    for cells in invariants {
        assert!(!cells[2].is_empty());
        for name in &cells[2] {
            assert!(code.contains(&format!("fn {name}(")), "there is no test {name}");
        }
    }
}
