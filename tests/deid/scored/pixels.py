"""What became of pixels: whether letters can still be read, and whether a picture is what it was."""

# How much brighter than what is around them letters may be on the average, of 255, without being seen.
SEEN = 12


def rectangle(value):
    x, y, width, height = (int(part) for part in value.split())
    return x, y, width, height


def cut(frame, columns, value):
    x, y, width, height = rectangle(value)
    return b"".join(frame[(y + row) * columns + x : (y + row) * columns + x + width] for row in range(height))


def are_hidden(before, after, value):
    """Letters are white in the object as it was made; they are hidden where those pixels are no brighter than others."""
    columns = int(before.data_set.Columns)
    if after.pixels() is None:
        return True
    if int(after.data_set.get("Columns", 0)) != columns:
        return False
    was, now = cut(before.native(), columns, value), cut(after.native(), columns, value)
    letters = [new for old, new in zip(was, now) if old == 255]
    others = [new for old, new in zip(was, now) if old != 255]
    return abs(mean(letters) - mean(others)) < SEEN


def mean(values):
    return sum(values) / max(1, len(values))


def are_retained(before, after, value):
    if after.pixels() is None:
        return False
    if value == "jpeg":
        return [stripped(frame) for frame in after.fragments()] == [stripped(frame) for frame in before.fragments()]
    if value:
        columns = int(before.data_set.Columns)
        return cut(before.native(), columns, value) == cut(after.native(), columns, value)
    length = size(before.data_set)
    return before.native()[:length] == after.native()[:length]


def size(data_set):
    """Bytes of all native frames (PS3.5 §8.1.1)."""
    bits = data_set.Rows * data_set.Columns * data_set.SamplesPerPixel * data_set.BitsAllocated
    return (bits * int(data_set.get("NumberOfFrames") or 1) + 7) // 8


def stripped(frame):
    """A JPEG frame without comment and application segments, and what lies behind its end (ITU-T T.81 B.1.1)."""
    kept, at = [frame[:2]], 2
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big") + 2
        if marker != 0xFE and not 0xE0 <= marker <= 0xEF:
            kept.append(frame[at : at + length])
        at += length
        if marker == 0xDA:
            kept.append(frame[at:].rstrip(b"\0"))
            break
    return b"".join(kept)
