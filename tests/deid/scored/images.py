"""Images: what a modality writes beside the header, and its pixels."""

import struct

from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder

from .header import header, turn
from .instance import Instance
from . import lettering, texts

SIDE = 64


def grey16(o, seed=0, rows=SIDE, columns=SIDE):
    """Native grey pixels of 16 bits."""
    pixels = [(seed + 31 * x + 17 * y + x * y) % 4000 for y in range(rows) for x in range(columns)]
    describe(o, rows, columns, 16, 12)
    o.put("PixelData", struct.pack(f"<{len(pixels)}H", *pixels), "OW")
    o.expect("pixels_retained", "PixelData")


def describe(o, rows, columns, allocated, stored, photometric="MONOCHROME2", samples=1):
    for keyword, value in [
        ("SamplesPerPixel", samples),
        ("Rows", rows),
        ("Columns", columns),
        ("BitsAllocated", allocated),
        ("BitsStored", stored),
        ("HighBit", stored - 1),
        ("PixelRepresentation", 0),
    ]:
        o.keeps(keyword, value)
    o.keeps("PhotometricInterpretation", photometric)
    if samples > 1:
        o.keeps("PlanarConfiguration", 0)


def geometry(o):
    o.new_uid("FrameOfReferenceUID", o.study.frame_of_reference)
    o.put("PositionReferenceIndicator", "")
    o.is_there("PositionReferenceIndicator")
    o.keeps("ImagePositionPatient", ["-120.5", "-98.25", str(10 * o.number)])
    o.keeps("ImageOrientationPatient", ["1", "0", "0", "0", "1", "0"])
    o.keeps("PixelSpacing", ["0.9765", "0.9765"])
    o.keeps("SliceThickness", "5.0")


def acquisition(o, image_type, body_part):
    o.keeps("ImageType", image_type)
    o.keeps("BodyPartExamined", body_part)
    o.shifts("AcquisitionDate", o.study.date)
    o.put("AcquisitionTime", o.study.time)
    o.keeps("AcquisitionNumber", "1")
    o.put("PatientOrientation", "")
    o.is_there("PatientOrientation")
    o.cleans("ImageComments", turn(texts.FINDING, o.patient.language, o.number))
    o.removes("FillerOrderNumberImagingServiceRequest", "FIL-330917")


def ct(number, study, series=1, syntax=uid.ExplicitVRLittleEndian, pixels=grey16):
    o = Instance(number, study, series, uid.CTImageStorage, syntax)
    header(o, "CT")
    geometry(o)
    acquisition(o, ["ORIGINAL", "PRIMARY", "AXIAL"], "HEAD")
    for keyword, value in [
        ("KVP", "120"),
        ("XRayTubeCurrent", "210"),
        ("ExposureTime", "1000"),
        ("RescaleIntercept", "-1024"),
        ("RescaleSlope", "1"),
        ("ConvolutionKernel", "STANDARD"),
        ("GantryDetectorTilt", "0"),
        ("PatientPosition", "HFS"),
        ("ScanOptions", "HELICAL"),
        ("WindowCenter", "40"),
        ("WindowWidth", "80"),
    ]:
        o.keeps(keyword, value)
    contrast(o)
    o.new_uid("IrradiationEventUID", f"{study.uid}.8000.{series}")
    o.shifts("AcquisitionDateTime", study.date + study.time)
    pixels(o, number)
    return o


def contrast(o):
    o.cleans("ContrastBolusAgent", "Iohexol 350 <for> {$family}" if o.number % 2 else "Iopamidol 300 mg/mL")
    o.keeps("ContrastBolusRoute", "INTRAVENOUS")
    o.keeps("ContrastBolusVolume", "90")


