//! One message: offers, questions and answers.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;

use super::{
    MILLISECOND, START, fetched, offered, offers, published, range, rng, takes_part, zeros,
};
use crate::crypto::CHUNK_BYTES;
use crate::gossip::Link;
use crate::gossip::large::Arrival;
use crate::gossip::large::transfer::{
    Lie, MAX_ASKED, MAX_ASKED_OF_LINK, OFFER, SLACK, Transfer, WINDOW,
};
use crate::policy::Micros;

const NEVER: Micros = Micros(0);

#[test]
fn each_chunk_is_offered_once_before_any_is_offered_twice() {
    let mut rng = rng(1);
    let (chunks, neighbours) = (20, 5);
    let mut transfer = published(chunks);
    (0..neighbours).for_each(|link| takes_part(&mut transfer, link));
    let news = transfer.tell(START, chunks.into(), &BTreeSet::new(), &mut rng);
    let told = offered(&news);
    let different: BTreeSet<_> = told.iter().map(|(_, index)| *index).collect();
    assert_eq!((told.len(), different.len()), (20, 20));
    for (link, told) in news {
        assert_eq!(told.offers.len(), 4, "{link:?}");
    }
    // And then everything to everybody, and nothing more.
    let told = offered(&transfer.tell(START, 1_000, &BTreeSet::new(), &mut rng));
    assert_eq!(told.len(), 80);
    assert!(
        transfer
            .tell(START, 1, &BTreeSet::new(), &mut rng)
            .is_empty()
    );
}

/// Who takes up what it is offered is offered more, and who does not gets no more than the others.
#[test]
fn attack_who_takes_up_nothing_is_not_offered_everything() {
    let mut rng = rng(2);
    let mut transfer = published(64);
    takes_part(&mut transfer, 0);
    takes_part(&mut transfer, 1);
    for _ in 0..16 {
        for (link, index) in offered(&transfer.tell(START, 2, &BTreeSet::new(), &mut rng)) {
            if link == 1 {
                offers(&mut transfer, 1, &[range(index, 1)]);
            }
        }
    }
    let told = offered(&transfer.tell(START, 1, &BTreeSet::new(), &mut rng));
    assert_eq!(told[0].0, 1);
    let (_, index) = told[0];
    assert!(transfer.give(START, Link(1), index).is_some());
}

#[test]
fn an_offer_is_open_until_it_is_taken_up_or_its_time_is_over() {
    let mut rng = rng(3);
    let mut transfer = published(8);
    takes_part(&mut transfer, 0);
    let told = offered(&transfer.tell(START, 3, &BTreeSet::new(), &mut rng));
    assert_eq!(transfer.open_offers(START), 3);
    let patience = OFFER * 10;
    assert_eq!(transfer.next(patience, START), Some(START + OFFER));
    offers(&mut transfer, 0, &[range(told[0].1, 1)]);
    assert_eq!(transfer.open_offers(START), 2);
    assert_eq!(transfer.open_offers(START + OFFER - MILLISECOND), 2);
    assert_eq!(transfer.open_offers(START + OFFER), 0);
    // It is good all the same.
    let late = START + OFFER * 5;
    assert!(transfer.give(late, Link(0), told[1].1).is_some());
}

/// Its question travels beside its stream, and may come behind what it says there.
#[test]
fn what_was_offered_with_the_header_is_given_to_who_says_later_that_it_takes_part() {
    let mut rng = rng(4);
    let mut transfer = published(8);
    transfer.meet(Link(0));
    let told = offered(&transfer.tell(START, 8, &BTreeSet::new(), &mut rng));
    assert_eq!(told.len(), 8);
    takes_part(&mut transfer, 0);
    for (_, index) in told {
        assert!(transfer.give(START, Link(0), index).is_some(), "{index}");
    }
}

