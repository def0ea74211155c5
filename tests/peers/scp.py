"""An acceptor that supports every DIMSE service and keeps what it received.

Prints `listening PORT`, then serves until it is killed. Every event is one JSON line of FOLDER/log.jsonl; data sets lie
beside it as they arrived, without meta information.
"""

import argparse
import json
import ssl
import threading
import time
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, _config, build_context, evt, sop_class
from pynetdicom.sop_class import StorageCommitmentPushModel

import checkpoint  # noqa: F401 (mends the pause of an association)

_config.UNRESTRICTED_STORAGE_SERVICE = True

parser = argparse.ArgumentParser()
parser.add_argument("--folder", type=Path, required=True)
parser.add_argument("--serve", type=Path, help="files that C-GET and C-MOVE send")
parser.add_argument("--index", type=Path, help="files that C-FIND, N-GET and storage commitment know of, with what was stored")
parser.add_argument("--loses", action="store_true", help="what is stored, at once")
parser.add_argument("--answers", type=int, default=3, help="of a C-FIND")
parser.add_argument("--status", type=lambda text: int(text, 16), default=0, help="of a C-STORE, hexadecimal")
parser.add_argument("--destination", default="", help="AE=PORT of C-MOVE")
parser.add_argument("--maximum-length", type=int, default=16384)
parser.add_argument("--certificate")
parser.add_argument("--key")
parser.add_argument("--client-ca")
arguments = parser.parse_args()
lock, count = threading.Lock(), 0
known, held = [dcmread(path) for path in sorted(arguments.index.iterdir())] if arguments.index else [], set()


def log(event, **fields):
    with lock, open(arguments.folder / "log.jsonl", "a") as file:
        file.write(json.dumps({"event": event, **fields}) + "\n")


def keep(data_set):
    """The bytes of a data set as they came, in a file of their own."""
    global count
    if data_set is None:
        return None
    with lock:
        count += 1
        name = f"{count:06}.dataset"
    (arguments.folder / name).write_bytes(data_set.getvalue())
    return name


def requested(event):
    requestor = event.assoc.requestor
    identity = requestor.user_identity
    log(
        "A-ASSOCIATE",
        calling=requestor.primitive.calling_ae_title,
        called=requestor.primitive.called_ae_title,
        maximum_length=requestor.maximum_length,
        contexts=[
            [cx.context_id, cx.abstract_syntax, [str(uid) for uid in cx.transfer_syntax]]
            for cx in requestor.primitive.presentation_context_definition_list
        ],
        roles={uid: [item.scu_role, item.scp_role] for uid, item in requestor.role_selection.items()},
        extended={uid: value.hex() for uid, value in requestor.sop_class_extended.items()},
        common=sorted(requestor.sop_class_common_extended),
        identity=identity and [identity.user_identity_type, identity.primary_field.decode(), (identity.secondary_field or b"").decode()],
        window=list(requestor.asynchronous_operations),
    )


def store(event):
    request = event.request
    log(
        "C-STORE",
        message=request.MessageID,
        sop_class=request.AffectedSOPClassUID,
        sop_instance=request.AffectedSOPInstanceUID,
        transfer_syntax=event.context.transfer_syntax,
        move_originator=request.MoveOriginatorApplicationEntityTitle,
        file=keep(request.DataSet),
    )
    if not arguments.loses:
        held.add(request.AffectedSOPInstanceUID)
    return arguments.status


def matches(data_set, asked):
    """By UIDs alone, whichever are named: relational (PS3.4 C.4.1.2.2.1)."""
    uids = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
    listed = {key: asked[key].value for key in uids if key in asked and asked[key].value}
    return all(data_set[key].value in ([value] if isinstance(value, str) else value) for key, value in listed.items())


def found(asked):
    """One answer for each instance, or for each study."""
    seen = set()
    for data_set in (data_set for data_set in known if matches(data_set, asked)):
        of = data_set.SOPInstanceUID if asked.QueryRetrieveLevel == "IMAGE" else data_set.StudyInstanceUID
        if of in seen:
            continue
        seen.add(of)
        answer = Dataset()
        answer.QueryRetrieveLevel = asked.QueryRetrieveLevel
        for element in asked:
            if element.keyword == "ModalitiesInStudy":
                answer.ModalitiesInStudy = data_set.Modality
            elif element.keyword != "QueryRetrieveLevel":
                answer.add(data_set[element.tag] if element.tag in data_set else element)
        yield 0xFF00, answer


def find(event):
    log("C-FIND", sop_class=event.request.AffectedSOPClassUID, file=keep(event.request.Identifier))
    if arguments.index:
        yield from found(event.identifier)
        return
    for number in range(arguments.answers):
        if event.is_cancelled:
            log("C-CANCEL", answered=number)
            yield 0xFE00, None
            return
        answer = Dataset()
        answer.QueryRetrieveLevel = "STUDY"
        answer.PatientName = f"ANSWER^{number}"
        answer.PatientBirthDate = "19700101"
        answer.StudyInstanceUID = f"2.25.{number + 1}"
        yield 0xFF00, answer
        # Only a cancel can end a long list; without a pause it could be through before the cancel arrives.
        if arguments.answers > 100:
            time.sleep(0.005)


