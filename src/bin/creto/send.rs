//! `creto send`

use std::time::Duration;

use clap::Args;
use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::{EventStream, SwarmEvent};
use cretoai_network::wire::message::{VERSION, request};
use cretoai_network::wire::{Address, StreamHeader};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::output::print_line;
use crate::start::{DEFAULT_PROTOCOL, Visitor};

/// How long the peer may take to take all messages: a person waits at the screen.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the peer may take to say which protocols it speaks: it does so in one round trip.
const INTRODUCTION: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// Whom to send to, like `/ip4/192.0.2.7/udp/9000/quic-v1/p2p/<peer id>`.
    #[arg(value_name = "ADDR")]
    address: Address,
    /// The messages, sent in this order.
    #[arg(value_name = "MESSAGE", required = true)]
    messages: Vec<String>,
    /// Application protocol, 64 (0x40) and up.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PROTOCOL)]
    protocol: u32,
    #[command(flatten)]
    visitor: Visitor,
}

impl Send {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let node = self.visitor.start(&self.address)?;
        let delivery = deliver(&node, &self.address, self.protocol, &self.messages);
        let outcome = timeout(PATIENCE, delivery).await;
        node.shutdown().await;
        outcome.unwrap_or(Err(Failure::Undelivered(PATIENCE)))
    }
}

/// Sends the messages on a stream of their own, so that their arrival can be waited for.
async fn deliver(
    node: &P2PNode,
    address: &Address,
    protocol: u32,
    messages: &[String],
) -> Result<(), Failure> {
    let mut events = node.events();
    let peer = node.dial(address).await?;
    // A peer that does not introduce itself is sent to all the same.
    _ = timeout(INTRODUCTION, introduced(&mut events, peer)).await;
    if !may_speak(node, peer, protocol) {
        return Err(Failure::NotSpoken(protocol));
    }
    let header = StreamHeader {
        protocol,
        version: VERSION,
    };
    let mut writer = node.swarm().open_ordered(peer, header).await?;
    for message in messages {
        writer.push(request::MESSAGE, message.as_bytes());
        if writer.is_full() {
            writer.flush().await?;
        }
    }
    let mut stream = writer.finish().await?;
    if let Some(code) = stream.acknowledged().await? {
        return Err(Failure::Declined(code));
    }
    // The peer's transport has everything; its answer shows that its swarm has taken the stream.
    node.ping(peer).await?;
    print_line(format_args!("sent peer={peer} messages={}", messages.len()))
}

async fn introduced(events: &mut EventStream, peer: PeerId) {
    while let Some(event) = events.next().await {
        if event.is_ok_and(|event| event.what == SwarmEvent::PeerIdentified { peer }) {
            return;
        }
    }
}

/// Whether the peer has not left `protocol` out of those that it speaks. Without asking, a message
/// that nobody takes would count as sent: it is refused only after it has arrived.
fn may_speak(node: &P2PNode, peer: PeerId, protocol: u32) -> bool {
    let entry = node.peer(&peer);
    let spoken = entry.as_ref().map_or(&[][..], |entry| entry.protocols());
    spoken.is_empty() || spoken.iter().any(|one| one.number == protocol)
}
