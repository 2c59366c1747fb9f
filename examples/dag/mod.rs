//! A small DAG consensus: every node makes vertices that stand on those it knows, and all nodes end with
//! the same graph.
//!
//! * A [`Vertex`] is named by the hash of its bytes and names its parents, so that nobody can change what
//!   others built on. It cannot name itself or what stands on it: that would take a collision.
//! * Vertices are broadcast by gossip, whose seals say who published them ([`Replica::publish`]).
//! * What a vertex stands on may be missing: that is asked for by request, peer by peer ([`Replica`]).
//! * [`judge`](rules::judge) says which vertices are passed on, and for which a neighbour is to blame.
//! * Copies agree if their [`digests`](digest_of) do.
//!
//! Who sent a vertex that came by request is not proven: it is there because a sealed vertex names it, and
//! who published that one vouches for it. A system that pays authors would sign each vertex.
//!
//! [`Graph`] and `judge` are pure. The demonstration of `creto` uses this very module.

mod graph;
mod replica;
mod rules;
mod vertex;
pub(crate) mod workload;

#[cfg(test)]
mod tests;

pub(crate) use graph::digest_of;
pub(crate) use replica::Replica;
pub(crate) use vertex::VertexId;

use graph::{Graph, Insertion};
use vertex::{MAX_PARENTS, PAYLOAD_BYTES, Reference, Vertex};
