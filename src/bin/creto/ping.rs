//! `creto ping`

use std::time::Duration;

use clap::Args;
use cretoai_network::node::P2PNode;
use cretoai_network::wire::Address;

use crate::failure::Failure;
use crate::output::print_line;
use crate::start::Visitor;

#[derive(Debug, Args)]
pub(crate) struct Ping {
    /// Whom to ping, like `/ip4/192.0.2.7/udp/9000/quic-v1/p2p/<peer id>`.
    #[arg(value_name = "ADDR")]
    address: Address,
    /// How many pings.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    #[command(flatten)]
    visitor: Visitor,
}

impl Ping {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let node = self.visitor.start(&self.address)?;
        let outcome = ping(&node, &self.address, self.count).await;
        node.shutdown().await;
        outcome
    }
}

async fn ping(node: &P2PNode, address: &Address, count: u32) -> Result<(), Failure> {
    let peer = node.dial(address).await?;
    print_line(format_args!("connected peer={peer}"))?;
    for number in 1..=count {
        let rtt = node.ping(peer).await?;
        print_line(format_args!("ping number={number} ms={:.3}", millis(rtt)))?;
    }
    Ok(())
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
