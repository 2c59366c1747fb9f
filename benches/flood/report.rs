//! Rows as a table or as JSON lines.

/// What a row must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    const fn bound(self) -> f64 {
        match self {
            Self::AtLeast(bound) | Self::AtMost(bound) => bound,
        }
    }
}

/// Prints each row at once, and remembers whether all held.
#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    passed: bool,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        if !json {
            println!(
                "{:<36} {:>12} {:<5} {:>9}",
                "row", "value", "unit", "target"
            );
        }
        Self { json, passed: true }
    }

    /// A figure that is judged.
    pub(crate) fn row(&mut self, name: &str, value: f64, unit: &str, target: Target) {
        self.passed &= target.holds(value);
        self.print(name, value, unit, Some(target));
    }

    /// A figure for the reader.
    pub(crate) fn info(&mut self, name: &str, value: f64, unit: &str) {
        self.print(name, value, unit, None);
    }

    pub(crate) const fn passed(&self) -> bool {
        self.passed
    }

    fn print(&self, name: &str, value: f64, unit: &str, target: Option<Target>) {
        let pass = target.is_none_or(|target| target.holds(value));
        if self.json {
            let bound = target.map(Target::bound);
            let line = serde_json::json!({
                "name": name, "value": value, "unit": unit, "target": bound, "pass": pass,
            });
            println!("{line}");
            return;
        }
        let bound = match target {
            None => String::new(),
            Some(Target::AtLeast(least)) => format!(">= {least}"),
            Some(Target::AtMost(most)) => format!("<= {most}"),
        };
        let verdict = match (target, pass) {
            (None, _) => "",
            (Some(_), true) => "pass",
            (Some(_), false) => "FAIL",
        };
        println!("{name:<36} {value:>12.2} {unit:<5} {bound:>9} {verdict}");
    }
}
