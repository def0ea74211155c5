#!/usr/bin/env python3
"""Offline de-identification of CT slices: dimsegate, dcmodify and dicom-anonymizer in turn, as often as there are rounds.

Slices have about 150 elements and 512 x 512 pixels of 16 bits. dimsegate applies the Basic Profile with new UIDs, moved dates and
pseudonyms. dcmodify gets the changes that dimsegate made, as fixed values, since it has no profile and cannot move dates;
its new UIDs are random ones, of study, series and instance only. dicom-anonymizer applies its own rules of the Basic Profile.
Each runs as one process on one core, its start included; a figure is the median of its rounds.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

CONFIGURATION = """
[audit]
directory = "audit"
[[listener]]
name = "l"
address = "127.0.0.1:0"
upstream = "u"
[[upstream]]
name = "u"
addresses = ["127.0.0.1:104"]
[[role]]
name = "r"
operations = ["all"]
sop-classes = ["all"]
[[peer]]
name = "p"
networks = ["127.0.0.0/8"]
calling-ae-titles = ["X"]
role = "r"
[[rewrite]]
name = "full"
profile = "basic"
options = ["retain-longitudinal-modified-dates"]
secret-file = "{secret}"
rules = [
  {{ tag = "PatientName", action = "replace", value = "ANON^{{pseudonym}}" }},
  {{ tag = "PatientID", action = "replace", value = "{{pseudonym}}" }},
  {{ tag = "AccessionNumber", action = "pseudonym" }},
]
"""

# A value that suits each VR.
VALUES = {
    "AE": "STATION", "AS": "050Y", "CS": "YES", "DA": "20260102", "DS": "1.5", "DT": "20260102101112", "FD": 1.5, "FL": 1.5,
    "IS": "1", "LO": "SOME TEXT", "LT": "SOME TEXT", "PN": "DOE^JANE", "SH": "TEXT", "ST": "SOME TEXT", "TM": "101112",
    "UI": "1.2.826.0.1.3680043.8.498.1", "UL": 1, "US": 1, "SS": 1, "UT": "SOME TEXT",
}  # fmt: skip
KEYWORDS = """
SpecificCharacterSet ImageType InstanceCreationDate InstanceCreationTime StudyDate SeriesDate AcquisitionDate ContentDate
AcquisitionDateTime StudyTime SeriesTime AcquisitionTime ContentTime AccessionNumber Modality ConversionType Manufacturer
InstitutionName InstitutionAddress ReferringPhysicianName ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers
StationName StudyDescription SeriesDescription InstitutionalDepartmentName PhysiciansOfRecord PerformingPhysicianName
NameOfPhysiciansReadingStudy OperatorsName AdmittingDiagnosesDescription ManufacturerModelName DerivationDescription
PatientName PatientID IssuerOfPatientID PatientBirthDate PatientBirthTime PatientSex OtherPatientIDs OtherPatientNames
PatientAge PatientSize PatientWeight PatientAddress MedicalAlerts Allergies EthnicGroup Occupation AdditionalPatientHistory
PatientReligiousPreference PatientComments ContrastBolusAgent BodyPartExamined ScanOptions SliceThickness KVP
DataCollectionDiameter DeviceSerialNumber SoftwareVersions ProtocolName ContrastBolusRoute SpacingBetweenSlices
ReconstructionDiameter DistanceSourceToDetector DistanceSourceToPatient GantryDetectorTilt TableHeight RotationDirection
ExposureTime XRayTubeCurrent Exposure ExposureInuAs FilterType GeneratorPower FocalSpots DateOfLastCalibration
TimeOfLastCalibration ConvolutionKernel PatientPosition AcquisitionType RevolutionTime SingleCollimationWidth
TotalCollimationWidth TableSpeed TableFeedPerRotation SpiralPitchFactor ExposureModulationType EstimatedDoseSaving CTDIvol
StudyInstanceUID SeriesInstanceUID StudyID SeriesNumber AcquisitionNumber InstanceNumber ImagePositionPatient
ImageOrientationPatient FrameOfReferenceUID Laterality ImagesInAcquisition PositionReferenceIndicator SliceLocation
ImageComments SamplesPerPixel PhotometricInterpretation Rows Columns PixelSpacing BitsAllocated BitsStored HighBit
PixelRepresentation SmallestImagePixelValue LargestImagePixelValue PixelPaddingValue WindowCenter WindowWidth
RescaleIntercept RescaleSlope RescaleType WindowCenterWidthExplanation LossyImageCompression StudyStatusID
StudyPriorityID RequestingPhysician RequestingService RequestedProcedureDescription RequestedContrastAgent StudyComments
AdmissionID CurrentPatientLocation PatientInstitutionResidence PatientState ScheduledStationAETitle
PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProcedureStepID PerformedProcedureStepDescription
CommentsOnThePerformedProcedureStep RequestedProcedureID ReasonForTheRequestedProcedure RequestedProcedurePriority
PatientTransportArrangements RequestedProcedureLocation ConfidentialityCode ReportingPriority
NamesOfIntendedRecipientsOfResults RequestedProcedureComments ReasonForTheImagingServiceRequest IssueDateOfImagingServiceRequest
""".split()
EXACT = {
    "SpecificCharacterSet": "ISO_IR 100", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "Modality": "CT",
    "ConversionType": None, "PatientID": "PID-0815", "PatientSex": "F", "PatientPosition": "HFS", "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2", "Rows": 512, "Columns": 512, "BitsAllocated": 16, "BitsStored": 16,
    "HighBit": 15, "PixelRepresentation": 0, "PixelSpacing": ["0.7", "0.7"], "ImagePositionPatient": ["0", "0", "1"],
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
}  # fmt: skip


def slice_file(path, number, pixels):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.2.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    for keyword in KEYWORDS:
        value = EXACT.get(keyword, VALUES[dictionary_VR(tag_for_keyword(keyword)).split(" ")[0]])
        if value is not None:
            setattr(ds, keyword, value)
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CTImageStorage, "1.2.826.0.1.3680043.8.498.3"
    ds.ReferencedImageSequence = [reference]
    ds.InstanceNumber = number
    ds.add_new(0x7FE00010, "OW", pixels)
    ds.save_as(path, enforce_file_format=True)
    return sum(1 for _ in ds.iterall()) + 1


def dcmodify_options(before, after):
    """What makes of one file what dimsegate made, as far as dcmodify can."""
    old, new = pydicom.dcmread(before), pydicom.dcmread(after)
    options = ["-gst", "-gse", "-gin"]
    for element in old:
        tag = f"({element.tag.group:04x},{element.tag.element:04x})"
        if element.tag in (0x00080018, 0x0020000D, 0x0020000E) or element.tag == 0x7FE00010 or element.VR == "SQ":
            continue
        if element.tag not in new:
            options += ["-ea", tag]
        elif new[element.tag].value != element.value:
            options += ["-ma", f"{tag}={new[element.tag].value}"]
    for element in new:
        if element.tag not in old and element.VR != "SQ":
            value = element.value if isinstance(element.value, str) else "\\".join(element.value)
            options += ["-i", f"({element.tag.group:04x},{element.tag.element:04x})={value}"]
    return options


def measured(command, core):
    """Seconds of the clock and of the processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(["taskset", "-c", str(core), *command], capture_output=True, check=False, text=True)
    clock, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr[-500:]}")
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(prog="bench/offline/run", description=__doc__.split("\n")[0])
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dimsegate", required=True)
    options = parser.parse_args()
    room = options.slices * 530_000 * 2 + (64 << 20)
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and shutil.disk_usage(memory).free > room else None
    core = max(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(dir=place) as folder:
        run(Path(folder), options, core)


def run(folder, options, core):
    slices, out = folder / "slices", folder / "out"
    slices.mkdir()
    pixels = os.urandom(512 * 512 * 2)
    elements = [slice_file(slices / f"{number:05}.dcm", number, pixels) for number in range(1, options.slices + 1)]
    secret = folder / "secret"
    secret.write_bytes(b"k" * 32)
    secret.chmod(0o600)
    (folder / "conf.toml").write_text(CONFIGURATION.format(secret=secret))
    rewrite = [options.dimsegate, "rewrite", "-c", str(folder / "conf.toml"), "--rewrite", "full"]

    one = folder / "one"
    measured([*rewrite, "-o", str(one), str(slices / "00001.dcm")], core)
    modify = ["dcmodify", "-nb", "-imt", *dcmodify_options(slices / "00001.dcm", next(one.iterdir()))]
    anonymizer = Path(sys.executable).with_name("dicom-anonymizer")

    def by_dcmodify():
        shutil.copytree(slices, out)  # it edits in place; the copy is not counted
        return measured([*modify, *map(str, sorted(out.iterdir()))], core)

    def by_anonymizer():
        out.mkdir()
        return measured([str(anonymizer), str(slices), str(out)], core)

    tools = {
        "dimsegate rewrite": lambda: measured([*rewrite, "-o", str(out), str(slices)], core),
        "dcmodify": by_dcmodify,
        "dicom-anonymizer": by_anonymizer,
    }
    figures = {name: [] for name in tools}
    for _ in range(options.rounds):
        for name, tool in tools.items():
            figures[name].append(tool())
            written = sum(1 for path in out.rglob("*") if path.is_file())
            if written != options.slices:
                sys.exit(f"{name} wrote {written} files of {options.slices}")
            shutil.rmtree(out)
    size = (slices / "00001.dcm").stat().st_size
    print(f"{options.slices} CT slices of {size / 1000:.0f} KB with {elements[0]} elements, {options.rounds} rounds, one core\n")
    print(f"{'':20} {'objects/s of CPU':>17} {'objects/s':>10} {'CPU ms/object':>14}")
    for name, rounds in figures.items():
        clock, cpu = (statistics.median(column) for column in zip(*rounds))
        count = options.slices
        print(f"{name:20} {count / cpu:17.0f} {count / clock:10.0f} {cpu / count * 1000:14.2f}")


main()
