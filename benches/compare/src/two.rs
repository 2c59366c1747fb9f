//! Two nodes, one publisher: how many messages a second, if every one has to come.

use crate::Failure;
use crate::options::Options;
use crate::process::Process;
use crate::report::{Report, Target};
use crate::subjects::Side;

/// Bytes of a message, as the rows say.
const SIZES: [usize; 2] = [256, 1_024];

/// Messages under way of which the best is taken, for each side and size.
const WINDOWS: [usize; 7] = [128, 256, 512, 768, 1_024, 2_048, 3_072];

/// Messages a second that must go through.
const LEAST: f64 = 50_000.0;

/// Times libp2p's rate.
const LEAST_RATIO: f64 = 3.0;

/// How thoroughly it is measured.
#[derive(Debug, Clone, Copy)]
struct Effort {
    rounds: usize,
    millis: u64,
}

/// A pair of nodes, and what it did.
struct Pair {
    side: Side,
    process: Process,
    window: usize,
    size: usize,
    /// What each round was.
    rounds: Vec<Round>,
}

/// What one turn of a pair was.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// Messages a second; not a number if one did not come.
    rate: f64,
    /// Microseconds of processor time that one message took, at both ends together.
    cpu: f64,
}

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("two") {
        return Ok(());
    }
    let (rounds, millis) = if options.quick { (1, 500) } else { (5, 2_000) };
    for size in SIZES {
        compare(size, Effort { rounds, millis }, options, report)?;
    }
    Ok(())
}

fn compare(
    size: usize,
    effort: Effort,
    options: &Options,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut pairs = Vec::new();
    for side in [Side::Ours, Side::Theirs] {
        if options.has(side) {
            let mut pair = Pair::start(side, size)?;
            pair.choose_window(effort, report)?;
            pairs.push(pair);
        }
    }
    // The two take turns, so that what else the machine does concerns both.
    for _ in 0..effort.rounds {
        for pair in &mut pairs {
            let round = pair.round(effort.millis)?;
            pair.rounds.push(round);
        }
    }
    for pair in &pairs {
        pair.report(report);
    }
    if let [ours, theirs] = &pairs[..] {
        ratios(ours, theirs, report);
    }
    Ok(())
}

/// Round by round: the sides had the same machine.
fn ratios(ours: &Pair, theirs: &Pair, report: &mut Report) {
    let name = |what: &str| format!("two_{}B_{what}", ours.size);
    let rounds = || ours.rounds.iter().zip(&theirs.rounds);
    let rates = rounds().map(|(ours, theirs)| ours.rate / theirs.rate);
    let rates: Vec<_> = rates.collect();
    report.row(&name("ratio"), &rates, "x", Target::AtLeast(LEAST_RATIO));
    let cpu = rounds().map(|(ours, theirs)| theirs.cpu / ours.cpu);
    let cpu: Vec<_> = cpu.collect();
    report.row(&name("cpu_ratio"), &cpu, "x", Target::None);
}

impl Pair {
    fn start(side: Side, size: usize) -> Result<Self, Failure> {
        let (process, _) = Process::start(side, "pair", size)?;
        Ok(Self {
            side,
            process,
            window: 0,
            size,
            rounds: Vec::new(),
        })
    }

    /// Takes the number of messages under way at which most comes, up to the first at which something is
    /// lost.
    fn choose_window(&mut self, effort: Effort, report: &Report) -> Result<(), Failure> {
        let (mut best, mut tried) = ((0.0, WINDOWS[0]), Vec::new());
        for window in WINDOWS {
            self.window = window;
            // The first time fills caches.
            let first = self.round(effort.millis / 4)?.rate;
            let rate = self.round(effort.millis / 2)?.rate;
            if first.is_nan() || rate.is_nan() {
                tried.push(format!("{window}: lost some"));
                (self.process, _) = Process::start(self.side, "pair", self.size)?;
                break;
            }
            tried.push(format!("{window}: {rate:.0}/s"));
            if rate > best.0 {
                best = (rate, window);
            }
        }
        self.window = best.1;
        report.note(&format!(
            "{}, {} B, by messages under way: {}",
            self.side.name(),
            self.size,
            tried.join(", ")
        ));
        Ok(())
    }

    fn round(&mut self, millis: u64) -> Result<Round, Failure> {
        let before = self.cpu_seconds()?;
        let answer = self
            .process
            .ask(&format!("flood {} {millis}", self.window))?;
        let cpu = self.cpu_seconds()? - before;
        let mut parts = answer.split_whitespace().map(str::parse::<f64>);
        let mut next = || parts.next().ok_or("half an answer");
        let (published, came, seconds) = (next()??, next()??, next()??);
        let is_all = (published - came).abs() < 0.5;
        Ok(Round {
            rate: if is_all { came / seconds } else { f64::NAN },
            cpu: cpu * 1e6 / came,
        })
    }

    fn cpu_seconds(&mut self) -> Result<f64, Failure> {
        let used = self.process.ask("used")?;
        let (cpu, _) = used.split_once(' ').ok_or("half an answer")?;
        Ok(cpu.parse()?)
    }

    fn report(&self, report: &mut Report) {
        let name = format!("two_{}B_{}", self.size, self.side.name());
        let rates: Vec<_> = self.rounds.iter().map(|round| round.rate).collect();
        if rates.iter().any(|rate| rate.is_nan()) {
            report.failed(&name, "messages were lost");
        }
        let target = match self.side {
            Side::Ours => Target::AtLeast(LEAST),
            Side::Theirs => Target::None,
        };
        report.row(&name, &rates, "/s", target);
        let cpu: Vec<_> = self.rounds.iter().map(|round| round.cpu).collect();
        report.row(&format!("{name}_cpu"), &cpu, "us", Target::None);
    }
}
