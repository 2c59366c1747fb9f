//! `creto sub`

use clap::Args;
use cretoai_network::gossip::Message;
use cretoai_network::node::P2PNode;
use cretoai_network::services::gossip::{Received, SubscribeOptions};
use serde_json::json;

use crate::entry::Entry;
use crate::failure::Failure;
use crate::output::{complain, print_line};
use crate::stop::Stop;

#[derive(Debug, Args)]
pub(crate) struct Subscribe {
    /// The topic.
    topic: String,
    /// The topic's messages carry no signature.
    #[arg(long)]
    unsigned: bool,
    /// End after this many messages; default never.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Print JSON, one object a line, the message in base64.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    entry: Entry,
}

impl Subscribe {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let mut stop = Stop::listen().map_err(Failure::Runtime)?;
        let node = self.entry.visit_topics().await?;
        let options = SubscribeOptions {
            unsigned: self.unsigned,
            ..SubscribeOptions::default()
        };
        let outcome = tokio::select! {
            outcome = print_all(&node, &self.topic, options, self.count, self.json) => outcome,
            () = stop.requested() => Ok(()),
        };
        node.shutdown().await;
        outcome
    }
}

async fn print_all(
    node: &P2PNode,
    topic: &str,
    options: SubscribeOptions,
    count: Option<u64>,
    json: bool,
) -> Result<(), Failure> {
    let mut subscription = node.gossip().subscribe(topic, options).await?;
    if !json {
        print_line(format_args!("subscribed topic={topic:?}"))?;
    }
    let mut printed = 0;
    while count.is_none_or(|count| printed < count) {
        match subscription.next().await {
            Some(Received::Message(message)) => {
                print(&message, json)?;
                printed += 1;
            }
            Some(Received::Lost(lost)) => complain(&format_args!("{lost} messages were lost")),
            None => break,
        }
    }
    Ok(())
}

/// One line a message: who said it, and what.
fn print(message: &Message, json: bool) -> Result<(), Failure> {
    let publisher = message.source.map(|source| source.publisher.to_string());
    if json {
        return print_line(json!({
            "id": data_encoding::HEXLOWER.encode(&message.id),
            "publisher": publisher,
            "timestamp_ms": message.source.map(|source| source.timestamp_ms),
            "data": data_encoding::BASE64.encode(&message.data),
        }));
    }
    let publisher = publisher.as_deref().unwrap_or("-");
    print_line(format_args!(
        "{publisher} {}",
        String::from_utf8_lossy(&message.data).escape_debug()
    ))
}
