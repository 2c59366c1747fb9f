//! `creto node`

mod keep_connected;
mod report;

use std::path::PathBuf;

use clap::Args;
use cretoai_network::identity::key_file;
use cretoai_network::node::{Messages, P2PConfig, P2PNode};
use cretoai_network::p2p::EventStream;
use cretoai_network::services::discovery::DiscoveryEvents;
use cretoai_network::services::gossip::{SubscribeOptions, Subscription};
use cretoai_network::wire::Address;
use tokio::task::JoinSet;

use self::report::Report;
use crate::failure::Failure;
use crate::start::{DEFAULT_PROTOCOL, ProviderKind, read_config};
use crate::stop::Stop;

#[derive(Debug, Args)]
pub(crate) struct Node {
    /// Key file made by `creto keygen`.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where to listen, like `/ip4/0.0.0.0/udp/9000/quic-v1`; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", num_args = 1..)]
    listen: Vec<Address>,
    /// Whom to stay connected with, like `/ip4/192.0.2.7/udp/9000/quic-v1/p2p/<peer id>`.
    #[arg(long, value_name = "ADDR", num_args = 1..)]
    connect: Vec<Address>,
    /// A node through which to enter the network. May be given several times; one that answers is
    /// enough.
    #[arg(long, value_name = "ADDR")]
    bootstrap: Vec<Address>,
    /// Name of the network.
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Which implementation of the cryptography to use; all of them speak to each other.
    #[arg(long, value_enum, default_value_t)]
    provider: ProviderKind,
    /// Announce this node on the local network and connect to those announced there.
    #[arg(long)]
    mdns: bool,
    /// Configuration in JSON; the options above go before it.
    #[arg(long, value_name = "FILE.json")]
    config: Option<PathBuf>,
    /// Application protocol whose messages are printed, 64 (0x40) and up.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PROTOCOL)]
    protocol: u32,
    /// A topic whose messages this node passes on. May be given several times.
    #[arg(long, value_name = "TOPIC")]
    topic: Vec<String>,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
}

impl Node {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let mut stop = Stop::listen().map_err(Failure::Runtime)?;
        let config = self.configuration()?;
        let keypair = key_file::read(&self.key, self.provider.load())?;
        let builder = P2PNode::builder(keypair).config(config);
        let (builder, events) = builder.events();
        let (builder, messages) = builder.messages(self.protocol);
        let node = builder.spawn()?;
        // With discovery switched off in the configuration it has nothing to tell.
        let discovered = node.discovery().events().ok();
        let report = Report::new(self.json);
        report.listening(&node.listen_addresses())?;
        let mut tasks = JoinSet::new();
        for address in self.connect {
            tasks.spawn(keep_connected::run(node.clone(), address));
        }
        for topic in &self.topic {
            tasks.spawn(pass_on(subscribe(&node, topic).await?));
        }
        let outcome = tokio::select! {
            outcome = watch(&report, self.protocol, events, messages) => outcome,
            outcome = watch_discovery(&report, discovered) => outcome,
            () = stop.requested() => Ok(()),
        };
        tasks.shutdown().await;
        node.shutdown().await;
        outcome
    }

    fn configuration(&self) -> Result<P2PConfig, Failure> {
        let mut config = match &self.config {
            Some(path) => read_config(path)?,
            None => P2PConfig::default(),
        };
        if !self.listen.is_empty() {
            config.listen_addresses.clone_from(&self.listen);
        }
        if let Some(network) = &self.network {
            config.network.clone_from(network);
        }
        config.bootstrap_nodes.extend_from_slice(&self.bootstrap);
        config.enable_mdns |= self.mdns;
        Ok(config)
    }
}

async fn subscribe(node: &P2PNode, topic: &str) -> Result<Subscription, Failure> {
    let options = SubscribeOptions::default();
    Ok(node.gossip().subscribe(topic, options).await?)
}

/// Takes part in a topic for the sake of others.
async fn pass_on(mut subscription: Subscription) {
    while subscription.next().await.is_some() {}
}

/// Prints what discovery tells; never ends before the node.
async fn watch_discovery(report: &Report, events: Option<DiscoveryEvents>) -> Result<(), Failure> {
    if let Some(mut events) = events {
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => report.discovery(&event.what)?,
                Err(lagged) => report.lagged(lagged)?,
            }
        }
    }
    std::future::pending().await
}

/// Prints what happens until the node ends.
async fn watch(
    report: &Report,
    protocol: u32,
    mut events: EventStream,
    mut messages: Messages,
) -> Result<(), Failure> {
    loop {
        tokio::select! {
            // Who connected is told before what it says.
            biased;
            event = events.next() => match event {
                Some(Ok(event)) => report.event(&event)?,
                Some(Err(lagged)) => report.lagged(lagged)?,
                None => return Ok(()),
            },
            message = messages.next() => match message {
                Some(message) => report.message(protocol, &message)?,
                None => return Ok(()),
            },
        }
    }
}
