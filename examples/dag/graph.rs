use std::collections::{BTreeMap, BTreeSet};

use super::vertex::{Reference, Vertex, VertexId};

/// Domain of the hash over all ids.
const DIGEST_CONTEXT: &str = "creto dag 1 graph";

/// Vertices that wait for an ancestor: more than the whole workload of 32 nodes in the demonstration,
/// and 16 MiB.
pub(crate) const MAX_WAITING: usize = 32_768;

/// The graph that a node has built: a vertex is held once all its parents are, and waits until then.
///
/// What is held is the ledger, which grows with what is said; when to prune it is for the system to say
/// that is built on it.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    held: BTreeMap<VertexId, Vertex>,
    /// Held vertices that no held vertex names, and their heights.
    tips: BTreeMap<VertexId, u32>,
    waiting: BTreeMap<VertexId, Waiting>,
    /// Who waits for whom, by the parent that is not held.
    wanted: BTreeMap<VertexId, Vec<VertexId>>,
}

#[derive(Debug)]
struct Waiting {
    vertex: Vertex,
    /// Parents that are not held, at least one.
    missing: usize,
}

/// What became of a vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Insertion {
    /// It is held, and with it so many that had waited for it.
    Held {
        /// Vertices held now that were not before.
        added: usize,
    },
    /// It waits; these parents are neither here nor asked for before.
    Waiting {
        /// What is to be fetched.
        fetch: Vec<VertexId>,
    },
    /// It was here already.
    Known,
    /// A parent does not stand where it says: nobody ever holds it.
    Refused,
    /// Too many wait; it has to come again.
    Full,
}

impl Graph {
    pub(crate) fn insert(&mut self, vertex: Vertex) -> Insertion {
        let id = vertex.id();
        if self.has(&id) {
            return Insertion::Known;
        }
        if self.contradicts(&vertex) {
            return Insertion::Refused;
        }
        let parents = vertex.parents().iter().map(|parent| parent.id);
        let missing: Vec<_> = parents
            .filter(|parent| !self.held.contains_key(parent))
            .collect();
        if !missing.is_empty() && self.waiting.len() >= MAX_WAITING {
            return Insertion::Full;
        }
        self.refuse_children(&vertex.reference());
        if missing.is_empty() {
            return Insertion::Held {
                added: self.hold(id, vertex),
            };
        }
        Insertion::Waiting {
            fetch: self.wait(id, vertex, &missing),
        }
    }

    /// Whether a vertex says of a parent that arrived that it stands somewhere else.
    pub(crate) fn contradicts(&self, vertex: &Vertex) -> bool {
        vertex.parents().iter().any(|parent| {
            let arrived = self.get(&parent.id);
            arrived.is_some_and(|arrived| arrived.height() != parent.height)
        })
    }

    /// A vertex cannot be had: what waits for it waits no more. Should it be named again, it is asked for
    /// again.
    pub(crate) fn give_up(&mut self, id: &VertexId) {
        if !self.has(id) {
            self.drop_all(self.wanted.get(id).cloned().unwrap_or_default());
        }
    }

    /// Whether the vertex arrived, be it that it waits for its ancestors.
    pub(crate) fn has(&self, id: &VertexId) -> bool {
        self.held.contains_key(id) || self.waiting.contains_key(id)
    }

    /// A vertex that arrived.
    pub(crate) fn get(&self, id: &VertexId) -> Option<&Vertex> {
        let waiting = || self.waiting.get(id).map(|waiting| &waiting.vertex);
        self.held.get(id).or_else(waiting)
    }

    /// Held vertices that nothing stands on yet, in the order of their ids.
    pub(crate) fn tips(&self) -> impl Iterator<Item = Reference> {
        let tips = self.tips.iter();
        tips.map(|(&id, &height)| Reference { id, height })
    }

    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// [`digest_of`] the vertices held.
    pub(crate) fn digest(&self) -> blake3::Hash {
        digest_of(self.held.keys().copied())
    }

    /// Holds a vertex, and all that waited for nothing else.
    fn hold(&mut self, id: VertexId, vertex: Vertex) -> usize {
        let before = self.held.len();
        let mut ready = vec![(id, vertex)];
        while let Some((id, vertex)) = ready.pop() {
            for parent in vertex.parents() {
                self.tips.remove(&parent.id);
            }
            self.tips.insert(id, vertex.height());
            self.held.insert(id, vertex);
            for child in self.wanted.remove(&id).unwrap_or_default() {
                ready.extend(self.parent_arrived(child));
            }
        }
        self.held.len() - before
    }

    /// Has a vertex wait; the parents that nobody waited for before, and that are not here.
    fn wait(&mut self, id: VertexId, vertex: Vertex, missing: &[VertexId]) -> Vec<VertexId> {
        let mut fetch = Vec::new();
        for parent in missing {
            if !self.waiting.contains_key(parent) && !self.wanted.contains_key(parent) {
                fetch.push(*parent);
            }
            self.wanted.entry(*parent).or_default().push(id);
        }
        let missing = missing.len();
        self.waiting.insert(id, Waiting { vertex, missing });
        fetch
    }

    /// One parent less is missing; the child, if it was the last one.
    fn parent_arrived(&mut self, child: VertexId) -> Option<(VertexId, Vertex)> {
        let waiting = self.waiting.get_mut(&child)?;
        waiting.missing -= 1;
        if waiting.missing > 0 {
            return None;
        }
        let waiting = self.waiting.remove(&child)?;
        Some((child, waiting.vertex))
    }

    /// A vertex arrived: those that wait for it and put it elsewhere are dropped.
    fn refuse_children(&mut self, arrived: &Reference) {
        let children = self.wanted.get(&arrived.id).into_iter().flatten();
        let is_true = |child: &VertexId| {
            let waiting = self.waiting.get(child);
            waiting.is_some_and(|waiting| waiting.vertex.parents().contains(arrived))
        };
        let refused = children.filter(|child| !is_true(child)).copied().collect();
        self.drop_all(refused);
    }

    /// Drops vertices that wait, and what waits for them.
    fn drop_all(&mut self, mut dropped: Vec<VertexId>) {
        while let Some(id) = dropped.pop() {
            let Some(Waiting { vertex, .. }) = self.waiting.remove(&id) else {
                continue;
            };
            for parent in vertex.parents() {
                let Some(children) = self.wanted.get_mut(&parent.id) else {
                    continue;
                };
                children.retain(|child| *child != id);
                if children.is_empty() {
                    self.wanted.remove(&parent.id);
                }
            }
            dropped.extend(self.wanted.get(&id).into_iter().flatten());
        }
    }
}

/// The hash over the sorted ids: equal for two nodes exactly if they hold the same vertices.
pub(crate) fn digest_of(ids: impl Iterator<Item = VertexId>) -> blake3::Hash {
    let sorted: BTreeSet<_> = ids.collect();
    let mut hasher = blake3::Hasher::new_derive_key(DIGEST_CONTEXT);
    for id in &sorted {
        hasher.update(id.as_bytes());
    }
    hasher.finalize()
}