def served():
    return [dcmread(path) for path in sorted(arguments.serve.iterdir())]


def get(event):
    log("C-GET", sop_class=event.request.AffectedSOPClassUID, file=keep(event.request.Identifier))
    files = served()
    yield len(files)
    for data_set in files:
        yield 0xFF00, data_set


def move(event):
    log("C-MOVE", destination=event.move_destination, file=keep(event.request.Identifier))
    name, _, port = arguments.destination.partition("=")
    if event.move_destination != name:
        yield None, None
        return
    files = served()
    contexts = [build_context(data.SOPClassUID, data.file_meta.TransferSyntaxUID) for data in files]
    yield "127.0.0.1", int(port), {"contexts": contexts, "ae_title": name}
    yield len(files)
    for data_set in files:
        yield 0xFF00, data_set


def n_service(name, attribute):
    def handle(event):
        request = event.request
        fields = {"file": keep(getattr(request, attribute, None)) if attribute else None}
        for key in ("AffectedSOPClassUID", "AffectedSOPInstanceUID", "RequestedSOPClassUID", "RequestedSOPInstanceUID"):
            if getattr(request, key, None):
                fields[key] = str(getattr(request, key))
        log(name, message=request.MessageID, **fields)
        if name == "N-DELETE":
            return 0
        answer = Dataset()
        if name == "N-GET" and arguments.index:
            named = [data_set for data_set in known if data_set.SOPInstanceUID == request.RequestedSOPInstanceUID]
            wanted = request.AttributeIdentifierList or [element.tag for element in named[0]]
            wanted = [wanted] if isinstance(wanted, int) else wanted
            for tag in (tag for tag in wanted if tag in named[0]):
                answer.add(named[0][tag])
        elif name == "N-GET":
            answer.PrinterStatus = "NORMAL"
        return 0, answer

    return handle


def action(event):
    request = event.request
    log("N-ACTION", sop_class=request.RequestedSOPClassUID, type=request.ActionTypeID, file=keep(request.ActionInformation))
    if request.RequestedSOPClassUID == StorageCommitmentPushModel:
        threading.Thread(target=report, args=(event.assoc, event.action_information), daemon=True).start()
    return 0, None


def report(association, information):
    """N-EVENT-REPORT on the association that asked. It waits until the reactor has sent the N-ACTION response."""
    answer = Dataset()
    answer.TransactionUID = information.TransactionUID
    named = information.ReferencedSOPSequence
    there = held | {data_set.SOPInstanceUID for data_set in known}
    missing = [item for item in named if arguments.index and item.ReferencedSOPInstanceUID not in there]
    answer.ReferencedSOPSequence = [item for item in named if item not in missing]
    for item in missing:
        item.FailureReason = 0x0112
    if missing:
        answer.FailedSOPSequence = missing
    instance = "1.2.840.10008.1.20.1.1"
    kind = 2 if missing else 1
    status, _ = association.send_n_event_report(answer, kind, StorageCommitmentPushModel, instance, msg_id=77)
    log("N-EVENT-REPORT-RSP", status=status.Status if "Status" in status else None)


def received(event):
    """What a sub-operation of a C-GET was answered."""
    command = event.message.command_set
    if command.CommandField == 0x8001:
        log("C-STORE-RSP", sop_instance=command.get("AffectedSOPInstanceUID"), status=command.Status)


def ended(name):
    return lambda event: log(name)


ae = AE(ae_title="PACS")
ae.maximum_pdu_size = arguments.maximum_length
ae.maximum_associations = 100
ae.require_called_aet = False
every = [uid for uid in vars(sop_class).values() if isinstance(uid, UID)]
syntaxes = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"]
for uid in every:
    ae.add_supported_context(uid, syntaxes, scu_role=True, scp_role=True)

tls = None
if arguments.certificate:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=arguments.client_ca)
    tls.load_cert_chain(arguments.certificate, arguments.key)
    if arguments.client_ca:
        tls.verify_mode = ssl.CERT_REQUIRED

handlers = [
    (evt.EVT_REQUESTED, requested),
    (evt.EVT_RELEASED, ended("A-RELEASE")),
    (evt.EVT_ABORTED, ended("A-ABORT")),
    (evt.EVT_CONN_CLOSE, ended("closed")),
    (evt.EVT_DIMSE_RECV, received),
    (evt.EVT_USER_ID, lambda event: (True, b"welcome")),
    (evt.EVT_SOP_EXTENDED, lambda event: event.app_info),
    (evt.EVT_C_ECHO, lambda event: log("C-ECHO", message=event.request.MessageID) or 0),
    (evt.EVT_C_STORE, store),
    (evt.EVT_C_FIND, find),
    (evt.EVT_C_GET, get),
    (evt.EVT_C_MOVE, move),
    (evt.EVT_N_CREATE, n_service("N-CREATE", "AttributeList")),
    (evt.EVT_N_SET, n_service("N-SET", "ModificationList")),
    (evt.EVT_N_GET, n_service("N-GET", None)),
    (evt.EVT_N_DELETE, n_service("N-DELETE", None)),
    (evt.EVT_N_ACTION, action),
]
server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls)
print("listening", server.server_address[1], flush=True)
threading.Event().wait()
