//! One measured figure, and how all of them are shown.

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::print_line;

/// One measured figure and what it must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Fixed: later versions are compared by it.
    pub(super) name: &'static str,
    pub(super) value: Value,
    pub(super) unit: Unit,
    pub(super) target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Value {
    Count(u64),
    Real(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
    Percent,
    MessagesPerSecond,
    Vertices,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    AtMost(u64),
    AtLeast(u64),
}

/// A row as a JSON line.
#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    value: Value,
    unit: &'static str,
    target: u64,
    pass: bool,
}

impl Row {
    pub(super) fn pass(&self) -> bool {
        let value = self.value.as_f64();
        match self.target {
            Target::AtMost(limit) => value <= Value::Count(limit).as_f64(),
            Target::AtLeast(limit) => value >= Value::Count(limit).as_f64(),
        }
    }

    fn line(&self) -> Line {
        let (Target::AtMost(target) | Target::AtLeast(target)) = self.target;
        Line {
            name: self.name,
            value: self.value,
            unit: self.unit.text(),
            target,
            pass: self.pass(),
        }
    }

    fn cells(&self) -> [String; 5] {
        let target = match self.target {
            Target::AtMost(limit) => format!("≤ {limit}"),
            Target::AtLeast(limit) => format!("≥ {limit}"),
        };
        let value = match self.value {
            Value::Count(count) => count.to_string(),
            Value::Real(value) => format!("{value:.3}"),
        };
        let pass = if self.pass() { "yes" } else { "NO" };
        let name = self.name.to_owned();
        let unit = self.unit.text().to_owned();
        [name, value, unit, target, pass.to_owned()]
    }
}

impl Value {
    #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn as_f64(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Real(value) => value,
        }
    }
}

impl Unit {
    const fn text(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Percent => "%",
            Self::MessagesPerSecond => "msg/s",
            Self::Vertices => "vertices",
        }
    }
}

/// Shows rows: as JSON lines when they come, as a table at the end.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    rows: Vec<Row>,
}

impl Report {
    pub(super) const fn new(json: bool) -> Self {
        let rows = Vec::new();
        Self { json, rows }
    }

    pub(super) fn add(&mut self, row: Row) -> Result<(), Failure> {
        if self.json {
            let line = serde_json::to_string(&row.line());
            print_line(line.map_err(|error| Failure::Output(error.into()))?)?;
        }
        self.rows.push(row);
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<(), Failure> {
        if self.json || self.rows.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .set_header(["name", "value", "unit", "target", "pass"])
            .add_rows(self.rows.iter().map(Row::cells));
        if let Some(values) = table.column_mut(1) {
            values.set_cell_alignment(CellAlignment::Right);
        }
        print_line(table)
    }

    pub(super) fn all_pass(&self) -> bool {
        self.rows.iter().all(Row::pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: u64, target: Target) -> Row {
        Row {
            name: "figure",
            value: Value::Count(value),
            unit: Unit::Vertices,
            target,
        }
    }

    #[test]
    fn a_target_is_met_up_to_its_bound_and_not_beyond() {
        for (value, at_most, at_least) in [(9, true, false), (10, true, true), (11, false, true)] {
            assert_eq!(row(value, Target::AtMost(10)).pass(), at_most);
            assert_eq!(row(value, Target::AtLeast(10)).pass(), at_least);
        }
    }

    #[test]
    fn a_figure_that_could_not_be_computed_passes_nothing() {
        for target in [Target::AtMost(10), Target::AtLeast(10)] {
            let value = Value::Real(f64::NAN);
            assert!(
                !Row {
                    value,
                    ..row(0, target)
                }
                .pass()
            );
        }
    }

    #[test]
    fn a_json_line_has_the_five_fields_in_their_order() {
        let line = serde_json::to_string(&row(0, Target::AtMost(0)).line()).unwrap();
        let expected = r#"{"name":"figure","value":0,"unit":"vertices","target":0,"pass":true}"#;
        assert_eq!(line, expected);
    }
}
