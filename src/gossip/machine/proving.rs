//! From a message under a seal to a message that is proven, judged and passed on.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::outbox::Priority;
use super::parcel::{Content, Parcel};
use super::store::{Offered, State};
use super::{CheckId, Fault, Gossip, Link, Output, TopicHash, Verdict};
use crate::gossip::large::NotBegun;
use crate::gossip::replay::Judgement;
use crate::gossip::seals::{Offer, SealId, SharedSeal, Validity};
use crate::wire::message::gossip::MessageId;

/// Seals that wait for their verification, or are being verified.
#[derive(Debug, Default)]
pub(super) struct Checks {
    next: u64,
    under_way: BTreeMap<CheckId, SealId>,
    awaited: BTreeMap<SealId, Awaited>,
    /// Bytes of the messages of each neighbour that are not proven, also of those that are gone: what they brought is
    /// verified in its turn.
    unproven: BTreeMap<Link, usize>,
}

/// A seal, and what waits for it.
#[derive(Debug)]
struct Awaited {
    seal: SharedSeal,
    messages: Vec<MessageId>,
    /// Who brought it.
    from: Vec<Link>,
}

impl Checks {
    pub(super) fn wait(&mut self, seal: &SharedSeal, message: MessageId, link: Link) {
        let awaited = self.awaited.entry(seal.id()).or_insert_with(|| Awaited {
            seal: seal.clone(),
            messages: Vec::new(),
            from: Vec::new(),
        });
        if !awaited.messages.contains(&message) {
            awaited.messages.push(message);
        }
        if !awaited.from.contains(&link) {
            awaited.from.push(link);
        }
    }

    /// Bytes of messages of a neighbour that are not proven.
    pub(super) fn unproven(&self, link: Link) -> usize {
        self.unproven.get(&link).copied().unwrap_or(0)
    }

    pub(super) fn hold(&mut self, link: Link, bytes: usize) {
        *self.unproven.entry(link).or_default() += bytes;
    }

    fn release(&mut self, link: Link, bytes: usize) {
        if let Entry::Occupied(mut entry) = self.unproven.entry(link) {
            *entry.get_mut() = entry.get().saturating_sub(bytes);
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }

    fn take(&mut self, seal: &SealId) -> (Vec<MessageId>, Vec<Link>) {
        let awaited = self.awaited.remove(seal);
        awaited.map_or_else(Default::default, |one| (one.messages, one.from))
    }

    fn begin(&mut self, seal: SealId) -> CheckId {
        let id = CheckId(self.next);
        self.next += 1;
        self.under_way.insert(id, seal);
        id
    }
}

impl Gossip {
    /// A neighbour brought a seal that waits for its turn to be verified.
    pub(super) fn offer(&mut self, link: Link, seal: &SharedSeal) {
        let now = self.now.mono;
        let offer = self.admission.offer(now, link, seal.publisher(), seal.id());
        match offer {
            Offer::Waiting => {}
            Offer::InsteadOf(displaced) => self.give_up(&displaced),
            // It has its turn as what another neighbour brought.
            Offer::Full if self.admission.contains(&seal.id()) => {}
            Offer::Full => self.give_up(&seal.id()),
        }
    }

    /// Has seals verified whose turn it is, and forgets those that waited too long.
    pub(super) fn verify_waiting(&mut self) {
        let now = self.now.mono;
        while let Some(seal) = self.admission.expired(now) {
            self.give_up(&seal);
        }
        while let Some(admitted) = self.admission.poll(now) {
            let awaited = self.checks.awaited.get(&admitted.seal);
            match awaited.map(|awaited| awaited.seal.clone()) {
                Some(seal) if self.seals.begin(seal.clone()).is_ok() => {
                    let id = self.checks.begin(admitted.seal);
                    self.outputs.push_back(Output::Verify { id, seal });
                }
                // Nothing waits for it any more, or it cannot be verified now.
                _ => {
                    self.admission
                        .finished(now, &admitted.seal, Validity::Valid);
                    self.give_up(&admitted.seal);
                }
            }
        }
    }

