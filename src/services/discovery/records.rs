//! Records: put, get, unpublish.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::driver::Message;
use super::{Discovery, DiscoveryError, PutManyReceipt, PutReceipt};
use crate::crypto::{ProviderFailure, Signature};
use crate::discovery::record::{self, CheckContext, Content, MutableContent, MutableDraft};
use crate::discovery::{Command, Key, Outcome, Rejection};
use crate::identity::{Keypair, PeerId};
use crate::wire::message::discovery::{Record, kind};

/// A value that its owner may change, to be put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutableValue {
    /// Which of the owner's records it is; at most 64 bytes.
    pub salt: Bytes,
    /// The value; at most 16 KiB.
    pub value: Bytes,
    /// Higher than that of the version before.
    pub sequence: u64,
    /// For how long; at most 48 h. To renew the record, put it again with a higher sequence.
    pub lifetime: Duration,
}

impl Discovery {
    /// Stores a value under its own hash, and keeps it stored as long as this node runs, also when it was
    /// stopped and started again with the state that it saved. Comes back as soon as the record is safe;
    /// the rest of its holders follow.
    ///
    /// # Errors
    /// [`DiscoveryError::Draft`] if the value is too long, and see [`DiscoveryError`].
    pub async fn put_immutable(
        &self,
        value: impl Into<Bytes>,
    ) -> Result<PutReceipt, DiscoveryError> {
        let (key, record) = record::immutable(value.into())?;
        self.put_at(key, record).await
    }

    /// Stores a value that may change, signed with this node's key, and keeps it stored until it ends.
    ///
    /// # Errors
    /// [`DiscoveryError::Draft`] for what is out of range, and see [`DiscoveryError`].
    pub async fn put_mutable(&self, value: MutableValue) -> Result<PutReceipt, DiscoveryError> {
        let owner = self.swarm()?.keypair().clone();
        self.put_mutable_as(&owner, value).await
    }

    /// Stores a value that may change, signed with another key than this node's.
    ///
    /// # Errors
    /// As [`put_mutable`](Self::put_mutable).
    pub async fn put_mutable_as(
        &self,
        owner: &Keypair,
        value: MutableValue,
    ) -> Result<PutReceipt, DiscoveryError> {
        let network = self.shared()?.network;
        let created = self.swarm()?.environment().clock.now().wall;
        let MutableValue {
            salt,
            value,
            sequence,
            lifetime,
        } = value;
        let public = owner.public_key().verifying_key().clone();
        let draft = MutableDraft::new(public, salt, sequence, created, lifetime, value)?;
        let key = draft.key();
        let input = draft.signed_input(&network);
        let signature = self.sign(owner, input.as_bytes().to_vec()).await??;
        self.put_at(key, draft.with_signature(&signature)).await
    }

    /// Stores a record that was made elsewhere, of a kind whose records say where they belong.
    ///
    /// # Errors
    /// [`DiscoveryError::Rejected`] if it is not what its kind demands, and see [`DiscoveryError`].
    /// Its signature is not looked at: nodes that are offered a bad one will not take it, and hold that
    /// against this node.
    pub async fn put_record(&self, record: Record) -> Result<PutReceipt, DiscoveryError> {
        let shared = self.shared()?;
        let kind = record::kind(record.kind).ok_or(Rejection::UnknownKind)?;
        let context = CheckContext {
            network: shared.network,
            now: self.swarm()?.environment().clock.now(),
            sender: shared.local,
        };
        let checked = kind.check(&context, record.body.as_bytes());
        let key = checked.map_err(|_| Rejection::InvalidRecord)?.key;
        self.put_at(key, record).await
    }

    /// Stores many records together, which costs far less than one by one, and keeps them stored.
    /// Records that cannot be published are left out. Comes back when all nodes have been asked.
    ///
    /// # Errors
    /// See [`DiscoveryError`].
    pub async fn put_many(&self, records: Vec<Record>) -> Result<PutManyReceipt, DiscoveryError> {
        match self.run(Command::PutMany(records)).await? {
            Outcome::Published {
                complete,
                incomplete,
                rejected,
            } => Ok(PutManyReceipt {
                complete,
                incomplete,
                rejected,
            }),
            _ => Ok(PutManyReceipt::default()),
        }
    }

    /// Keeps a record of this node stored no more. Its holders forget it when it ends.
    ///
    /// # Errors
    /// [`DiscoveryError::Disabled`], [`DiscoveryError::Stopped`].
    pub async fn unpublish(&self, kind: u16, key: Key) -> Result<(), DiscoveryError> {
        self.send(Message::Unpublish { kind, key }).await
    }

    /// What a record says; see [`kind`] for the numbers.
    ///
    /// # Errors
    /// [`DiscoveryError::NotFound`] if nobody who was asked has it, and see [`DiscoveryError`].
    pub async fn get(&self, kind: u16, key: Key) -> Result<Content, DiscoveryError> {
        self.find_record(kind, key, false).await
    }

    /// The same over disjoint paths from the start: slower, and harder to keep from the record.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_hardened(&self, kind: u16, key: Key) -> Result<Content, DiscoveryError> {
        self.find_record(kind, key, true).await
    }

    /// The value whose hash is `key`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_immutable(&self, key: Key) -> Result<Bytes, DiscoveryError> {
        match self.get(kind::IMMUTABLE, key).await? {
            Content::Immutable(value) => Ok(value),
            Content::Mutable(_) => Err(DiscoveryError::NotFound),
        }
    }

    /// The latest version that was found of the record of `owner` under `salt`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_mutable(
        &self,
        owner: PeerId,
        salt: &[u8],
    ) -> Result<MutableContent, DiscoveryError> {
        match self.get(kind::MUTABLE, Key::of_owner(owner, salt)).await? {
            Content::Mutable(content) => Ok(content),
            Content::Immutable(_) => Err(DiscoveryError::NotFound),
        }
    }

    async fn find_record(
        &self,
        kind: u16,
        key: Key,
        is_hardened: bool,
    ) -> Result<Content, DiscoveryError> {
        let command = Command::Get {
            kind,
            key,
            is_hardened,
        };
        match self.run(command).await? {
            Outcome::Record(Some(record)) => Content::of(&record)?.ok_or(DiscoveryError::NotFound),
            _ => Err(DiscoveryError::NotFound),
        }
    }

    async fn put_at(&self, key: Key, record: Record) -> Result<PutReceipt, DiscoveryError> {
        match self.run(Command::Put(record)).await? {
            Outcome::Stored { replicas } => Ok(PutReceipt { key, replicas }),
            _ => Ok(PutReceipt { key, replicas: 0 }),
        }
    }

    /// Signs in a task of its own: it takes a quarter of a millisecond to two, and whoever puts may do
    /// so from a task that others wait for.
    async fn sign(
        &self,
        owner: &Keypair,
        input: Vec<u8>,
    ) -> Result<Result<Signature, ProviderFailure>, DiscoveryError> {
        let (done, signed) = oneshot::channel();
        let owner = owner.clone();
        self.swarm()?.spawn(async move {
            // Who waited may be gone.
            _ = done.send(owner.sign(&input));
        });
        signed.await.map_err(|_| DiscoveryError::Stopped)
    }
}
