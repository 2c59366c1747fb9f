//! The introductions that peers exchange, over plain quinn.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use cretoai_network::wire::Address;
use cretoai_network::wire::codec::{List, encode};
use cretoai_network::wire::frame::{StreamHeader, encode_frame};
use cretoai_network::wire::message::VERSION;
use cretoai_network::wire::message::identify::{
    HELLO, HELLO_REPLY, Identify, PROTOCOL, Roles, SupportedProtocol,
};

use super::Failure;

/// Largest introduction, with its frame.
const MAX_INTRODUCTION: usize = 8 * 1024;

/// Introduces a dialler and waits for the answer.
pub(crate) async fn introduce(connection: &quinn::Connection) -> Result<(), Failure> {
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(&introduction(HELLO)?).await?;
    send.finish()?;
    if receive.read_to_end(MAX_INTRODUCTION).await?.is_empty() {
        return Err("no introduction came back".into());
    }
    Ok(())
}

/// A stream of the identify protocol as a node sends it: an agent, two addresses, four protocols.
fn introduction(kind: u8) -> Result<Bytes, Failure> {
    let listen = [Address::from(SocketAddr::from(([127, 0, 0, 1], 9000)))];
    let protocols = [1, 2, 3, 0x40].map(|number| SupportedProtocol {
        number,
        min_version: VERSION,
        max_version: VERSION,
    });
    let message = Identify {
        agent: "cretoai-network/0.1.0".parse()?,
        listen_addresses: List::truncated(listen.clone()),
        protocols: List::truncated(protocols),
        roles: Roles::SERVER,
        observed_address: listen.into_iter().next(),
    };
    let mut stream = BytesMut::new();
    if kind == HELLO {
        StreamHeader {
            protocol: PROTOCOL,
            version: VERSION,
        }
        .encode(&mut stream);
    }
    encode_frame(kind, &encode(&message), &mut stream);
    Ok(stream.freeze())
}

/// Accepts connections and answers introductions on them.
pub(crate) async fn accept(acceptor: quinn::Endpoint) {
    while let Some(incoming) = acceptor.accept().await {
        if let Ok(connecting) = incoming.accept() {
            tokio::spawn(async move {
                // The end of the connection is the end of the task.
                let _ = serve(connecting.await?).await;
                Ok::<_, Failure>(())
            });
        }
    }
}

/// The least that a server keeps: a task that waits for streams.
async fn serve(connection: quinn::Connection) -> Result<(), Failure> {
    loop {
        let (mut send, mut receive) = connection.accept_bi().await?;
        receive.read_to_end(MAX_INTRODUCTION).await?;
        send.write_all(&introduction(HELLO_REPLY)?).await?;
        send.finish()?;
    }
}
