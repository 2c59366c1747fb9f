//! All messages together: what is offered, asked for and waited for at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{
    MILLISECOND, START, id, of_publisher, offered, offers, outline, range, rng, takes_part,
    transfers, zeros,
};
use crate::gossip::Link;
use crate::gossip::large::Outline;
use crate::gossip::large::transfer::{MAX_ASKED, MAX_ASKED_OF_LINK, OFFER, WINDOW};
use crate::gossip::large::transfers::{CHUNK_DEADLINE, FIRST_PATIENCE, MAX_OFFERS};
use crate::wire::message::gossip::MAX_DATA;

#[test]
fn no_more_than_48_offers_are_open_over_all_messages() {
    assert_eq!(MAX_OFFERS, 48);
    let mut rng = rng(20);
    let mut all = transfers();
    for number in 0..2 {
        let (outline, data) = (outline(40), zeros(40));
        let transfer = all.publish(START, id(number), of_publisher(0), &outline, &data);
        let transfer = transfer.unwrap();
        takes_part(transfer, 0);
        takes_part(transfer, 1);
    }
    let mut poll = |all: &mut super::Transfers, now| {
        let (_, news) = all.poll(now, &mut rng);
        let news = news.iter().map(|(link, _, news)| (link, news));
        offered(news)
    };
    let told = poll(&mut all, START);
    assert_eq!(told.len(), MAX_OFFERS);
    assert_eq!(poll(&mut all, START), []);
    // One is taken up: there is room for another one.
    let (link, index) = told[0];
    offers(all.get_mut(&id(0)).unwrap(), link, &[range(index, 1)]);
    assert_eq!(poll(&mut all, START + MILLISECOND).len(), 1);
    assert_eq!(all.next(), Some(START + OFFER));
    // Nobody takes up the others.
    assert_eq!(poll(&mut all, START + OFFER).len(), MAX_OFFERS - 1);
}

#[test]
fn no_more_than_64_chunks_are_asked_for_over_all_messages_and_neighbours() {
    assert_eq!((MAX_ASKED, WINDOW), (64, 4));
    let mut rng = rng(21);
    let mut all = transfers();
    for number in 0..2 {
        let begun = all.fetch(START, id(number), of_publisher(number), &outline(100));
        let transfer = begun.unwrap();
        (0..10).for_each(|link| offers(transfer, link, &[range(0, 100)]));
    }
    let (asked, _) = all.poll(START, &mut rng);
    assert_eq!(asked.len(), MAX_ASKED);
    let different: BTreeSet<_> = asked.iter().map(|(_, id, index)| (id, index)).collect();
    assert_eq!(different.len(), MAX_ASKED);
    assert_eq!(all.poll(START, &mut rng).0.len(), 0);
    let (link, of, index) = asked[0];
    all.answered(START, &of, link, index);
    assert_eq!(all.poll(START, &mut rng).0.len(), 1);
}

/// A second until one came; then three times what one takes, within 200 ms and two seconds.
#[test]
fn a_chunk_is_late_after_three_times_the_usual_time() {
    let usual = [
        (None, FIRST_PATIENCE),
        (Some(10), 200 * MILLISECOND),
        (Some(100), 300 * MILLISECOND),
        (Some(60_000), 2_000 * MILLISECOND),
    ];
    for (usual, patience) in usual {
        let mut rng = rng(22);
        let mut all = transfers();
        if let Some(usual) = usual {
            all.responded(Duration::from_millis(usual));
        }
        let begun = all.fetch(START, id(0), of_publisher(0), &outline(1));
        let transfer = begun.unwrap();
        (0..2).for_each(|link| offers(transfer, link, &[range(0, 1)]));
        let (first, _) = all.poll(START, &mut rng);
        assert_eq!(first.len(), 1);
        assert_eq!(all.next(), Some(START + patience));
        let early = START + patience - MILLISECOND;
        assert_eq!(all.poll(early, &mut rng).0.len(), 0);
        let (second, _) = all.poll(START + patience, &mut rng);
        assert!(second.len() == 1 && second[0].0 != first[0].0, "{second:?}");
    }
}

