//! The control protocols: identify, ping, observed address.

use std::sync::{Arc, Weak};

use bytes::Bytes;

use super::link::Link;
use super::protocol::{
    Handler, HandlerFuture, InboundOrdered, InboundRequest, OrderedHandler, Origin, Protocol,
    Refusal, RegisterError, Reply, RequestHandler, Shape,
};
use super::request::{OutboundRequest, RequestError};
use super::swarm::Inner;
use super::{ConnectionId, FrameError, SwarmEvent};
use crate::identity::PeerId;
use crate::transport::Path;
use crate::wire::address::Route;
use crate::wire::codec::{List, decode, encode};
use crate::wire::message::VERSION;
use crate::wire::message::identify::{self, Identify, Roles, SupportedProtocol};
use crate::wire::message::observed::{self, Observed};
use crate::wire::message::ping::{self, Ping};
use crate::wire::{Address, Violation};

const VERSIONS: &[u16] = &[VERSION];

/// Registers the control protocols. Their handlers hold the swarm weakly: it owns them.
pub(super) fn register(inner: &Arc<Inner>) -> Result<(), RegisterError> {
    let protocols = &inner.protocols;
    protocols.register_stack(
        Protocol {
            number: identify::PROTOCOL,
            versions: VERSIONS,
            shape: Shape::Request {
                requests: identify::ACCEPTOR_READS,
                responses: identify::DIALLER_READS,
            },
            early_frames: &[],
            anonymous: false,
        },
        Handler::Request(Arc::new(IdentifyHandler(Arc::downgrade(inner)))),
    )?;
    protocols.register_stack(
        Protocol {
            number: ping::PROTOCOL,
            versions: VERSIONS,
            shape: Shape::Request {
                requests: ping::ACCEPTOR_READS,
                responses: ping::DIALLER_READS,
            },
            early_frames: &[ping::PING],
            anonymous: false,
        },
        Handler::Request(Arc::new(PingHandler)),
    )?;
    protocols.register_stack(
        Protocol {
            number: observed::PROTOCOL,
            versions: VERSIONS,
            shape: Shape::Ordered,
            early_frames: &[],
            anonymous: false,
        },
        Handler::Ordered(Arc::new(ObservedHandler(Arc::downgrade(inner)))),
    )
}

/// A ping with this nonce.
pub(super) fn ping_request(nonce: u64) -> OutboundRequest {
    OutboundRequest {
        protocol: ping::PROTOCOL,
        version: VERSION,
        kind: ping::PING,
        body: encode(&Ping { nonce }),
        requests: ping::ACCEPTOR_READS,
        responses: ping::DIALLER_READS,
    }
}

/// Whether an answer repeats the nonce of its ping.
pub(super) fn check_pong(reply: &Reply, nonce: u64) -> Result<(), RequestError> {
    let pong = decode::<Ping>(&reply.body).map_err(RequestError::Malformed)?;
    if pong.nonce == nonce {
        Ok(())
    } else {
        Err(RequestError::Malformed(Violation::InvalidValue))
    }
}

/// The dialler's half of identify: both ends learn about each other in one round trip.
pub(super) async fn introduce(inner: Arc<Inner>, link: Arc<Link>) {
    let Some(peer) = link.confirmed() else { return };
    let request = OutboundRequest {
        protocol: identify::PROTOCOL,
        version: VERSION,
        kind: identify::HELLO,
        body: encode(&inner.introduction(&link.connection.path())),
        requests: identify::ACCEPTOR_READS,
        responses: identify::DIALLER_READS,
    };
    let deadline = inner.config.request_deadline;
    // A peer that does not answer stays connected; it is only less known.
    let Ok(reply) = inner.request(peer, &request, deadline).await else {
        return;
    };
    if let Ok(introduction) = decode::<Identify>(&reply.body) {
        inner.learn(peer, &introduction);
    }
}

/// Tells a peer that its address, as seen from here, is another one now.
pub(super) async fn tell_observed(inner: Arc<Inner>, link: Arc<Link>) {
    let Path::Direct { addr, .. } = link.connection.path() else {
        return;
    };
    let body = encode(&Observed {
        sequence: link.next_observation(),
        address: Address::from(addr),
    });
    let Ok(stream) = link.connection.open_uni().await else {
        return;
    };
    let header = crate::wire::StreamHeader {
        protocol: observed::PROTOCOL,
        version: VERSION,
    };
    let mut frames = super::FrameWriter::new(stream, header);
    frames.push(observed::OBSERVED, &body);
    // If the connection ends meanwhile, there is nobody left to tell.
    let _ = tokio::time::timeout(inner.config.slow_reader_deadline, frames.finish()).await;
}

