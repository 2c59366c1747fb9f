//! Golden vectors in `wire-spec/vectors/`, for implementations in other languages.
//!
//! Each test builds the cases of one file, checks them against the decoders and compares the file.
//! The files of what rooms above compute are built there, with what is shared here.
//! A difference is an error; with `CRETO_BLESS=1` in the environment the file is rewritten.

mod addresses;
pub(crate) mod contacts;
pub(crate) mod discovery;
mod framing;
mod gossip_control;
mod gossip_large;
mod gossip_messages;
mod gossip_receiver;
mod gossip_stream;
mod messages;
mod names;
pub(crate) mod records;
mod registry;
mod signed;
mod spki;
mod texts;

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::wire::{ErrorCode, Violation};

/// One file of cases.
#[derive(Serialize)]
pub(crate) struct Vectors {
    /// What `hex` (or `text`) is, what `value` is, and how they belong together.
    description: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Value>,
    cases: Vec<Case>,
}

#[derive(Serialize)]
struct Case {
    name: String,
    #[serde(flatten)]
    input: Input,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    /// What is wrong, by the name that this implementation gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<String>,
    /// The answer that the input gets from a node, if it is something that one receives.
    #[serde(flatten)]
    answer: Option<Answer>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// The error code that ends the stream.
    Code(&'static str),
    /// The TLS alert that ends the handshake.
    Alert(&'static str),
}

/// Why an input is refused.
struct Refusal {
    violation: String,
    answer: Option<Answer>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Input {
    Hex(String),
    Text(String),
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// The name of an enum variant, without its named fields.
pub(crate) fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split(" {").next().unwrap().to_owned()
}

impl Vectors {
    pub(crate) const fn new(description: &'static str) -> Self {
        Self {
            description,
            rules: None,
            cases: Vec::new(),
        }
    }

    pub(crate) fn valid(&mut self, name: &str, bytes: &[u8], value: Value) {
        self.push(name, Input::Hex(hex(bytes)), Ok(value));
    }

    /// Bytes on a stream that are answered with the code of a violation.
    pub(crate) fn invalid(&mut self, name: &str, bytes: &[u8], violation: Violation) {
        let answer = Some(Answer::Code(violation.code().name()));
        self.refuse(name, Input::Hex(hex(bytes)), variant(&violation), answer);
    }

    /// Bytes on a stream that are answered with a code for what a protocol demands beyond the format.
    fn invalid_with(&mut self, name: &str, bytes: &[u8], fault: &str, code: ErrorCode) {
        let answer = Some(Answer::Code(code.name()));
        self.refuse(name, Input::Hex(hex(bytes)), fault.to_owned(), answer);
    }

    /// Bytes in a handshake that are answered with a TLS alert.
    fn invalid_in_tls(&mut self, name: &str, bytes: &[u8], error: &str, alert: &'static str) {
        let answer = Some(Answer::Alert(alert));
        self.refuse(name, Input::Hex(hex(bytes)), error.to_owned(), answer);
    }

    /// Bytes that no node receives as they stand.
    pub(crate) fn invalid_unsent(&mut self, name: &str, bytes: &[u8], error: String) {
        self.refuse(name, Input::Hex(hex(bytes)), error, None);
    }

    pub(crate) fn valid_text(&mut self, name: &str, text: &str, value: Value) {
        self.push(name, Input::Text(text.to_owned()), Ok(value));
    }

    fn invalid_text(&mut self, name: &str, text: &str, error: &impl std::fmt::Debug) {
        self.refuse(name, Input::Text(text.to_owned()), variant(error), None);
    }

    fn refuse(&mut self, name: &str, input: Input, violation: String, answer: Option<Answer>) {
        self.push(name, input, Err(Refusal { violation, answer }));
    }

    fn push(&mut self, name: &str, input: Input, verdict: Result<Value, Refusal>) {
        let name = name.to_owned();
        assert!(
            self.cases.iter().all(|case| case.name != name),
            "{name} is used twice"
        );
        let valid = verdict.is_ok();
        let (value, violation, answer) = match verdict {
            Ok(value) => (Some(value), None, None),
            Err(refusal) => (None, Some(refusal.violation), refusal.answer),
        };
        self.cases.push(Case {
            name,
            input,
            valid,
            value,
            violation,
            answer,
        });
    }

    /// Compares the cases with the file, or rewrites it.
    pub(crate) fn check(&self, file: &str) {
        assert!(!self.cases.is_empty());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire-spec/vectors");
        let path = folder.join(file);
        let text = serde_json::to_string_pretty(self).unwrap() + "\n";
        if std::env::var_os("CRETO_BLESS").is_some() {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(path, text).unwrap();
            return;
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        let line = golden
            .lines()
            .zip(text.lines())
            .position(|(old, new)| old != new);
        assert!(
            golden == text,
            "{file} differs, first in line {line:?} (0-based)"
        );
    }
}
