//! Rows as a table or as JSON lines.

use super::Options;
use super::rounds::{Comparison, Sample};

/// Whether more of a value is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

/// The rows so far.
#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    /// In a smoke run ratios are printed and not judged: it is too short for them.
    judge_ratios: bool,
    failed: Vec<String>,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        if !options.json {
            println!(
                "{:<30} {:>11} {:>11} {:<7} {:>6} {:>13} {:>6}  cpu us and allocations an operation",
                "row", "ours", "raw quinn", "unit", "ratio", "quartiles", "target"
            );
        }
        Self {
            json: options.json,
            judge_ratios: !options.quick,
            failed: Vec::new(),
        }
    }

    /// A row that compares rates with plain quinn; `least` is the smallest ratio that passes.
    pub(crate) fn ratio(
        &mut self,
        name: &str,
        unit: &str,
        comparison: &Comparison,
        least: Option<f64>,
    ) {
        let value = |sample: &Sample| sample.value;
        let (ours, raw) = (comparison.ours(value).median, comparison.raw(value).median);
        let ratio = comparison.ratio(value);
        let cpu = |sample: &Sample| sample.cpu;
        let allocations = |sample: &Sample| sample.allocations;
        let pass = !self.judge_ratios || least.is_none_or(|least| ratio.median >= least);
        self.count(name, pass);
        if self.json {
            let row = serde_json::json!({
                "name": name, "value": ratio.median, "unit": "ratio", "target": least, "pass": pass,
                "ours": ours, "raw": raw, "of": unit, "low": ratio.low, "high": ratio.high,
                "cpu_ours_us": comparison.ours(cpu).median, "cpu_raw_us": comparison.raw(cpu).median,
            });
            println!("{row}");
            return;
        }
        let target = least.map_or_else(String::new, |least| format!("{least:.2}"));
        println!(
            "{name:<30} {ours:>11.0} {raw:>11.0} {unit:<7} {:>6.3} {:>13} {target:>6}  \
             {:.1}/{:.1} us, {:.1}/{:.1} {}",
            ratio.median,
            format!("{:.3}-{:.3}", ratio.low, ratio.high),
            comparison.ours(cpu).median,
            comparison.raw(cpu).median,
            comparison.ours(allocations).median,
            comparison.raw(allocations).median,
            verdict(pass),
        );
    }

    /// A row with a value of its own, judged in every run.
    pub(crate) fn value(
        &mut self,
        name: &str,
        unit: &str,
        value: f64,
        target: Option<(Better, f64)>,
    ) {
        let pass = target.is_none_or(|(better, target)| match better {
            Better::More => value >= target,
            Better::Less => value <= target,
        });
        self.count(name, pass);
        let bound = target.map(|(_, target)| target);
        if self.json {
            let row = serde_json::json!({
                "name": name, "value": value, "unit": unit, "target": bound, "pass": pass,
            });
            println!("{row}");
            return;
        }
        let bound = match target {
            None => String::new(),
            Some((Better::More, target)) => format!("at least {target}"),
            Some((Better::Less, target)) => format!("at most {target}"),
        };
        println!(
            "{name:<30} {value:>11.0} {:>11} {unit:<7} {bound}  {}",
            "",
            verdict(pass)
        );
    }

    pub(crate) fn passed(&self) -> bool {
        self.failed.is_empty()
    }

    pub(crate) fn finish(&self) {
        if !self.json && !self.passed() {
            println!("missed: {}", self.failed.join(", "));
        }
    }

    fn count(&mut self, name: &str, pass: bool) {
        if !pass {
            self.failed.push(name.to_owned());
        }
    }
}

fn verdict(pass: bool) -> &'static str {
    if pass { "" } else { "MISSED" }
}
