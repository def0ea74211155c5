"""An object of the set, made together with the answers to it."""

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from . import places, texts
from .answers import Answer


class Instance:
    """One object. Each method puts a value in its place and says what has to become of it."""

    def __init__(self, number, study, series, sop_class, syntax=ExplicitVRLittleEndian):
        self.number, self.study, self.patient, self.series = number, study, study.patient, series
        self.sop_class, self.syntax = sop_class, syntax
        self.uid = study.instance(series, number)
        self.data_set, self.answers = Dataset(), []

    def put(self, path, value, vr=None):
        """A value of which nothing is asked."""
        data_set, tag = places.made(self.data_set, path)
        data_set.add_new(tag, vr or places.vr_of(tag), value)

    def raw(self, path, vr, value):
        """Bytes as they are, whatever the VR allows."""
        data_set, tag = places.made(self.data_set, path)
        value = value + b" " * (len(value) % 2)
        data_set[tag] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)

    def expect(self, action, path, *words, value=""):
        self.answers.append(Answer(self.number, path, action, str(value), tuple(words)))

    def removes(self, path, value, *words, vr=None):
        """The value, or some words of it, are nowhere in the element."""
        self.put(path, value, vr)
        values = words or (value if isinstance(value, list) else [value])
        self.expect("text_removed", path, *[word for each in values for word in texts.each_word(str(each))], value=value)

    def keeps(self, path, value, vr=None):
        """The value stays."""
        self.put(path, value, vr)
        values = value if isinstance(value, list) else [value]
        self.expect("text_retained", path, *[str(each) for each in values], value=value)

    def cleans(self, path, template, vr=None):
        """Of a text the identifiers go, and what says something stays."""
        text, out, stay = texts.parse(template, self.patient.words)
        self.put(path, text, vr)
        if out:
            self.expect("text_removed", path, *out, value=text)
        if stay:
            self.expect("text_retained", path, *stay, value=text)

    def shifts(self, path, value, vr=None):
        """A date or date and time: another day, and the same number of days away for all of the patient."""
        self.put(path, value, vr)
        self.expect("date_shifted", path, value=value)
        self.expect("text_notnull", path, value=value)

    def new_uid(self, path, value):
        self.put(path, value, "UI")
        self.expect("uid_changed", path, value=value)
        self.expect("uid_consistent", path, value=value)

    def keeps_apart(self, first, second, seconds):
        """Two dates with times, or date and time pairs joined by `+`, stay so many seconds apart."""
        self.expect("interval_retained", f"{first} {second}", value=seconds)

    def is_there(self, *paths):
        for path in paths:
            self.expect("tag_retained", path)

    def is_filled(self, *paths):
        for path in paths:
            self.expect("text_notnull", path)

    def leaves_nowhere(self, *words):
        """No element of the object has them, at any depth; of a name with several words the longest is looked for."""
        for word in words:
            longest = max(texts.each_word(word), key=len)
            self.expect("text_removed", "*", longest, value=word)

    def write(self, folder):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = self.sop_class, self.uid
        meta.TransferSyntaxUID = self.syntax
        meta.ImplementationClassUID = "1.2.826.0.1.3680043.10.1361.1"
        path = folder / f"{self.number:04}.dcm"
        file = FileDataset(str(path), self.data_set, file_meta=meta, preamble=b"\0" * 128)
        dcmwrite(path, file, enforce_file_format=True)
        return path
