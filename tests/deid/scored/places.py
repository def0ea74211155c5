"""Where an element is: keywords with items counted from 1, as `RequestAttributesSequence[1].ScheduledProcedureStepID`; a
private element is `(gggg,"CREATOR",ee)`."""

import re

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

PRIVATE = re.compile(r'\(([0-9A-Fa-f]{4}),"([^"]+)",([0-9A-Fa-f]{2})\)')
PLAIN = re.compile(r"\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)")
STEP = re.compile(r'((?:\([^)]*\))|\w+)(?:\[(\d+)\])?(?:\.|$)')


def steps(path):
    return [(name, int(item) if item else None) for name, item in STEP.findall(path)]


def tag_of(data_set, name, create=False):
    """The tag of a step in this data set; None for a private element whose block is not there."""
    if private := PRIVATE.fullmatch(name):
        group, creator, low = int(private[1], 16), private[2], int(private[3], 16)
        try:
            return data_set.private_block(group, creator, create=create).get_tag(low)
        except KeyError:
            return None
    if plain := PLAIN.fullmatch(name):
        return int(plain[1], 16) << 16 | int(plain[2], 16)
    return tag_for_keyword(name)


def found(data_set, path):
    """The data set and tag that a path leads to, or None."""
    for name, item in steps(path):
        tag = tag_of(data_set, name)
        if tag is None or tag not in data_set:
            return None
        if item is None:
            return data_set, tag
        items = data_set[tag].value
        if not isinstance(items, Sequence) or len(items) < item:
            return None
        data_set = items[item - 1]
    return None


def made(data_set, path):
    """The same, with sequences and items made on the way."""
    *around, (last, _) = steps(path)
    for name, item in around:
        tag = tag_of(data_set, name, create=True)
        if tag not in data_set:
            data_set.add_new(tag, "SQ", Sequence())
        items = data_set[tag].value
        while len(items) < item:
            items.append(Dataset())
        data_set = items[item - 1]
    tag = tag_of(data_set, last, create=True)
    return data_set, tag


def vr_of(tag):
    return dictionary_VR(tag)
