//! The progress bar of long steps: on standard error, and only when that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::no_length();
        // A template that cannot be read leaves the default style.
        if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:32} {human_pos}/{human_len}")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(super) fn begin(&self, what: &'static str, total: u64) {
        self.0.reset();
        self.0.set_message(what);
        self.0.set_length(total);
    }

    pub(super) fn set(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
