//! The nodes that share a prefix of one length with this node.

use std::time::Duration;

use super::TableEntry;
use crate::discovery::config::K;
use crate::discovery::{Key, Scope};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::message::discovery::Contact;

/// Nodes that wait for a place: enough to replace half of a bucket that dies at once; the rest comes
/// with the next lookup.
const MAX_WAITING: usize = K / 2;

/// A node in the table.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) contact: Contact,
    pub(super) last_seen: Micros,
    pub(super) failures: u8,
    /// Whether any of its addresses, and whether all, are globally routable: looked at for every
    /// reply, and far away in memory.
    pub(super) is_public: bool,
    pub(super) is_all_public: bool,
    /// Smoothed round-trip time in microseconds; 0 if none was measured.
    rtt: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    entries: Vec<Entry>,
    /// The newest last.
    waiting: Vec<Entry>,
    /// When a lookup last went through it, if any did.
    looked_up: Option<Micros>,
}

impl Entry {
    pub(super) fn new(now: Micros, contact: Contact) -> Self {
        Self {
            is_public: Scope::Public.sees_any(&contact),
            is_all_public: Scope::Public.sees_all(&contact),
            contact,
            last_seen: now,
            failures: 0,
            rtt: 0,
        }
    }

    /// It is elsewhere now.
    pub(super) fn moved(&mut self, contact: Contact) {
        self.is_public = Scope::Public.sees_any(&contact);
        self.is_all_public = Scope::Public.sees_all(&contact);
        self.contact = contact;
    }

    /// What a peer of this scope is told of it.
    pub(super) fn told(&self, scope: Scope) -> Contact {
        let mut contact = self.contact.clone();
        if scope == Scope::Public && !self.is_all_public {
            scope.hide_others(&mut contact);
        }
        contact
    }

    /// It answered; the round-trip time is smoothed by an eighth (RFC 6298, section 2).
    pub(super) fn seen(&mut self, now: Micros, rtt: Option<Duration>) {
        self.last_seen = now;
        self.failures = 0;
        let Some(rtt) = rtt else { return };
        let sample = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX).max(1);
        self.rtt = match self.rtt {
            0 => sample,
            smoothed => smoothed - smoothed / 8 + sample / 8,
        };
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        (self.rtt > 0).then(|| Duration::from_micros(self.rtt.into()))
    }

    pub(super) fn show(&self, bucket: u32) -> TableEntry {
        TableEntry {
            contact: self.contact.clone(),
            last_seen: self.last_seen,
            failures: self.failures,
            rtt: self.rtt(),
            bucket,
        }
    }
}

impl Bucket {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// Those in their places and those that wait.
    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> + Clone {
        self.entries.iter().chain(&self.waiting)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().chain(&mut self.waiting)
    }

    pub(super) fn contacts(&self) -> impl Iterator<Item = &Contact> + Clone {
        self.entries.iter().map(|entry| &entry.contact)
    }

    /// Of those in their places and those that wait.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> + Clone + '_ {
        self.all().map(|entry| entry.contact.peer.into())
    }

    pub(super) fn find(&self, peer: &PeerId) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.contact.peer == *peer)
    }

    pub(super) fn find_mut(&mut self, peer: &PeerId) -> Option<&mut Entry> {
        let mut entries = self.entries.iter_mut();
        entries.find(|entry| entry.contact.peer == *peer)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    pub(super) fn remove(&mut self, peer: &PeerId) -> Option<Entry> {
        let mut entries = self.entries.iter();
        let index = entries.position(|entry| entry.contact.peer == *peer)?;
        Some(self.entries.swap_remove(index))
    }

    /// Lines a node up; the oldest that waits makes room.
    pub(super) fn wait(&mut self, entry: Entry) {
        self.forget_waiting(&entry.contact.peer);
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push(entry);
    }

    pub(super) fn forget_waiting(&mut self, peer: &PeerId) {
        self.waiting.retain(|entry| entry.contact.peer != *peer);
    }

    /// The newest that waits, and so answered most recently, of those that `may_follow`.
    pub(super) fn newest_waiting(&self, may_follow: impl Fn(&Entry) -> bool) -> Option<PeerId> {
        let newest = self.waiting.iter().rev().find(|entry| may_follow(entry))?;
        Some(newest.contact.peer)
    }

    pub(super) fn take_waiting(&mut self, peer: &PeerId) -> Option<Entry> {
        let mut waiting = self.waiting.iter();
        let index = waiting.position(|entry| entry.contact.peer == *peer)?;
        Some(self.waiting.remove(index))
    }

    /// Whether there is room in the list of those that wait.
    pub(super) fn lets_wait(&self) -> bool {
        self.waiting.len() < MAX_WAITING
    }

    /// The least recently seen node, if it was not seen for `age`.
    pub(super) fn to_probe(&self, now: Micros, age: Duration) -> Option<Contact> {
        let oldest = self.entries.iter().min_by_key(|entry| entry.last_seen)?;
        (now.since(oldest.last_seen) > age).then(|| oldest.contact.clone())
    }

    pub(super) fn is_stale(&self, now: Micros, age: Duration) -> bool {
        self.looked_up.is_none_or(|at| now.since(at) >= age)
    }

    pub(super) const fn looked_up(&mut self, now: Micros) {
        self.looked_up = Some(now);
    }
}