    /// A seal over quota: nobody is to blame, and its messages may come again.
    pub(super) fn give_up(&mut self, seal: &SealId) {
        let (messages, _) = self.checks.take(seal);
        for id in messages {
            self.take_away(&id, seal);
            self.close_pull(&id);
        }
    }

    pub(super) fn verified(&mut self, id: CheckId, is_valid: bool) {
        let Some(seal) = self.checks.under_way.remove(&id) else {
            return;
        };
        let validity = if is_valid {
            Validity::Valid
        } else {
            Validity::Invalid
        };
        self.seals.finish(&seal, validity);
        self.admission.finished(self.now.mono, &seal, validity);
        let (messages, from) = self.checks.take(&seal);
        if !is_valid {
            return self.disprove(&messages, &seal, &from);
        }
        for id in messages {
            self.prove(&id, &seal);
        }
    }

    /// Whoever passed a seal on had to verify it: what else it brought is not looked at, also if it is gone. The messages
    /// may come with a true one, or have.
    pub(super) fn disprove(&mut self, messages: &[MessageId], seal: &SealId, from: &[Link]) {
        let mut topic = None;
        for id in messages {
            topic = self.take_away(id, seal).or(topic);
            self.pull_soon(*id);
        }
        for link in from {
            if let Some(topic) = topic {
                self.score.invalid(*link, topic);
            }
            self.fault(*link, Fault::InvalidSignature);
            for seal in self.admission.forget_link(*link) {
                self.give_up(&seal);
            }
        }
    }

    /// A message is not here under this seal any more; its topic.
    fn take_away(&mut self, id: &MessageId, seal: &SealId) -> Option<TopicHash> {
        let entry = self.store.get_mut(id)?;
        let State::Unproven(offered) = &mut entry.state else {
            return None;
        };
        let topic = offered.first().map(|one| one.parcel.topic);
        let gone = offered.extract_if(.., |one| one.seal() == Some(*seal));
        let gone: Vec<_> = gone.collect();
        if offered.is_empty() {
            let brought_by: Vec<_> = gone.iter().flat_map(|one| one.from.clone()).collect();
            self.store.lose(id, &brought_by);
        }
        self.release(&gone);
        topic
    }

    /// What is proven, or given up, does not count against who brought it.
    fn release(&mut self, offered: &[Offered]) {
        for one in offered {
            if let Some(first) = one.from.first() {
                self.checks.release(*first, one.parcel.cost());
            }
        }
    }

    /// A message is proven by this seal.
    pub(super) fn prove(&mut self, id: &MessageId, seal: &SealId) {
        let Some(State::Unproven(offered)) = self.store.get(id).map(|entry| &entry.state) else {
            return;
        };
        let proven = offered.iter().find(|one| one.seal() == Some(*seal));
        let Some((parcel, from)) = proven.map(|one| (one.parcel.clone(), one.from.clone())) else {
            return;
        };
        let proven = State::Waiting(parcel, from);
        if let Some(State::Unproven(offered)) = self.store.set(id, proven) {
            self.release(&offered);
        }
        self.proven(id);
    }

    /// A message whose publisher is proven, or that needs none.
    pub(super) fn proven(&mut self, id: &MessageId) {
        let Some(State::Waiting(parcel, from)) = self.store.get(id).map(|entry| &entry.state)
        else {
            return;
        };
        let (parcel, from) = (parcel.clone(), from.clone());
        let first = from.first().copied();
        let topic = self.topics.get(&parcel.topic);
        let options = topic.and_then(|topic| topic.subscription);
        let judged_for = first.filter(|_| options.is_some_and(|options| options.is_judged));
        if !self.is_fresh(&parcel) {
            self.store.set(id, State::Dropped);
            return;
        }
        let is_full = judged_for.is_some_and(|link| !self.judging.has_room(link));
        if is_full || !self.has_room_for(&parcel) {
            // It may come again, when the program has time for what this neighbour brings, or there is room.
            return self.forsake(id, &from);
        }
        if !self.is_within_rate(&parcel, first) {
            if parcel.proof.is_none() {
                // Another neighbour may have said less.
                return self.forsake(id, &from);
            }
            self.store.set(id, State::Dropped);
            return;
        }
        if judged_for.is_none() && !parcel.is_header() {
            self.remember(&parcel);
        }
        if let Some(topic) = self.topics.get_mut(&parcel.topic) {
            topic.sized(parcel.content.bytes());
        }
        let links = self.subscribers(&parcel.topic).to_vec();
        self.expect(&parcel, &links);
        self.learn(&parcel, &links);
        if let Some(link) = first {
            self.came_first(link, id);
        }
        match (options, judged_for) {
            (Some(_), Some(link)) => self.judge(link, *id),
            (Some(_), None) => self.accept(id),
            (None, _) => _ = self.store.set(id, State::Dropped),
        }
    }

