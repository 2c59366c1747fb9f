//! Imports point down the floors of the house, never up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The floor of each room; see `docs/ARCHITECTURE.md`. A room may import its own floor and those
/// below it; rooms on one floor are listed with whom they may know.
const FLOORS: &[(&str, u8)] = &[
    ("crypto", 0),
    ("identity", 1),
    ("policy", 2),
    ("wire", 2),
    ("discovery", 3),
    ("gossip", 3),
    ("transport", 4),
    ("p2p", 5),
    ("services", 6),
    ("node", 7),
    ("sim", 8),
    ("bin", 9),
];

/// Imports between rooms of one floor.
const SIDEWAYS: &[(&str, &str)] = &[("wire", "policy")];

/// Rooms whose tests, and only those, run on the simulator above them.
const TESTED_ON_SIM: &[&str] = &["transport", "p2p", "services", "node"];

fn floors() -> BTreeMap<&'static str, u8> {
    FLOORS.iter().copied().collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Arrow {
    file: PathBuf,
    from: String,
    to: String,
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The rooms that a source text names: `crate::room`, `use crate::{room, …}`, and in the program
/// `cretoai_network::room`.
fn rooms_named(source: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for prefix in ["crate::", "cretoai_network::"] {
        for (at, _) in source.match_indices(prefix) {
            let rest = &source[at + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(list) => rooms.extend(first_segments(list)),
                None => rooms.push(identifier(rest)),
            }
        }
    }
    rooms
}

/// First path segments of the entries of `{a::b, c}`.
fn first_segments(list: &str) -> Vec<String> {
    let mut depth = 1;
    let mut segments = vec![identifier(list.trim_start())];
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => segments.push(identifier(list[at + 1..].trim_start())),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    segments
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path.file_name().is_some_and(|name| name == "tests.rs")
}

fn arrows_up(root: &Path) -> Vec<Arrow> {
    let floors = floors();
    let mut files = Vec::new();
    rust_files(root, &mut files);
    let mut arrows = Vec::new();
    for file in files {
        let relative = file.strip_prefix(root).unwrap();
        let from = relative
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        let Some(floor) = floors.get(from.as_str()) else {
            // lib.rs and main.rs see the whole house.
            assert_eq!(relative.components().count(), 1, "{from} is on no floor");
            continue;
        };
        for to in rooms_named(&fs::read_to_string(&file).unwrap()) {
            let Some(other) = floors.get(to.as_str()) else {
                continue;
            };
            let sideways =
                *other == *floor && to != from && !SIDEWAYS.contains(&(from.as_str(), to.as_str()));
            let on_sim = to == "sim" && TESTED_ON_SIM.contains(&from.as_str()) && is_test(&file);
            if (other > floor || sideways) && !on_sim {
                arrows.push(Arrow {
                    file: relative.to_owned(),
                    from: from.clone(),
                    to,
                });
            }
        }
    }
    arrows
}

#[test]
fn no_import_points_up() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(arrows_up(&root), []);
}

#[test]
fn an_import_that_points_up_is_found_in_every_form() {
    for source in [
        "use crate::node::P2PNode;",
        "use crate::{policy::Now, node};",
        "fn f() { crate::node::run() }",
        "use crate::{\n    wire::{Address, Frame},\n    node::P2PNode,\n};",
    ] {
        assert!(rooms_named(source).contains(&"node".to_owned()), "{source}");
    }
}

#[test]
fn an_arrow_up_fails_the_check() {
    let house = tempfile::tempdir().unwrap();
    let room = house.path().join("wire");
    fs::create_dir(&room).unwrap();
    fs::write(room.join("mod.rs"), "use crate::p2p::Swarm;").unwrap();
    let up = Arrow {
        file: "wire/mod.rs".into(),
        from: "wire".into(),
        to: "p2p".into(),
    };
    assert_eq!(arrows_up(house.path()), [up]);
}
