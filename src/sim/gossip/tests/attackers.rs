//! What attackers do and do not.

use super::*;
use crate::crypto::{SealBody, Suite};
use crate::gossip::{Message, Setup, SharedSeal, Source, TopicHash, TopicOptions, Verdict};
use crate::policy::{IpGroup, Now};
use crate::wire::message::gossip::{IHave, Prune, Subscribe};

fn now(micros: u64) -> Now {
    Now {
        mono: Micros(micros),
        ..Now::default()
    }
}

fn outputs(machine: &mut dyn Machine) -> Vec<Output> {
    std::iter::from_fn(|| machine.poll_output()).collect()
}

/// Batches by link, each as the types of its frames.
fn kinds(outputs: &[Output]) -> Vec<(Link, Vec<u8>)> {
    let batches = outputs.iter().filter_map(|output| match output {
        Output::Send { link, frames } => Some((*link, frames.clone())),
        _ => None,
    });
    let kinds = batches.map(|(link, mut frames)| {
        let mut kinds = Vec::new();
        while let Some(frame) = frames::next_frame(&mut frames).unwrap() {
            kinds.push(frame.kind);
        }
        (link, kinds)
    });
    kinds.collect()
}

fn encoded(kind: u8, body: &Bytes) -> Bytes {
    let mut out = BytesMut::new();
    encode_frame(kind, body, &mut out);
    out.freeze()
}

fn connected(link: u64) -> Input {
    Input::Connected {
        link: Link(link),
        group: IpGroup::Local,
        is_outbound: false,
    }
}

/// A machine that gives out what it is loaded with, and remembers what it is told.
#[derive(Debug, Default)]
struct Loaded {
    outputs: std::collections::VecDeque<Output>,
    log: std::rc::Rc<std::cell::RefCell<Vec<Input>>>,
}

