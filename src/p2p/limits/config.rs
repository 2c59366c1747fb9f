use serde::{Deserialize, Serialize};

use crate::p2p::bounds::{OutOfRange, check};

/// Limits on connections and handshakes. The number of peers is the node's `max_peers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Connections from one IP address; 1 to 65 535, default 32: an office behind one address.
    pub per_ip: u32,
    /// Connections from one IP group (/24 or /48), not below `per_ip`; 1 to 65 535, default 64: a
    /// quarter of the default `max_peers`, so that four networks are needed to crowd a node.
    pub per_group: u32,
    /// Unfinished incoming handshakes above which an address has to be proven with a Retry first;
    /// 0 to 1 024, default 64: what one core finishes in about 50 ms.
    pub retry_above: u32,
    /// Unfinished incoming handshakes in total, above `retry_above`; 1 to 1 024, default 512: 512
    /// times 61 KiB of a connection is 31 MiB, the most that a flood costs.
    pub unconfirmed: u32,
    /// Unfinished incoming handshakes of one IP group with proven addresses; 1 to 1 024, default 32.
    /// Of unproven ones half as many are accepted before Retry.
    pub unconfirmed_per_group: u32,
    /// Handshakes that an IP group may begin at once; 1 to 65 535, default 64.
    pub handshake_burst: u32,
    /// Handshakes a second that an IP group may begin after that; 1 to 65 535, default 16: 1 % of
    /// what one core accepts.
    pub handshakes_per_second: u32,
    /// Whether addresses that are not globally routable are limited, too, each address on its own;
    /// default no: a thousand nodes of a test live on one loopback address, and an attacker there is
    /// on the machine already.
    pub limit_local: bool,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            per_ip: 32,
            per_group: 64,
            retry_above: 64,
            unconfirmed: 512,
            unconfirmed_per_group: 32,
            handshake_burst: 64,
            handshakes_per_second: 16,
            limit_local: false,
        }
    }
}

impl LimitsConfig {
    /// Checks every field and their order.
    ///
    /// # Errors
    /// The first field out of its range.
    pub fn validate(&self) -> Result<(), OutOfRange> {
        const WIDE: u64 = 65_535;
        // quinn's own queue of incoming handshakes, above which it drops them.
        const MAX_INCOMING: u64 = 1_024;
        check("limits.per_ip", self.per_ip.into(), 1..=WIDE)?;
        check(
            "limits.per_group",
            self.per_group.into(),
            self.per_ip.into()..=WIDE,
        )?;
        check(
            "limits.unconfirmed",
            self.unconfirmed.into(),
            1..=MAX_INCOMING,
        )?;
        check(
            "limits.retry_above",
            self.retry_above.into(),
            0..=u64::from(self.unconfirmed) - 1,
        )?;
        let per_group = u64::from(self.unconfirmed_per_group);
        check(
            "limits.unconfirmed_per_group",
            per_group,
            1..=self.unconfirmed.into(),
        )?;
        check(
            "limits.handshake_burst",
            self.handshake_burst.into(),
            1..=WIDE,
        )?;
        check(
            "limits.handshakes_per_second",
            self.handshakes_per_second.into(),
            1..=WIDE,
        )
    }
}
