"""Messages of discovery and the rules for addresses of contacts (chapter 5 sections 3 to 5).

A message is a dictionary in the form of `vectors/README.md`, as in `fields.py`.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import address
from fields import (
    ADDRESS,
    U8,
    U16,
    U32,
    U64,
    Message,
    Struct,
    array,
    enum,
    option,
    payload,
    sequence,
)
from identity import PEER_ID_BYTES
from mldsa import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from refusal import Refused

KEY_BYTES = 32
MOST_CONTACTS = 40
MOST_CONTACT_ADDRESSES = 4
MOST_PROVIDERS = 32
MOST_RECORDS = 64
MOST_RECORD_BODY = 65_536
MOST_VALUE = 16_384
MOST_SALT = 64
SMALLEST_CONTACT, SMALLEST_RECORD, SMALLEST_OUTCOME = 33, 2, 1
OUTCOMES = ("Stored", "Superseded", "Unsupported", "Full", "Invalid")

KEY = array(KEY_BYTES)
OUTCOME = enum(*OUTCOMES)

CONTACT = Struct(
    peer=array(PEER_ID_BYTES),
    addresses=sequence(MOST_CONTACT_ADDRESSES, address.SMALLEST_BYTES, ADDRESS),
)
RECORD = Struct(kind=U16, body=payload(MOST_RECORD_BODY))

_CONTACT, _RECORD = CONTACT.field(), RECORD.field()
CONTACTS = sequence(MOST_CONTACTS, SMALLEST_CONTACT, _CONTACT)
RECORDS = sequence(MOST_RECORDS, SMALLEST_RECORD, _RECORD)

FIND_NODE = Struct(target=KEY, want=U8)
FIND_VALUE = Struct(target=KEY, kind=U16, key=KEY)
GET_PROVIDERS = Struct(target=KEY, key=KEY)
STORE = Struct(records=RECORDS)
HAND_OFF = Struct(after=option(KEY))
NODES = Struct(contacts=CONTACTS)
VALUE = Struct(record=_RECORD, contacts=CONTACTS)
PROVIDERS = Struct(
    providers=sequence(MOST_PROVIDERS, SMALLEST_CONTACT, _CONTACT), contacts=CONTACTS
)
STORED = Struct(outcomes=sequence(MOST_RECORDS, SMALLEST_OUTCOME, OUTCOME))
HANDED_OFF = Struct(records=RECORDS, next=option(KEY))

IMMUTABLE_RECORD = Struct(value=payload(MOST_VALUE))
MUTABLE_RECORD = Struct(
    suite=U8,
    public_key=array(PUBLIC_KEY_BYTES),
    salt=payload(MOST_SALT),
    sequence=U64,
    created=U64,
    expires=U64,
    value=payload(MOST_VALUE),
    signature=array(SIGNATURE_BYTES),
)
PROVIDER_RECORD = Struct(key=KEY, lifetime=U32)


# Chapter 2 section 9.1.
GLOBAL_6 = IPv6Network("2000::/3")
NOT_GLOBAL_4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
        "192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 "
        "224.0.0.0/3"
    ).split()
]
NOT_GLOBAL_6 = [
    IPv6Network(text)
    for text in "2001:2::/48 2001:10::/28 2001:20::/28 2001:db8::/32 3fff::/20".split()
]
# Where the IPv4 address inside an IPv6 address begins.
INSIDE = {IPv6Network("::ffff:0:0/96"): 12, IPv6Network("64:ff9b::/96"): 12} | {
    IPv6Network("2002::/16"): 2
}
BROADCAST = IPv4Address("255.255.255.255")


def is_globally_routable(ip: IPv4Address | IPv6Address) -> bool:
    if ip.version == 6:
        for network, start in INSIDE.items():
            if ip in network:
                return is_globally_routable(IPv4Address(ip.packed[start : start + 4]))
        return ip in GLOBAL_6 and not any(ip in network for network in NOT_GLOBAL_6)
    return not any(ip in network for network in NOT_GLOBAL_4)


def check_contact(contact: Message, public: bool) -> None:
    """The rules of section 3.1; `public` is whether the teller is reached over the Internet."""
    for text in contact["addresses"]:
        _check_address(address.from_text(text), bytes.fromhex(contact["peer"]), public)


def _check_address(told: address.Address, peer: bytes, public: bool) -> None:
    if told.host not in (address.IP4, address.IP6):
        raise Refused("Name")
    ip = told.name
    all_bits_zero = not any(ip.packed)
    multicast = ip.packed[0] >> 4 == 0xE if ip.version == 4 else ip.packed[0] == 0xFF
    if told.port == 0 or all_bits_zero or multicast or ip == BROADCAST:
        raise Refused("NotDialable")
    if public and not is_globally_routable(ip):
        raise Refused("Private")
    if len(told.peers) == 1 or (told.peers and told.peers[1] != peer):
        raise Refused("NotOfPeer")
