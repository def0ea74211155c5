"""A requestor for one service; prints one JSON object about what it was answered."""

import argparse
import json
import ssl
import sys
import threading
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    BasicFilmSession,
    BasicGrayscalePrintManagementMeta,
    ModalityPerformedProcedureStep,
    Printer,
    PrinterInstance,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)
from pynetdicom.pdu_primitives import UserIdentityNegotiation

import checkpoint  # noqa: F401 (mends the pause of an association)

EXPLICIT = "1.2.840.10008.1.2.1"

parser = argparse.ArgumentParser()
parser.add_argument("service", choices=["echo", "store", "find", "get", "move", "mpps", "commit", "print", "attributes"])
parser.add_argument("port", type=int)
parser.add_argument("files", nargs="*", type=Path)
parser.add_argument("--calling", default="SITE")
parser.add_argument("--called", default="PACS")
parser.add_argument("--ca")
parser.add_argument("--certificate")
parser.add_argument("--key")
parser.add_argument("--folder", type=Path, help="keeps what a C-GET brings")
parser.add_argument("--cancel-after", type=int, help="answers of a C-FIND")
parser.add_argument("--destination", default="DESTINATION")
parser.add_argument("--sop-class", default="1.2.840.10008.5.1.4.1.1.2")
parser.add_argument("--instance", default="2.25.4711", help="whose storage is to be committed, with commas between several; or whose attributes are asked for")
parser.add_argument("--unreported", action="store_true", help="of storage commitment: no report is waited for here")
parser.add_argument("--attributes", default="", help="tags in hexadecimal, with commas between them")
parser.add_argument("--step", default="2.25.9001", help="the instance of an MPPS")
parser.add_argument("--patient", help="of an MPPS")
parser.add_argument("--study", help="of an MPPS, or to get")
parser.add_argument("--only-set", action="store_true", help="of an MPPS that is there already")
parser.add_argument("--maximum-length", type=int, default=16382)
parser.add_argument("--identity", type=int, help="type of a user identity")
parser.add_argument("--primary", default="", help="its user name, ticket or token")
parser.add_argument("--secondary", help="its passcode")
parser.add_argument("--response", action="store_true", help="asks for a positive response to it")
arguments = parser.parse_intermixed_args()
received = []


def status_of(answer):
    return answer.Status if "Status" in answer else None


def stored(event):
    name = f"{len(received):06}.dataset"
    (arguments.folder / name).write_bytes(event.request.DataSet.getvalue())
    received.append({"sop_instance": event.request.AffectedSOPInstanceUID, "file": name})
    return 0


def user_identity():
    if not arguments.identity:
        return []
    item = UserIdentityNegotiation()
    item.user_identity_type = arguments.identity
    item.positive_response_requested = arguments.response
    item.primary_field = arguments.primary.encode()
    if arguments.secondary is not None:
        item.secondary_field = arguments.secondary.encode()
    return [item]


def associate(contexts, ext_neg=(), handlers=()):
    ae = AE(ae_title=arguments.calling)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
    for uid, syntaxes in contexts:
        ae.add_requested_context(uid, syntaxes)
    tls = None
    if arguments.ca:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=arguments.ca)
        if arguments.certificate:
            context.load_cert_chain(arguments.certificate, arguments.key)
        tls = (context, "localhost")
    association = ae.associate(
        "127.0.0.1",
        arguments.port,
        ae_title=arguments.called,
        max_pdu=arguments.maximum_length,
        ext_neg=[*ext_neg, *user_identity()],
        evt_handlers=list(handlers),
        tls_args=tls,
    )
    if not association.is_established:
        primitive = association.acceptor.primitive
        refusal = [primitive.result, primitive.result_source, primitive.diagnostic] if primitive else None
        print(json.dumps({"established": False, "refusal": refusal, "aborted": association.is_aborted}))
        sys.exit(1)
    return association


def echo():
    association = associate([(Verification, EXPLICIT)])
    return association, {"status": status_of(association.send_c_echo())}


def store():
    files = [dcmread(path) for path in arguments.files]
    contexts = {(data.file_meta.MediaStorageSOPClassUID, data.file_meta.TransferSyntaxUID) for data in files}
    association = associate(sorted(contexts))
    return association, {"statuses": [status_of(association.send_c_store(data)) for data in files]}


def identifier():
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.PatientName = "*"
    query.StudyInstanceUID = arguments.study or ""
    return query


def find():
    association = associate([(StudyRootQueryRetrieveInformationModelFind, EXPLICIT)])
    names, births, last = [], [], None
    for status, answer in association.send_c_find(identifier(), StudyRootQueryRetrieveInformationModelFind, msg_id=5):
        last = status_of(status)
        if answer is not None:
            names.append(str(answer.PatientName))
            births.extend([answer.PatientBirthDate] if "PatientBirthDate" in answer else [])
        if arguments.cancel_after and len(names) == arguments.cancel_after and answer is not None:
            association.send_c_cancel(5, query_model=StudyRootQueryRetrieveInformationModelFind)
    return association, {"status": last, "names": names, "births": births}


