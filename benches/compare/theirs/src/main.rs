//! A node of rust-libp2p: gossipsub over QUIC, signed with Ed25519, strictly validated. Queues are long,
//! and what waits in them does not expire; all else is its default.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compare_worker::{Deliveries, Failure, Node, QUEUE, TOPIC};
use libp2p::futures::StreamExt;
use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, Event, IdentTopic, MessageAuthenticity, ValidationMode,
};
use libp2p::identity::Keypair;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm, SwarmBuilder};
use tokio::sync::{mpsc, oneshot};

/// Longer than any row takes.
const LONG: Duration = Duration::from_secs(600);

/// What waits for the task that owns the swarm.
const COMMANDS: usize = 1_024;

/// Commands that are carried out before the swarm has its turn again.
const COMMANDS_AT_ONCE: usize = 16;

fn main() -> ExitCode {
    compare_worker::main::<Theirs>()
}

#[derive(Debug)]
struct Theirs {
    address: Multiaddr,
    commands: mpsc::Sender<Command>,
}

#[derive(Debug)]
enum Command {
    Dial(Multiaddr, oneshot::Sender<Result<(), Failure>>),
    Neighbours(oneshot::Sender<usize>),
    Publish(Bytes),
    /// Whether all was published until now, or why not.
    Published(oneshot::Sender<Result<(), Failure>>),
}

/// The task that owns the swarm, as every program with libp2p has one.
struct Task {
    swarm: Swarm<Behaviour>,
    topic: IdentTopic,
    deliveries: Arc<Deliveries>,
    commands: mpsc::Receiver<Command>,
    failed: Option<Failure>,
}

impl Node for Theirs {
    async fn start(deliveries: Arc<Deliveries>) -> Result<Self, Failure> {
        let topic = IdentTopic::new(TOPIC);
        let mut swarm = swarm()?;
        swarm.behaviour_mut().subscribe(&topic)?;
        swarm.listen_on("/ip4/127.0.0.1/udp/0/quic-v1".parse()?)?;
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        let (sender, commands) = mpsc::channel(COMMANDS);
        let task = Task {
            swarm,
            topic,
            deliveries,
            commands,
            failed: None,
        };
        tokio::spawn(task.run());
        Ok(Self {
            address,
            commands: sender,
        })
    }

    fn address(&self) -> String {
        self.address.to_string()
    }

    async fn dial(&self, address: &str) -> Result<(), Failure> {
        let (done, outcome) = oneshot::channel();
        self.commands
            .send(Command::Dial(address.parse()?, done))
            .await?;
        outcome.await?
    }

    async fn neighbours(&self) -> Result<usize, Failure> {
        let (done, outcome) = oneshot::channel();
        self.commands.send(Command::Neighbours(done)).await?;
        Ok(outcome.await?)
    }

    async fn publish(&mut self, message: Bytes) -> Result<(), Failure> {
        Ok(self.commands.send(Command::Publish(message)).await?)
    }

    async fn published(&mut self) -> Result<(), Failure> {
        let (done, outcome) = oneshot::channel();
        self.commands.send(Command::Published(done)).await?;
        outcome.await?
    }
}

fn swarm() -> Result<Swarm<Behaviour>, Failure> {
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Strict)
        .connection_handler_queue_len(QUEUE)
        .publish_queue_duration(LONG)
        .forward_queue_duration(LONG)
        .build()?;
    let behaviour = |key: &Keypair| {
        let authenticity = MessageAuthenticity::Signed(key.clone());
        Ok(Behaviour::new(authenticity, config)?)
    };
    let builder = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_quic()
        .with_behaviour(behaviour)?;
    let builder = builder.with_swarm_config(|config| config.with_idle_connection_timeout(LONG));
    Ok(builder.build())
}

impl Task {
    async fn run(mut self) {
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => {
                    if let SwarmEvent::Behaviour(Event::Message { message, .. }) = event {
                        self.deliveries.add(&message.data);
                    }
                }
                command = self.commands.recv() => {
                    let Some(command) = command else {
                        return;
                    };
                    self.take(command);
                    for _ in 1..COMMANDS_AT_ONCE {
                        let Ok(command) = self.commands.try_recv() else {
                            break;
                        };
                        self.take(command);
                    }
                }
            }
        }
    }

    fn take(&mut self, command: Command) {
        // Who asked may be gone.
        match command {
            Command::Dial(address, done) => {
                _ = done.send(self.swarm.dial(address).map_err(Failure::from));
            }
            Command::Neighbours(done) => _ = done.send(self.neighbours()),
            Command::Publish(message) => {
                let topic = self.topic.clone();
                let published = self.swarm.behaviour_mut().publish(topic, message);
                if let Err(error) = published {
                    self.failed.get_or_insert_with(|| error.into());
                }
            }
            Command::Published(done) => _ = done.send(self.failed.take().map_or(Ok(()), Err)),
        }
    }

    fn neighbours(&self) -> usize {
        let (behaviour, topic) = (self.swarm.behaviour(), self.topic.hash());
        if behaviour.mesh_peers(&topic).next().is_none() {
            return 0;
        }
        let peers = behaviour.all_peers();
        peers.filter(|(_, topics)| topics.contains(&&topic)).count()
    }
}
