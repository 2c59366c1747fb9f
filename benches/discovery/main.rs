//! What lookups, records and defences cost and achieve, in the scale simulator.

mod town;

use std::time::Instant;

fn main() {
    let n: u32 = std::env::args()
        .nth(1)
        .and_then(|a| a.parse().ok())
        .unwrap_or(1000);
    let start = Instant::now();
    let mut town = town::Town::build(1, n);
    eprintln!(
        "built {n} in {:?}, virtual {:?}",
        start.elapsed(),
        town.world.now()
    );
    let t = town.world.take_traffic();
    eprintln!("{t:?}");
    let sizes: Vec<f64> = town
        .nodes
        .iter()
        .map(|n| town.world.machine(*n).unwrap().network_size())
        .collect();
    let tables: Vec<usize> = town
        .nodes
        .iter()
        .map(|n| town.world.machine(*n).unwrap().table_len())
        .collect();
    let mut s = sizes.clone();
    s.sort_by(f64::total_cmp);
    eprintln!(
        "size estimates p1 {} p50 {} p99 {}; table mean {}",
        s[s.len() / 100],
        s[s.len() / 2],
        s[s.len() * 99 / 100],
        tables.iter().sum::<usize>() / tables.len()
    );
    let start = Instant::now();
    town.lookups(1000);
    eprintln!(
        "lookups {:?} {:?}",
        start.elapsed(),
        town.world.take_traffic()
    );
}
