//! What a node prints: one line each, for people or as JSON.

use cretoai_network::discovery::Event;
use cretoai_network::node::Message;
use cretoai_network::p2p::{self, Lagged};
use cretoai_network::services::discovery::DiscoveryHappened;
use cretoai_network::wire::Address;
use serde_json::json;

use crate::failure::Failure;
use crate::output::print_line;

#[derive(Debug)]
pub(super) struct Report {
    json: bool,
}

impl Report {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// The node's own addresses: the only ones that are ever printed.
    pub(super) fn listening(&self, addresses: &[Address]) -> Result<(), Failure> {
        for address in addresses {
            if self.json {
                print_line(json!({"event": "listening", "address": address.to_string()}))?;
            } else {
                print_line(format_args!("listening address={address}"))?;
            }
        }
        Ok(())
    }

    pub(super) fn event(&self, event: &p2p::Event) -> Result<(), Failure> {
        if !self.json {
            return print_line(&event.what);
        }
        print_line(json!({
            "event": event.what.name(),
            "at_us": event.at.0,
            "peer": event.what.peer().map(|peer| peer.to_string()),
            "line": event.what.to_string(),
        }))
    }

    /// What an operator should know: that the node has entered, that somebody surrounds a key, and
    /// what became of the saved state. Changes of the table are left out.
    pub(super) fn discovery(&self, happened: &DiscoveryHappened) -> Result<(), Failure> {
        let (name, detail) = match happened {
            DiscoveryHappened::Entered { contacts } => ("entered", format!("contacts={contacts}")),
            DiscoveryHappened::Machine(Event::Alarm { over_quota, .. }) => {
                ("alarm", format!("over_quota={over_quota}"))
            }
            DiscoveryHappened::Machine(Event::Suspicious { .. }) => ("suspicious", String::new()),
            DiscoveryHappened::StateSetAside { file, fault } => {
                let file = file.display();
                ("state-set-aside", format!("file={file} fault={fault}"))
            }
            DiscoveryHappened::StateNotRead => ("state-not-read", String::new()),
            DiscoveryHappened::StateNotSaved => ("state-not-saved", String::new()),
            _ => return Ok(()),
        };
        if self.json {
            print_line(json!({"event": format!("discovery-{name}"), "line": detail}))
        } else {
            print_line(format!("discovery-{name} {detail}").trim_end())
        }
    }

    pub(super) fn lagged(&self, lagged: Lagged) -> Result<(), Failure> {
        if self.json {
            print_line(json!({"event": "events-lost", "lost": lagged.lost}))
        } else {
            print_line(format_args!("events-lost lost={}", lagged.lost))
        }
    }

    /// A message's text comes from a stranger: it is escaped, so that it cannot steer a terminal.
    pub(super) fn message(&self, protocol: u32, message: &Message) -> Result<(), Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        let (peer, bytes) = (message.from, message.payload.len());
        if self.json {
            return print_line(json!({
                "event": "message",
                "peer": peer.to_string(),
                "protocol": protocol,
                "bytes": bytes,
                "text": text,
            }));
        }
        print_line(format_args!(
            "message peer={peer} protocol={protocol:#x} bytes={bytes} text={text:?}"
        ))
    }
}
