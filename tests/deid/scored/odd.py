"""Objects in which identifiers are where nobody looks: attributes that no table lists, private blocks, wrong VRs."""

from pydicom import uid

from .header import header
from .images import acquisition, burned, describe, geometry, grey16, US_COLUMNS, US_ROWS
from .instance import Instance

# Texts of the dictionary, with what they say; no row of PS3.15 Table E.1-1 has most of them.
UNLISTED = {
    "DocumentTitle": "Report left lung",
    "ContentDescription": "left lung",
    "PerformedProcedureTypeDescription": "CT chest",
    "DerivationDescription": "coronal MPR",
    "ImagingServiceRequestComments": "left lung",
}


def private(number, study):
    """Private blocks of three makers; the last says itself that it is safe, and tells less than the truth."""
    o = Instance(number, study, 4, uid.CTImageStorage)
    header(o, "CT", "AXIAL 5.0 mm CHEST")
    geometry(o)
    acquisition(o, ["DERIVED", "PRIMARY", "AXIAL"], "CHEST")
    p = o.patient
    o.removes('(0009,"ACME PRIVATE",10)', f"{p.given} {p.family}", vr="LO")
    o.removes('(0009,"ACME PRIVATE",11)', p.identifier, vr="SH")
    o.removes('(0009,"ACME PRIVATE",12)', p.birth, vr="DA")
    o.removes('(0009,"ACME PRIVATE",13)[1].PatientName', p.name, p.family, p.given)
    o.removes('(0029,"SITE NOTES",20)', f"call {p.telephone}", p.telephone, vr="LT")
    o.removes('(0029,"SITE NOTES",21)', "https://pacs.millbrook.example/p/NF4711234", "millbrook", vr="UT")
    o.raw('(0029,"SITE NOTES",22)', "UN", f"{p.family} {p.identifier}".encode("ascii", "ignore"))
    o.expect("text_removed", '(0029,"SITE NOTES",22)', p.identifier)
    grey16(o, number)
    return o


def unlisted(number, study):
    """Texts of the dictionary that the table does not list."""
    o = Instance(number, study, 5, uid.CTImageStorage)
    header(o, "CT", "CORONAL MPR LUNG")
    geometry(o)
    acquisition(o, ["DERIVED", "PRIMARY", "AXIAL"], "CHEST")
    p = o.patient
    for keyword, text in UNLISTED.items():
        o.cleans(keyword, f"{text} {{$given $family}}")
    o.removes("ContrastBolusIngredient", p.family.upper())
    o.removes("PatientTransportArrangements", f"taxi of {p.family}", p.family)
    o.removes("RetrieveURL", f"https://pacs.millbrook.example/{p.identifier}", p.identifier, "millbrook")
    o.removes("FileSetDescriptorFileID", ["PAT", p.identifier], p.identifier)
    o.removes("ReferencedPatientSequence[1].ReferencedSOPInstanceUID", f"{study.uid}.6000")
    o.removes("OriginalAttributesSequence[1].ModifiedAttributesSequence[1].PatientName", p.name, p.family, p.given)
    o.removes("OriginalAttributesSequence[1].SourceOfPreviousValues", p.institution)
    grey16(o, number)
    return o


def wrong_values(number, study):
    """Names as the values of VRs that allow none, and attributes with another VR than theirs."""
    o = Instance(number, study, 6, uid.CTImageStorage)
    header(o, "CT", "AX CHEST")
    geometry(o)
    acquisition(o, ["ORIGINAL", "PRIMARY", "AXIAL"], "CHEST")
    name = o.patient.family.upper().encode("latin-1", "replace")
    word = name.decode("latin-1")
    for path, vr in [
        ("KVP", "DS"),
        ("ExposureTime", "IS"),
        ("TableHeight", "DS"),
        ("SeriesTime", "TM"),
        ("DateOfLastCalibration", "DA"),
        ("RotationDirection", "CS"),
        ("RetrieveAETitle", "AE"),
        ("XRayTubeCurrent", "IS"),
        ("FilterType", "LO"),
        ("GeneratorPower", "LO"),
        ("ExposureModulationType", "CS"),
        ("PatientPosition", "CS"),
    ]:
        o.raw(path, vr, name)
        o.expect("text_removed", path, word, value=word)
    o.raw("TargetUID", "LO", b"1.2.826.0.1.3680043.10.1361.4711")
    o.expect("text_removed", "TargetUID", "1.2.826.0.1.3680043.10.1361.4711")
    # Under the standard's root, and not of the standard: it has a birth date in it.
    o.raw("CodingSchemeUID", "UI", f"1.2.840.10008.{o.patient.birth}".encode())
    o.expect("text_removed", "CodingSchemeUID", f"1.2.840.10008.{o.patient.birth}")
    grey16(o, number)
    return o


def photograph(number, study):
    """A photograph of the skin with a label in the picture, and where it was taken."""
    o = Instance(number, study, 7, uid.VLPhotographicImageStorage)
    header(o, "XC", "<Photograph of the> left hand")
    acquisition(o, ["ORIGINAL", "PRIMARY"], "HAND")
    o.put("BurnedInAnnotation", "YES")
    o.removes("GPSLatitude", ["48", "51", "29"], "48\\51\\29")
    o.removes("CameraOwnerName", "Thistlewood Ada", "Thistlewood")
    o.removes("LensSerialNumber", "LSN-70881")
    frame = burned(o, [("PIETER JANSEN", 4, 2), ("NL 0330019", 4, 12)], "0 24 160 96")
    describe(o, US_ROWS, US_COLUMNS, 8, 8)
    o.put("PixelData", bytes(frame), "OB")
    return o