def mr(number, study, series=1, syntax=uid.ExplicitVRLittleEndian):
    o = Instance(number, study, series, uid.MRImageStorage, syntax)
    header(o, "MR")
    geometry(o)
    acquisition(o, ["ORIGINAL", "PRIMARY", "M", "NORM"], "BRAIN")
    for keyword, value in [
        ("ScanningSequence", "SE"),
        ("SequenceVariant", "SK"),
        ("MRAcquisitionType", "2D"),
        ("SequenceName", "*se2d1"),
        ("RepetitionTime", "4500"),
        ("EchoTime", "98"),
        ("EchoTrainLength", "16"),
        ("MagneticFieldStrength", "3"),
        ("FlipAngle", "150"),
        ("PatientPosition", "HFS"),
    ]:
        o.keeps(keyword, value)
    o.keeps('(0019,"SIEMENS MR HEADER",0C)', "1000", "IS")
    o.keeps('(0019,"SIEMENS MR HEADER",0D)', "DIRECTIONAL", "CS")
    o.removes('(0019,"SIEMENS MR HEADER",0F)', f"USER {o.patient.family}", o.patient.family, vr="SH")
    grey16(o, number)
    return o


def pt(number, study, series=2):
    o = Instance(number, study, series, uid.PositronEmissionTomographyImageStorage)
    header(o, "PT")
    geometry(o)
    acquisition(o, ["ORIGINAL", "PRIMARY"], "WHOLEBODY")
    o.keeps("SeriesType", ["WHOLE BODY", "IMAGE"])
    o.keeps("Units", "BQML")
    o.keeps("DecayCorrection", "START")
    o.keeps("CorrectedImage", ["DECY", "ATTN", "SCAT"])
    o.keeps("RescaleSlope", "1.7")
    o.keeps("RescaleIntercept", "0")
    o.keeps("ActualFrameDuration", "120000")
    injection(o)
    o.keeps('(7053,"Philips PET Private Group",00)', "0.00056", "DS")
    o.keeps('(7053,"Philips PET Private Group",09)', "1.25", "DS")
    grey16(o, number)
    return o


def injection(o):
    """A viewer computes the standardized uptake from the decay between injection and acquisition."""
    item = "RadiopharmaceuticalInformationSequence[1]"
    o.cleans(f"{item}.Radiopharmaceutical", "Fluorodeoxyglucose F18 {$family}")
    o.put(f"{item}.RadiopharmaceuticalStartTime", "093000")
    o.shifts(f"{item}.RadiopharmaceuticalStartDateTime", f"{o.study.date}093000")
    o.is_filled(f"{item}.RadiopharmaceuticalStartTime", "AcquisitionTime", "SeriesTime")
    o.keeps(f"{item}.RadionuclideTotalDose", "370000000")
    o.keeps(f"{item}.RadionuclideHalfLife", "6586.2")
    seconds = 3600 * int(o.study.time[:2]) + 60 * int(o.study.time[2:4]) + int(o.study.time[4:6]) - (9 * 3600 + 30 * 60)
    o.keeps_apart(f"{item}.RadiopharmaceuticalStartTime", "AcquisitionTime", seconds)
    o.keeps_apart(f"{item}.RadiopharmaceuticalStartDateTime", "AcquisitionDate+AcquisitionTime", seconds)
    code(o, f"{item}.RadionuclideCodeSequence[1]", "77004003", "SCT", "18F")
    # A code of the site, with whom it was mixed for.
    code(o, f"{item}.RadiopharmaceuticalCodeSequence[1]", "FDG-7", "99NORTH", None)
    o.cleans(f"{item}.RadiopharmaceuticalCodeSequence[1].CodeMeaning", "FDG {$given $family}")


def code(o, item, value, scheme, meaning):
    o.keeps(f"{item}.CodeValue", value)
    o.keeps(f"{item}.CodingSchemeDesignator", scheme)
    if meaning:
        o.keeps(f"{item}.CodeMeaning", meaning)


def projection(number, study, sop_class, modality, body_part, series=1, view="AP"):
    o = Instance(number, study, series, sop_class)
    header(o, modality)
    acquisition(o, ["ORIGINAL", "PRIMARY"], body_part)
    for keyword, value in [("KVP", "90"), ("Exposure", "4"), ("ViewPosition", view), ("DistanceSourceToDetector", "1800")]:
        o.keeps(keyword, value)
    o.keeps("ImageLaterality", "R")
    o.keeps("BurnedInAnnotation", "NO")
    o.removes("DetectorID", "DET-5500917")
    o.removes("PlateID", "PLT-77120")
    o.removes("AcquisitionDeviceProcessingDescription", f"by {o.patient.family}", o.patient.family)
    grey16(o, number, 48, 40)
    return o


