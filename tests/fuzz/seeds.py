"""Writes a few good inputs for each target, so that the fuzzer need not invent PS3.8 and PS3.5.

usage: seeds.py CORPUS [FOLDER OF DICOM FILES]

CORPUS is tests/fuzz/corpus for cargo-fuzz; below it, each target has a folder.
"""

import struct
import sys
from pathlib import Path

CONF = Path(__file__).parents[2] / "conf"
CORPUS = Path(sys.argv[1])


def seed(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def item(kind, value):
    return struct.pack(">BBH", kind, 0, len(value)) + value


def uid_item(kind, uid, rest=b""):
    return item(kind, struct.pack(">H", len(uid)) + uid + rest)


CT, EXPLICIT = b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.1.2.1"


def associate(context, calling=b"CT1", called=b"PACS", more=b""):
    body = struct.pack(">HH", 1, 0) + called.ljust(16) + calling.ljust(16) + bytes(32)
    user = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3") + item(0x55, b"SEED")
    return body + item(0x10, b"1.2.840.10008.3.1.1.1") + context + item(0x50, user + more)


proposed = item(0x20, b"\1\0\0\0" + item(0x30, CT) + item(0x40, EXPLICIT) + item(0x40, b"1.2.840.10008.1.2"))
answered = item(0x21, b"\1\0\0\0" + item(0x40, EXPLICIT))
window, role = item(0x53, struct.pack(">HH", 1, 1)), uid_item(0x54, CT, b"\0\1")
extended, identity = uid_item(0x56, CT, b"\1\1"), item(0x58, b"\2\1\0\4user\0\4pass")
common = item(0x57, struct.pack(">H", len(CT)) + CT + struct.pack(">H", 17) + b"1.2.840.10008.4.2" + b"\0\0")
everything = window + role + extended + common + identity + item(0x5D, b"opaque")
request = associate(proposed, more=everything)
seed("associate", "request", request)
seed("associate", "answer", associate(answered, more=window + role + item(0x59, b"\0\2ok")))
for choice, who in enumerate([b"CT1", b"CT1", b"MR9", b"CT1"]):
    seed("decision", f"request-{choice}", bytes([choice]) + associate(proposed, calling=who))


def command(*elements):
    encoded = b"".join(struct.pack("<HHI", 0, tag, len(value)) + value for tag, value in elements)
    return struct.pack("<HHII", 0, 0, 4, len(encoded)) + encoded


def us(value):
    return struct.pack("<H", value)


store = command((2, CT + b"\0"), (0x100, us(1)), (0x110, us(7)), (0x700, us(0)), (0x800, us(0)), (0x1000, b"1.2.3\0"))
seed("command", "store", store)
seed("command", "response", command((0x100, us(0x8001)), (0x120, us(7)), (0x800, us(0x101)), (0x900, us(0))))
seed("command", "cancel", command((0x100, us(0xFFF)), (0x120, us(7)), (0x800, us(0x101))))


def pdv(context, control, value):
    return struct.pack(">IBB", len(value) + 2, context, control) + value


def pdu(kind, body):
    return struct.pack(">BBI", kind, 0, len(body)) + body


stream = pdu(4, pdv(1, 3, store)) + pdu(4, pdv(1, 0, bytes(3000)) + pdv(1, 2, bytes(50))) + pdu(5, bytes(4))
seed("deframer", "message", b"\5" + stream + pdu(7, b"\0\0\2\6"))


def element(tag, vr, value, endian="<"):
    value += b"\0" * (len(value) % 2)
    long = vr in (b"SQ", b"OB", b"OW", b"UN")
    head = struct.pack(endian + "HH", *tag) + vr + (b"\0\0" if long else b"")
    return head + struct.pack(endian + ("I" if long else "H"), len(value)) + value


def small(endian):
    nested = element((0x40, 0x275), b"SQ", b"", endian)
    inner = element((8, 0x1155), b"UI", b"1.2.9", endian)
    items = struct.pack(endian + "HHI", 0xFFFE, 0xE000, len(inner)) + inner
    open_ended = struct.pack(endian + "HH", 8, 0x1140) + b"SQ\0\0" + b"\xff" * 4 + items
    open_ended += struct.pack(endian + "HHI", 0xFFFE, 0xE0DD, 0)
    elements = [
        element((8, 5), b"CS", b"ISO_IR 100", endian),
        element((8, 0x16), b"UI", b"1.2", endian),
        element((8, 0x18), b"UI", b"1.2.3", endian),
        element((8, 0x80), b"LO", b"HOSPITAL", endian),
        element((8, 0x1030), b"LO", b"THORAX 4711", endian),
        open_ended,
        element((9, 0x10), b"LO", b"ACME 1.0", endian),
        element((9, 0x1010), b"LO", b"KEPT", endian),
        element((0x10, 0x10), b"PN", b"PHANTOM^CARLA", endian),
        element((0x10, 0x20), b"LO", b"4711", endian),
        element((0x20, 0xD), b"UI", b"1.2.4", endian),
        nested,
        element((0x6000, 0x3000), b"OW", bytes(20), endian),
        element((0x7FE0, 0x10), b"OW", bytes(300), endian),
    ]
    return b"".join(elements)


seed("transform", "explicit-little", b"\0\20" + small("<"))
seed("transform", "explicit-big", b"\2\20" + small(">"))
implicit = b"".join(
    struct.pack("<HHI", *tag, len(value)) + value
    for tag, value in [((8, 0x16), b"1.2\0"), ((8, 0x18), b"1.2.3\0"), ((0x10, 0x20), b"4711"), ((0x40, 0x275), b"")]
)
seed("transform", "implicit", b"\1\20" + implicit)
flat = [((8, 0), b"\x1e\0\0\0"), ((8, 0x20), b"20261201"), ((8, 0x52), b"STUDY "), ((0x10, 0x20), b"4711"), ((0x20, 0xD), b"")]
seed("small", "explicit-little", b"\0" + small("<"))
seed("small", "explicit-big", b"\2" + small(">"))
seed("small", "implicit", b"\1" + implicit)
seed("small", "implicit-query", b"\1" + b"".join(struct.pack("<HHI", *tag, len(value)) + value for tag, value in flat))
for place, endian in [(0, "<"), (2, ">")]:
    kinds = [b"UL", b"DA", b"CS", b"LO", b"UI"]
    query = [element(tag, kind, value, endian) for (tag, value), kind in zip(flat, kinds)]
    seed("small", f"explicit-query-{place}", bytes([place]) + b"".join(query))
VERIFICATION, FIND, GET = b"1.2.840.10008.1.1", b"1.2.840.10008.5.1.4.1.2.2.1", b"1.2.840.10008.5.1.4.1.2.2.3"
FROM_PEER, TO_PEER, LOST, SECONDS, DRAIN, NO_MORE = b"B", b"A", b"L", b"S", b"W", b"N"


def happens(kind, number=0):
    return kind + struct.pack(">H", number)


def says(direction, content):
    return happens(direction, len(content)) + content


def message(context, command_set, data=None, size=700):
    parts = [pdu(4, pdv(context, 3, command_set))]
    for at in range(0, len(data or b""), size):
        last = at + size >= len(data)
        parts.append(pdu(4, pdv(context, 2 if last else 0, data[at : at + size])))
    return b"".join(parts)


def asked(field, sop_class, number, data_set=0, instance=None):
    named = [(0x1000, instance)] if instance else []
    first = [(2, sop_class.ljust(len(sop_class) + len(sop_class) % 2, b"\0")), (0x100, us(field)), (0x110, us(number))]
    priority = [(0x700, us(0))] if data_set == 0 else []
    return command(*first, *priority, (0x800, us(data_set)), *named)


def answer_to(field, number, status=0, data_set=0x101):
    return command((0x100, us(field | 0x8000)), (0x120, us(number)), (0x800, us(data_set)), (0x900, us(status)))


image = b"".join(
    element(tag, vr, value)
    for tag, vr, value in [
        ((8, 0x16), b"UI", CT + b"\0"),
        ((8, 0x18), b"UI", b"1.2.3\0"),
        ((8, 0x50), b"SH", b"A1"),
        ((0x10, 0x10), b"PN", b"Doe^Jane"),
        ((0x10, 0x20), b"LO", b"4711"),
        ((0x20, 0xD), b"UI", b"1.2.4\0"),
        ((0x7FE0, 0x10), b"OW", bytes(1000)),
    ]
)
identifier = element((8, 0x52), b"CS", b"STUDY") + element((0x10, 0x20), b"LO", b"4711")
release, released = pdu(5, bytes(4)), pdu(6, bytes(4))
echo = says(FROM_PEER, message(3, asked(0x30, VERIFICATION, 1, 0x101))) + says(TO_PEER, message(3, answer_to(0x30, 1)))
object_sent = message(1, asked(1, CT, 2, instance=b"1.2.3\0"), image)
stored = says(FROM_PEER, object_sent)
done = says(TO_PEER, message(1, answer_to(1, 2)))
leave = says(FROM_PEER, release) + says(TO_PEER, released)
found = b"".join(says(TO_PEER, message(5, answer_to(0x20, 3, 0xFF00, 0), identifier)) for _ in range(2))
find = says(FROM_PEER, message(5, asked(0x20, FIND, 3), identifier)) + found + says(TO_PEER, message(5, answer_to(0x20, 3)))
given = says(TO_PEER, message(1, asked(1, CT, 9, instance=b"1.2.3\0"), image)) + says(FROM_PEER, message(1, answer_to(1, 9)))
get = says(FROM_PEER, message(7, asked(0x10, GET, 4), identifier)) + given + says(TO_PEER, message(7, answer_to(0x10, 4)))
refused = says(FROM_PEER, message(5, asked(0x21, FIND, 5), identifier))
for choice in (0, 1, 0x13, 0x86):
    chosen = bytes([choice])
    seed("machine", f"all-{choice}", chosen + echo + stored + done + find + get + refused + leave)
    seed("machine", f"collision-{choice}", chosen + echo + says(TO_PEER, release) + leave + says(FROM_PEER, released))
    seed("machine", f"lost-{choice}", chosen + says(FROM_PEER, object_sent[:-500]) + happens(LOST) + happens(SECONDS, 100))
    seed("machine", f"silent-{choice}", chosen + stored + happens(SECONDS, 61))
    seed("machine", f"stops-{choice}", chosen + echo + stored + happens(DRAIN) + done)
    seed("machine", f"ordered-{choice}", chosen + stored + happens(NO_MORE) + done + echo)

if len(sys.argv) > 2:
    for path in sorted(Path(sys.argv[2]).rglob("*.dcm")):
        content = path.read_bytes()
        if len(content) < 8192 and content[128:132] == b"DICM":
            start = 144 + struct.unpack("<I", content[140:144])[0]
            seed("transform", path.name, b"\0\20" + content[start:])

for path in CONF.glob("*.toml"):
    seed("configuration", path.name, path.read_bytes())

token = (
    b'\1{"alg":"EdDSA","typ":"JWT"}\n'
    b'{"iss":"i","sub":"anna","aud":["a"],"iat":1800000000,"exp":1800000500,"ae":["SITE"],"r":{"r":"all echo"},"jti":"1"}'
)
seed("token", "signed", token)
seed("token", "unsigned", b"\0eyJhbGciOiJub25lIn0.eyJpc3MiOiJpIiwic3ViIjoiYW5uYSIsImF1ZCI6ImEiLCJleHAiOjE4MDAwMDA1MDB9.AAAA")
seed("token", "keys", b'\2{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"1"}]}')
