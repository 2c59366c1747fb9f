//! All processes of the demonstration.

use std::time::Duration;

use cretoai_network::crypto::{Entropy, OsEntropy};

use super::DemoError;
use super::child::Child;
use super::control::{Command, Reply};
use super::progress::Progress;

/// How long the full mesh may take: 31 dials one after the other, with lost packets.
const JOIN_PATIENCE: Duration = Duration::from_secs(30);

/// The processes, in the order they were started. They end with it, however it ends.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    members: Vec<Member>,
}

/// A process, and what its node said about itself when it was ready.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) child: Child,
    pub(super) peer: String,
    pub(super) address: String,
}

impl Fleet {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Starts `count` nodes and connects each with each.
    pub(super) async fn start(&mut self, count: u16, progress: &Progress) -> Result<(), DemoError> {
        self.start_apart(count, progress).await?;
        self.join(progress).await
    }

    /// Starts `count` nodes that do not know each other.
    pub(super) async fn start_apart(
        &mut self,
        count: u16,
        progress: &Progress,
    ) -> Result<(), DemoError> {
        progress.begin("starting nodes", count.into());
        let network = network_name();
        for number in 0..usize::from(count) {
            // Entered before it is waited for: whatever happens meanwhile, it will be reaped.
            self.members.push(Member {
                child: Child::start(number, &network)?,
                peer: String::new(),
                address: String::new(),
            });
        }
        for (member, number) in self.members.iter_mut().zip(1..) {
            (member.peer, member.address) = member.child.ready().await?;
            progress.set(number);
        }
        Ok(())
    }

    async fn join(&mut self, progress: &Progress) -> Result<(), DemoError> {
        let addresses: Vec<_> = self.members.iter().map(|one| one.address.clone()).collect();
        let mut connected = 0;
        for (number, member) in self.members.iter_mut().enumerate() {
            let later = addresses.iter().skip(number + 1).cloned().collect();
            member
                .child
                .tell(&Command::Join { addresses: later })
                .await?;
            match member.child.reply(JOIN_PATIENCE, progress).await? {
                Reply::Join { connected: dialled } => connected += dialled,
                _ => return Err(member.child.other_reply()),
            }
        }
        let expected = addresses.len() * (addresses.len() - 1) / 2;
        if connected == expected {
            Ok(())
        } else {
            Err(DemoError::NotJoined {
                connected,
                expected,
            })
        }
    }

    pub(super) fn members(&mut self) -> &mut [Member] {
        &mut self.members
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Ends all processes and waits until they are gone.
    pub(super) async fn stop(&mut self) {
        for member in &mut self.members {
            member.child.dismiss();
        }
        for member in &mut self.members {
            member.child.gone().await;
        }
        self.members.clear();
    }
}

/// A network of this run's own: two demonstrations on one machine never meet.
fn network_name() -> String {
    let mut tag = [0; 8];
    // Without randomness no node would start either; the name alone is no secret.
    _ = OsEntropy.fill(&mut tag);
    format!("creto-demo-{:016x}", u64::from_le_bytes(tag))
}
