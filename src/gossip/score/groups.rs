//! P6: how many links each network has.

use std::collections::BTreeMap;

use super::config::Colocation;
use crate::policy::IpGroup;

/// Links by group; bounded by the links. Those without a group are not counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups(BTreeMap<IpGroup, u32>);

impl Groups {
    pub(super) fn enter(&mut self, group: IpGroup) {
        if !group.is_local() {
            let links = self.0.entry(group).or_default();
            *links = links.saturating_add(1);
        }
    }

    pub(super) fn leave(&mut self, group: IpGroup) {
        let Some(links) = self.0.get_mut(&group) else {
            return;
        };
        *links = links.saturating_sub(1);
        if *links == 0 {
            self.0.remove(&group);
        }
    }

    /// P6 of each link of the group, with its weight.
    pub(super) fn penalty(&self, group: IpGroup, config: &Colocation) -> f64 {
        let links = self.0.get(&group).copied().unwrap_or(0);
        let surplus = f64::from(links.saturating_sub(config.threshold));
        config.weight * surplus * surplus
    }
}
