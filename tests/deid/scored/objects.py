"""The objects of the set, in the order of their numbers."""

from pydicom import dcmread, uid
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames

from . import derived, images, odd
from . import people as who


def everything():
    """Every object; the numbers say whose: hundreds are patients."""
    return [o for make in (holloway, long, mueller, lefevre, yamada, ivanova, wang, alvarez, jansen, rossi) for o in make()]


def holloway():
    head, body, film = who.studies(who.HOLLOWAY, 1, ("20240311", "091530"), ("20240618", "103000"), ("20250104", "161205"))
    slices = [images.ct(number, head) for number in (101, 102)]
    yield from slices
    yield images.ct(103, head, 2, uid.ImplicitVRLittleEndian, images.with_trailing_text)
    yield derived.sr(104, head, slices)
    yield derived.key_object(105, head, slices)
    yield derived.presentation_state(106, head, slices)
    yield images.pt(107, body)
    yield images.dx(108, film)
    yield images.dose_page(109, head)


def long():
    brain, later = who.studies(who.LONG, 11, ("20230412", "080101"), ("20231129", "131500"))
    yield images.mr(201, brain)
    yield images.mr(202, later, 2)
    yield odd.private(203, later)


def mueller():
    thorax, breast = who.studies(who.MUELLER, 21, ("20220901", "101010"), ("20221003", "113000"))
    yield images.dx(301, thorax)
    yield images.mg(302, breast)
    yield odd.wrong_values(303, breast)


def lefevre():
    (liver,) = who.studies(who.LEFEVRE, 31, ("20241130", "235910"))
    slices = [images.mr(number, liver) for number in (401, 402)]
    yield from slices
    yield derived.segmentation(403, liver, slices)


def yamada():
    first, second = who.studies(who.YAMADA, 41, ("20240229", "090000"), ("20240301", "093000"))
    yield images.us(501, first)
    yield images.us(502, second, uid.RLELossless)
    yield images.us(503, second, regions=True)


def ivanova():
    bones, knee = who.studies(who.IVANOVA, 51, ("20210704", "120000"), ("20220105", "070809"))
    yield images.nm(601, bones)
    yield images.cr(602, knee)


def wang():
    screen, chest = who.studies(who.WANG, 61, ("20230101", "000001"), ("20231231", "235959"))
    yield images.sc(701, screen)
    yield odd.private(702, chest)
    yield odd.unlisted(703, chest)


def alvarez():
    (planned,) = who.studies(who.ALVAREZ, 71, ("20240515", "083000"))
    slices = [images.ct(number, planned) for number in (801, 802)]
    yield from slices
    structures = derived.structure_set(803, planned, slices)
    plan = derived.plan(804, planned, structures)
    yield from (structures, plan, derived.dose(805, planned, plan))


def jansen():
    chest, hand = who.studies(who.JANSEN, 81, ("20241224", "180000"), ("20250210", "091500"))
    yield images.ct(901, chest, 1, uid.JPEGBaseline8Bit, images.with_jpeg_comment(a_jpeg()))
    yield odd.unlisted(902, chest)
    yield odd.photograph(903, hand)


def rossi():
    (brain,) = who.studies(who.ROSSI, 91, ("20240709", "143000"))
    yield images.mr(1001, brain, 1, uid.ImplicitVRLittleEndian)
    yield images.ct(1002, brain, 2, uid.DeflatedExplicitVRLittleEndian)


def a_jpeg():
    """A baseline JPEG of those that pydicom carries: the frame, its rows and columns."""
    other = dcmread(get_testdata_file("SC_rgb_jpeg.dcm", download=False))
    return next(generate_frames(other.PixelData, number_of_frames=1)), other.Rows, other.Columns
