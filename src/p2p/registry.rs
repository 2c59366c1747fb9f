//! The protocols that this node speaks.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::protocol::{FIRST_APPLICATION_PROTOCOL, Handler, Protocol, RegisterError, Shape};
use crate::wire::{StreamHeader, Violation};

/// Protocols a node may speak: as many as its identify message can name.
pub const MAX_PROTOCOLS: usize = 64;

type Protocols = BTreeMap<u32, (Protocol, Handler)>;

/// Protocols by number.
#[derive(Debug, Default)]
pub(super) struct Registry {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    protocols: Protocols,
    closed: bool,
}

impl Registry {
    /// Adds a protocol of an application.
    pub(super) fn register(
        &self,
        protocol: Protocol,
        handler: Handler,
    ) -> Result<(), RegisterError> {
        let number = protocol.number;
        if number < FIRST_APPLICATION_PROTOCOL {
            return Err(RegisterError::Reserved(number));
        }
        if !protocol.early_frames.is_empty() {
            return Err(RegisterError::EarlyNotAllowed(number));
        }
        self.register_stack(protocol, handler)
    }

    /// Adds a protocol of the stack.
    pub(super) fn register_stack(
        &self,
        protocol: Protocol,
        handler: Handler,
    ) -> Result<(), RegisterError> {
        let number = protocol.number;
        if protocol.versions.is_empty() {
            return Err(RegisterError::NoVersion(number));
        }
        let fits = matches!(
            (protocol.shape, &handler),
            (Shape::Request { .. }, Handler::Request(_))
                | (Shape::Ordered, Handler::Ordered(_))
                | (Shape::Raw, Handler::Raw(_))
        );
        if !fits {
            return Err(RegisterError::ShapeMismatch(number));
        }
        let mut state = self.write();
        if state.closed {
            return Err(RegisterError::Stopped);
        }
        let protocols = &mut state.protocols;
        if protocols.contains_key(&number) {
            return Err(RegisterError::Taken(number));
        }
        if protocols.len() >= MAX_PROTOCOLS {
            return Err(RegisterError::TooMany);
        }
        protocols.insert(number, (protocol, handler));
        Ok(())
    }

    /// The protocol and the handler for a stream with this header.
    pub(super) fn find(&self, header: StreamHeader) -> Result<(Protocol, Handler), Violation> {
        let state = self.read();
        let Some((protocol, handler)) = state.protocols.get(&header.protocol) else {
            return Err(Violation::UnknownProtocol {
                number: header.protocol.into(),
            });
        };
        if !protocol.versions.contains(&header.version) {
            return Err(Violation::UnknownVersion {
                protocol: header.protocol,
                version: header.version.into(),
            });
        }
        Ok((*protocol, handler.clone()))
    }

    /// All protocols, by number.
    pub(super) fn list(&self) -> Vec<Protocol> {
        let state = self.read();
        let protocols = state.protocols.values();
        protocols.map(|(protocol, _)| *protocol).collect()
    }

    /// Drops all handlers and takes no more.
    pub(super) fn close(&self) {
        let mut state = self.write();
        state.closed = true;
        let protocols = std::mem::take(&mut state.protocols);
        drop(state);
        // A handler may hold the last reference to the node, whose end comes here again.
        drop(protocols);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
