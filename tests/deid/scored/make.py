"""Writes the set and its table of answers: `python3 -m scored.make FOLDER`, from `tests/deid`."""

import sys
import warnings
from pathlib import Path

from pydicom import config

from . import answers
from .objects import everything

warnings.simplefilter("ignore")
# Some values are wrong on purpose.
config.settings.writing_validation_mode = config.IGNORE
config.settings.reading_validation_mode = config.IGNORE


def make(folder):
    """Objects as `objects/NNNN.dcm`, answers as `answers.csv`. The same bytes each time."""
    (folder / "objects").mkdir(parents=True, exist_ok=True)
    table = []
    for o in everything():
        o.write(folder / "objects")
        table += o.answers
    answers.write(folder / "answers.csv", table)
    return table


if __name__ == "__main__":
    made = make(Path(sys.argv[1]))
    print(f"{len(made)} answers to {len({answer.object for answer in made})} objects in {sys.argv[1]}")
