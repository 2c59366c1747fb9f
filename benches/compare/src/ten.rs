//! Ten nodes in ten processes, at a given rate: does all come to everybody, and what does it take?

use std::time::Duration;

use crate::Failure;
use crate::fleet::{Fleet, Used};
use crate::options::Options;
use crate::report::{Report, Target};
use crate::subjects::Side;

/// As the row says.
const NODES: usize = 10;

/// Bytes of a message, as the row says.
const SIZE: usize = 256;

/// Messages a second, of all publishers together.
const WANTED: f64 = 10_000.0;

/// The lowest rate that is tried.
const LOWEST: f64 = 100.0;

/// Rates that are tried between the first that works and its double: the rate is known to a quarter.
const BETWEEN: usize = 2;

/// What became of one rate.
#[derive(Debug)]
struct Run {
    /// Of all that had to come to somebody, in per cent.
    delivered: f64,
    /// What each process used meanwhile.
    used: Vec<Used>,
}

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("ten") {
        return Ok(());
    }
    let span = Duration::from_secs(if options.quick { 3 } else { 30 });
    for publishers in [1, NODES] {
        for side in [Side::Ours, Side::Theirs] {
            if options.has(side) {
                search(side, publishers, span, report)?;
            }
        }
    }
    Ok(())
}

/// What the highest rate takes at which every node delivers every message.
fn search(
    side: Side,
    publishers: usize,
    span: Duration,
    report: &mut Report,
) -> Result<(), Failure> {
    let name = |what: &str| format!("ten_{}_from_{publishers}_{what}", side.name());
    let mut works = |rate: f64| {
        // What fails at a rate that is too high is told, and the next one is tried.
        let told = match attempt(side, publishers, rate, span) {
            Ok(run) if run.is_good() => return Some(run),
            Ok(run) => format!("{:.3} % delivered", run.delivered),
            Err(error) => error.to_string(),
        };
        report.note(&format!("{}: {told}", name(&format!("at_{rate}"))));
        None
    };
    let Some((rate, run)) = highest(&mut works) else {
        report.failed(&name("rate"), "messages were lost at every rate");
        return Ok(());
    };
    let target = match side {
        Side::Ours => Target::AtLeast(WANTED),
        Side::Theirs => Target::None,
    };
    report.row(&name("rate"), &[rate], "/s", target);
    let cpu: Vec<_> = run.used.iter().map(|one| one.cpu_seconds).collect();
    let resident: Vec<_> = run.used.iter().map(|one| one.resident_mib).collect();
    report.row(&name("cpu_each"), &cpu, "s", Target::None);
    report.row(&name("resident_each"), &resident, "MiB", Target::None);
    let all: f64 = cpu.iter().sum();
    let deliveries = rate * span.as_secs_f64() * (NODES - 1) as f64;
    let each = all * 1e6 / deliveries;
    report.row(&name("cpu_a_delivery"), &[each], "us", Target::None);
    Ok(())
}

/// Halves the rate until it works, then looks between that one and the one before.
fn highest(works: &mut impl FnMut(f64) -> Option<Run>) -> Option<(f64, Run)> {
    let mut rate = WANTED;
    let mut best = loop {
        match works(rate) {
            Some(run) => break (rate, run),
            None => rate /= 2.0,
        }
        if rate < LOWEST {
            return None;
        }
    };
    if rate >= WANTED {
        return Some(best);
    }
    let mut step = rate;
    for _ in 0..BETWEEN {
        step /= 2.0;
        if let Some(run) = works(best.0 + step) {
            best = (best.0 + step, run);
        }
    }
    Some(best)
}

fn attempt(side: Side, publishers: usize, rate: f64, span: Duration) -> Result<Run, Failure> {
    let mut fleet = Fleet::start(side, NODES, SIZE)?;
    let before = fleet.used()?;
    let each = rate / publishers as f64;
    let messages = (each * span.as_secs_f64()) as u64;
    fleet.publish(publishers, messages, each)?;
    let wanted = messages * (publishers * (NODES - 1)) as u64;
    let came = fleet.wait_for(wanted)?;
    let after = fleet.used()?;
    let used = before.iter().zip(after).map(|(before, after)| Used {
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        resident_mib: after.resident_mib,
    });
    Ok(Run {
        delivered: came as f64 * 100.0 / wanted as f64,
        used: used.collect(),
    })
}

impl Run {
    fn is_good(&self) -> bool {
        // All, and no more: what a node says itself does not come to it.
        (self.delivered - 100.0).abs() < f64::EPSILON
    }
}
