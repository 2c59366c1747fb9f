use cretoai_network::identity::PeerId;
use cretoai_network::services::gossip::Verdict;

use super::graph::MAX_WAITING;
use super::rules::judge;
use super::vertex::VertexError;
use super::*;

const AUTHOR: PeerId = PeerId::from_bytes([7; 32]);

/// Where the height stands, the number of parents, and the parents.
const HEIGHT: usize = 32;
const COUNT: usize = 36;
const PARENTS: usize = 37;
const PARENT_BYTES: usize = 36;

/// Vertices with equal parents differ by their payload.
fn vertex(payload: u32, parents: &[&Vertex]) -> Vertex {
    let parents = parents.iter().map(|parent| parent.reference()).collect();
    made(payload, parents)
}

fn made(number: u32, parents: Vec<Reference>) -> Vertex {
    let mut payload = [1; PAYLOAD_BYTES];
    payload[..4].copy_from_slice(&number.to_le_bytes());
    Vertex::new(AUTHOR, parents, payload)
}

/// 0 ← 1 ← 2 ← 3, and 3 stands on 1, too.
fn chain() -> [Vertex; 4] {
    let first = vertex(0, &[]);
    let second = vertex(1, &[&first]);
    let third = vertex(2, &[&second]);
    let fourth = vertex(3, &[&second, &third]);
    [first, second, third, fourth]
}

fn graph_of(vertices: impl IntoIterator<Item = Vertex>) -> Graph {
    let mut graph = Graph::default();
    for vertex in vertices {
        graph.insert(vertex);
    }
    graph
}

/// A parent that stands one higher than its child says.
fn lie_about(parent: &Vertex) -> Vertex {
    let Reference { id, height } = parent.reference();
    let height = height - 1;
    made(99, vec![Reference { id, height }])
}

fn judged(graph: &Graph, bytes: &[u8]) -> Verdict {
    judge(graph, Some(AUTHOR), bytes)
}

#[test]
fn a_vertex_survives_its_encoding() {
    for vertex in chain() {
        assert_eq!(Vertex::decode(&vertex.encode()), Ok(vertex));
    }
}

