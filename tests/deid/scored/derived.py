"""Objects that are made from images: reports, key objects, presentation states, segmentations, and those of radiotherapy."""

from pydicom import uid

from .header import header
from .images import code, describe, geometry
from .instance import Instance


def reference(o, item, other):
    """Which object is meant (PS3.3 Table 10-11)."""
    o.keeps(f"{item}.ReferencedSOPClassUID", str(other.sop_class), "UI")
    o.new_uid(f"{item}.ReferencedSOPInstanceUID", other.uid)


def evidence(o, sequence, others):
    item = f"{sequence}[1]"
    o.new_uid(f"{item}.StudyInstanceUID", others[0].study.uid)
    o.new_uid(f"{item}.ReferencedSeriesSequence[1].SeriesInstanceUID", others[0].study.series(others[0].series))
    for number, other in enumerate(others, 1):
        reference(o, f"{item}.ReferencedSeriesSequence[1].ReferencedSOPSequence[{number}]", other)


class Content:
    """Content items of a report, in the order in which they are added."""

    def __init__(self, o, title):
        self.o, self.items = o, 0
        o.keeps("ValueType", "CONTAINER")
        o.keeps("ContinuityOfContent", "SEPARATE")
        code(o, "ConceptNameCodeSequence[1]", *title)

    def item(self, value_type, concept, relationship="CONTAINS"):
        self.items += 1
        path = f"ContentSequence[{self.items}]"
        self.o.keeps(f"{path}.RelationshipType", relationship)
        self.o.keeps(f"{path}.ValueType", value_type)
        if concept:
            code(self.o, f"{path}.ConceptNameCodeSequence[1]", *concept)
        return path

    def text(self, concept, template):
        self.o.cleans(f"{self.item('TEXT', concept)}.TextValue", template)

    def gone(self, concept, value):
        """The text of an identifier: the item may go or have a dummy."""
        self.items += 1
        path = f"ContentSequence[{self.items}]"
        self.o.put(f"{path}.RelationshipType", "CONTAINS")
        self.o.put(f"{path}.ValueType", "TEXT")
        for keyword, part in zip(("CodeValue", "CodingSchemeDesignator", "CodeMeaning"), concept):
            self.o.put(f"{path}.ConceptNameCodeSequence[1].{keyword}", part)
        self.o.put(f"{path}.TextValue", value)
        self.o.leaves_nowhere(value)


def sr(number, study, images):
    o = Instance(number, study, 50, uid.ComprehensiveSRStorage)
    header(o, "SR", "Radiology Report")
    o.keeps("CompletionFlag", "COMPLETE")
    o.keeps("VerificationFlag", "VERIFIED")
    item = "VerifyingObserverSequence[1]"
    o.removes(f"{item}.VerifyingObserverName", "Featherstone^Ruth", "Featherstone", "Ruth")
    o.removes(f"{item}.VerifyingOrganization", o.patient.institution)
    o.put(f"{item}.VerificationDateTime", study.date + "120000")
    item = "AuthorObserverSequence[1]"
    o.removes(f"{item}.PersonName", "Featherstone^Ruth", "Featherstone", "Ruth")
    evidence(o, "CurrentRequestedProcedureEvidenceSequence", images)
    report(o, images)
    return o


def report(o, images):
    content = Content(o, ("18748-4", "LN", "Diagnostic imaging report"))
    number = content.item("NUM", ("410668003", "SCT", "Length"))
    o.keeps(f"{number}.MeasuredValueSequence[1].NumericValue", "12.5")
    code(o, f"{number}.MeasuredValueSequence[1].MeasurementUnitsCodeSequence[1]", "mm", "UCUM", "millimeter")
    content.text(("121071", "DCM", "Finding"), "No tumor in left lung. <Seen by> {$doctor}")
    content.text(("121071", "DCM", "Finding"), "{$given $family}<:> nodule 12 mm in right upper lobe")
    content.text(("121077", "DCM", "Conclusion"), "No evidence of pulmonary embolism <phone> {$telephone}")
    content.text(("121106", "DCM", "Comment"), "Normal liver and spleen without lesion <MRN> {$id}")
    content.text(("121075", "DCM", "Recommendation"), "CT follow-up chest <with Dr> {$doctor}")
    finding = content.item("CODE", ("121071", "DCM", "Finding"))
    code(o, f"{finding}.ConceptCodeSequence[1]", "27550009", "SCT", "Vascular disorder")
    local = content.item("CODE", ("363698007", "SCT", "Finding Site"))
    code(o, f"{local}.ConceptCodeSequence[1]", "L-77", "99NORTH", None)
    o.cleans(f"{local}.ConceptCodeSequence[1].CodeMeaning", "left lung {$given $family}")
    content.gone(("121030", "DCM", "Subject ID"), o.patient.identifier)
    content.gone(("121022", "DCM", "Accession Number"), o.study.accession)
    image = content.item("IMAGE", ("121112", "DCM", "Source of Measurement"))
    reference(o, f"{image}.ReferencedSOPSequence[1]", images[0])


