"""De-identifiers that the set can be given to; each writes what it makes of a folder of objects into another one."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

# What dimsegate ends with where it has written all but some files.
REFUSED_SOME = 65
HERE = Path(__file__).resolve().parent.parent


def dimsegate(objects, out, program, configuration, rewrite):
    """With the rules of a configuration."""
    command = [program, "rewrite", "-c", configuration, "--rewrite", rewrite, "-o", out, objects]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode not in (0, REFUSED_SOME):
        raise SystemExit(f"{program} ended with {done.returncode}: {done.stderr}")
    return done.stderr


def configuration(profile, folder):
    """The set's own rules, with their secret beside them, which only its owner may read."""
    copy, secret = folder / profile.name, folder / "profile.key"
    copy.write_text(profile.read_text().replace("profile.key", str(secret.resolve())))
    secret.write_bytes(b"the secret of a set that is made up")
    secret.chmod(0o600)
    return copy


def dicom_anonymizer(objects, out):
    """KitwareMedical's, with its rules of PS3.15 2026c."""
    from dicomanonymizer.simpledicomanonymizer import anonymize_dicom_file, initialize_actions

    rules = initialize_actions("dicomfields_2026c")
    return each_file(objects, lambda path: anonymize_dicom_file(
        str(path), str(out / path.name), delete_private_tags=True, base_rules_gen=lambda: rules
    ))  # fmt: skip


def deid(objects, out):
    """pydicom's, with the recipe that it brings."""
    from deid.config import DeidRecipe
    from deid.dicom import get_identifiers, replace_identifiers

    def one(path):
        found = get_identifiers([str(path)])
        for data_set in replace_identifiers(
            [str(path)], ids=found, deid=DeidRecipe(), save=False, remove_private=True, force=True, strip_sequences=False
        ):
            data_set.save_as(out / path.name)

    return each_file(objects, one)


def gdcmanon(objects, out):
    """GDCM's, of Debian's libgdcm-tools, with the Basic Profile and a certificate that is thrown away."""
    if not (program := shutil.which("gdcmanon")):
        return "gdcmanon is not installed: apt-get install libgdcm-tools"
    certificate = out / "certificate.pem.tmp"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=set", "-days", "1", "-keyout", "/dev/null",
         "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    done = subprocess.run([program, "-e", "-c", certificate, "-i", objects, "-o", out, "-r", "--continue"], capture_output=True, text=True)
    certificate.unlink()
    return done.stderr


def orthanc(objects, out):
    """Orthanc's own, of whole patients, so that what belongs together stays together."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        settings = {
            "Name": "set", "StorageDirectory": folder, "IndexDirectory": folder, "HttpPort": port, "DicomServerEnabled": False,
            "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "OverwriteInstances": True,
        }  # fmt: skip
        configuration = Path(folder) / "settings.json"
        configuration.write_text(json.dumps(settings))
        with subprocess.Popen(["Orthanc", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                return through_orthanc(f"http://127.0.0.1:{port}", objects, out)
            finally:
                process.terminate()


def through_orthanc(address, objects, out):
    def asked(path, body=None):
        for _ in range(100):
            try:
                with urllib.request.urlopen(urllib.request.Request(address + path, data=body), timeout=60) as answer:
                    return answer.read()
            except urllib.error.HTTPError:
                raise
            except OSError:  # it has not started yet
                time.sleep(0.1)
        raise SystemExit("Orthanc does not start")

    asked("/system")
    problems = each_file(objects, lambda path: asked("/instances", path.read_bytes()))
    for patient in json.loads(asked("/patients")):
        made = json.loads(asked(f"/patients/{patient}/anonymize", b"{}"))["PatientID"]
        for instance in json.loads(asked(f"/patients/{made}/instances")):
            (out / f"{instance['ID']}.dcm").write_bytes(asked(f"/instances/{instance['ID']}/file"))
    return problems


def each_file(objects, work):
    """What could not be done, a line each."""
    problems = []
    for path in sorted(objects.iterdir()):
        try:
            work(path)
        except Exception as error:  # whatever it says
            problems.append(f"{path.name}: {error!r}")
    return "\n".join(problems)


ALL = {"dicom-anonymizer": dicom_anonymizer, "deid": deid, "gdcmanon": gdcmanon, "orthanc": orthanc}


def main_program():
    return HERE.parent.parent / "target" / "debug" / "dimsegate"
