//! The places of all nodes of a table at one moment, to be compared with many keys.

use crate::discovery::Key;
use crate::identity::PeerId;

/// See the module. Places are told apart by their first 128 bits: two of a table that share so many are one
/// attacker's work of 2^128 keys.
#[derive(Debug, Clone)]
pub struct Overview(Vec<u128>);

impl Overview {
    pub(super) fn of<'a>(peers: impl Iterator<Item = &'a PeerId>) -> Self {
        Self(peers.map(|peer| leading(&(*peer).into())).collect())
    }

    /// Whether at least so many nodes are nearer to a key than a peer is.
    #[must_use]
    pub fn are_nearer(&self, count: usize, key: &Key, peer: &PeerId) -> bool {
        let key = leading(key);
        let distance = key ^ leading(&(*peer).into());
        let nearer = self.0.iter().filter(|place| *place ^ key < distance);
        nearer.take(count).count() == count
    }
}

fn leading(key: &Key) -> u128 {
    let (leading, _) = key.as_bytes().split_at(16);
    leading
        .iter()
        .fold(0, |number, byte| number << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::testing::{at, key, peer};

    #[test]
    fn as_many_are_nearer_as_the_metric_says() {
        let peers: Vec<_> = (0..30).map(peer).collect();
        let overview = Overview::of(peers.iter());
        for target in (100..130).map(key) {
            for asker in (0..40).map(peer) {
                let distance = target.distance(&asker.into());
                let nearer = peers
                    .iter()
                    .filter(|one| target.distance(&(**one).into()) < distance);
                let nearer = nearer.count();
                for count in [nearer.saturating_sub(1), nearer, nearer + 1] {
                    let found = overview.are_nearer(count, &target, &asker);
                    assert_eq!(found, nearer >= count, "{nearer} of {count}");
                }
            }
        }
        assert!(!overview.are_nearer(1, &key(3), &at(&key(3))));
    }
}