#[test]
fn a_timer_that_nobody_can_answer_is_due_once() {
    let mut rng = rng(23);
    let mut all = transfers();
    let begun = all.fetch(START, id(0), of_publisher(0), &outline(1));
    offers(begun.unwrap(), 0, &[range(0, 1)]);
    assert_eq!(all.poll(START, &mut rng).0, [(Link(0), id(0), 0)]);
    let late = all.next().unwrap();
    assert_eq!(all.poll(late, &mut rng).0, []);
    assert_eq!(all.next(), None);
}

/// As many messages that just do not fit a frame as there is room for, and neighbours that have them.
#[test]
fn attack_thousands_of_short_messages_that_are_here_do_not_slow_the_others_down() {
    let mut rng = rng(24);
    let mut all = transfers();
    let data = Bytes::from_static(&[0; MAX_DATA + 1]);
    let outline = Arc::new(Outline::of(&data).unwrap());
    let neighbours = 20;
    for number in 0..4_000 {
        let transfer = all.publish(START, id(number), of_publisher(0), &outline, &data);
        let transfer = transfer.unwrap();
        (0..neighbours).for_each(|link| offers(transfer, link, &[range(0, 1)]));
        all.poll(START, &mut rng);
    }
    let quiet = (0..4_000).filter(|number| all.get_mut(&id(*number)).unwrap().is_quiet());
    assert!(quiet.count() >= 3_999);
    assert_eq!(all.next(), None);
    // What happens wakes one of them.
    takes_part(all.get_mut(&id(7)).unwrap(), 99);
    assert_eq!(all.poll(START, &mut rng).1.len(), 1);
}

/// One that says that it takes part in thousands of them, and takes up nothing, holds all offers for as long as they
/// last. What is found no room for waits in turn, and is not looked at all the time.
#[test]
fn attack_who_takes_up_no_offer_has_no_more_looked_at_than_is_offered() {
    let mut rng = rng(25);
    let mut all = transfers();
    let data = Bytes::from_static(&[0; MAX_DATA + 1]);
    let outline = Arc::new(Outline::of(&data).unwrap());
    for number in 0..1_000 {
        let transfer = all.publish(START, id(number), of_publisher(0), &outline, &data);
        takes_part(transfer.unwrap(), 1);
    }
    let (mut offered, mut now) = (BTreeSet::new(), START);
    for _ in 0..30 {
        for _ in 0..2 {
            let news = all.poll(now, &mut rng).1.into_iter();
            let offers = news.filter(|(.., news)| !news.offers.is_empty());
            offered.extend(offers.map(|(_, id, _)| id));
        }
        assert!(all.busy().count() <= MAX_OFFERS, "{}", all.busy().count());
        now = now + OFFER;
    }
    assert_eq!(offered.len(), 1_000, "each had its turn");
}

/// Four that offer all and give nothing hold all that may be asked for, for as long as a chunk is not late.
#[test]
fn attack_what_is_late_keeps_nobody_else_from_being_asked() {
    let mut rng = rng(40);
    let mut all = transfers();
    let whole = outline(100);
    let transfer = all.fetch(START, id(0), of_publisher(0), &whole).unwrap();
    (0..4).for_each(|link| offers(transfer, link, &[range(0, 64)]));
    let asked = all.poll(START, &mut rng).0;
    assert_eq!(asked.len(), MAX_ASKED);
    offers(all.get_mut(&id(0)).unwrap(), 9, &[range(64, 36)]);
    let late = START + FIRST_PATIENCE;
    assert!(all.poll(late - MILLISECOND, &mut rng).0.is_empty());
    let asked = all.poll(late, &mut rng).0;
    // Its share, one of five.
    assert_eq!(asked.len(), MAX_ASKED / 5);
    assert!(asked.iter().all(|(link, ..)| *link == Link(9)));
}

