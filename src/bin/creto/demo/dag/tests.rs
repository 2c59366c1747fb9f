use cretoai_network::identity::PeerId;

use super::vertex::VertexError;
use super::*;

fn vertex(sequence: u32, parents: &[&Vertex]) -> Vertex {
    let parents = parents.iter().map(|parent| parent.id()).collect();
    let author = PeerId::from_bytes([7; 32]);
    Vertex::new(author, sequence, parents, [1; PAYLOAD_BYTES])
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

#[test]
fn a_vertex_survives_its_encoding() {
    for vertex in chain() {
        assert_eq!(Vertex::decode(&vertex.encode()), Ok(vertex));
    }
}

#[test]
fn a_vertex_of_another_length_is_refused() {
    let bytes = chain()[3].encode();
    for length in 0..bytes.len() {
        assert_eq!(Vertex::decode(&bytes[..length]), Err(VertexError::Length));
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(Vertex::decode(&longer), Err(VertexError::Length));
}

#[test]
fn parents_are_bounded_and_in_ascending_order() {
    let ids: Vec<_> = (1..=MAX_PARENTS as u8 + 1)
        .map(|number| VertexId::from_bytes([number; 32]))
        .collect();
    let author = PeerId::from_bytes([7; 32]);
    for (given, taken) in [(3, 3), (4, 4), (5, 4)] {
        let vertex = Vertex::new(author, 0, ids[..given].to_vec(), [0; PAYLOAD_BYTES]);
        assert_eq!(vertex.parents().len(), taken);
    }
    let mut bytes = Vertex::new(author, 0, ids[..2].to_vec(), [0; PAYLOAD_BYTES]).encode();
    bytes[37..101].rotate_left(32);
    assert_eq!(Vertex::decode(&bytes), Err(VertexError::ParentOrder));
    bytes[36] = 5;
    assert_eq!(Vertex::decode(&bytes), Err(VertexError::TooManyParents(5)));
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
fn a_missing_parent_is_asked_for_once() {
    let [a, b, c, d] = chain();
    let mut graph = Graph::default();
    let fetch = |ids: &[&Vertex]| Insertion::Waiting {
        fetch: ids.iter().map(|vertex| vertex.id()).collect(),
    };
    assert_eq!(graph.insert(c), fetch(&[&b]));
    assert_eq!(graph.insert(d), fetch(&[]));
    assert_eq!(graph.insert(b), fetch(&[&a]));
    assert_eq!(graph.insert(a.clone()), Insertion::Held { added: 4 });
    assert_eq!(graph.insert(a), Insertion::Known);
}

#[test]
fn tips_are_what_nothing_stands_on() {
    let [a, b, c, d] = chain();
    let branch = vertex(9, &[&a]);
    let graph = graph_of([a, b, c, d.clone(), branch.clone()]);
    let mut expected = [d.id(), branch.id()];
    expected.sort_unstable();
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
    for sequence in 0..32_768 {
        let insertion = graph.insert(vertex(sequence, &[&absent]));
        assert!(matches!(insertion, Insertion::Waiting { .. }));
    }
    let one_more = vertex(32_768, &[&absent]);
    assert_eq!(graph.insert(one_more.clone()), Insertion::Full);
    assert_eq!(graph.insert(absent), Insertion::Held { added: 32_769 });
    assert_eq!(graph.insert(one_more), Insertion::Held { added: 1 });
}
