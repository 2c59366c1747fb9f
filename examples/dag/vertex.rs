use std::fmt;
use std::str::FromStr;

use cretoai_network::identity::PeerId;
use thiserror::Error;

/// Domain of the hash that names a vertex.
const ID_CONTEXT: &str = "creto dag 1 vertex";

/// Parents that a vertex may name: its author's last vertex and three of others keep a graph of
/// some nodes tightly woven.
pub(crate) const MAX_PARENTS: usize = 4;

/// Bytes of payload: a small transaction.
pub(crate) const PAYLOAD_BYTES: usize = 256;

/// Bytes of an id, and of a peer id.
const ID_BYTES: usize = 32;

/// Names a vertex: the hash of its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct VertexId([u8; ID_BYTES]);

/// A vertex as those name it that stand on it. The height is said with the name, so that whoever reads a
/// vertex can check its height without its parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) id: VertexId,
    pub(crate) height: u32,
}

/// One unit of the workload.
///
/// Encoded: author (32 bytes), height (u32, little-endian), number of parents (u8), the parents in
/// ascending order of their ids (32 bytes and a u32 each), 256 bytes of payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vertex {
    author: PeerId,
    height: u32,
    parents: Vec<Reference>,
    payload: [u8; PAYLOAD_BYTES],
}

/// Why bytes are not a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum VertexError {
    #[error("the vertex has another length than its parents imply")]
    Length,
    #[error("the vertex names {0} parents, at most {MAX_PARENTS} are allowed")]
    TooManyParents(u8),
    #[error("the parents are not in ascending order, each once")]
    ParentOrder,
    #[error("the vertex stands at {is}, its parents put it at {expected:?}")]
    Height { is: u32, expected: Option<u32> },
}

/// The text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a vertex id is 64 hexadecimal digits")]
pub(crate) struct VertexIdTextError;

impl Vertex {
    /// A vertex on top of at most [`MAX_PARENTS`] parents; further ones are left out.
    pub(crate) fn new(
        author: PeerId,
        mut parents: Vec<Reference>,
        payload: [u8; PAYLOAD_BYTES],
    ) -> Self {
        parents.truncate(MAX_PARENTS);
        parents.sort_unstable_by_key(|parent| parent.id);
        parents.dedup_by_key(|parent| parent.id);
        Self {
            author,
            // Nobody builds so high.
            height: height_above(&parents).unwrap_or(u32::MAX),
            parents,
            payload,
        }
    }

    pub(crate) const fn author(&self) -> PeerId {
        self.author
    }

    pub(crate) const fn height(&self) -> u32 {
        self.height
    }

    pub(crate) fn parents(&self) -> &[Reference] {
        &self.parents
    }

    pub(crate) fn id(&self) -> VertexId {
        VertexId(blake3::derive_key(ID_CONTEXT, &self.encode()))
    }

    pub(crate) fn reference(&self) -> Reference {
        Reference {
            id: self.id(),
            height: self.height,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(self.author.as_bytes());
        bytes.extend_from_slice(&self.height.to_le_bytes());
        // At most MAX_PARENTS.
        bytes.push(u8::try_from(self.parents.len()).unwrap_or(u8::MAX));
        for parent in &self.parents {
            bytes.extend_from_slice(&parent.id.0);
            bytes.extend_from_slice(&parent.height.to_le_bytes());
        }
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Reads a vertex, and nothing behind it. Its parents are few, each named once, and it stands one above
    /// the highest of them, at 0 without any.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, VertexError> {
        let (author, rest) = bytes.split_first_chunk().ok_or(VertexError::Length)?;
        let (height, rest) = rest.split_first_chunk().ok_or(VertexError::Length)?;
        let (&[count], mut rest) = rest.split_first_chunk().ok_or(VertexError::Length)?;
        if usize::from(count) > MAX_PARENTS {
            return Err(VertexError::TooManyParents(count));
        }
        let mut parents = Vec::with_capacity(count.into());
        for _ in 0..count {
            let (id, behind) = rest.split_first_chunk().ok_or(VertexError::Length)?;
            let (height, behind) = behind.split_first_chunk().ok_or(VertexError::Length)?;
            parents.push(Reference {
                id: VertexId(*id),
                height: u32::from_le_bytes(*height),
            });
            rest = behind;
        }
        let vertex = Self {
            author: PeerId::from_bytes(*author),
            height: u32::from_le_bytes(*height),
            parents,
            payload: rest.try_into().map_err(|_| VertexError::Length)?,
        };
        vertex.check()?;
        Ok(vertex)
    }

    fn check(&self) -> Result<(), VertexError> {
        if !self.parents.is_sorted_by(|one, next| one.id < next.id) {
            return Err(VertexError::ParentOrder);
        }
        let (is, expected) = (self.height, height_above(&self.parents));
        if expected != Some(is) {
            return Err(VertexError::Height { is, expected });
        }
        Ok(())
    }
}

/// Where a vertex stands with these parents; nowhere above the highest number.
fn height_above(parents: &[Reference]) -> Option<u32> {
    let highest = parents.iter().map(|parent| parent.height).max();
    highest.map_or(Some(0), |highest| highest.checked_add(1))
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
