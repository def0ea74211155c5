"""What every object of the set has: patient, study, series, equipment, and what an object is."""

from . import texts

# Of modality worklists and of archives that add what they know: elements that not every site expects.
AE = "NFCT01"


def turn(lists, language, number):
    texts_of = lists.get(language) or lists["en"]
    return texts_of[number % len(texts_of)]


def header(o, modality, description=None):
    character_set(o)
    identity(o)
    around_the_patient(o)
    study(o)
    series(o, modality, description)
    equipment(o)
    instance(o)
    nowhere(o)


def character_set(o):
    if o.patient.character_set:
        sets = o.patient.character_set.split("\\")
        o.put("SpecificCharacterSet", sets if len(sets) > 1 else sets[0])
        o.is_there("SpecificCharacterSet")


def identity(o):
    p = o.patient
    o.removes("PatientName", p.name, p.family, p.given, *p.also)
    o.removes("PatientID", p.identifier)
    o.expect("patid_consistent", "PatientID", value=f"{p.issuer}/{p.identifier}")
    o.is_filled("PatientID")
    o.is_there("PatientName", "PatientBirthDate")
    o.removes("IssuerOfPatientID", p.issuer)
    qualifier = "IssuerOfPatientIDQualifiersSequence[1]"
    o.removes(f"{qualifier}.UniversalEntityID", p.institution)
    o.put(f"{qualifier}.UniversalEntityIDType", "DNS")
    o.removes("PatientBirthDate", p.birth)
    o.keeps("PatientSex", p.sex)
    if int(p.age[:3]) > 89:
        o.removes("PatientAge", p.age)
    else:
        o.keeps("PatientAge", p.age)
    o.keeps("PatientSize", "1.71")
    o.keeps("PatientWeight", "72.5")


def around_the_patient(o):
    p = o.patient
    o.removes("OtherPatientIDs", ["X" + p.identifier, "INS-40917733"])
    o.removes("OtherPatientNames", f"{p.family}^{p.given}^Old", p.family, p.given)
    o.removes("PatientBirthName", f"Fairweather^{p.given}", "Fairweather", p.given)
    o.removes("PatientMotherBirthName", "Ashgrove^Ida", "Ashgrove")
    o.removes("PatientAddress", p.address)
    o.removes("PatientTelephoneNumbers", p.telephone)
    o.removes("MedicalRecordLocator", "MRL-77120934")
    o.removes("CountryOfResidence", "Freedonia")
    o.cleans("AdditionalPatientHistory", turn(texts.HISTORY, p.language, o.number))
    o.cleans("PatientComments", "{$given $family} {$also} <phone> {$telephone}")
    o.keeps("EthnicGroup", "Unknown")


def study(o):
    p, s = o.patient, o.study
    o.new_uid("StudyInstanceUID", s.uid)
    o.shifts("StudyDate", s.date)
    o.put("StudyTime", s.time)
    o.is_there("StudyTime")
    o.removes("AccessionNumber", s.accession)
    o.is_there("AccessionNumber")
    o.removes("StudyID", s.identifier)
    o.removes("ReferringPhysicianName", p.referring, *p.referring.split("^"))
    o.removes("ReferringPhysicianAddress", "90 Doctors Row, Millbrook")
    o.removes("ReferringPhysicianTelephoneNumbers", "555-031-7701")
    o.removes("PhysiciansOfRecord", "Harkness^Odile", "Harkness", "Odile")
    o.removes("NameOfPhysiciansReadingStudy", "Vandermeer^Saskia", "Vandermeer", "Saskia")
    o.cleans("StudyDescription", turn(texts.STUDY, p.language, s.number))
    o.cleans("AdmittingDiagnosesDescription", turn(texts.REASON, p.language, o.number))
    o.removes("AdmissionID", "ADM-5520917")


def series(o, modality, description):
    p = o.patient
    o.keeps("Modality", modality)
    o.new_uid("SeriesInstanceUID", o.study.series(o.series))
    o.keeps("SeriesNumber", str(o.series))
    o.shifts("SeriesDate", o.study.date)
    o.put("SeriesTime", o.study.time)
    o.cleans("SeriesDescription", description or turn(texts.SERIES, p.language, o.series + o.number))
    o.cleans("ProtocolName", turn(texts.PROTOCOL, p.language, o.series))
    o.removes("OperatorsName", p.operator, *p.operator.split("^"))
    o.removes("PerformingPhysicianName", "Lindqvist^Torben", "Lindqvist", "Torben")
    o.removes("PerformedProcedureStepID", "PPS-8801274")
    o.shifts("PerformedProcedureStepStartDate", o.study.date)
    o.cleans("PerformedProcedureStepDescription", turn(texts.STUDY, p.language, o.series))
    request(o)


def request(o):
    item = "RequestAttributesSequence[1]"
    o.removes(f"{item}.ScheduledProcedureStepID", "SPS-6619023")
    o.removes(f"{item}.RequestedProcedureID", "RP-1178820")
    o.cleans(f"{item}.ScheduledProcedureStepDescription", turn(texts.PROTOCOL, o.patient.language, o.number))
    o.cleans(f"{item}.ReasonForTheRequestedProcedure", turn(texts.REASON, o.patient.language, o.number + 1))


def equipment(o):
    p = o.patient
    o.keeps("Manufacturer", "ACME Imaging")
    o.keeps("ManufacturerModelName", "Scanalot 3000")
    o.keeps("SoftwareVersions", "VB21A")
    o.removes("InstitutionName", p.institution)
    o.removes("InstitutionAddress", p.address)
    o.removes("InstitutionalDepartmentName", "Radiology Wing Hawthorne", "Hawthorne")
    o.removes("StationName", AE)
    o.removes("DeviceSerialNumber", "SN-9047712")
    o.new_uid("DeviceUID", f"1.2.826.0.1.3680043.10.1361.77.{o.study.number}")


def instance(o):
    data_set = o.data_set
    data_set.SOPClassUID = o.sop_class
    o.expect("text_retained", "SOPClassUID", str(o.sop_class), value=o.sop_class)
    o.new_uid("SOPInstanceUID", o.uid)
    o.keeps("InstanceNumber", str(o.number))
    o.shifts("InstanceCreationDate", o.study.date)
    o.shifts("ContentDate", o.study.date)
    o.put("ContentTime", o.study.time)
    o.new_uid("InstanceCreatorUID", "1.2.826.0.1.3680043.10.1361.5")


def nowhere(o):
    """Texts that no table lists may have them too, so that the whole object is looked through."""
    p = o.patient
    o.leaves_nowhere(p.family, p.given, p.identifier, o.study.accession, p.telephone)
    o.expect("text_removed", "*", p.institution, value=p.institution)
    o.leaves_nowhere(p.referring.split("^")[0], p.operator.split("^")[0], *p.also)