    /// What becomes of a message that was judged.
    pub(super) fn decide(&mut self, id: &MessageId, verdict: Verdict) {
        let entry = self.store.get(id);
        if !entry.is_some_and(|entry| matches!(entry.state, State::Waiting(..))) {
            return self.judged_whole(id, verdict);
        }
        match verdict {
            Verdict::Accept => self.accept(id),
            Verdict::Ignore => {
                if let Some(State::Waiting(parcel, _)) = self.store.set(id, State::Dropped) {
                    self.remember(&parcel);
                }
            }
            Verdict::Reject => {
                if let Some(State::Waiting(parcel, from)) = self.store.set(id, State::Dropped) {
                    self.remember(&parcel);
                    for link in &from {
                        self.score.invalid(*link, parcel.topic);
                        self.fault(*link, Fault::Rejected);
                    }
                    self.store.set(id, State::Rejected(from));
                }
            }
        }
    }

    fn accept(&mut self, id: &MessageId) {
        let Some(State::Waiting(parcel, from)) = self.store.get(id).map(|entry| &entry.state)
        else {
            return;
        };
        let (parcel, from) = (parcel.clone(), from.clone());
        let first = from.first().copied();
        if let Content::Outline(outline) = &parcel.content {
            if !self.is_fresh(&parcel) {
                self.store.set(id, State::Dropped);
                return;
            }
            match self.carry(&parcel, outline) {
                Ok(()) => self.remember(&parcel),
                // It may come again, when there is room.
                Err(NotBegun::Full) => return self.forsake(id, &from),
                Err(NotBegun::Distrusted | NotBegun::Known) => {
                    self.remember(&parcel);
                    self.store.set(id, State::Dropped);
                    return;
                }
            }
        }
        self.store.set(id, State::Held(parcel.clone()));
        // Who brought it may be gone since.
        let present = first.filter(|link| self.neighbours.contains_key(link));
        if let Some(topic) = self.topics.get_mut(&parcel.topic) {
            topic.contributions.accept(present, self.now.mono);
        }
        if let Some(link) = first {
            self.score.first_delivery(link, parcel.topic);
            if let Some(neighbour) = self.neighbours.get_mut(&link) {
                neighbour.has_brought(self.now.mono);
            }
        }
        let message = parcel.message().map(Output::Deliver);
        self.outputs.extend(message);
        self.audit_members(&parcel, &from);
        self.pass_on(&parcel, Priority::Forwarded);
    }

    /// Whether nothing was heard under the counter of a proven message, and its time is right.
    pub(super) fn is_fresh(&mut self, parcel: &Parcel) -> bool {
        let judgement = self.judgement(parcel);
        if let Some(Judgement::CounterReused { other }) = judgement {
            self.tell_equivocation(parcel, &other);
        }
        matches!(judgement, None | Some(Judgement::Fresh))
    }

    /// A proven message finds no place for now. Whoever announces it next is asked for it.
    pub(super) fn forsake(&mut self, id: &MessageId, brought_by: &[Link]) {
        self.store.lose(id, brought_by);
        self.close_pull(id);
    }

    /// Nobody says anything else under the counter of this message. Done once it is clear that it does not come
    /// again: the program is asked, or a header is carried or refused.
    pub(super) fn remember(&mut self, parcel: &Parcel) {
        if let Some(proof) = &parcel.proof {
            self.replay.insert(self.now, &proof.listed);
        }
    }
}