/// One neighbour has two messages, and may owe sixteen chunks: the other message waits, and is not forgotten.
#[test]
fn two_messages_that_one_neighbour_has_come_one_after_the_other() {
    let mut rng = rng(41);
    let mut all = transfers();
    for number in 0..2 {
        let begun = all.fetch(START, id(number), of_publisher(number), &outline(20));
        offers(begun.unwrap(), 0, &[range(0, 20)]);
    }
    let (mut now, mut came) = (START, BTreeSet::new());
    loop {
        let asked = all.poll(now, &mut rng).0;
        if asked.is_empty() {
            break;
        }
        assert!(asked.len() <= MAX_ASKED_OF_LINK);
        now = now + MILLISECOND;
        for (link, of, index) in asked {
            assert!(came.insert((of, index)));
            all.answered(now, &of, link, index);
            let transfer = all.get_mut(&of).unwrap();
            transfer.arrive(now, index, zeros(1));
        }
    }
    assert_eq!(came.len(), 40);
}

/// A neighbour whose line carries a chunk in four seconds: of sixteen at once two would come in time.
#[test]
fn who_lets_a_question_run_out_is_asked_for_one_chunk_and_one_more_with_each_that_comes_soon() {
    let mut rng = rng(42);
    let mut all = transfers();
    let begun = all.fetch(START, id(0), of_publisher(0), &outline(200));
    offers(begun.unwrap(), 0, &[range(0, 200)]);
    let mut asked = all.poll(START, &mut rng).0;
    assert_eq!(asked.len(), MAX_ASKED_OF_LINK);
    let mut now = START + Duration::from_secs(10);
    for (link, of, index) in asked {
        all.ran_out(link);
        all.answered(now, &of, link, index);
    }
    let mut owed = 0;
    for expected in (1..=MAX_ASKED_OF_LINK).chain([MAX_ASKED_OF_LINK; 3]) {
        asked = all.poll(now, &mut rng).0;
        owed += asked.len();
        assert_eq!(owed, expected);
        owed -= 1;
        now = now + MILLISECOND;
        let (link, of, index) = asked[0];
        let after = all.answered(now, &of, link, index).unwrap();
        all.gave_chunk(link, after);
        all.get_mut(&of).unwrap().arrive(now, index, zeros(1));
    }
    // One more would take longer than is waited.
    all.ran_out(Link(0));
    for (after, expected) in [
        (CHUNK_DEADLINE / 2, 1),
        (CHUNK_DEADLINE / 2 - MILLISECOND, 2),
    ] {
        all.gave_chunk(Link(0), after);
        assert_eq!(all.pace(Link(0)), expected);
    }
}

/// Others give what it is late with: then it owes nothing, and what it alone has is asked of it.
#[test]
fn a_neighbour_that_was_late_with_a_message_that_is_here_is_asked_for_others() {
    let mut rng = rng(43);
    let mut all = transfers();
    let begun = all.fetch(START, id(0), of_publisher(0), &outline(16));
    offers(begun.unwrap(), 0, &[range(0, 16)]);
    assert_eq!(all.poll(START, &mut rng).0.len(), MAX_ASKED_OF_LINK);
    let begun = all.fetch(START, id(1), of_publisher(1), &outline(8));
    offers(begun.unwrap(), 0, &[range(0, 8)]);
    assert!(all.poll(START, &mut rng).0.is_empty(), "there is no room");
    let first = all.get_mut(&id(0)).unwrap();
    for index in 0..16 {
        first.arrive(START, index, zeros(1));
    }
    // The late ones come now.
    for index in 0..16 {
        all.answered(START, &id(0), Link(0), index);
    }
    assert_eq!(all.poll(START, &mut rng).0.len(), 8);
}

/// Each of them has a chunk for it.
#[test]
fn as_many_messages_are_asked_for_again_as_a_neighbour_has_room_for() {
    let mut rng = rng(44);
    let mut all = transfers();
    for number in 0..40 {
        let begun = all.fetch(START, id(number), of_publisher(number), &outline(1));
        offers(begun.unwrap(), 0, &[range(0, 1)]);
    }
    let asked = all.poll(START, &mut rng).0;
    assert_eq!(asked.len(), MAX_ASKED_OF_LINK);
    assert!(all.poll(START, &mut rng).0.is_empty());
    for (link, of, index) in asked {
        all.answered(START, &of, link, index);
        all.get_mut(&of).unwrap().arrive(START, index, zeros(1));
    }
    assert_eq!(all.poll(START, &mut rng).0.len(), MAX_ASKED_OF_LINK);
}