impl Inner {
    /// What this node tells a peer at the other end of `path`.
    fn introduction(&self, path: &Path) -> Identify {
        let protocols = self.protocols.list();
        let supported = protocols.iter().filter_map(|protocol| {
            Some(SupportedProtocol {
                number: protocol.number,
                min_version: *protocol.versions.iter().min()?,
                max_version: *protocol.versions.iter().max()?,
            })
        });
        let observed_address = match path {
            Path::Direct { addr, .. } => Some(Address::from(*addr)),
            Path::Relayed { .. } => None,
        };
        Identify {
            agent: self.config.agent.parse().unwrap_or_default(),
            listen_addresses: List::truncated(self.advertised_addresses(path)),
            protocols: List::truncated(supported),
            roles: self.roles(),
            observed_address,
        }
    }

    fn roles(&self) -> Roles {
        if self.reachability().is_server() {
            Roles::SERVER
        } else {
            Roles::default()
        }
    }

    /// The listening addresses that make sense to a peer at the other end of `path`: a private
    /// address is nobody's business on the public Internet.
    fn advertised_addresses(&self, path: &Path) -> Vec<Address> {
        let is_public = match path {
            Path::Direct { group, .. } => !group.is_local(),
            Path::Relayed { .. } => true,
        };
        let all = self.listen_addresses().into_iter();
        all.filter(|address| address.is_dialable())
            .filter(|address| !is_public || address.is_globally_routable())
            .collect()
    }

    fn learn(&self, peer: PeerId, introduction: &Identify) {
        let now = self.now();
        self.book().identified(now.mono, peer, introduction);
        self.emit(SwarmEvent::PeerIdentified { peer });
        if let Some(address) = &introduction.observed_address {
            self.emit(SwarmEvent::ObservedAddress {
                peer,
                address: address.clone(),
            });
        }
    }
}

struct IdentifyHandler(Weak<Inner>);

impl RequestHandler for IdentifyHandler {
    fn handle(&self, request: InboundRequest) -> HandlerFuture<Result<Reply, Refusal>> {
        let answer = self.answer(&request);
        Box::pin(async move { answer })
    }
}

impl IdentifyHandler {
    fn answer(&self, request: &InboundRequest) -> Result<Reply, Refusal> {
        let inner = self.0.upgrade().ok_or(Refusal::Busy)?;
        let Origin::Confirmed(peer) = request.origin else {
            return Err(Refusal::Refused);
        };
        let introduction = decode::<Identify>(&request.body)?;
        let link = inner.link(&peer).ok_or(Refusal::Busy)?;
        if !link.may_notify(inner.now().mono) {
            return Err(Refusal::Busy);
        }
        inner.learn(peer, &introduction);
        let body = encode(&inner.introduction(&link.connection.path()));
        Ok(Reply {
            kind: identify::HELLO_REPLY,
            body,
        })
    }
}

struct PingHandler;

impl RequestHandler for PingHandler {
    fn handle(&self, request: InboundRequest) -> HandlerFuture<Result<Reply, Refusal>> {
        let answer = pong(&request.body);
        Box::pin(async move { answer })
    }
}

fn pong(body: &Bytes) -> Result<Reply, Refusal> {
    let ping = decode::<Ping>(body)?;
    Ok(Reply {
        kind: ping::PONG,
        body: encode(&ping),
    })
}

struct ObservedHandler(Weak<Inner>);

impl OrderedHandler for ObservedHandler {
    fn open(&self, stream: InboundOrdered) -> HandlerFuture<Result<(), Violation>> {
        Box::pin(hear_observed(self.0.clone(), stream))
    }
}

async fn hear_observed(inner: Weak<Inner>, mut stream: InboundOrdered) -> Result<(), Violation> {
    let Origin::Confirmed(peer) = stream.origin else {
        return Ok(());
    };
    let connection = ConnectionId(stream.generation);
    loop {
        let frame = match stream.frames.next(observed::RECEIVER_READS).await {
            Ok(Some(frame)) => frame,
            Ok(None) | Err(FrameError::Stream(_)) => return Ok(()),
            Err(FrameError::Violation(violation)) => return Err(violation),
        };
        let observed = match decode::<Observed>(&frame.body) {
            Ok(observed) => observed,
            Err(violation) => return Err(stream.frames.fail(violation)),
        };
        let Some(inner) = inner.upgrade() else {
            return Ok(());
        };
        let Some(link) = inner.connections().link_of(&peer, connection) else {
            return Ok(());
        };
        let address = observed.address;
        let is_news = is_endpoint(&address) && link.is_news(observed.sequence);
        if is_news && link.may_notify(inner.now().mono) {
            inner.emit(SwarmEvent::ObservedAddress { peer, address });
        }
    }
}

/// A name, or a route, says nothing about where this node was seen.
fn is_endpoint(address: &Address) -> bool {
    address.socket_addr().is_some() && address.route() == Route::Anyone
}
