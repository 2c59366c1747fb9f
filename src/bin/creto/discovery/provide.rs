//! `creto provide`

use clap::Args;
use cretoai_network::services::discovery::{Discovery, DiscoveryError, role_key};

use super::place::Place;
use crate::entry::Entry;
use crate::failure::Failure;
use crate::output::print_line;
use crate::stop::Stop;

#[derive(Debug, Args)]
pub(crate) struct Provide {
    /// The key to provide.
    #[arg(
        value_name = "KEY",
        required_unless_present = "role",
        conflicts_with = "role"
    )]
    place: Option<Place>,
    /// Advertise this role instead.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Announce it once and leave: nobody will find a live node.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    entry: Entry,
}

impl Provide {
    /// Announces what this node provides, again and again until Ctrl-C or SIGTERM.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let mut stop = Stop::listen().map_err(Failure::Runtime)?;
        if let Some(role) = &self.role {
            role_key(role).map_err(DiscoveryError::Role)?;
        }
        let node = self.entry.settle().await?;
        let announced = announce(node.discovery(), self.role.as_deref(), self.place).await;
        let outcome = match announced {
            Ok(()) => print_line(format_args!("providing peer={}", node.peer_id())),
            Err(error) => Err(error.into()),
        };
        if outcome.is_ok() && !self.once {
            stop.requested().await;
        }
        node.shutdown().await;
        outcome
    }
}

async fn announce(
    discovery: &Discovery,
    role: Option<&str>,
    place: Option<Place>,
) -> Result<(), DiscoveryError> {
    match (role, place) {
        (Some(role), _) => discovery.advertise_role(role).await,
        (None, Some(place)) => discovery.provide(place.0).await,
        (None, None) => Err(DiscoveryError::NotFound),
    }
}