def retrieved(answers):
    last = None
    for status, _ in answers:
        last = status
    keys = ("Completed", "Failed", "Warning")
    counts = {key: last.get(f"NumberOf{key}Suboperations", None) for key in keys}
    return {"status": status_of(last), "received": received, **counts}


def get():
    model = StudyRootQueryRetrieveInformationModelGet
    contexts = [(model, EXPLICIT), (arguments.sop_class, EXPLICIT)]
    role = build_role(arguments.sop_class, scp_role=True)
    association = associate(contexts, [role], [(evt.EVT_C_STORE, stored)])
    return association, retrieved(association.send_c_get(identifier(), model))


def move():
    model = StudyRootQueryRetrieveInformationModelMove
    association = associate([(model, EXPLICIT)])
    return association, retrieved(association.send_c_move(identifier(), arguments.destination, model))


def mpps():
    association = associate([(ModalityPerformedProcedureStep, EXPLICIT)])
    step = Dataset()
    step.PerformedProcedureStepStatus = "IN PROGRESS"
    step.Modality = "CT"
    if arguments.patient:
        scheduled = Dataset()
        scheduled.StudyInstanceUID = arguments.study
        step.PatientID, step.ScheduledStepAttributesSequence = arguments.patient, [scheduled]
    created = None
    if not arguments.only_set:
        created, _ = association.send_n_create(step, ModalityPerformedProcedureStep, arguments.step)
    step = Dataset()
    step.PerformedProcedureStepStatus = "COMPLETED"
    changed, _ = association.send_n_set(step, ModalityPerformedProcedureStep, arguments.step)
    return association, {"create": created and status_of(created), "set": status_of(changed)}


def commit():
    told, event_received, answering = {}, threading.Event(), []

    def event_report(event):
        answering.append(threading.current_thread())
        information = event.event_information
        told["transaction"] = information.TransactionUID
        told["instances"] = [item.ReferencedSOPInstanceUID for item in information.ReferencedSOPSequence]
        if "FailedSOPSequence" in information:
            told["failed"] = [item.ReferencedSOPInstanceUID for item in information.FailedSOPSequence]
        told["type"] = event.request.EventTypeID
        event_received.set()
        return 0, None

    role = build_role(StorageCommitmentPushModel, scu_role=True)
    handlers = [(evt.EVT_N_EVENT_REPORT, event_report)]
    contexts = [(StorageCommitmentPushModel, EXPLICIT)]
    contexts += [(arguments.sop_class, EXPLICIT)] if arguments.files else []
    association = associate(contexts, [role], handlers)
    for path in arguments.files:
        association.send_c_store(path)
    request = Dataset()
    request.TransactionUID = "2.25.8001"
    request.ReferencedSOPSequence = []
    for named in arguments.instance.split(","):
        item = Dataset()
        item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        item.ReferencedSOPInstanceUID = named
        request.ReferencedSOPSequence.append(item)
    instance = "1.2.840.10008.1.20.1.1"
    status, _ = association.send_n_action(request, 1, StorageCommitmentPushModel, instance)
    if status_of(status) == 0 and not arguments.unreported:
        event_received.wait(15)
    # The response goes out after the handler; pynetdicom cannot send it once a release was asked for.
    for thread in answering:
        thread.join()
    return association, {"action": status_of(status), "report": told}


def attributes():
    """N-GET."""
    association = associate([(arguments.sop_class, EXPLICIT)])
    tags = [int(tag, 16) for tag in arguments.attributes.split(",") if tag]
    status, found = association.send_n_get(tags, arguments.sop_class, arguments.instance)
    return association, {"status": status_of(status), "study": found and str(found.get("StudyInstanceUID"))}


def printing():
    meta = BasicGrayscalePrintManagementMeta
    association = associate([(meta, EXPLICIT)])
    status, printer = association.send_n_get([0x21100010], Printer, PrinterInstance, meta_uid=meta)
    answers = {"get": status_of(status), "printer": printer and printer.PrinterStatus}
    session = Dataset()
    session.NumberOfCopies = "1"
    answers["create"] = status_of(association.send_n_create(session, BasicFilmSession, "2.25.9002", meta_uid=meta)[0])
    answers["action"] = status_of(association.send_n_action(None, 1, BasicFilmSession, "2.25.9002", meta_uid=meta)[0])
    answers["delete"] = status_of(association.send_n_delete(BasicFilmSession, "2.25.9002", meta_uid=meta))
    return association, answers


services = {"echo": echo, "store": store, "find": find, "get": get, "move": move, "mpps": mpps, "commit": commit, "print": printing, "attributes": attributes}
association, answer = services[arguments.service]()
answer["established"] = True
response = association.acceptor.user_identity
answer["identity"] = response and (response.server_response or b"").decode()
answer["contexts"] = [[cx.context_id, str(cx.abstract_syntax), str(cx.transfer_syntax[0])] for cx in association.accepted_contexts]
association.release()
answer["released"] = association.is_released
print(json.dumps(answer))
