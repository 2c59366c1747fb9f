//! How many nodes of one network are in the table.

use std::collections::BTreeMap;

use crate::policy::IpGroup;
use crate::wire::message::discovery::Contact;

/// Nodes of one IP group in a bucket: a tenth of it.
pub const MAX_GROUP_IN_BUCKET: usize = 2;

/// Nodes of one IP group in the table: a twentieth of a usual one of 200.
pub const MAX_GROUP_IN_TABLE: usize = 10;

/// Counts nodes by IP group. Addresses that are not globally routable have no group and no limit.
#[derive(Debug, Clone)]
pub(super) struct Groups(BTreeMap<IpGroup, usize>);

impl Groups {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether every group of `contact` has room for one more in the table and among `bucket`.
    pub(super) fn has_room<'a>(
        &self,
        contact: &Contact,
        bucket: impl Iterator<Item = &'a Contact>,
    ) -> bool {
        let groups = groups_of(contact);
        let in_table = |group| self.0.get(group).copied().unwrap_or(0);
        if groups
            .iter()
            .any(|group| in_table(group) >= MAX_GROUP_IN_TABLE)
        {
            return false;
        }
        let mut in_bucket = vec![0; groups.len()];
        for other in bucket {
            let others = groups_of(other);
            for (group, count) in groups.iter().zip(&mut in_bucket) {
                *count += usize::from(others.contains(group));
            }
        }
        in_bucket
            .into_iter()
            .all(|count| count < MAX_GROUP_IN_BUCKET)
    }

    pub(super) fn add(&mut self, contact: &Contact) {
        for group in groups_of(contact) {
            let count = self.0.entry(group).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn remove(&mut self, contact: &Contact) {
        for group in groups_of(contact) {
            let Some(count) = self.0.get_mut(&group) else {
                continue;
            };
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&group);
            }
        }
    }
}

/// The groups of a contact's addresses, each once. Behind a relay it is the relay's group: who holds
/// a relay's network can hold all that is behind it.
fn groups_of(contact: &Contact) -> Vec<IpGroup> {
    let sockets = contact.addresses.iter().filter_map(|one| one.socket_addr());
    let mut groups: Vec<_> = sockets
        .map(|socket| IpGroup::of(socket.ip()))
        .filter(|group| !group.is_local())
        .collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}
