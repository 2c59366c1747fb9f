//! The two that are compared, and what the words of the command line select.

use std::path::PathBuf;
use std::process::Command;

use crate::Failure;
use crate::options::Options;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

impl Side {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Theirs => "theirs",
        }
    }

    /// Builds its nodes. Not together with those of the other side: cargo would join the features of what
    /// both depend on.
    pub(crate) fn build(self) -> Result<(), Failure> {
        if cfg!(debug_assertions) {
            return Err("run with --release".into());
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args([
            "build",
            "--release",
            "--quiet",
            "--package",
            &self.package(),
        ]);
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        match build.status()?.success() {
            true => Ok(()),
            false => Err(format!("{} does not build", self.package()).into()),
        }
    }

    /// Where its nodes are: beside this program.
    pub(crate) fn program(self) -> Result<PathBuf, Failure> {
        Ok(std::env::current_exe()?.with_file_name(self.package()))
    }

    fn package(self) -> String {
        format!("compare-{}", self.name())
    }

    fn of(word: &str) -> Option<Self> {
        let mut sides = [Self::Ours, Self::Theirs].into_iter();
        sides.find(|side| side.name() == word)
    }
}

impl Options {
    /// Whether rows of this subject were asked for: of all, if none is named.
    pub(crate) fn wants(&self, subject: &str) -> bool {
        let subjects = self.words.iter().filter(|word| Side::of(word).is_none());
        let subjects: Vec<_> = subjects.collect();
        subjects.is_empty() || subjects.iter().any(|word| *word == subject)
    }

    /// Whether a side takes part: both, if none is named.
    pub(crate) fn has(&self, side: Side) -> bool {
        let sides = self.words.iter().filter_map(|word| Side::of(word));
        let sides: Vec<_> = sides.collect();
        sides.is_empty() || sides.contains(&side)
    }
}
