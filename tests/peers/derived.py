"""Derived objects, made and read with pydicom.

derived.py segmentation SLICES OUT   a segmentation over so many slices, with the patient's words in texts that no table lists
derived.py read FILE                 what is in it, as JSON: how many instances it names, its texts and whether its UIDs are new
"""

import json
import sys

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SegmentationStorage, generate_uid


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def instance(number):
    item = Dataset()
    item.ReferencedSOPClassUID = CTImageStorage
    item.ReferencedSOPInstanceUID = generate_uid(entropy_srcs=["slice", str(number)])
    return item


def segment():
    item = Dataset()
    item.SegmentNumber, item.SegmentLabel, item.SegmentAlgorithmType = 1, "Müller's lesion", "MANUAL"
    item.SegmentDescription = "lesion of Jörg Mueller, seen 12.03.2020, call +49 40 123456"
    item.TrackingID = "MRN0012345-1"
    item.SegmentedPropertyCategoryCodeSequence = [code("49755003", "SCT", "Morphologically Abnormal Structure")]
    item.SegmentedPropertyTypeCodeSequence = [code("L1", "99LOCAL", "Lesion Müller")]
    return item


def segmentation(slices, target):
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 100"
    data.SOPClassUID, data.SOPInstanceUID = SegmentationStorage, generate_uid()
    data.StudyDate = data.ContentDate = "20200312"
    data.StudyTime = data.ContentTime = "101112"
    data.AccessionNumber, data.Modality, data.Manufacturer = "ACC-77-1", "SEG", "ACME"
    data.ReferringPhysicianName, data.InstitutionName = "House^Gregory", "St. Mary Hospital"
    series = Dataset()
    series.SeriesInstanceUID = generate_uid()
    series.ReferencedInstanceSequence = [instance(number) for number in range(slices)]
    data.ReferencedSeriesSequence = [series]
    data.PatientName, data.PatientID, data.PatientBirthDate = "Müller^Jörg", "MRN-0012345", "19500312"
    data.PatientSex = "M"
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.StudyID, data.SeriesNumber, data.InstanceNumber = "S7711", 5, 1
    data.ContentLabel, data.ContentDescription = "LESIONS", "of ACC-77-1, by Dr House at ST. MARY HOSPITAL"
    data.ContentCreatorName = "House^Gregory"
    data.SegmentationType, data.SegmentSequence = "BINARY", [segment()]
    data.Rows, data.Columns, data.NumberOfFrames = 8, 8, 1
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 1, 1, 0, 0
    data.PixelData = bytes(8)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(target, enforce_file_format=True)


def texts(data):
    for element in data.iterall():
        if element.VR not in ("SQ", "UI", "OB", "OW", "US", "UL", "IS", "DS"):
            yield f"{element.keyword}={element.value}"


def read(source):
    data = dcmread(source)
    instances = [
        item.ReferencedSOPInstanceUID
        for series in data.ReferencedSeriesSequence
        for item in series.ReferencedInstanceSequence
    ]
    old = {instance(number).ReferencedSOPInstanceUID for number in range(len(instances))}
    return {
        "instances": len(set(instances)),
        "kept": len(old & set(instances)),
        "texts": sorted(texts(data)),
        "pixels": len(data.PixelData),
    }


match sys.argv[1:]:
    case ["segmentation", slices, target]:
        segmentation(int(slices), target)
    case ["read", source]:
        print(json.dumps(read(source)))
    case other:
        sys.exit(f"derived.py: {other}")