def dx(number, study):
    o = projection(number, study, uid.DigitalXRayImageStorageForPresentation, "DX", "CHEST", view="PA")
    o.keeps("PresentationIntentType", "FOR PRESENTATION")
    o.keeps("PixelIntensityRelationship", "LIN")
    code(o, "AnatomicRegionSequence[1]", "51185008", "SCT", "Chest")
    code(o, "ViewCodeSequence[1]", "399348003", "SCT", "antero-posterior")
    o.shifts("DateOfLastDetectorCalibration", "20240105")
    return o


def mg(number, study):
    o = projection(number, study, uid.DigitalMammographyXRayImageStorageForPresentation, "MG", "BREAST", 2, "MLO")
    o.keeps("PresentationIntentType", "FOR PRESENTATION")
    o.keeps("CompressionForce", "120")
    o.keeps("OrganExposed", "BREAST")
    o.keeps("BreastImplantPresent", "NO")
    code(o, "ViewCodeSequence[1]", "399368009", "SCT", "medio-lateral oblique")
    return o


def cr(number, study):
    o = projection(number, study, uid.ComputedRadiographyImageStorage, "CR", "KNEE")
    o.removes("CassetteID", "CAS-4410912")
    o.cleans("AcquisitionComments", "lateral view knee <by> {$operator}")
    return o


