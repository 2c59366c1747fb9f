//! What the program may ask: peers, roles and providers, and what discovery knows.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::oneshot;

use super::driver::Message;
use super::entering::enter;
use super::info::addresses;
use super::{Discovery, DiscoveryError, DiscoveryEvents, DiscoveryStats, PeerInfo, role_key};
use crate::discovery::record;
use crate::discovery::table::TableEntry;
use crate::discovery::{Command, Key, Outcome};
use crate::identity::PeerId;
use crate::wire::Address;
use crate::wire::message::discovery::{Contact, kind};

/// A provider record lives for so long after its node is gone. While the node lives the record is
/// stored again every 20 minutes: two may be lost.
const PROVIDE_FOR: Duration = Duration::from_secs(3_600);

impl Discovery {
    /// Enters the network: dials all bootstrap nodes at once, asks the nodes that are remembered, and
    /// makes this node known to its neighbours. The node does so by itself when it starts and when it
    /// has lost everybody. Says how many nodes the table holds.
    ///
    /// # Errors
    /// [`DiscoveryError::NoContacts`] if nobody answered.
    pub async fn bootstrap(&self) -> Result<usize, DiscoveryError> {
        let shared = self.shared()?;
        let caller = self.swarm()?.caller();
        let entrance = shared.entrance.get().ok_or(DiscoveryError::Stopped)?;
        let ends = (&shared.messages, &shared.size);
        enter(self, &caller, entrance, ends).await
    }

    /// Where a peer may be reached, with its identity. If the peer itself answered during the search,
    /// this node is connected with it afterwards.
    ///
    /// # Errors
    /// [`DiscoveryError::NotFound`] if nobody knows the peer.
    pub async fn find_peer(&self, peer: PeerId) -> Result<Vec<Address>, DiscoveryError> {
        match self.run(Command::FindPeer(peer)).await? {
            Outcome::Peer {
                contact: Some(contact),
                ..
            } => Ok(addresses(&contact)),
            _ => Err(DiscoveryError::NotFound),
        }
    }

    /// The nodes nearest to a key that answered, nearest first; at most 20.
    ///
    /// # Errors
    /// See [`DiscoveryError`].
    pub async fn closest_peers(&self, key: Key) -> Result<Vec<PeerInfo>, DiscoveryError> {
        match self.run(Command::Closest(key)).await? {
            Outcome::Closest(contacts) => self.infos(&contacts),
            _ => Err(DiscoveryError::NotFound),
        }
    }

    /// Says in the network that this node has a role, until [`withdraw_role`](Self::withdraw_role), also when it
    /// was stopped and started again with the state that it saved. Comes back as soon as that is safe to be found.
    ///
    /// # Errors
    /// [`DiscoveryError::Role`], and see [`DiscoveryError`].
    pub async fn advertise_role(&self, role: &str) -> Result<(), DiscoveryError> {
        self.provide(role_key(role)?).await
    }

    /// Takes back that this node has a role.
    ///
    /// # Errors
    /// As [`advertise_role`](Self::advertise_role).
    pub async fn withdraw_role(&self, role: &str) -> Result<(), DiscoveryError> {
        self.stop_providing(role_key(role)?).await
    }

    /// Up to `limit` nodes with a role, at most 256. Each answered a request of this node just now,
    /// if only that it has no time or serves no questions.
    ///
    /// # Errors
    /// [`DiscoveryError::Role`], and see [`DiscoveryError`].
    pub async fn find_role(
        &self,
        role: &str,
        limit: usize,
    ) -> Result<Vec<PeerInfo>, DiscoveryError> {
        self.providers(role_key(role)?, limit, true).await
    }

    /// Says in the network that this node provides a key, until [`stop_providing`](Self::stop_providing), also
    /// when it was stopped and started again with the state that it saved.
    ///
    /// # Errors
    /// See [`DiscoveryError`].
    pub async fn provide(&self, key: Key) -> Result<(), DiscoveryError> {
        self.store_provider(key, PROVIDE_FOR).await
    }

