use std::fmt;
use std::str::FromStr;

use cretoai_network::identity::PeerId;
use thiserror::Error;

/// Domain of the hash that names a vertex.
const ID_CONTEXT: &str = "creto demo 1 vertex";

/// Parents that a vertex may name: its author's last vertex and three of others keep a graph of
/// some nodes tightly woven.
pub(crate) const MAX_PARENTS: usize = 4;

/// Bytes of payload: a small transaction.
pub(crate) const PAYLOAD_BYTES: usize = 256;

/// Bytes of an id, and of a peer id.
const ID_BYTES: usize = 32;

/// Author, sequence number and number of parents.
const HEAD_BYTES: usize = ID_BYTES + 4 + 1;

/// Names a vertex: the hash of its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct VertexId([u8; ID_BYTES]);

/// One unit of the workload.
///
/// Encoded: author (32 bytes), sequence number (u32, little-endian), number of parents (u8), the
/// parents in ascending order (32 bytes each), 256 bytes of payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vertex {
    author: PeerId,
    sequence: u32,
    parents: Vec<VertexId>,
    payload: [u8; PAYLOAD_BYTES],
}

/// Why bytes are not a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum VertexError {
    #[error("the vertex has another length than its parents imply")]
    Length,
    #[error("the vertex names {0} parents, at most {MAX_PARENTS} are allowed")]
    TooManyParents(u8),
    #[error("the parents are not in ascending order")]
    ParentOrder,
}

/// The text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a vertex id is 64 hexadecimal digits")]
pub(crate) struct VertexIdTextError;

impl Vertex {
    /// A vertex on top of at most [`MAX_PARENTS`] parents; further ones are left out.
    pub(crate) fn new(
        author: PeerId,
        sequence: u32,
        mut parents: Vec<VertexId>,
        payload: [u8; PAYLOAD_BYTES],
    ) -> Self {
        parents.truncate(MAX_PARENTS);
        parents.sort_unstable();
        parents.dedup();
        Self {
            author,
            sequence,
            parents,
            payload,
        }
    }

    pub(crate) const fn author(&self) -> PeerId {
        self.author
    }

    pub(crate) fn parents(&self) -> &[VertexId] {
        &self.parents
    }

    pub(crate) fn id(&self) -> VertexId {
        VertexId(blake3::derive_key(ID_CONTEXT, &self.encode()))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let parents = self.parents.len();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + ID_BYTES * parents + PAYLOAD_BYTES);
        bytes.extend_from_slice(self.author.as_bytes());
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        // At most MAX_PARENTS.
        bytes.push(u8::try_from(parents).unwrap_or(u8::MAX));
        for parent in &self.parents {
            bytes.extend_from_slice(&parent.0);
        }
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Reads a vertex, and nothing behind it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, VertexError> {
        let (author, rest) = bytes.split_first_chunk().ok_or(VertexError::Length)?;
        let (sequence, rest) = rest.split_first_chunk().ok_or(VertexError::Length)?;
        let (&[count], mut rest) = rest.split_first_chunk().ok_or(VertexError::Length)?;
        if usize::from(count) > MAX_PARENTS {
            return Err(VertexError::TooManyParents(count));
        }
        let mut parents = Vec::with_capacity(count.into());
        for _ in 0..count {
            let (parent, behind) = rest.split_first_chunk().ok_or(VertexError::Length)?;
            parents.push(VertexId(*parent));
            rest = behind;
        }
        if !parents.is_sorted_by(|one, next| one < next) {
            return Err(VertexError::ParentOrder);
        }
        Ok(Self {
            author: PeerId::from_bytes(*author),
            sequence: u32::from_le_bytes(*sequence),
            parents,
            payload: rest.try_into().map_err(|_| VertexError::Length)?,
        })
    }
}

impl VertexId {
    pub(crate) const fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }
}

impl fmt::Display for VertexId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", blake3::Hash::from_bytes(self.0))
    }
}

impl FromStr for VertexId {
    type Err = VertexIdTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| VertexIdTextError)?;
        Ok(Self(*hash.as_bytes()))
    }
}