def key_object(number, study, images):
    o = Instance(number, study, 51, uid.KeyObjectSelectionDocumentStorage)
    header(o, "KO", "Key images")
    evidence(o, "CurrentRequestedProcedureEvidenceSequence", images)
    content = Content(o, ("113000", "DCM", "Of Interest"))
    content.text(("113012", "DCM", "Key Object Description"), "left lung nodule {$family} <for> {$doctor}")
    for image in images:
        reference(o, f"{content.item('IMAGE', None)}.ReferencedSOPSequence[1]", image)
    return o


def presentation_state(number, study, images):
    o = Instance(number, study, 52, uid.GrayscaleSoftcopyPresentationStateStorage)
    header(o, "PR", "Presentation state")
    o.keeps("ContentLabel", "MARKS")
    o.cleans("ContentDescription", "left lung nodule <marked by> {$operator} <for> {$family}")
    o.removes("ContentCreatorName", "Oakes^Imogen", "Oakes", "Imogen")
    o.shifts("PresentationCreationDate", study.date)
    o.new_uid("ReferencedSeriesSequence[1].SeriesInstanceUID", study.series(images[0].series))
    for index, image in enumerate(images, 1):
        reference(o, f"ReferencedSeriesSequence[1].ReferencedImageSequence[{index}]", image)
    item = "GraphicAnnotationSequence[1]"
    o.keeps(f"{item}.GraphicLayer", "LAYER1")
    text = f"{item}.TextObjectSequence[1]"
    o.removes(f"{text}.UnformattedTextValue", f"{o.patient.given} {o.patient.family}")
    graphic = f"{item}.GraphicObjectSequence[1]"
    o.keeps(f"{graphic}.GraphicType", "POLYLINE")
    o.put(f"{graphic}.NumberOfGraphicPoints", 2)
    o.put(f"{graphic}.GraphicData", [1.0, 2.0, 30.0, 40.0])
    o.is_there(f"{graphic}.GraphicData")
    o.keeps("GraphicLayerSequence[1].GraphicLayer", "LAYER1")
    o.cleans("GraphicLayerSequence[1].GraphicLayerDescription", "<marks of> {$doctor}")
    o.keeps("PresentationLUTShape", "IDENTITY")
    return o


def segmentation(number, study, images):
    o = Instance(number, study, 53, uid.SegmentationStorage)
    header(o, "SEG", "Segmentation liver")
    geometry_of_frames(o)
    o.keeps("ImageType", ["DERIVED", "PRIMARY"])
    o.keeps("ContentLabel", "LIVER")
    o.cleans("ContentDescription", "liver tumor {$given $family}")
    o.removes("ContentCreatorName", "Oakes^Imogen", "Oakes", "Imogen")
    o.keeps("SegmentationType", "BINARY")
    for index, (label, description) in enumerate([("Liver", "liver <of> {$family}"), ("Tumor left", "tumor left lobe {$id}")], 1):
        segment(o, f"SegmentSequence[{index}]", index, label, description)
    o.new_uid("ReferencedSeriesSequence[1].SeriesInstanceUID", study.series(images[0].series))
    for index, image in enumerate(images, 1):
        reference(o, f"ReferencedSeriesSequence[1].ReferencedInstanceSequence[{index}]", image)
    o.new_uid("DimensionOrganizationSequence[1].DimensionOrganizationUID", f"{study.uid}.7000")
    o.keeps("NumberOfFrames", "2")
    describe(o, 32, 32, 1, 1)
    o.put("PixelData", bytes((index * 37) % 256 for index in range(256)), "OB")
    o.expect("pixels_retained", "PixelData")
    return o


def geometry_of_frames(o):
    o.new_uid("FrameOfReferenceUID", o.study.frame_of_reference)
    o.put("PositionReferenceIndicator", "")
    item = "SharedFunctionalGroupsSequence[1]"
    o.keeps(f"{item}.PixelMeasuresSequence[1].PixelSpacing", ["0.9765", "0.9765"])
    o.keeps(f"{item}.PixelMeasuresSequence[1].SliceThickness", "5.0")


def segment(o, item, number, label, description):
    o.keeps(f"{item}.SegmentNumber", number)
    o.keeps(f"{item}.SegmentLabel", label)
    o.cleans(f"{item}.SegmentDescription", description)
    o.keeps(f"{item}.SegmentAlgorithmType", "MANUAL")
    code(o, f"{item}.SegmentedPropertyCategoryCodeSequence[1]", "123037004", "SCT", "Anatomical Structure")
    code(o, f"{item}.SegmentedPropertyTypeCodeSequence[1]", "10200004", "SCT", "Liver")
    o.new_uid(f"{item}.TrackingUID", f"{o.study.uid}.7100.{number}")
    o.cleans(f"{item}.TrackingID", "lesion {$family}")