    /// Takes back that this node provides a key.
    ///
    /// # Errors
    /// See [`DiscoveryError`].
    pub async fn stop_providing(&self, key: Key) -> Result<(), DiscoveryError> {
        // First here, so that it is over even if the caller does not wait for the rest.
        self.unpublish(kind::PROVIDER, key).await?;
        self.store_provider(key, Duration::ZERO).await
    }

    /// Up to `limit` nodes that provide a key, at most 256, as others say.
    ///
    /// # Errors
    /// See [`DiscoveryError`].
    pub async fn find_providers(
        &self,
        key: Key,
        limit: usize,
    ) -> Result<Vec<PeerInfo>, DiscoveryError> {
        self.providers(key, limit, false).await
    }

    /// The routing table.
    ///
    /// # Errors
    /// [`DiscoveryError::Disabled`], [`DiscoveryError::Stopped`].
    pub async fn table(&self) -> Result<Vec<TableEntry>, DiscoveryError> {
        self.look(|machine, _| machine.table().collect()).await
    }

    /// How many nodes the network is estimated to have.
    ///
    /// # Errors
    /// [`DiscoveryError::Disabled`], [`DiscoveryError::Stopped`].
    pub async fn network_size(&self) -> Result<f64, DiscoveryError> {
        self.look(|machine, _| machine.network_size()).await
    }

    /// How much discovery did and holds.
    ///
    /// # Errors
    /// [`DiscoveryError::Disabled`], [`DiscoveryError::Stopped`].
    pub async fn stats(&self) -> Result<DiscoveryStats, DiscoveryError> {
        let stats = self.look(|machine, counted| {
            let (records, record_bytes) = machine.held();
            DiscoveryStats {
                contacts: machine.table_len(),
                network_size: machine.network_size(),
                warm_links: counted.warm,
                records,
                record_bytes,
                publications: machine.publications().count(),
                lookups: counted.lookups,
                requests_sent: counted.calls,
                requests_not_dialled: counted.not_dialled,
                requests_served: counted.asked,
                requests_late: counted.late,
                signatures_verified: counted.signatures,
            }
        });
        stats.await
    }

    /// What happens in discovery, from now on; the first reader gets what happened before as well, up
    /// to 256 events. A slow reader is told how much it lost; the node never waits for it.
    ///
    /// # Errors
    /// [`DiscoveryError::Disabled`], [`DiscoveryError::Stopped`].
    pub fn events(&self) -> Result<DiscoveryEvents, DiscoveryError> {
        let shared = self.shared()?;
        let sender = shared.events.upgrade().ok_or(DiscoveryError::Stopped)?;
        let early = shared
            .early_events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let receiver = early.unwrap_or_else(|| sender.subscribe());
        Ok(DiscoveryEvents::new(receiver))
    }

    /// Saves the state, if the node keeps one, and waits until that is done.
    pub(crate) async fn save(&self) {
        let (done, saved) = oneshot::channel();
        if self.send(Message::Save(done)).await.is_ok() {
            // The sender is dropped, not used.
            _ = saved.await;
        }
    }

    async fn store_provider(&self, key: Key, lifetime: Duration) -> Result<(), DiscoveryError> {
        let record = record::provider(key, lifetime)?;
        self.run(Command::Put(record)).await.map(|_| ())
    }

    async fn providers(
        &self,
        key: Key,
        limit: usize,
        only_live: bool,
    ) -> Result<Vec<PeerInfo>, DiscoveryError> {
        let command = Command::Providers {
            key,
            limit,
            only_live,
        };
        match self.run(command).await? {
            Outcome::Providers(contacts) => self.infos(&contacts),
            _ => Err(DiscoveryError::NotFound),
        }
    }

    fn infos(&self, contacts: &[Contact]) -> Result<Vec<PeerInfo>, DiscoveryError> {
        let swarm = self.swarm()?;
        let infos = contacts
            .iter()
            .map(|contact| PeerInfo::new(&swarm, contact));
        Ok(infos.collect())
    }
}
