"""What is written about patients, with what has to go and what has to stay.

In a text, `{…}` is an identifier: it has to go. `<…>` may go or stay: filler between the words. Everything else says
something about the examination, and has to stay in its order. `$family` and the like are words of the patient.
"""

import re
from string import Template

PART = re.compile(r"\{([^}]*)\}|<([^>]*)>")


def parse(template, words):
    """The text as it is written, what has to go, and what has to stay."""
    marked = Template(template).substitute(words)
    out = [word for match in PART.finditer(marked) if match[1] for word in each_word(match[1])]
    stay = [part.strip() for part in PART.sub("|", marked).split("|")]
    return PART.sub(lambda match: match[1] or match[2] or "", marked), out, [part for part in stay if part.strip(" ,;:.")]


def each_word(identifier):
    """Each word of a name has to go; a number is one, with the gaps in it."""
    if any(letter.isdigit() for letter in identifier):
        return [identifier]
    return [word for word in re.split(r"[^\w]+", identifier) if len(word) > 2 or word and not word.isascii()]


# By language, and in each a list that the objects take in turn. Each text fits 64 characters for the longest names.
STUDY = {
    "en": [
        "CT HEAD W/O CONTRAST {$family} {$id}",
        "PET CT WHOLE BODY {$given $family}",
        "CHEST 2 VIEWS PA AND LATERAL",
        "MRI BRAIN W/WO CONTRAST <DOB> {$birth}",
        "ABDOMEN PELVIS WITH CONTRAST <Dr> {$doctor}",
        "LEFT KNEE MRI WITHOUT CONTRAST",
        "US ABDOMEN COMPLETE {$id}",
    ],
    "de": ["Thorax in zwei Ebenen {$family}", "CT Abdomen mit Kontrastmittel {$id}", "MRT Knie links ohne Kontrastmittel"],
    "fr": ["IRM cérébrale sans injection {$family}", "Scanner thorax avec contraste", "Radiographie du genou gauche {$id}"],
    "es": ["TC de tórax sin contraste {$family}", "RM de rodilla derecha {$id}", "Ecografía abdominal"],
    "it": ["RM encefalo senza mezzo di contrasto {$family}", "TC torace con contrasto {$id}"],
    "nl": ["CT thorax zonder contrast {$family}", "Echo abdomen {$id}", "MRI knie links"],
}
SERIES = {
    "en": [
        "AXIAL 5.0 mm SOFT TISSUE",
        "AC WB 3D {$family}",
        "LATERAL VIEW",
        "AX T2 FLAIR {$given}",
        "DWI b1000 ADC",
        "CORONAL MPR LUNG {$id}",
        "RIGHT KIDNEY LONGITUDINAL",
        "SAG T1 FSE POST GAD",
    ],
    "de": ["Thorax seitlich links", "axial 3 mm Weichteil {$family}", "Mamma rechts MLO"],
    "fr": ["AX T2 FLAIR tête", "coronal poumon {$family}", "foie phase portale"],
    "es": ["axial pulmón 5 mm", "hígado fase arterial {$family}", "columna lumbar sagital"],
    "it": ["assiale T2 encefalo", "fegato fase portale {$family}"],
    "nl": ["axiaal long 5 mm {$family}", "lever coronaal", "nier links"],
}
PROTOCOL = {
    "en": ["HEAD ROUTINE", "PET WB FDG", "CHEST PA", "BRAIN TUMOR", "LIVER 3 PHASE", "KNEE LEFT", "ABDOMEN"],
    "de": ["Schädel nativ", "Thorax pa", "Abdomen portalvenös"],
    "fr": ["crâne sans injection", "thorax", "abdomen portal"],
    "es": ["cráneo sin contraste", "tórax", "abdomen"],
    "it": ["cranio senza contrasto", "torace", "addome"],
    "nl": ["hersenen zonder contrast", "thorax", "abdomen"],
}
FINDING = {
    "en": [
        "No tumor in left lung.",
        "Not seen: fracture of right femur. <Called> {$doctor} <at> {$telephone}",
        "No evidence of metastasis in liver, <reported by> {$operator}",
        "{$given $family} <,> {$id}<:> 12 mm nodule in right upper lobe, no effusion",
        "Without hydronephrosis bilateral kidneys",
        "{$family}<,> {$given}<:> stenosis of left carotid artery, never treated",
        "Normal spleen, no acute hemorrhage <seen on> {$birth}",
    ],
    "de": [
        "Kein Tumor in der linken Lunge.",
        "Keine Fraktur rechte Hüfte. <Rücksprache> {$doctor} <Tel> {$telephone}",
        "{$family} <,> {$id}<:> Leber ohne Metastasen",
    ],
    "fr": [
        "Pas de tumeur du poumon gauche.",
        "Aucune fracture du fémur droit. <Vu avec> {$doctor} {$telephone}",
        "{$family} <,> {$id}<:> foie sans métastase",
    ],
    "es": [
        "Sin derrame pleural derecho.",
        "No hay fractura del fémur izquierdo. {$doctor} {$telephone}",
        "{$family} <,> {$id}<:> hígado sin metástasis",
    ],
    "it": ["Nessuna frattura del femore destro. {$doctor} {$telephone}", "{$family} <,> {$id}<:> fegato senza metastasi"],
    "nl": [
        "Geen tumor in linker long.",
        "Geen fractuur rechter heup. {$doctor} {$telephone}",
        "{$family} <,> {$id}<:> lever zonder metastasen",
    ],
}
HISTORY = {
    "en": [
        "Status post nephrectomy left. <Lives at> {$telephone}",
        "Breast cancer <2019, treated at> {$site}",
        "Diabetes, no pacemaker, <sister of> {$given $family}",
    ],
    "de": ["Diabetes, kein Herzschrittmacher, <Ehemann> {$family}"],
    "fr": ["Diabète, pas de stimulateur cardiaque, {$family}"],
    "es": ["Diabetes, sin marcapasos, {$family}"],
    "it": ["Diabete, senza pacemaker, {$family}"],
    "nl": ["Diabetes, geen pacemaker, {$family}"],
}
REASON = {
    "en": ["rule out pulmonary embolism", "headache <since> {$birth}", "pain right shoulder, <ask> {$doctor}"],
    "de": ["Ausschluss Lungenembolie", "Kopfschmerzen <seit> {$birth}"],
    "fr": ["recherche embolie pulmonaire", "céphalées <depuis> {$birth}"],
    "es": ["descartar embolia pulmonar", "cefalea <desde> {$birth}"],
    "it": ["sospetta embolia polmonare", "cefalea <dal> {$birth}"],
    "nl": ["uitsluiten longembolie", "hoofdpijn <sinds> {$birth}"],
}
