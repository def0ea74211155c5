"""Holds the answers against what a de-identifier made of the set.

Strict: an object that did not come out fails every check but those of what had to go. Fair: nothing is asked about the
way in which something goes, and no other name, UID or day is expected than one that is the same for the same.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from . import answers, pixels
from .answers import Answer
from .reading import Object, day, floats, follows, has, moment

GONE = {"text_removed", "pixels_hidden"}


@dataclass(frozen=True)
class Judgement:
    answer: Answer
    passed: bool
    # What was found in its place, where it failed.
    found: str = ""


class Judge:
    def __init__(self, set_folder, output_folder):
        self.answers = answers.read(Path(set_folder) / "answers.csv")
        self.before = read(Path(set_folder) / "objects")
        self.after = read(Path(output_folder))
        self.patient_of = {each.object: each.value for each in self.answers if each.action == "patid_consistent"}
        self.uids, self.patients, self.shifts = Counter(), Counter(), Counter()
        for answer in self.answers:
            self.learn(answer)

    def learn(self, answer):
        """What most places have for a UID, a patient, and as the number of days by which a patient's dates moved."""
        text = self.now(answer)
        if not text:
            return
        if answer.action == "uid_consistent":
            self.uids[answer.value, text] += 1
        elif answer.action == "patid_consistent":
            self.patients[answer.value, text] += 1
        elif answer.action == "date_shifted" and (shift := moved(answer.value, text)) is not None:
            self.shifts[self.patient_of.get(answer.object), shift] += 1

    def now(self, answer):
        after = self.after.get(answer.object)
        text = after and after.text(answer.path)
        return text and text.strip(" \0\n")

    def all(self):
        return [self.of(answer) for answer in self.answers]

    def of(self, answer):
        if answer.object not in self.after:
            return Judgement(answer, answer.action in GONE, "no such object")
        try:
            passed = getattr(self, answer.action)(answer)
        except Exception as error:  # an object that cannot be read has nothing retained
            return Judgement(answer, False, repr(error))
        return Judgement(answer, bool(passed), "" if passed else self.shown(answer))

    def shown(self, answer):
        text = self.now(answer) if answer.path not in ("*", "PixelData") and " " not in answer.path else None
        return "absent" if text is None else text

    def tag_retained(self, answer):
        return self.after[answer.object].element(answer.path) is not None

    def text_notnull(self, answer):
        return bool(self.now(answer))

    def text_removed(self, answer):
        if answer.path == "PixelData":
            raw = Path(self.after[answer.object].path).read_bytes()
            return not any(word.encode() in raw for word in answer.words)
        text = self.now(answer)
        return not text or not any(has(text, word) for word in answer.words)

    def text_retained(self, answer):
        numbers = self.after[answer.object].numbers(answer.path)
        wanted = floats(answer.words)
        if numbers is not None and wanted is not None:
            return numbers == wanted
        return follows(self.now(answer) or "", answer.words)

    def date_shifted(self, answer):
        text = self.now(answer)
        return not text or self.is_most(self.shifts, self.patient_of.get(answer.object), moved(answer.value, text))

    def uid_changed(self, answer):
        return self.now(answer) != answer.value

    def uid_consistent(self, answer):
        return self.stands_for_one(self.uids, answer)

    def patid_consistent(self, answer):
        return self.stands_for_one(self.patients, answer)

    def stands_for_one(self, seen, answer):
        """What it became is what it became everywhere, and nothing else became the same."""
        text = self.now(answer)
        others = {old for old, new in seen if new == text and old != answer.value}
        return bool(text) and not others and self.is_most(seen, answer.value, text)

    @staticmethod
    def is_most(seen, key, value):
        most = max((count, str(new), new) for (old, new), count in seen.items() if old == key)
        return value not in (None, 0) and value == most[2]

    def pixels_hidden(self, answer):
        return pixels.are_hidden(self.before[answer.object], self.after[answer.object], answer.value)

    def pixels_retained(self, answer):
        return pixels.are_retained(self.before[answer.object], self.after[answer.object], answer.value)

    def interval_retained(self, answer):
        first, second = (self.moment(answer, path) for path in answer.path.split(" "))
        return first and second and (second - first).total_seconds() == float(answer.value)

    def moment(self, answer, path):
        date, _, time = path.rpartition("+")
        text = self.after[answer.object].text
        if path.endswith("DateTime"):
            return moment((text(path) or "")[:8], (text(path) or "")[8:])
        return moment(text(date), text(time)) if date else moment(None, text(time))


def moved(old, new):
    """Days from one date to another."""
    first, second = day(old), day(new)
    return (second - first).days if first and second else None


def read(folder):
    """The DICOM files of a folder, by their numbers; what else is there is passed over."""
    objects = [Object(path) for path in sorted(Path(folder).rglob("*")) if path.is_file() and is_dicom(path)]
    return {each.number: each for each in objects}


def is_dicom(path):
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"
