//! `creto pub`

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use cretoai_network::gossip::Published;
use cretoai_network::node::P2PNode;
use cretoai_network::services::gossip::SubscribeOptions;
use cretoai_network::wire::message::gossip::MAX_LARGE;
use tokio::time::{sleep, timeout};

use crate::entry::Entry;
use crate::failure::Failure;
use crate::output::print_line;

/// How long somebody who wants the topic is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Time between two looks for one.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The topic.
    topic: String,
    /// What to say, at most 32 MiB, 16 KiB if unsigned; `-` reads it from standard input.
    message: String,
    /// The topic's messages carry no signature.
    #[arg(long)]
    unsigned: bool,
    #[command(flatten)]
    entry: Entry,
}

impl Publish {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let data = read(self.message)?;
        let node = self.entry.visit_topics().await?;
        let published = publish(&node, &self.topic, self.unsigned, data).await;
        node.shutdown().await;
        let published = published?;
        let id = data_encoding::HEXLOWER.encode(&published.id);
        print_line(format_args!("id={id} neighbours={}", published.neighbours))
    }
}

async fn publish(
    node: &P2PNode,
    topic: &str,
    unsigned: bool,
    data: Bytes,
) -> Result<Published, Failure> {
    let gossip = node.gossip();
    let options = SubscribeOptions {
        unsigned,
        ..SubscribeOptions::default()
    };
    let _subscription = gossip.subscribe(topic, options).await?;
    let anybody = async {
        while gossip.neighbours(topic).await?.is_empty() {
            sleep(LOOK_EVERY).await;
        }
        Ok::<_, Failure>(())
    };
    match timeout(PATIENCE, anybody).await {
        Ok(found) => found?,
        Err(_) => return Err(Failure::NobodyListens),
    }
    Ok(gossip.publish(topic, data).await?)
}

/// A message that is too long is not read to its end.
fn read(message: String) -> Result<Bytes, Failure> {
    if message != "-" {
        return Ok(message.into());
    }
    let mut data = Vec::new();
    let input = std::io::stdin().lock();
    input
        .take(MAX_LARGE as u64 + 1)
        .read_to_end(&mut data)
        .map_err(Failure::Input)?;
    Ok(data.into())
}
