"""What a de-identified object says, as pydicom reads it: texts, numbers, days and frames."""

import datetime
import re
import unicodedata
import warnings

from pydicom import config, dcmread
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder
from pydicom.sequence import Sequence

from . import places

warnings.simplefilter("ignore")
config.settings.reading_validation_mode = config.IGNORE
WORD = re.compile(r"[^\W_]+")
NUMBERS = {"DS", "IS", "FL", "FD", "US", "UL", "SS", "SL"}
BREAK = "\n"


def folded(text):
    """Without case and diacritics, so that MULLER is found for Müller."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def words_of(text):
    return WORD.findall(folded(text))


def is_ideographic(text):
    return any(ord(letter) >= 0x2E80 for letter in text)


def has(text, identifier):
    """Whether an identifier can be read in a text: its words one after the other, or, where it is written without
    gaps, inside of a word."""
    wanted, there = words_of(identifier), words_of(text)
    if any(there[at : at + len(wanted)] == wanted for at in range(len(there) - len(wanted) + 1)):
        return True
    squeezed = "".join(wanted)
    if is_ideographic(identifier) or len(squeezed) > 5 and any(letter.isdigit() for letter in squeezed):
        return any(squeezed in "".join(words_of(part)) for part in text.split(BREAK))
    return False


def follows(text, phrases):
    """Whether the words of all phrases are in the text, in their order."""
    there = iter(words_of(text))
    return all(word in there for phrase in phrases for word in words_of(phrase))


def texts(element):
    """All of an element as lines of text, items and their items too."""
    try:
        value = element.value
    except Exception:  # what pydicom cannot make a value of
        return [str(getattr(element, "value", ""))]
    if isinstance(value, Sequence):
        return [line for item in value for inner in elements(item) for line in texts(inner)]
    if isinstance(value, bytes):
        return [value.decode("utf-8", "ignore"), value.decode("latin-1")]
    if isinstance(value, (list, tuple)) or hasattr(value, "__iter__") and not isinstance(value, str) and element.VM > 1:
        return [str(each) for each in value]
    return ["" if value is None else str(value)]


def elements(data_set):
    for tag in sorted(data_set.keys()):
        try:
            yield data_set[tag]
        except Exception:  # a value that its VR does not allow is text all the same
            yield Plain(data_set.get_item(tag))


class Plain:
    """The bytes of an element that pydicom cannot convert."""

    def __init__(self, raw):
        self.VR, self.VM, self.tag = raw.VR, 1, raw.tag
        self.value = raw.value if isinstance(raw.value, bytes) else str(raw.value).encode()


class Object:
    """A DICOM file."""

    def __init__(self, path):
        self.path = path
        self.data_set = dcmread(path, force=True)
        self.number = int(str(self.data_set.get("InstanceNumber", "") or 0))
        self._all = None

    def element(self, path):
        if place := places.found(self.data_set, path):
            data_set, tag = place
            try:
                return data_set[tag]
            except Exception:
                return Plain(data_set.get_item(tag))
        return None

    def text(self, path):
        """None where there is no such element."""
        if path == "*":
            return self.all()
        element = self.element(path)
        return None if element is None else BREAK.join(texts(element))

    def all(self):
        if self._all is None:
            lines = [line for element in elements(self.data_set) if element.tag != 0x7FE00010 for line in texts(element)]
            meta = [line for element in elements(self.data_set.file_meta) for line in texts(element)]
            self._all = BREAK.join(lines + meta)
        return self._all

    def numbers(self, path):
        """Of an element whose VR is one of numbers."""
        element = self.element(path)
        if element is None or element.VR not in NUMBERS:
            return None
        return floats(texts(element))

    @property
    def syntax(self):
        return self.data_set.file_meta.TransferSyntaxUID

    def pixels(self):
        """The bytes of Pixel Data as they are in the file."""
        return self.data_set.get("PixelData")

    def fragments(self):
        return list(generate_frames(self.pixels(), number_of_frames=int(self.data_set.get("NumberOfFrames") or 1)))

    def native(self):
        """All frames as bytes, decoded where they are compressed; what cannot be decoded raises."""
        if not self.syntax.is_compressed or self.syntax.is_deflated:
            return bytes(self.pixels())
        return bytes(get_decoder(self.syntax).as_buffer(self.data_set)[0])


def floats(values):
    try:
        return [float(value) for value in values]
    except ValueError:
        return None


def day(text):
    """The day of a DA or DT."""
    try:
        return datetime.datetime.strptime(text.strip()[:8], "%Y%m%d").date()
    except ValueError:
        return None


def moment(date, time):
    """A date, where there is one, with a time of day to the second."""
    match = re.match(r"\d{6}", (time or "").strip())
    start = day(date) if date else datetime.date(2000, 1, 1)
    if not match or not start:
        return None
    hours, minutes, seconds = (int(match[0][at : at + 2]) for at in (0, 2, 4))
    return datetime.datetime.combine(start, datetime.time(hours, minutes, min(seconds, 59)))
