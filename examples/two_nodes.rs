//! Two nodes in one process: connect, ask, measure the round trip.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::Keypair;
use cretoai_network::node::{P2PConfig, P2PNode};

/// Application protocols start at 0x40.
const SHOUT: u32 = 0x40;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (alice, bob) = (node()?, node()?);
    bob.handle(SHOUT, |_peer, question| async move {
        Ok(question.to_ascii_uppercase().into())
    })?;

    let peer = alice.dial(&bob.listen_addresses()[0]).await?;
    let answer = alice.request(peer, SHOUT, "hello").await?;
    println!("{peer} answers {}", String::from_utf8_lossy(&answer));
    println!("round trip: {:?}", alice.ping(peer).await?);

    alice.shutdown().await;
    bob.shutdown().await;
    Ok(())
}

fn node() -> Result<P2PNode, Box<dyn Error>> {
    let config = P2PConfig {
        listen_addresses: vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()],
        ..P2PConfig::default()
    };
    let keypair = Keypair::generate(Arc::new(AwsLc))?;
    Ok(P2PNode::builder(keypair).config(config).spawn()?)
}
