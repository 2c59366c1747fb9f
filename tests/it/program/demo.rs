use serde_json::Value;

use super::process::{Running, run};

const ROWS: [&str; 11] = [
    "connect_p99_ms",
    "round_trip_p99_ms",
    "direct_msgs_per_s",
    "dag_vertices_lost",
    "gossip_delivered_pct",
    "gossip_p99_ms",
    "gossip_msgs_per_s",
    "bootstrap_s",
    "lookup_p95_ms",
    "peers_found_pct",
    "records_found_pct",
];

/// What is fast enough is for release builds to say: here the rows only have to be there.
#[test]
fn the_demo_prints_its_rows_as_json_and_loses_neither_vertices_nor_messages_nor_peers_nor_records()
{
    let few = ["--nodes", "3", "--discovery-nodes", "6", "--seed", "7"];
    let ended = run(&[&["demo", "--json", "--quick"], &few[..]].concat());
    let rows: Vec<Value> = ended
        .lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ROWS, "{}", ended.errors);
    for row in &rows {
        assert_eq!(row.as_object().unwrap().len(), 5);
        assert!(row["value"].is_number() && row["target"].is_number());
        assert!(row["unit"].is_string() && row["pass"].is_boolean());
    }
    assert_eq!(rows[3]["value"], 0);
    assert_eq!(rows[3]["pass"], true);
    assert_eq!(rows[4]["value"], 100.0, "every message comes to every node");
    assert_eq!(rows[9]["value"], 100.0, "every node finds every other");
    assert_eq!(rows[10]["value"], 100.0, "every record is found");
    let all_pass = rows.iter().all(|row| row["pass"] == true);
    assert_eq!(ended.status, Some(i32::from(!all_pass)));
}

#[test]
fn the_demo_prints_a_table_unless_told_otherwise() {
    let ended = run(&["demo", "--quick", "--nodes", "2", "--discovery-nodes", "3"]);
    for name in ROWS
        .into_iter()
        .chain(["name", "value", "unit", "target", "pass"])
    {
        assert!(ended.lines.iter().any(|line| line.contains(name)), "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_demo_leaves_no_process_behind() {
    use std::{fs, thread, time};

    let demo = Running::start(&["demo", "--nodes", "2"]);
    let deadline = time::Instant::now() + super::process::PATIENCE;
    let nodes = loop {
        let nodes = children_of(demo.id());
        if nodes.len() == 2 {
            break nodes;
        }
        assert!(time::Instant::now() < deadline, "the nodes do not start");
        thread::sleep(time::Duration::from_millis(5));
    };
    demo.signal("TERM");
    let ended = demo.end();
    assert_eq!(ended.status, Some(130), "{}", ended.errors);
    for node in nodes {
        assert!(fs::metadata(format!("/proc/{node}")).is_err());
    }
}

/// Processes whose parent is `parent`: the fourth field of `stat`, behind the name in parentheses.
#[cfg(target_os = "linux")]
fn children_of(parent: u32) -> Vec<u32> {
    let numbers = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse::<u32>().ok()
    });
    let is_child = |number: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let behind_name = stat.rsplit(") ").next().unwrap_or_default();
        behind_name.split(' ').nth(1) == Some(&parent.to_string())
    };
    numbers.filter(is_child).collect()
}