STRUCTURES = ["Lung_L", "Lung_R", "SpinalCord", "PTV_6000", "GTVp", "Heart", "Parotid_L", "CTV_{$family}"]


def structure_set(number, study, images):
    o = Instance(number, study, 60, uid.RTStructureSetStorage)
    header(o, "RTSTRUCT", "RT structures thorax")
    o.cleans("StructureSetLabel", "Thorax <plan>")
    o.cleans("StructureSetName", "Thorax {$family}")
    o.shifts("StructureSetDate", study.date)
    o.put("StructureSetTime", study.time)
    frame = "ReferencedFrameOfReferenceSequence[1]"
    o.new_uid(f"{frame}.FrameOfReferenceUID", study.frame_of_reference)
    referenced = f"{frame}.RTReferencedStudySequence[1]"
    o.new_uid(f"{referenced}.ReferencedSOPInstanceUID", study.uid)
    o.new_uid(f"{referenced}.RTReferencedSeriesSequence[1].SeriesInstanceUID", study.series(images[0].series))
    for index, image in enumerate(images, 1):
        reference(o, f"{referenced}.RTReferencedSeriesSequence[1].ContourImageSequence[{index}]", image)
    for index, name in enumerate(STRUCTURES, 1):
        region_of_interest(o, index, name)
    o.keeps("ApprovalStatus", "APPROVED")
    o.removes("ReviewerName", "Northcote^Basil", "Northcote", "Basil")
    return o


def region_of_interest(o, index, name):
    item = f"StructureSetROISequence[{index}]"
    o.keeps(f"{item}.ROINumber", str(index))
    o.new_uid(f"{item}.ReferencedFrameOfReferenceUID", o.study.frame_of_reference)
    o.cleans(f"{item}.ROIName", name)
    o.keeps(f"{item}.ROIGenerationAlgorithm", "MANUAL")
    observation = f"RTROIObservationsSequence[{index}]"
    o.keeps(f"{observation}.ReferencedROINumber", str(index))
    o.keeps(f"{observation}.RTROIInterpretedType", "ORGAN")
    o.removes(f"{observation}.ROIInterpreter", "Northcote^Basil", "Northcote", "Basil")
    contour = f"ROIContourSequence[{index}]"
    o.keeps(f"{contour}.ReferencedROINumber", str(index))
    o.keeps(f"{contour}.ContourSequence[1].ContourGeometricType", "POINT")
    o.put(f"{contour}.ContourSequence[1].NumberOfContourPoints", "1")
    o.keeps(f"{contour}.ContourSequence[1].ContourData", [f"{index}.5", "2.25", "-3.75"])


def dose(number, study, plan):
    o = Instance(number, study, 61, uid.RTDoseStorage)
    header(o, "RTDOSE", "RT dose thorax")
    geometry(o)
    o.keeps("DoseUnits", "GY")
    o.keeps("DoseType", "PHYSICAL")
    o.keeps("DoseSummationType", "PLAN")
    o.cleans("DoseComment", "thorax plan <of> {$given $family}")
    o.keeps("DoseGridScaling", "0.0001")
    reference(o, "ReferencedRTPlanSequence[1]", plan)
    describe(o, 8, 8, 16, 16)
    o.put("PixelData", bytes(range(128)), "OW")
    o.expect("pixels_retained", "PixelData")
    return o


def plan(number, study, structures):
    o = Instance(number, study, 62, uid.RTPlanStorage)
    header(o, "RTPLAN", "RT plan thorax")
    o.cleans("RTPlanLabel", "Thorax <plan>")
    o.cleans("RTPlanName", "Thorax {$family}")
    o.cleans("RTPlanDescription", "left lung 60 Gy in 30 fractions {$given $family}")
    o.shifts("RTPlanDate", study.date)
    o.keeps("RTPlanGeometry", "PATIENT")
    reference(o, "ReferencedStructureSetSequence[1]", structures)
    dose_reference = "DoseReferenceSequence[1]"
    o.keeps(f"{dose_reference}.DoseReferenceNumber", "1")
    o.cleans(f"{dose_reference}.DoseReferenceDescription", "PTV left lung")
    o.new_uid(f"{dose_reference}.DoseReferenceUID", f"{study.uid}.7200")
    o.removes("BeamSequence[1].TreatmentMachineName", "LINAC-NORTH2", "LINAC-NORTH2")
    o.keeps("BeamSequence[1].BeamNumber", "1")
    o.cleans("BeamSequence[1].BeamName", "AP left lung")
    o.keeps("FractionGroupSequence[1].NumberOfFractionsPlanned", "30")
    return o
