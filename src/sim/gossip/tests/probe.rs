//! A machine that does nothing and remembers what it was told.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::gossip::TopicHash;
use crate::policy::Now;

/// What a probe was told, and when. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Rc<RefCell<Vec<(Micros, Input)>>>);

impl Log {
    pub(super) fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// What was told, as far as `of` has an opinion on it.
    pub(super) fn select<T>(&self, of: impl Fn(Micros, &Input) -> Option<T>) -> Vec<T> {
        let told = self.0.borrow();
        told.iter()
            .filter_map(|(at, input)| of(*at, input))
            .collect()
    }

    /// When frames came, and of how many bytes their bodies are.
    pub(super) fn frames(&self) -> Vec<(Micros, usize)> {
        self.select(|at, input| match input {
            Input::Frame { body, .. } => Some((at, body.len())),
            _ => None,
        })
    }

    /// When it was told that what it had sent to a neighbour is written.
    pub(super) fn written(&self) -> Vec<(Micros, Link)> {
        self.select(|at, input| match input {
            Input::Writable(link) => Some((at, *link)),
            _ => None,
        })
    }
}

#[derive(Debug)]
pub(super) struct Probe {
    log: Log,
    /// When it wants to be told the time: again and again, if it is told so.
    pub(super) timeout: Option<Micros>,
}

impl Probe {
    pub(super) fn new(log: &Log) -> Self {
        Self {
            log: log.clone(),
            timeout: None,
        }
    }

    /// One that wants to be told the time at this moment, for ever.
    pub(super) fn asking(log: &Log, at: Micros) -> Self {
        Self {
            timeout: Some(at),
            ..Self::new(log)
        }
    }
}

impl Machine for Probe {
    fn handle(&mut self, now: Now, input: Input) {
        self.log.0.borrow_mut().push((now.mono, input));
    }

    fn poll_output(&mut self) -> Option<Output> {
        None
    }

    fn poll_timeout(&self) -> Option<Micros> {
        self.timeout
    }

    fn mesh(&self, _: &TopicHash) -> Vec<Link> {
        Vec::new()
    }
}
