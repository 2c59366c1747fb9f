"""Messages of the control protocols (chapter 4), as the values that vectors state.

A message is a dictionary in the form of `vectors/README.md`, so that an encoder can start from
what a vector states and not only from what a decoder returned.
"""

import address
import codec

MOST_AGENT = 64
MOST_ADDRESSES = 8
MOST_PROTOCOLS = 64
SMALLEST_PROTOCOL = 3

Message = dict[str, object]


def decode_identify(body: bytes) -> Message:
    return codec.decode_body(body, _read_identify, encode_identify)


def encode_identify(message: Message) -> bytes:
    return (
        codec.text(message["agent"], MOST_AGENT)
        + codec.items(message["listen_addresses"], MOST_ADDRESSES, _write_address)
        + codec.items(message["protocols"], MOST_PROTOCOLS, _write_protocol)
        + codec.compact(message["roles"], 4)
        + codec.option(message["observed_address"], _write_address)
    )


def decode_ping(body: bytes) -> Message:
    return codec.decode_body(body, lambda reader: {"nonce": _read_u64(reader)}, encode_ping)


def encode_ping(message: Message) -> bytes:
    return _write_u64(message["nonce"])


def decode_observed(body: bytes) -> Message:
    return codec.decode_body(body, _read_observed, encode_observed)


def encode_observed(message: Message) -> bytes:
    return _write_u64(message["sequence"]) + _write_address(message["address"])


def _read_identify(reader: codec.Reader) -> Message:
    return {
        "agent": reader.text(MOST_AGENT),
        "listen_addresses": reader.sequence(MOST_ADDRESSES, address.SMALLEST_BYTES, _read_address),
        "protocols": reader.sequence(MOST_PROTOCOLS, SMALLEST_PROTOCOL, _read_protocol),
        "roles": reader.compact(4),
        "observed_address": reader.option(_read_address),
    }


def _read_observed(reader: codec.Reader) -> Message:
    return {"sequence": _read_u64(reader), "address": _read_address(reader)}


def _read_protocol(reader: codec.Reader) -> Message:
    return {
        "number": reader.compact(4),
        "min_version": reader.compact(2),
        "max_version": reader.compact(2),
    }


def _write_protocol(protocol: Message) -> bytes:
    return (
        codec.compact(protocol["number"], 4)
        + codec.compact(protocol["min_version"], 2)
        + codec.compact(protocol["max_version"], 2)
    )


def _read_address(reader: codec.Reader) -> str:
    return address.to_text(address.read(reader))


def _write_address(text: str) -> bytes:
    return address.write(address.from_text(text))


def _read_u64(reader: codec.Reader) -> str:
    return str(reader.compact(8))


def _write_u64(text: str) -> bytes:
    return codec.compact(int(text), 8)
