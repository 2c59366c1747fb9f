//! The workload: vertices that name their parents, and the graph that a node builds of them. Pure:
//! no clock, no socket, no task.

mod graph;
mod vertex;

#[cfg(test)]
mod tests;

pub(super) use graph::{Graph, Insertion, digest_of};
pub(super) use vertex::{MAX_PARENTS, PAYLOAD_BYTES, Vertex, VertexId};
