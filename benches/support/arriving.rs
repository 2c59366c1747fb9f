//! What one machine of gossip sent arrives at another one.

use bytes::Bytes;
use cretoai_network::gossip::{Input, Link};
use cretoai_network::wire::FrameDecoder;
use cretoai_network::wire::message::gossip::RECEIVER_READS;

use super::gossip_machine::Machine;

/// The batches of a neighbour arrive.
pub(crate) fn arrive(machine: &mut Machine, link: Link, batches: &[Bytes]) {
    let mut decoder = FrameDecoder::new();
    for batch in batches {
        let mut batch = batch.clone();
        let mut inputs = Vec::new();
        while let Some(frame) = decoder.decode(&mut batch, RECEIVER_READS).unwrap() {
            let (kind, body) = (frame.kind, frame.body);
            inputs.push(Input::Frame { link, kind, body });
        }
        machine.tell_all(inputs);
    }
}
