"""Texts for a scenario, made and read with pydicom.

texts.py make FOLDER   ct.dcm, an image with texts in ISO_IR 100, and rt.dcm, a structure set
texts.py read FILE     the texts of either as JSON: attribute to text, names of structures as a list
"""

import json
import sys
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

TEXTS = {
    "StudyDescription": "CT HEAD W/O CONTRAST",
    "SeriesDescription": "No tumor in DOE left lung",
    "ProtocolName": "Schädel nativ 5mm, Herr Müller 12.03.1950",
    "ImageComments": "Pas de lésion de l'épaule gauche\r\nDr Lefèvre, 01 23 45 67 89",
    "RequestedProcedureDescription": "DOE JANE",
}
NAMES = [
    "Lung_L", "Lung_R", "SpinalCord", "PTV_6000", "PTV_7000", "Bladder-PTV", "A_Carotid_L", "GTVp", "CTV1", "zPTV_70",
    "Lung_L^Doe", "GTV DOE", "GTV ROE", "DOE", "ROE", "Quokka",
]


def base(sop_class, modality):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SpecificCharacterSet = "ISO_IR 100"
    data.SOPClassUID, data.SOPInstanceUID = sop_class, generate_uid()
    data.file_meta.MediaStorageSOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.Modality, data.PatientName, data.PatientID = modality, "Doe^Jane", "PID-1"
    return data


def make(folder):
    image = base(CTImageStorage, "CT")
    for keyword, text in TEXTS.items():
        setattr(image, keyword, text)
    image.save_as(folder / "ct.dcm", enforce_file_format=True)
    structures = base(RTStructureSetStorage, "RTSTRUCT")
    structures.StructureSetLabel = "PLAN DOE"
    structures.StructureSetROISequence = []
    for number, name in enumerate(NAMES, 1):
        item = Dataset()
        item.ROINumber, item.ROIName, item.ROIGenerationAlgorithm = number, name, ""
        structures.StructureSetROISequence.append(item)
    structures.save_as(folder / "rt.dcm", enforce_file_format=True)


def read(file):
    data = dcmread(file)
    told = {keyword: data[keyword].value for keyword in [*TEXTS, "StructureSetLabel"] if keyword in data}
    if "StructureSetROISequence" in data:
        told["names"] = [item.ROIName for item in data.StructureSetROISequence]
    return told


if sys.argv[1] == "make":
    make(Path(sys.argv[2]))
else:
    print(json.dumps(read(sys.argv[2])))