def nm(number, study):
    o = Instance(number, study, 1, uid.NuclearMedicineImageStorage)
    header(o, "NM")
    acquisition(o, ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"], "KIDNEY")
    o.keeps("CountsAccumulated", "512000")
    o.keeps("ActualFrameDuration", "60000")
    item = "RadiopharmaceuticalInformationSequence[1]"
    o.cleans(f"{item}.Radiopharmaceutical", "Tc99m MDP <for> {$family}")
    o.keeps(f"{item}.RadionuclideTotalDose", "740")
    o.shifts(f"{item}.RadiopharmaceuticalStartDateTime", f"{study.date}081500")
    item = "EnergyWindowInformationSequence[1]"
    o.keeps(f"{item}.EnergyWindowRangeSequence[1].EnergyWindowLowerLimit", "126")
    o.keeps(f"{item}.EnergyWindowRangeSequence[1].EnergyWindowUpperLimit", "154")
    o.keeps("NumberOfFrames", "1")
    grey16(o, number)
    return o


US_COLUMNS, US_ROWS = 160, 120


def burned(o, lines, region=None):
    """A frame of 8 bits with lines of text: what has to be hidden, and what of the picture has to stay."""
    frame = lettering.anatomy(US_COLUMNS, US_ROWS)
    for text, x, y in lines:
        o.expect("pixels_hidden", "PixelData", value=lettering.burn(frame, US_COLUMNS, text, x, y))
    if region:
        o.expect("pixels_retained", "PixelData", value=region)
    return frame


def us(number, study, syntax=uid.ExplicitVRLittleEndian, regions=False):
    """Ultrasound with the patient's name above the picture."""
    o = Instance(number, study, 1, uid.UltrasoundImageStorage, syntax)
    header(o, "US", "RIGHT KIDNEY LONGITUDINAL")
    acquisition(o, ["ORIGINAL", "PRIMARY", "ABDOMINAL"], "ABDOMEN")
    o.put("BurnedInAnnotation", "YES")
    o.data_set.Manufacturer, o.data_set.ManufacturerModelName = "ACME Imaging", "Scanalot 3000"
    o.removes("TransducerIdentificationSequence[1].DeviceSerialNumber", "TRD-11870")
    if regions:
        region(o)
    p, latin = o.patient, "TAROU YAMADA"
    frame = burned(o, [(latin, 4, 2), (f"{p.birth} {p.identifier}"[:24], 4, 12)], "0 24 160 96")
    describe(o, US_ROWS, US_COLUMNS, 8, 8)
    put_frame(o, bytes(frame))
    return o


def region(o):
    """Where the picture is (PS3.3 C.8.5.5): what is outside of it is text and scales."""
    item = "SequenceOfUltrasoundRegions[1]"
    for keyword, value in [
        ("RegionLocationMinX0", 0),
        ("RegionLocationMinY0", 24),
        ("RegionLocationMaxX1", 159),
        ("RegionLocationMaxY1", 119),
        ("RegionSpatialFormat", 1),
        ("RegionDataType", 1),
        ("RegionFlags", 0),
        ("PhysicalUnitsXDirection", 3),
        ("PhysicalUnitsYDirection", 3),
    ]:
        o.keeps(f"{item}.{keyword}", value)


def put_frame(o, frame):
    if not o.syntax.is_compressed:
        return o.put("PixelData", frame, "OB")
    encoder = get_encoder(uid.RLELossless)
    encoded = encoder.encode(
        frame, rows=US_ROWS, columns=US_COLUMNS, samples_per_pixel=1, bits_allocated=8, bits_stored=8,
        photometric_interpretation="MONOCHROME2", number_of_frames=1, pixel_representation=0, encoding_plugin="pydicom",
    )  # fmt: skip
    o.put("PixelData", encapsulate([encoded]), "OB")
    o.data_set["PixelData"].is_undefined_length = True


def sc(number, study):
    """A screen that was captured, with the patient in its corner."""
    o = Instance(number, study, 3, uid.SecondaryCaptureImageStorage)
    header(o, "OT", "Screen captured")
    o.put("ConversionType", "WSD")
    o.put("BurnedInAnnotation", "YES")
    o.removes("SecondaryCaptureDeviceID", "GRAB-0091")
    o.shifts("DateOfSecondaryCapture", study.date)
    o.keeps("SecondaryCaptureDeviceManufacturer", "Grabber")
    frame = burned(o, [("WANG XIAODONG", 60, 100), (o.patient.identifier[:12], 60, 110)], "0 0 160 96")
    describe(o, US_ROWS, US_COLUMNS, 8, 8)
    o.put("PixelData", bytes(frame), "OB")
    return o


def dose_page(number, study):
    """A dose report as an image, which nobody has a mask for: it may stay behind, and nothing of it may be read."""
    o = Instance(number, study, 99, uid.CTImageStorage)
    header(o, "CT", "Dose Report")
    o.put("ImageType", ["DERIVED", "SECONDARY", "SCREEN SAVE"])
    frame = burned(o, [("JANE HOLLOWAY", 10, 10), ("NF1230", 10, 30)])
    describe(o, US_ROWS, US_COLUMNS, 8, 8)
    o.put("PixelData", bytes(frame), "OB")
    o.answers = [answer for answer in o.answers if answer.action in ("pixels_hidden", "text_removed")]
    return o


def with_trailing_text(o, seed):
    """Native pixels with bytes behind the last one, and a name in them."""
    grey16(o, seed)
    o.data_set.PixelData += b"PATIENT HOLLOWAY JANE "
    o.expect("text_removed", "PixelData", "HOLLOWAY", value="behind the last pixel")


def with_jpeg_comment(jpeg):
    """A JPEG frame whose comment and application segment name the patient (ITU-T T.81 B.2.4)."""

    def pixels(o, _seed):
        comment = b"Patient JANSEN PIETER NL-6630018"
        segments = b"".join(
            b"\xff" + marker + struct.pack(">H", len(comment) + 2) + comment for marker in (b"\xfe", b"\xed")
        )
        frame, rows, columns = jpeg
        describe(o, rows, columns, 8, 8, "YBR_FULL_422", 3)
        o.put("PixelData", encapsulate([frame[:2] + segments + frame[2:]]), "OB")
        o.data_set["PixelData"].is_undefined_length = True
        o.expect("pixels_retained", "PixelData", value="jpeg")
        o.expect("text_removed", "PixelData", "JANSEN", value="comment of a JPEG frame")
        o.expect("text_removed", "PixelData", "NL-6630018", value="application segment of a JPEG frame")

    return pixels