#[test]
fn a_vertex_of_another_length_is_rejected() {
    let bytes = chain()[3].encode();
    let graph = Graph::default();
    for length in 0..bytes.len() {
        assert_eq!(Vertex::decode(&bytes[..length]), Err(VertexError::Length));
        assert_eq!(judged(&graph, &bytes[..length]), Verdict::Reject);
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(judged(&graph, &longer), Verdict::Reject);
}

#[test]
fn a_vertex_names_four_parents_at_most() {
    let roots: Vec<_> = (0..=MAX_PARENTS as u32).map(|n| vertex(n, &[])).collect();
    let references: Vec<_> = roots.iter().map(Vertex::reference).collect();
    for (given, taken) in [(3, 3), (4, 4), (5, 4)] {
        let vertex = made(9, references[..given].to_vec());
        assert_eq!(vertex.parents().len(), taken);
        assert_eq!(judged(&Graph::default(), &vertex.encode()), Verdict::Accept);
    }
    let mut bytes = made(9, references).encode();
    bytes[COUNT] = 5;
    bytes.splice(PARENTS..PARENTS, [0; PARENT_BYTES]);
    assert_eq!(Vertex::decode(&bytes), Err(VertexError::TooManyParents(5)));
    assert_eq!(judged(&Graph::default(), &bytes), Verdict::Reject);
}

#[test]
fn parents_out_of_order_or_named_twice_are_rejected() {
    let [a, b] = [vertex(0, &[]), vertex(1, &[])];
    let mut bytes = vertex(2, &[&a, &b]).encode();
    let parents = PARENTS..PARENTS + 2 * PARENT_BYTES;
    bytes[parents].rotate_left(PARENT_BYTES);
    assert_eq!(Vertex::decode(&bytes), Err(VertexError::ParentOrder));
    assert_eq!(judged(&Graph::default(), &bytes), Verdict::Reject);

    // The same parent, once at 0 and once below: twice all the same.
    let mut bytes = vertex(2, &[&a, &b]).encode();
    bytes.copy_within(PARENTS..PARENTS + 32, PARENTS + PARENT_BYTES);
    for height in [0, 1] {
        bytes[PARENTS + PARENT_BYTES + 32] = height;
        assert_eq!(Vertex::decode(&bytes), Err(VertexError::ParentOrder));
        assert_eq!(judged(&Graph::default(), &bytes), Verdict::Reject);
    }
}

#[test]
fn a_vertex_stands_one_above_its_highest_parent_or_is_rejected() {
    let [_, _, third, fourth] = chain();
    assert_eq!((third.height(), fourth.height()), (2, 3));
    let mut bytes = fourth.encode();
    for height in [0, 1, 2, 4, u8::MAX] {
        bytes[HEIGHT] = height;
        let (is, expected) = (height.into(), Some(3));
        assert_eq!(
            Vertex::decode(&bytes),
            Err(VertexError::Height { is, expected })
        );
        assert_eq!(judged(&Graph::default(), &bytes), Verdict::Reject);
    }
    let mut root = vertex(0, &[]).encode();
    root[HEIGHT] = 1;
    assert_eq!(judged(&Graph::default(), &root), Verdict::Reject);
}

#[test]
fn nothing_stands_on_the_highest_number() {
    let top = Reference {
        id: VertexId::from_bytes([1; 32]),
        height: u32::MAX,
    };
    let bytes = made(0, vec![top]).encode();
    assert_eq!(judged(&Graph::default(), &bytes), Verdict::Reject);
}

#[test]
fn who_publishes_the_vertex_of_another_is_rejected() {
    let bytes = chain()[0].encode();
    let other = Some(PeerId::from_bytes([8; 32]));
    for publisher in [other, None] {
        let verdict = judge(&Graph::default(), publisher, &bytes);
        assert_eq!(verdict, Verdict::Reject);
    }
}

/// A neighbour without the parent passes it on in good faith.
#[test]
fn a_parent_that_is_not_where_it_is_said_to_be_is_nobodys_fault_but_its_child_is_never_held() {
    let [a, b, ..] = chain();
    let lie = lie_about(&b);
    let on_a_lie = vertex(5, &[&lie]);
    assert_eq!(judged(&Graph::default(), &lie.encode()), Verdict::Accept);
    let mut knows = graph_of([a.clone(), b.clone()]);
    assert_eq!(judged(&knows, &lie.encode()), Verdict::Ignore);
    assert_eq!(knows.insert(lie.clone()), Insertion::Refused);

    let orders = [
        [&on_a_lie, &lie, &a, &b],
        [&on_a_lie, &lie, &b, &a],
        [&lie, &b, &on_a_lie, &a],
        [&b, &lie, &a, &on_a_lie],
    ];
    for order in orders {
        let graph = graph_of(order.into_iter().cloned());
        assert_eq!(graph.held(), 2);
        assert_eq!(graph.digest(), knows.digest());
        assert!(!graph.has(&lie.id()));
    }
}

#[test]
fn an_id_survives_its_text() {
    let id = chain()[0].id();
    assert_eq!(id.to_string().parse(), Ok(id));
    assert!("zz".parse::<VertexId>().is_err());
}

#[test]
fn every_order_of_arrival_gives_the_same_graph() {
    let in_order = graph_of(chain());
    let [a, b, c, d] = chain();
    let orders = [
        [d.clone(), c.clone(), b.clone(), a.clone()],
        [b.clone(), d.clone(), a.clone(), c.clone()],
        [c, a, d, b],
    ];
    for order in orders {
        let graph = graph_of(order);
        assert_eq!((graph.held(), graph.waiting()), (4, 0));
        assert_eq!(graph.digest(), in_order.digest());
        assert!(graph.tips().eq(in_order.tips()));
    }
}

#[test]
fn a_missing_parent_is_accepted_and_asked_for_once() {
    let [a, b, c, d] = chain();
    let mut graph = Graph::default();
    let fetch = |ids: &[&Vertex]| Insertion::Waiting {
        fetch: ids.iter().map(|vertex| vertex.id()).collect(),
    };
    assert_eq!(judged(&graph, &c.encode()), Verdict::Accept);
    assert_eq!(graph.insert(c), fetch(&[&b]));
    assert_eq!(graph.insert(d), fetch(&[]));
    assert_eq!(graph.insert(b), fetch(&[&a]));
    assert_eq!(graph.insert(a.clone()), Insertion::Held { added: 4 });
    assert_eq!(graph.insert(a), Insertion::Known);
}

#[test]
fn what_waits_for_a_vertex_that_cannot_be_had_is_let_go_and_may_come_again() {
    let [a, b, c, d] = chain();
    let other = vertex(9, &[]);
    let on_both = vertex(10, &[&a, &other]);
    let mut graph = graph_of([d.clone(), c.clone(), b.clone(), on_both.clone()]);
    graph.give_up(&a.id());
    assert_eq!((graph.held(), graph.waiting()), (0, 0));
    let fetch = [c.id(), b.id()];
    let Insertion::Waiting { fetch: again } = graph.insert(d) else {
        panic!("its parents are not here");
    };
    assert_eq!(again.len(), fetch.len());
    assert!(fetch.iter().all(|id| again.contains(id)));
    for vertex in [c, b, on_both, other, a.clone()] {
        graph.insert(vertex);
    }
    assert_eq!((graph.held(), graph.waiting()), (6, 0));
    graph.give_up(&a.id());
    assert_eq!(graph.held(), 6, "what is here is not given up");
}

#[test]
fn tips_are_what_nothing_stands_on() {
    let [a, b, c, d] = chain();
    let branch = vertex(9, &[&a]);
    let graph = graph_of([a, b, c, d.clone(), branch.clone()]);
    let mut expected = [d.reference(), branch.reference()];
    expected.sort_unstable_by_key(|tip| tip.id);
    assert!(graph.tips().eq(expected));
}

#[test]
fn the_digest_tells_graphs_apart_and_ignores_order() {
    let [a, b, ..] = chain();
    let ids = [a.id(), b.id()];
    let reversed = ids.iter().rev().copied();
    assert_eq!(digest_of(ids.iter().copied()), digest_of(reversed));
    assert_ne!(digest_of(ids.iter().copied()), graph_of([a]).digest());
}

#[test]
fn vertices_without_ancestors_wait_up_to_the_limit() {
    let absent = vertex(u32::MAX, &[]);
    let mut graph = Graph::default();
    let limit = u32::try_from(MAX_WAITING).unwrap();
    for number in 0..limit {
        let insertion = graph.insert(vertex(number, &[&absent]));
        assert!(matches!(insertion, Insertion::Waiting { .. }));
    }
    let one_more = vertex(limit, &[&absent]);
    assert_eq!(graph.insert(one_more.clone()), Insertion::Full);
    let added = MAX_WAITING + 1;
    assert_eq!(graph.insert(absent), Insertion::Held { added });
    assert_eq!(graph.insert(one_more), Insertion::Held { added: 1 });
}
