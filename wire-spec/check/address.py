"""Addresses, binary and as text (chapter 3 sections 6 and 7)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import codec
import identity
from refusal import Refused

LONGEST_NAME = 253
LONGEST_TEXT = 512
SMALLEST_BYTES = 4

IP4, IP6, DNS4, DNS6 = range(4)
HOST_WORDS = ("ip4", "ip6", "dns4", "dns6")
ROUTE_PEERS = (0, 1, 2)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PORT = re.compile(r"0|[1-9][0-9]{0,4}")


@dataclass(frozen=True)
class Address:
    """Where packets go, and who is reached: nobody in particular, a peer, or a relay and a peer."""

    host: int
    name: IPv4Address | IPv6Address | str
    port: int
    peers: tuple[bytes, ...]


def read(reader: codec.Reader) -> Address:
    host = reader.compact(4)
    if host >= len(HOST_WORDS):
        raise Refused("InvalidValue")
    name = _read_name(reader, host)
    port = reader.compact(2)
    route = reader.compact(4)
    if route >= len(ROUTE_PEERS):
        raise Refused("InvalidValue")
    peers = tuple(reader.array(identity.PEER_ID_BYTES) for _ in range(ROUTE_PEERS[route]))
    if host == IP6 and name.ipv4_mapped is not None:
        raise Refused("InvalidAddress")
    return Address(host, name, port, peers)


def write(address: Address) -> bytes:
    if address.host in (IP4, IP6):
        name = address.name.packed
    else:
        name = codec.text(address.name, LONGEST_NAME)
    return (
        codec.compact(address.host, 4)
        + name
        + codec.compact(address.port, 2)
        + codec.compact(ROUTE_PEERS.index(len(address.peers)), 4)
        + b"".join(address.peers)
    )


def decode(data: bytes) -> Address:
    return codec.decode_body(data, read, write)


def to_text(address: Address) -> str:
    text = f"/{HOST_WORDS[address.host]}/{address.name}/udp/{address.port}/quic-v1"
    return text + "/p2p-circuit".join(f"/p2p/{identity.base32(peer)}" for peer in address.peers)


def from_text(text: str) -> Address:
    if len(text.encode("utf-8")) > LONGEST_TEXT:
        raise Refused("TooLong")
    words = _Words(text)
    host = words.keyword("HostKind", HOST_WORDS)
    part, parse = HOST_PARSERS[host]
    name = words.value(part, parse)
    words.keyword("Udp", ("udp",))
    port = words.value("Port", _parse_port)
    words.keyword("Quic", ("quic-v1",))
    return Address(host, name, port, _peers(words))


def _peers(words: "_Words") -> tuple[bytes, ...]:
    if words.ended():
        return ()
    words.keyword("P2p", ("p2p",))
    first = words.value("PeerId", identity.peer_id_from_text)
    if words.ended():
        return (first,)
    words.keyword("Circuit", ("p2p-circuit",))
    words.keyword("P2p", ("p2p",))
    second = words.value("PeerId", identity.peer_id_from_text)
    if not words.ended():
        raise Refused("Unexpected(End)")
    return (first, second)


class _Words:
    """The words of a text address that were not taken yet."""

    def __init__(self, text: str) -> None:
        if not text:
            raise Refused("Missing(Slash)")
        if text[0] != "/":
            raise Refused("Unexpected(Slash)")
        self._words = text[1:].split("/")

    def ended(self) -> bool:
        return not self._words

    def keyword(self, part: str, choices: tuple[str, ...]) -> int:
        word = self._take(part)
        if word not in choices:
            raise Refused(f"Unexpected({part})")
        return choices.index(word)

    def value(self, part: str, parse: Callable):
        word = self._take(part)
        try:
            return parse(word)
        except (ValueError, Refused):
            raise Refused(f"Invalid({part})") from None

    def _take(self, part: str) -> str:
        if not self._words:
            raise Refused(f"Missing({part})")
        return self._words.pop(0)


def _read_name(reader: codec.Reader, host: int) -> IPv4Address | IPv6Address | str:
    if host == IP4:
        return IPv4Address(reader.array(4))
    if host == IP6:
        return IPv6Address(reader.array(16))
    name = reader.text(LONGEST_NAME)
    try:
        return _parse_name(name)
    except ValueError:
        raise Refused("InvalidAddress") from None


def _parse_name(name: str) -> str:
    labels = name.split(".")
    well_formed = all(LABEL.fullmatch(label) for label in labels)
    if len(name) > LONGEST_NAME or not well_formed or labels[-1].isdigit():
        raise ValueError(f"{name!r} is no name")
    return name


def _parse_ip6(text: str) -> IPv6Address:
    address = IPv6Address(text)
    if address.scope_id is not None or address.ipv4_mapped is not None:
        raise ValueError(f"{text!r} has a zone or is IPv4-mapped")
    return address


def _parse_port(text: str) -> int:
    if not PORT.fullmatch(text) or int(text) > 65535:
        raise ValueError(f"{text!r} is no port")
    return int(text)


HOST_PARSERS = (
    ("Ip4", IPv4Address),
    ("Ip6", _parse_ip6),
    ("DnsName", _parse_name),
    ("DnsName", _parse_name),
)
