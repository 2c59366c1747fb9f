//! How long one message takes when nothing else is under way.

use std::thread::sleep;
use std::time::Duration;

use crate::Failure;
use crate::options::Options;
use crate::process::Process;
use crate::report::{Report, Target};
use crate::subjects::Side;

/// The shorter of the two lengths of `two`: signing is what differs.
const SIZE: usize = 256;

/// Between two messages: one always finds a token for its seal, of which there are 50 a second.
const PAUSE: Duration = Duration::from_millis(30);

/// Messages that are not counted.
const WARM_UP: usize = 10;

/// What ours may take beyond theirs: one signature, in milliseconds.
const SIGNATURE: f64 = 0.5;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("idle") {
        return Ok(());
    }
    let mut pairs = Vec::new();
    for side in [Side::Ours, Side::Theirs] {
        if options.has(side) {
            let (pair, _) = Process::start(side, "pair", SIZE)?;
            pairs.push((side, pair, Vec::new()));
        }
    }
    let messages = if options.quick { 50 } else { 500 };
    for number in 0..WARM_UP + messages {
        for (_, pair, millis) in &mut pairs {
            sleep(PAUSE);
            let micros: f64 = pair.ask("latency")?.parse()?;
            if number >= WARM_UP {
                millis.push(micros / 1e3);
            }
        }
    }
    let theirs = pairs.iter().find(|(side, ..)| *side == Side::Theirs);
    let theirs = theirs.map(|(_, _, millis)| at(millis, 50));
    for (side, _, millis) in &pairs {
        let target = match (side, theirs) {
            (Side::Ours, Some(theirs)) => Target::AtMost(theirs + SIGNATURE),
            _ => Target::None,
        };
        let name = |what: &str| format!("idle_{}_{what}", side.name());
        report.row(&name("p50"), &[at(millis, 50)], "ms", target);
        report.row(&name("p99"), &[at(millis, 99)], "ms", Target::None);
    }
    Ok(())
}

fn at(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
