"""Objects made with pydicom for scenarios.

made.py report IMAGE OUT           a text report on an image, as a reader's workstation would make it from what it got
made.py worklist OUT KEY=VALUE...  an entry for DCMTK's wlmscpfs
made.py renamed IMAGE OUT SET NAME ID ACCESSION  the image in another character set, with other identifiers
"""

import datetime
import json
import sys

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import BasicTextSRStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def meta(data, syntax):
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.get("SOPClassUID", BasicTextSRStorage)
    data.file_meta.MediaStorageSOPInstanceUID = data.get("SOPInstanceUID", generate_uid())
    return data


def reference(image):
    instance = Dataset()
    instance.ReferencedSOPClassUID = image.SOPClassUID
    instance.ReferencedSOPInstanceUID = image.SOPInstanceUID
    series = Dataset()
    series.SeriesInstanceUID = image.SeriesInstanceUID
    series.ReferencedSOPSequence = [instance]
    study = Dataset()
    study.StudyInstanceUID = image.StudyInstanceUID
    study.ReferencedSeriesSequence = [series]
    return study


def report(source, target):
    image, data = dcmread(source), Dataset()
    now = datetime.datetime.now(datetime.timezone.utc)
    data.SOPClassUID, data.SOPInstanceUID = BasicTextSRStorage, generate_uid()
    for keyword in ("StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID"):
        if keyword in image:
            data[keyword] = image[keyword]
    data.ContentDate, data.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    data.Modality, data.Manufacturer, data.InstitutionName = "SR", "READER WORKS", "READERS OF THE TEST"
    data.ReferringPhysicianName = ""
    data.SeriesInstanceUID, data.SeriesNumber, data.InstanceNumber = generate_uid(), 9, 1
    data.PatientIdentityRemoved, data.DeidentificationMethod = "YES", image.get("DeidentificationMethod", "")
    data.ValueType, data.ContinuityOfContent = "CONTAINER", "SEPARATE"
    data.CompletionFlag, data.VerificationFlag = "COMPLETE", "UNVERIFIED"
    data.ConceptNameCodeSequence = [code("18748-4", "LN", "Diagnostic Imaging Report")]
    data.PerformedProcedureCodeSequence = []
    data.CurrentRequestedProcedureEvidenceSequence = [reference(image)]
    finding = Dataset()
    finding.RelationshipType, finding.ValueType = "CONTAINS", "TEXT"
    finding.ConceptNameCodeSequence = [code("121071", "DCM", "Finding")]
    finding.TextValue = "No phantom was harmed."
    data.ContentSequence = [finding]
    meta(data, ExplicitVRLittleEndian).save_as(target, enforce_file_format=True)
    print(json.dumps({"sop_instance": data.SOPInstanceUID, "series": data.SeriesInstanceUID, "today": data.ContentDate}))


def worklist(target, *pairs):
    data, step = Dataset(), Dataset()
    step.Modality, step.ScheduledStationAETitle = "CT", "READER"
    step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime = "20260102", "101500"
    step.ScheduledPerformingPhysicianName, step.ScheduledProcedureStepID = "PERFORMER^PIA", "SPS-1"
    step.ScheduledProcedureStepDescription = "THORAX"
    data.RequestedProcedureID, data.RequestedProcedureDescription = "RP-1", "THORAX ROUTINE"
    data.ReferringPhysicianName = "REFERRER^RITA"
    for keyword, _, value in (pair.partition("=") for pair in pairs):
        setattr(data, keyword, value)
    data.ScheduledProcedureStepSequence = [step]
    meta(data, ImplicitVRLittleEndian).save_as(target, enforce_file_format=True)


def renamed(source, target, character_set, name, patient, accession):
    data = dcmread(source)
    data.SpecificCharacterSet = character_set.split("\\")
    data.PatientName, data.PatientID, data.AccessionNumber = name, patient, accession
    data.save_as(target, enforce_file_format=True)


{"report": report, "worklist": worklist, "renamed": renamed}[sys.argv[1]](*sys.argv[2:])
