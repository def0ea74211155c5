#!/usr/bin/env python3
"""A second opinion on de-identified files: pydicom reads them; dicom-anonymizer, or the Orthanc whose HTTP address is given,
says which elements it would have changed.

Reads lines `BEFORE<tab>AFTER` on standard input and prints one JSON object: what pydicom could not read, and the elements that
dicom-anonymizer (PS3.15 2026c) or Orthanc removes, empties or replaces and that came out as they went in, by tag with a file
each.
"""

import copy
import io
import json
import sys
import urllib.request
import warnings

import pydicom
from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE


def elements(dataset, path=""):
    """Every element that is no sequence, by path; items are counted."""
    for element in dataset:
        here = f"{path}{element.tag.group:04X}{element.tag.element:04X}"
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from elements(item, f"{here}[{number}].")
        elif element.tag != 0x7FE00010:
            yield here, element


def flat(dataset):
    return {path: str(element.value) for path, element in elements(dataset) if element.value is not None}


def post(url, body):
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as answer:
        return answer.read()


def by_orthanc(address):
    def anonymize(path, _original):
        with open(path, "rb") as file:
            instance = json.loads(post(f"{address}/instances", file.read()))["ID"]
        return pydicom.dcmread(io.BytesIO(post(f"{address}/instances/{instance}/anonymize", b"{}")), force=True)

    return anonymize


def by_dicom_anonymizer():
    actions = initialize_actions("dicomfields_2026c")

    def anonymize(_path, original):
        theirs = copy.deepcopy(original)
        anonymize_dataset(theirs, delete_private_tags=True, base_rules_gen=lambda: actions)
        return theirs

    return anonymize


def main():
    anonymize = by_orthanc(sys.argv[1]) if len(sys.argv) > 1 else by_dicom_anonymizer()
    unread, differing, judged = {}, {}, 0
    for line in sys.stdin:
        before, after = line.rstrip("\n").split("\t")
        try:
            ours = flat(pydicom.dcmread(after))
        except Exception as error:  # whatever pydicom says
            unread[before] = repr(error)
            continue
        try:
            original = pydicom.dcmread(before, force=True)
            was, now = flat(original), flat(anonymize(before, original))
        except Exception:  # what it cannot do is no opinion
            continue
        judged += 1
        for path, value in was.items():
            if value and now.get(path) != value and ours.get(path) == value:
                differing.setdefault(path.split(".")[-1], before)
    print(json.dumps({"judged": judged, "unread": unread, "differing": differing}))


main()
