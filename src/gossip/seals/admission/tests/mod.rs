//! Tests of the room, by theme.

mod attacks;
mod bounds;
mod rules;
mod world;

use std::time::Duration;

use super::*;
use crate::gossip::seals::testing::{below, publisher, rng, seal_id};

const START: Micros = Micros(1_000_000);

fn after(micros: u64) -> Micros {
    START + Duration::from_micros(micros)
}

fn admission() -> Admission {
    Admission::new(AdmissionConfig::default(), START)
}

fn offer(admission: &mut Admission, now: Micros, link: u64, who: u64, seal: u64) -> Offer {
    admission.offer(now, Link(link), publisher(who), seal_id(seal))
}

/// All that may go now.
fn drain(admission: &mut Admission, now: Micros) -> Vec<Admitted> {
    std::iter::from_fn(|| admission.poll(now)).collect()
}

/// All that may go now, each with its verdict before the next.
fn verify_all(admission: &mut Admission, now: Micros) -> Vec<Admitted> {
    let mut verified = Vec::new();
    while let Some(admitted) = admission.poll(now) {
        admission.finished(now, &admitted.seal, Validity::Valid);
        verified.push(admitted);
    }
    verified
}

/// What must always hold within.
fn check(admission: &Admission) {
    let queues = admission.links.values();
    let queued: usize = queues.map(LinkQueue::waiting).sum();
    assert_eq!(queued, admission.queued);
    let by_seal = admission.waiting.values().map(|one| one.links.len());
    let by_seal: usize = by_seal.sum();
    assert_eq!(queued, by_seal);
    assert_eq!(admission.deadlines.len(), admission.waiting.len());
    let busy = admission.links.iter().filter(|(_, one)| one.waiting() > 0);
    let mut busy: Vec<_> = busy.map(|(link, _)| *link).collect();
    let mut turns: Vec<_> = admission.turns.iter().copied().collect();
    turns.sort();
    busy.sort();
    assert_eq!(turns, busy);
    assert!(admission.links.values().all(|one| !one.is_idle()));
    assert!(queued <= MAX_WAITING && admission.in_flight.len() <= MAX_IN_FLIGHT);
    assert!(admission.publishers.len() <= MAX_RATED);
}
