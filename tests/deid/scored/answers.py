"""The table of answers: what has to have become of which element of which object."""

import csv
from dataclasses import asdict, dataclass, fields

# As the challenge groups them: what HIPAA's safe harbor asks for, what makes an object of the standard, and what
# curators of public collections keep.
HIPAA, DICOM, PRACTICE = "HIPAA", "DICOM", "best practice"
CATEGORIES = {
    "text_removed": HIPAA,
    "date_shifted": HIPAA,
    "uid_changed": HIPAA,
    "pixels_hidden": HIPAA,
    "tag_retained": DICOM,
    "text_notnull": DICOM,
    "uid_consistent": DICOM,
    "patid_consistent": DICOM,
    "text_retained": PRACTICE,
    "pixels_retained": PRACTICE,
    # Not of the challenge: two times of one object are as far from each other as before.
    "interval_retained": PRACTICE,
}
SEPARATOR = "␟"


@dataclass(frozen=True)
class Answer:
    # The object, by its Instance Number (0020,0013), which no two of the set share and nobody has to change.
    object: int
    # Keywords with items counted from 1, `(gggg,"CREATOR",ee)` for a private element; `*` is all of the object.
    path: str
    action: str
    # As it was; of pixels `x y width height`, or nothing for all of them.
    value: str = ""
    # What has to go or to stay, in its order.
    words: tuple = ()

    @property
    def category(self):
        return CATEGORIES[self.action]


def write(path, answers):
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Answer)], lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(answer) | {"words": SEPARATOR.join(answer.words)} for answer in answers)


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [
            Answer(int(row["object"]), row["path"], row["action"], row["value"], tuple(filter(None, row["words"].split(SEPARATOR))))
            for row in csv.DictReader(file)
        ]
