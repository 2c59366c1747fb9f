//! Who names addresses at which somebody else answers.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros};

/// Wrong addresses, each in another network, before a teller is to blame. Whoever holds one network
/// can change identities there behind the back of honest tellers; for three it takes three.
const STRIKES: usize = 3;

/// A wrong address is forgotten after this long: over weeks everybody passes on some that went out of
/// date.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// Tellers that are watched: as many as a node asks in a busy minute.
const MAX_TELLERS: usize = 256;

/// Wrong addresses by teller, while there are fewer than [`STRIKES`].
#[derive(Debug, Clone, Default)]
pub(super) struct Liars(BTreeMap<PeerId, Vec<(IpGroup, Micros)>>);

impl Liars {
    /// At an address that `teller` named answered another peer. `true` if the teller is to blame.
    /// Addresses that are not globally routable are all one network.
    pub(super) fn caught(&mut self, now: Micros, teller: PeerId, group: IpGroup) -> bool {
        if self.0.len() >= MAX_TELLERS && !self.0.contains_key(&teller) {
            // Whichever makes room loses no more than a warning.
            self.0.pop_first();
        }
        let groups = self.0.entry(teller).or_default();
        groups.retain(|(known, at)| *known != group && now.since(*at) < REMEMBERED);
        groups.push((group, now));
        let is_to_blame = groups.len() >= STRIKES;
        if is_to_blame {
            self.0.remove(&teller);
        }
        is_to_blame
    }
}