/// It may have understood nothing of it; and one copy is one copy, however often it is offered.
#[test]
fn who_takes_part_is_told_all_anew_and_each_copy_counts_once() {
    let mut rng = rng(5);
    let mut drawn = BTreeSet::new();
    for _ in 0..32 {
        let mut transfer = published(2);
        transfer.meet(Link(0));
        assert_eq!(
            offered(&transfer.tell(START, 1, &BTreeSet::new(), &mut rng)).len(),
            1
        );
        takes_part(&mut transfer, 0);
        let again = transfer.tell(START, 2, &BTreeSet::new(), &mut rng);
        assert_eq!(offered(&again), [(0, 0), (0, 1)]);
        takes_part(&mut transfer, 1);
        drawn.extend(offered(&transfer.tell(
            START,
            1,
            &BTreeSet::new(),
            &mut rng,
        )));
    }
    // Both are equally rare.
    assert_eq!(Vec::from_iter(drawn), [(1, 0), (1, 1)]);
}

/// Asks as if there were no other message.
fn ask(
    transfer: &mut Transfer,
    now: Micros,
    late: Micros,
    room: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<(Link, u16)> {
    let asked = transfer.asked_by_link();
    let mut room_of = asked
        .map(|(link, asked)| (link, MAX_ASKED_OF_LINK.saturating_sub(asked)))
        .collect();
    transfer.ask(now, late, room, &mut room_of, rng)
}

/// Whoever offers all and gives nothing is not asked for more, however late it is.
#[test]
fn attack_one_neighbour_owes_sixteen_chunks_of_all_messages_at_most() {
    let mut rng = rng(15);
    for (of_others, expected) in [(0, 16), (15, 1), (16, 0), (17, 0)] {
        let mut transfer = fetched(100);
        offers(&mut transfer, 0, &[range(0, 100)]);
        let room = MAX_ASKED_OF_LINK.saturating_sub(of_others);
        let mut room_of = BTreeMap::from([(Link(0), room)]);
        let asked = transfer.ask(START, NEVER, 100, &mut room_of, &mut rng);
        assert_eq!(asked.len(), expected, "{of_others}");
        let later = START + MILLISECOND;
        let room = MAX_ASKED - transfer.asked_since(START);
        assert_eq!(room, MAX_ASKED, "what is late leaves room for others");
        assert_eq!(
            ask(&mut transfer, later, START, 100, &mut rng).len() + asked.len(),
            16
        );
    }
}

#[test]
fn the_rarest_chunk_is_asked_for_first() {
    let mut rng = rng(6);
    let mut transfer = fetched(4);
    offers(&mut transfer, 0, &[range(0, 4)]);
    let has = [range(0, 2), range(3, 1)];
    transfer.hear(Link(1), &has, &[]).unwrap();
    assert_eq!(
        ask(&mut transfer, START, NEVER, 1, &mut rng),
        [(Link(0), 2)]
    );
}

#[test]
fn one_neighbour_is_asked_for_a_few_chunks_at_once() {
    let mut rng = rng(7);
    let mut transfer = fetched(9);
    offers(&mut transfer, 0, &[range(0, 9)]);
    // So many others take part, and offer nothing, that each has the smallest share.
    (1..20).for_each(|link| transfer.meet(Link(link)));
    let asked = ask(&mut transfer, START, NEVER, 9, &mut rng);
    assert_eq!(asked.len(), WINDOW);
    assert_eq!(ask(&mut transfer, START, NEVER, 9, &mut rng), []);
    let (link, index) = asked[0];
    let after = transfer.answered(START + MILLISECOND, link, index);
    assert_eq!(after, Some(MILLISECOND));
    assert_eq!(ask(&mut transfer, START, NEVER, 9, &mut rng).len(), 1);
    assert_eq!(transfer.asked_since(NEVER), WINDOW);
}

#[test]
fn the_fewer_take_part_the_more_each_is_asked_for() {
    let mut rng = rng(8);
    for (neighbours, share) in [
        (1, MAX_ASKED_OF_LINK),
        (4, 16),
        (5, 12),
        (10, 6),
        (16, WINDOW),
        (40, WINDOW),
    ] {
        let mut transfer = fetched(100);
        (0..neighbours).for_each(|link| transfer.meet(Link(link)));
        offers(&mut transfer, 0, &[range(0, 100)]);
        let asked = ask(&mut transfer, START, NEVER, 100, &mut rng);
        assert_eq!(asked.len(), share, "{neighbours}");
    }
}

/// Who offers it need not wait for a question, and offers something else.
#[test]
fn an_offer_of_what_somebody_else_was_asked_for_is_declined() {
    let mut rng = rng(14);
    let mut transfer = fetched(2);
    offers(&mut transfer, 0, &[range(0, 1)]);
    assert_eq!(
        ask(&mut transfer, START, NEVER, 9, &mut rng),
        [(Link(0), 0)]
    );
    offers(&mut transfer, 1, &[range(0, 1)]);
    takes_part(&mut transfer, 2);
    let news = transfer.tell(START, 0, &BTreeSet::new(), &mut rng);
    let told: Vec<_> = news.iter().map(|(link, news)| (link.0, news.has)).collect();
    assert_eq!(told, [(1, [0].into_iter().collect())]);
    assert!(
        transfer
            .tell(START, 0, &BTreeSet::new(), &mut rng)
            .is_empty()
    );
    // It is asked all the same if the other one does not give it.
    transfer.answered(START, Link(0), 0);
    transfer.disappoint(Link(0), 0);
    assert_eq!(
        ask(&mut transfer, START, NEVER, 9, &mut rng),
        [(Link(1), 0)]
    );
}

#[test]
fn a_chunk_that_is_late_is_asked_of_somebody_else_once_each() {
    let mut rng = rng(8);
    let mut transfer = fetched(1);
    (0..3).for_each(|link| offers(&mut transfer, link, &[range(0, 1)]));
    let (mut asked, mut now) = (BTreeSet::new(), START);
    for _ in 0..3 {
        // Not before it is late.
        let before = Micros(now.0 - 1_001);
        assert!(asked.is_empty() || ask(&mut transfer, now, before, 9, &mut rng).is_empty());
        let asks = ask(&mut transfer, now, Micros(now.0 - 1), 9, &mut rng);
        assert_eq!(asks.len(), 1, "{asked:?}");
        assert!(asked.insert(asks[0].0));
        now = now + MILLISECOND;
    }
    assert_eq!(ask(&mut transfer, now, now, 9, &mut rng), []);
}

#[test]
fn what_a_lost_neighbour_was_asked_for_is_asked_of_others() {
    let mut rng = rng(9);
    let mut transfer = fetched(3);
    offers(&mut transfer, 0, &[range(0, 3)]);
    assert_eq!(ask(&mut transfer, START, NEVER, 9, &mut rng).len(), 3);
    offers(&mut transfer, 1, &[range(0, 3)]);
    assert_eq!(ask(&mut transfer, START, NEVER, 9, &mut rng), []);
    transfer.lose(Link(0));
    assert_eq!(transfer.asked_since(NEVER), 0);
    let asks = ask(&mut transfer, START, NEVER, 9, &mut rng);
    assert!(asks.len() == 3 && asks.iter().all(|(link, _)| *link == Link(1)));
}

#[test]
fn what_a_neighbour_does_not_give_is_asked_of_others_and_not_of_it_again() {
    let mut rng = rng(10);
    let mut transfer = fetched(1);
    offers(&mut transfer, 0, &[range(0, 1)]);
    assert_eq!(
        ask(&mut transfer, START, NEVER, 9, &mut rng),
        [(Link(0), 0)]
    );
    transfer.answered(START, Link(0), 0);
    transfer.disappoint(Link(0), 0);
    assert_eq!(ask(&mut transfer, START, START, 9, &mut rng), []);
    offers(&mut transfer, 1, &[range(0, 1)]);
    assert_eq!(
        ask(&mut transfer, START, NEVER, 9, &mut rng),
        [(Link(1), 0)]
    );
    // It offers it anew.
    transfer.answered(START, Link(1), 0);
    transfer.disappoint(Link(1), 0);
    offers(&mut transfer, 0, &[range(0, 1)]);
    assert_eq!(
        ask(&mut transfer, START, NEVER, 9, &mut rng),
        [(Link(0), 0)]
    );
}

#[test]
fn chunks_that_come_make_the_message_and_those_that_come_again_do_no_harm() {
    let mut transfer = fetched(3);
    let chunk = || zeros(1);
    let arrive = |transfer: &mut Transfer, index| transfer.arrive(START, index, chunk());
    assert_eq!(arrive(&mut transfer, 2), Arrival::New);
    assert_eq!(arrive(&mut transfer, 2), Arrival::Needless);
    let short = zeros(1).slice(1..);
    assert_eq!(transfer.arrive(START, 0, short), Arrival::Forged);
    assert_eq!(transfer.arrive(START, 3, chunk()), Arrival::Forged);
    assert_eq!(arrive(&mut transfer, 0), Arrival::New);
    let Arrival::Last(whole) = arrive(&mut transfer, 1) else {
        panic!("the last chunk completes it");
    };
    assert_eq!(whole.len(), 3 * CHUNK_BYTES);
    assert!(transfer.is_done());
    assert_eq!(arrive(&mut transfer, 1), Arrival::Needless);
}

#[test]
fn attack_nobody_is_given_what_it_was_not_offered_or_more_than_two_messages() {
    let mut rng = rng(11);
    let mut transfer = published(4);
    takes_part(&mut transfer, 0);
    assert_eq!(transfer.give(START, Link(0), 0), None);
    assert_eq!(transfer.give(START, Link(1), 0), None);
    assert_eq!(
        offered(&transfer.tell(START, 4, &BTreeSet::new(), &mut rng)).len(),
        4
    );
    let given = (0..100).filter(|_| transfer.give(START, Link(0), 3).is_some());
    assert_eq!(given.count(), 2 * 4 + SLACK);
    assert_eq!(transfer.give(START, Link(0), 4), None);
}

#[test]
fn attack_announcements_end_and_ranges_stay_within_the_message() {
    let mut transfer = fetched(3);
    let lie = transfer.hear(Link(0), &[range(0, 4)], &[]);
    assert_eq!(lie, Err(Lie::NoSuchChunk));
    let lie = transfer.hear(Link(0), &[], &[range(1, 0)]);
    assert_eq!(lie, Err(Lie::NoSuchChunk));
    for _ in 0..4 * 3 + SLACK {
        takes_part(&mut transfer, 0);
    }
    assert_eq!(transfer.hear(Link(0), &[], &[]), Err(Lie::TooMany));
    takes_part(&mut transfer, 1);
}

#[test]
fn a_neighbour_is_told_what_came_and_not_what_it_was_told_before() {
    let mut rng = rng(12);
    let mut transfer = fetched(3);
    takes_part(&mut transfer, 0);
    transfer.meet(Link(1));
    assert_eq!(transfer.tell(START, 0, &BTreeSet::new(), &mut rng).len(), 0);
    assert_eq!(transfer.arrive(START, 1, zeros(1)), Arrival::New);
    let news = transfer.tell(START, 0, &BTreeSet::new(), &mut rng);
    let told: Vec<_> = news.iter().map(|(link, news)| (link.0, news.has)).collect();
    // The other one has not said that it takes part.
    assert_eq!(told, [(0, [1].into_iter().collect())]);
    assert_eq!(transfer.tell(START, 0, &BTreeSet::new(), &mut rng).len(), 0);
}
