"""The patients of the set and their studies. None of them lives; every identifier is made up."""

from dataclasses import dataclass, field

ROOT = "1.2.826.0.1.3680043.10.1361"


@dataclass(frozen=True)
class Patient:
    key: str
    character_set: str
    name: str
    family: str
    given: str
    identifier: str
    issuer: str
    birth: str
    sex: str
    age: str
    language: str
    telephone: str
    address: str
    institution: str
    referring: str
    operator: str
    # What of the name is written in another script, as free text would have it.
    also: tuple = ()

    @property
    def words(self):
        """What texts may name of the patient and of who is around."""
        month, day = self.birth[4:6], self.birth[6:]
        return {
            "family": self.family,
            "given": self.given,
            "id": self.identifier,
            "birth": f"{self.birth[:4]}-{month}-{day}",
            "telephone": self.telephone,
            "doctor": self.referring.split("^")[0].capitalize(),
            "operator": self.operator.split("^")[0].capitalize(),
            "site": self.institution,
            "also": self.also[0] if self.also else self.family,
        }


@dataclass(frozen=True)
class Study:
    patient: Patient
    number: int
    date: str
    time: str
    accession: str
    identifier: str
    words: dict = field(compare=False, hash=False, default_factory=dict)

    @property
    def uid(self):
        return f"{ROOT}.{self.number}"

    def series(self, number):
        return f"{self.uid}.{number}"

    def instance(self, series, number):
        return f"{self.uid}.{series}.{number}"

    @property
    def frame_of_reference(self):
        return f"{self.uid}.9000"


HOLLOWAY = Patient(
    "holloway", "", "HOLLOWAY^JANE^MARIE", "Holloway", "Jane", "NF4711234", "NORTHFIELD MPI", "19610312", "F", "063Y", "en",
    "555-014-2287", "17 Harrowgate Lane, Millbrook", "Northfield Infirmary", "PEMBERTON^ALISTAIR", "QUIGLEY^MAEVE",
)  # fmt: skip
LONG = Patient(
    "long", "ISO_IR 100", "LONG^SMALL", "Long", "Small", "88120455", "WESTMERE", "19750821", "M", "049Y", "en",
    "555-077-4410", "4 Tanner Row, Eastbourne", "Westmere Clinic", "BRIGHTWATER^OONA", "TREVELYAN^GUY",
)  # fmt: skip
MUELLER = Patient(
    "mueller", "ISO_IR 100", "MÜLLER-LÜDENSCHEID^JÜRGEN", "Müller-Lüdenscheid", "Jürgen", "K0093318", "KLINIKUM", "19480105",
    "M", "076Y", "de", "+49 30 5550173", "Birkenstraße 12, Tannberg", "Waldkrankenhaus Tannberg", "ZIMMERHÄCKEL^UTE",
    "OBERPICHLER^KAI",
)  # fmt: skip
LEFEVRE = Patient(
    "lefevre", "ISO_IR 100", "LEFÈVRE^AMÉLIE", "Lefèvre", "Amélie", "FR-2207719", "CHU", "19890630", "F", "035Y", "fr",
    "01 99 00 47 12", "8 rue des Glycines, Vaubert", "Hôpital Vaubert", "DUCHARME^ÉLOI", "BOISSONADE^LÉA",
)  # fmt: skip
YAMADA = Patient(
    "yamada", "\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada", "Tarou", "JP550912", "TOKIWA", "19530918",
    "M", "071Y", "en", "03-5550-9981", "2-14 Sakuragaoka", "Tokiwadai Hospital", "KUROSAWA^EMI", "NISHIKAWA^REN",
    ("山田", "太郎"),
)  # fmt: skip
IVANOVA = Patient(
    "ivanova", "ISO_IR 144", "ИВАНОВА^АННА", "Иванова", "Анна", "RU7781203", "GKB", "19660704", "F", "058Y", "en",
    "495 555 01 88", "ул. Липовая 9, Зеленодол", "Zelenodol Polyclinic", "СОКОЛОВСКИЙ^ПЁТР", "Баранкин^Илья",
)  # fmt: skip
WANG = Patient(
    "wang", "GB18030", "Wang^XiaoDong=王^小东", "Wang", "XiaoDong", "CN19880412X", "RENMIN", "19880412", "M", "036Y", "en",
    "010-5550-3321", "梧桐路 18", "Wutong Hospital", "Zhuge^Lan", "Ouyang^Jing", ("王小东", "小东"),
)  # fmt: skip
# Another site gave the same identifier to somebody else.
ALVAREZ = Patient(
    "alvarez", "ISO_IR 192", "ÁLVAREZ^JOSÉ", "Álvarez", "José", "NF4711234", "SOUTHGATE MPI", "19590223", "M", "065Y", "es",
    "+34 955 550 123", "Calle Mirlo 3, Fuenteclara", "Hospital Fuenteclara", "ECHEVARRÍA^INÉS", "ZUBIZARRETA^IKER",
)  # fmt: skip
JANSEN = Patient(
    "jansen", "ISO_IR 192", "JANSEN^PIETER^^^", "Jansen", "Pieter", "NL-6630018", "ZUIDERZORG", "19701111", "M", "054Y", "nl",
    "020-5550144", "Lindelaan 40, Oosterhaven", "Ziekenhuis Oosterhaven", "VAN DER KLOOSTER^FEMKE", "HOOGEBOOM^SJOERD",
)  # fmt: skip
ROSSI = Patient(
    "rossi", "ISO_IR 192", "ROSSI^GIUSEPPE", "Rossi", "Giuseppe", "IT330917R", "ASL", "19310917", "M", "093Y", "it",
    "06 5550 7781", "via dei Tigli 21, Montechiaro", "Ospedale Montechiaro", "BELLOMUNNO^ADA", "CASTIGLIONE^NICO",
)  # fmt: skip


def studies(patient, first, *dates):
    return [
        Study(patient, first + index, date, time, f"ACC{first:02}{date[2:]}{index}", f"ST{first}{date[4:]}{index}")
        for index, (date, time) in enumerate(dates)
    ]
