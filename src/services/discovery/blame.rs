//! What the faults of the machine are to the swarm's reputation.

use crate::discovery::Fault as Found;
use crate::p2p::{Fault, Severity};

/// Numbers of discovery's faults in events; never reused.
///
/// | number | severity | what |
/// | --- | --- | --- |
/// | – | stream | malformed: a violation of the wire format |
/// | 1 | stream | told an address that its own rules forbid |
/// | 2 | light | at three addresses that it told somebody else answered: peers move |
/// | 3 | stream | a record that is not what its kind demands |
/// | 4 | light | stored a superseded version again and again: it may have been away |
/// | 5 | stream | an answer that does not fit the question |
pub(super) const fn fault(found: Found) -> Fault {
    let (number, severity) = match found {
        Found::Malformed(violation) => return Fault::Wire(violation),
        Found::ForbiddenAddress(_) => (1, Severity::Stream),
        Found::WrongAddresses => (2, Severity::Light),
        Found::InvalidRecord(_) => (3, Severity::Stream),
        Found::StaleRecord => (4, Severity::Light),
        Found::Incoherent => (5, Severity::Stream),
    };
    Fault::Protocol { number, severity }
}