impl Machine for Loaded {
    fn handle(&mut self, _: Now, input: Input) {
        self.log.borrow_mut().push(input);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Micros> {
        Some(Micros(42))
    }

    fn mesh(&self, _: &TopicHash) -> Vec<Link> {
        vec![Link(3)]
    }
}

fn all_kinds() -> Bytes {
    let kinds = [
        wire::SUBSCRIBE,
        wire::KEY,
        wire::GRAFT,
        wire::SEAL,
        wire::MESSAGE,
        wire::IHAVE,
        wire::MODES,
        wire::IWANT,
        wire::IDONTWANT,
        wire::PRUNE,
    ];
    let frames: Vec<_> = kinds
        .map(|kind| encoded(kind, &Bytes::from_static(&[1])))
        .into();
    batch(&frames)
}

#[test]
fn the_mute_stay_members_and_give_nothing() {
    let mut inner = Loaded::default();
    for _ in 0..2 {
        let frames = all_kinds();
        inner.outputs.push_back(Output::Send {
            link: Link(1),
            frames,
        });
    }
    let frames = encoded(wire::MESSAGE, &Bytes::from_static(&[1]));
    inner.outputs.push_back(Output::Send {
        link: Link(2),
        frames,
    });
    let mut mute = Mute::new(Box::new(inner), Micros(10));
    mute.handle(now(9), Input::Timer);
    let before = mute.poll_output().unwrap();
    assert_eq!(kinds(&[before])[0].1.len(), 10);
    mute.handle(now(10), Input::Timer);
    let members = vec![wire::SUBSCRIBE, wire::GRAFT, wire::MODES, wire::PRUNE];
    let expected = [(Link(1), members), (Link(2), vec![])];
    assert_eq!(kinds(&outputs(&mut mute)), expected);
    assert_eq!(mute.poll_timeout(), Some(Micros(42)));
    assert_eq!(mute.mesh(&TopicHash::of("")), [Link(3)]);
}

fn said(publisher: u8, number: u8) -> Message {
    Message {
        id: [number; 32],
        topic: TopicHash::of(""),
        source: Some(Source {
            publisher: crate::identity::PeerId::from_bytes([publisher; 32]),
            epoch: 0,
            counter: 0,
            timestamp_ms: 0,
        }),
        data: Bytes::new(),
    }
}

#[test]
fn the_choosy_ask_to_judge_and_drop_whom_they_censor() {
    let mut inner = Loaded::default();
    let log = inner.log.clone();
    for (publisher, number) in [(1, 1), (2, 2), (1, 3)] {
        let judge = Output::Judge(said(publisher, number));
        inner.outputs.push_back(judge);
    }
    let target = crate::identity::PeerId::from_bytes([1; 32]);
    let mut choosy = Choosy::new(Box::new(inner), Choice::Of(target), [0; 32]);
    let topic = TopicHash::of("");
    let options = TopicOptions::default();
    choosy.handle(now(1), Input::Subscribe { topic, options });
    assert!(outputs(&mut choosy).is_empty());
    let log = log.borrow();
    assert!(matches!(log[0], Input::Subscribe { options, .. } if options.is_judged));
    let verdicts: Vec<_> = log
        .iter()
        .filter_map(|input| match input {
            Input::Judged { id, verdict } => Some((id[0], *verdict)),
            _ => None,
        })
        .collect();
    let expected = [
        (1, Verdict::Ignore),
        (2, Verdict::Accept),
        (3, Verdict::Ignore),
    ];
    assert_eq!(verdicts, expected);
}

#[test]
fn those_who_degrade_drop_half() {
    let mut inner = Loaded::default();
    let log = inner.log.clone();
    let judge = (0..1_000).map(|_| Output::Judge(said(1, 1)));
    inner.outputs.extend(judge);
    let mut choosy = Choosy::new(Box::new(inner), Choice::Share(0.5), [3; 32]);
    outputs(&mut choosy);
    let log = log.borrow();
    let is_dropped = |input: &&Input| {
        let ignore = Verdict::Ignore;
        matches!(input, Input::Judged { verdict, .. } if *verdict == ignore)
    };
    let dropped = log.iter().filter(is_dropped).count();
    assert_eq!(log.len(), 1_000);
    assert!(dropped.abs_diff(500) < 65, "{dropped}");
}

fn heard(ids: &[u8]) -> Input {
    let ids = List::truncated(ids.iter().map(|id| [*id; 32]));
    Input::Frame {
        link: Link(1),
        kind: wire::IHAVE,
        body: encode(&IHave { topic: 0, ids }),
    }
}

#[test]
fn bait_announces_what_it_hears_of_to_everybody_and_sends_nothing() {
    let mut inner = Loaded::default();
    let frames = all_kinds();
    inner.outputs.push_back(Output::Send {
        link: Link(1),
        frames,
    });
    inner.outputs.push_back(Output::Deliver(said(1, 9)));
    let log = inner.log.clone();
    let mut bait = Bait::new(Box::new(inner), Micros(10));
    for link in [1, 2] {
        bait.handle(now(1), connected(link));
    }
    bait.handle(now(2), heard(&[4]));
    bait.handle(now(10), heard(&[5, 6, 5]));
    let outputs = outputs(&mut bait);
    let sent = kinds(&outputs);
    let kept = [
        wire::SUBSCRIBE,
        wire::GRAFT,
        wire::MODES,
        wire::IWANT,
        wire::IDONTWANT,
        wire::PRUNE,
    ];
    assert_eq!(sent[0], (Link(1), kept.to_vec()));
    assert!(matches!(outputs[1], Output::Deliver(_)));
    // Three ids to two neighbours each; the one that came before it turned is not among them.
    assert_eq!(sent.len(), 1 + 6);
    assert!(sent[1..].iter().all(|(_, kinds)| *kinds == [wire::IHAVE]));
    // The machine inside hears that its own batch is written, and not of the others.
    log.borrow_mut().clear();
    for _ in 0..4 {
        bait.handle(now(11), Input::Writable(Link(1)));
    }
    assert!(matches!(log.borrow()[..], [Input::Writable(Link(1))]));
    bait.handle(now(12), heard(&[5, 6, 9]));
    assert!(bait.poll_output().is_none(), "it announced them before");
}

#[test]
fn a_grafter_subscribes_grafts_and_comes_back_when_it_may() {
    let mut grafter = Grafter::new([0; 32]);
    let topic = TopicHash::of("");
    let options = TopicOptions::default();
    grafter.handle(now(0), Input::Subscribe { topic, options });
    grafter.handle(now(0), connected(4));
    assert_eq!(
        kinds(&outputs(&mut grafter)),
        [(Link(4), vec![wire::SUBSCRIBE])]
    );
    let topics = List::truncated([*topic.as_bytes()]);
    let frame = |kind, body| Input::Frame {
        link: Link(4),
        kind,
        body,
    };
    grafter.handle(
        now(1),
        frame(wire::SUBSCRIBE, encode(&Subscribe { topics })),
    );
    assert_eq!(
        kinds(&outputs(&mut grafter)),
        [(Link(4), vec![wire::GRAFT])]
    );
    assert_eq!(grafter.poll_timeout(), None);
    grafter.handle(now(2), frame(wire::MESSAGE, Bytes::new()));
    let prune = encode(&Prune {
        topic: 0,
        backoff_s: 60,
        peers: List::new(),
    });
    grafter.handle(now(2), frame(wire::PRUNE, prune));
    assert!(grafter.poll_output().is_none());
    let due = grafter.poll_timeout().unwrap();
    assert!((60_000_002..=75_000_002).contains(&due.0), "{due:?}");
    grafter.handle(now(due.0), Input::Timer);
    assert_eq!(
        kinds(&outputs(&mut grafter)),
        [(Link(4), vec![wire::GRAFT])]
    );
    assert_eq!(grafter.poll_timeout(), None);
}

/// A stranger that sends what it never had signed: an honest machine is told that it is not valid.
#[test]
fn garbage_signatures_of_an_attacker_do_not_verify() {
    let (mut world, logs) = star(1, exact(), 2);
    let key = world.identity(NodeId(0)).key.clone();
    let leaves = vec![[1; 32]];
    let body = SealBody::new(Suite::MlDsa87, key.hash(), [0; 32], 1, 0, leaves).unwrap();
    let seal = body.with_signature(Box::new([0; 4_627]).into());
    let seal = SharedSeal::new(&[0; 32], seal, key).unwrap();
    let id = crate::gossip::CheckId(0);
    world.emit(NodeId(1), Output::Verify { id, seal });
    world.run_for(SECOND);
    let verdicts = logs[1].select(|_, input| match input {
        Input::Verified { is_valid, .. } => Some(*is_valid),
        _ => None,
    });
    assert_eq!(verdicts, [false]);
}

#[test]
fn a_setup_has_the_key_of_its_node_and_a_seed_of_its_own() {
    let setups = std::cell::RefCell::new(Vec::new());
    let mut world = World::new(2, exact());
    let build = |setup: Setup| {
        setups.borrow_mut().push((setup.seed, setup.key.hash()));
        Flood::build(setup)
    };
    for _ in 0..2 {
        world.add(Role::Honest, &Settings::default(), &build);
    }
    let setups = setups.borrow();
    assert_ne!(setups[0].0, setups[1].0);
    for (node, (_, key)) in (0..).map(NodeId).zip(setups.iter()) {
        assert_eq!(world.identity(node).key.hash(), *key);
    }
}
