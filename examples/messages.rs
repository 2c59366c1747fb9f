//! One-way messages: queued by the sender, delivered in order, counted by the receiver.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::Keypair;
use cretoai_network::node::{P2PConfig, P2PNode};

/// Application protocols start at 0x40.
const NEWS: u32 = 0x40;

/// How many messages are sent.
const COUNT: u32 = 1_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (sender, receiver) = (node()?, node()?);
    let mut inbox = receiver.messages(NEWS)?;
    let peer = sender.dial(&receiver.listen_addresses()[0]).await?;

    let sending = async {
        for number in 0..COUNT {
            // Waits while the queue is full: a slow reader slows its sender down.
            sender
                .send(peer, NEWS, number.to_le_bytes().to_vec())
                .await?;
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let receiving = async {
        for number in 0..COUNT {
            let message = inbox.next().await.ok_or("the node is gone")?;
            assert_eq!(message.payload, number.to_le_bytes().as_slice());
        }
        Ok::<_, Box<dyn Error>>(())
    };
    tokio::try_join!(sending, receiving)?;
    println!("{COUNT} messages from {} in order", sender.peer_id());

    sender.shutdown().await;
    receiver.shutdown().await;
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
