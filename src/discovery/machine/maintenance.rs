//! What has to be done from time to time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rand_core::Rng;

use super::answer::group_of;
use super::core::Core;
use super::holding::Holding;
use super::io::Event;
use super::operation::{Operation, Refresh, Sweep, SweepItem};
use crate::discovery::Key;
use crate::discovery::region::share_of;
use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros};
use crate::wire::message::discovery::Contact;

/// How often buckets, entries and held records are looked at. All that is looked for is counted in
/// tens of minutes.
const TICK: Duration = Duration::from_secs(60);

/// A node that failed once is asked again after this: long enough for a restart, short enough that a
/// dead one does not keep its place.
const RECHECK: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Default)]
pub(super) struct Maintenance {
    tick: Option<Micros>,
    recheck: Option<Micros>,
    /// When this node last looked for its own place.
    placed: Option<Micros>,
}

impl Maintenance {
    /// When there is something to do.
    pub(super) fn next(&self, holding: &Holding) -> Option<Micros> {
        let due = holding.publications.next_due();
        [self.tick, self.recheck, due].into_iter().flatten().min()
    }

    /// Sets the clocks that an input may have made necessary.
    pub(super) fn arm(&mut self, core: &mut Core) {
        let now = core.now.mono;
        if self.tick.is_none() {
            // Spread, so that nodes that started together do not work together.
            let wait = core.rng.next_u64() % u64::try_from(TICK.as_micros()).unwrap_or(1);
            self.tick = Some(now + Duration::from_micros(wait));
        }
        if std::mem::take(&mut core.has_doubts) && self.recheck.is_none() {
            self.recheck = Some(now + RECHECK);
        }
    }

    /// Whether this node looks for its own place now. It entered without an estimate, and a crowd there may
    /// have kept it from its neighbours; the first estimate is of its own surroundings alone, and would
    /// take the crowd for the network.
    fn takes_its_place(&mut self, core: &Core) -> bool {
        let now = core.now.mono;
        let age = core.config.refresh;
        let is_due = self.placed.is_none_or(|at| now.since(at) >= age);
        let is_able = core.density().is_bounded() && !core.estimate.wants_sample(now);
        if is_due && is_able {
            self.placed = Some(now);
        }
        is_due && is_able
    }

    /// Does what is due; the operations that it takes are begun by the caller.
    pub(super) fn run(&mut self, core: &mut Core, holding: &mut Holding) -> Vec<Operation> {
        let now = core.now.mono;
        let mut begun = Vec::new();
        let mut items = own(core, holding);
        if self.recheck.is_some_and(|at| at <= now) {
            self.recheck = None;
            recheck(core, Duration::MAX);
        }
        if self.tick.is_some_and(|at| at <= now) {
            self.tick = Some(now + TICK);
            holding.store.expire(now);
            let age = core.config.refresh;
            recheck(core, age);
            let has_grown = core.estimate.has_grown();
            let stale = if has_grown { Duration::ZERO } else { age };
            let mut targets = core.table.refresh(now, stale, &mut core.rng);
            if core.estimate.wants_sample(now) {
                targets.push(Key::random(&mut core.rng));
            }
            if has_grown {
                self.placed = None;
            }
            if holding.serves && self.takes_its_place(core) {
                targets.push(core.key());
            }
            begun.extend(
                targets
                    .into_iter()
                    .map(|one| Operation::Refresh(Refresh::new(one))),
            );
            items.extend(held(core, holding));
        }
        if !items.is_empty() {
            begun.push(Operation::Sweep(Box::new(Sweep::new(items, 0))));
        }
        begun
    }
}

/// Asks nodes that failed, those not heard of for `age`, and newcomers that have not answered yet, for
/// a sign of life.
fn recheck(core: &mut Core, age: Duration) {
    for contact in core.table.doubtful(core.now.mono, age) {
        core.probe(contact);
    }
    let density = core.density();
    let newcomers = core.links.unproven();
    let newcomers = newcomers.filter(|one| core.table.wants(&one.peer, density));
    let newcomers: Vec<_> = newcomers.cloned().collect();
    // Of one network, which has few places, those come first that were asked least.
    let mut of_group: BTreeMap<IpGroup, VecDeque<Contact>> = BTreeMap::new();
    let mut least_asked: Vec<_> = newcomers.iter().collect();
    least_asked.sort_by_key(|one| core.links.missed_times(&one.peer));
    for contact in least_asked {
        let group = of_group.entry(group_of(contact)).or_default();
        group.push_back(contact.clone());
    }
    for place in newcomers {
        let group = of_group.get_mut(&group_of(&place));
        if let Some(contact) = group.and_then(VecDeque::pop_front)
            && core.probe_newcomer(contact)
        {
            core.links.had_turn(place.peer);
        }
    }
}

/// Own records that are to be stored again.
fn own(core: &mut Core, holding: &mut Holding) -> Vec<SweepItem> {
    let due = holding
        .publications
        .take_due(core.now, core.config.republish);
    for (kind, key) in due.ended {
        core.emit(Event::Expired { kind, key });
    }
    let item = |(key, record)| SweepItem {
        key,
        record,
        is_own: true,
    };
    due.again.into_iter().map(item).collect()
}

/// Records held for others that nobody stored again for a while. One of the holders does it for all:
/// the others see it and wait anew.
fn held(core: &Core, holding: &mut Holding) -> Vec<SweepItem> {
    let now = core.now.mono;
    let (local, repair) = (core.local, core.config.repair);
    let share = share_of(core.network_size());
    let here = core.key();
    let mut items = Vec::new();
    for held in holding.store.records_after(None, now) {
        let (key, round) = (held.key, held.last_stored);
        let is_due = now.since(round) >= patience(&local, &key, round, repair);
        if is_due && key.distance(&here).fraction() <= share {
            items.push(SweepItem {
                key,
                record: held.record,
                is_own: false,
            });
        }
    }
    for item in &items {
        holding
            .store
            .set_last_stored(item.record.kind, &item.key, now);
    }
    items
}

/// Between a half and one and a half of `repair`, different for each node, record and round.
fn patience(local: &PeerId, key: &Key, round: Micros, repair: Duration) -> Duration {
    let word = |bytes: &[u8; 32]| {
        let (first, _) = bytes.split_at(8);
        first
            .iter()
            .fold(0_u64, |word, byte| word << 8 | u64::from(*byte))
    };
    // The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every bit depends on every other.
    let mut mixed = word(local.as_bytes()) ^ word(key.as_bytes()).rotate_left(32) ^ round.0;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let thousandths = u32::try_from(500 + mixed % 1_001).unwrap_or(1_000);
    repair / 1_000 * thousandths
}
