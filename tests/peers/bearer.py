"""Signs tokens with PyJWT, and makes the keys for that; prints a token, or a key set (JWKS)."""

import argparse
import base64
import hmac
import json
import time
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

KINDS = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
}

parser = argparse.ArgumentParser()
parser.add_argument("what", choices=["keys", "sign"])
parser.add_argument("folder", type=Path, help="holds ALGORITHM.pem of each key")
parser.add_argument("--algorithm", default="ES256")
parser.add_argument("--claims", default="{}", help="besides the usual ones, or in their place; null takes one away")
parser.add_argument("--header", default="{}", help="besides the usual one")
parser.add_argument("--bound-to", type=Path, help="a certificate, PEM")
arguments = parser.parse_args()


def private(name):
    return serialization.load_pem_private_key((arguments.folder / f"{name}.pem").read_bytes(), None)


def keys():
    made = []
    for name, make in KINDS.items():
        key = make()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (arguments.folder / f"{name}.pem").write_bytes(pem)
        algorithm = jwt.get_algorithm_by_name(name)
        made.append({**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig"})
    return json.dumps({"keys": made})


def thumbprint(path):
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return encoded(certificate.fingerprint(hashes.SHA256()))


def forged(header, claims):
    """With the public key of the issuer as the secret, which PyJWT itself refuses in every form."""
    pem = private("RS256").public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{encoded(hmac.digest(pem, signed.encode(), 'sha256'))}"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign():
    now = int(time.time())
    claims = {
        "iss": "https://login.hospital.example",
        "sub": "anna",
        "aud": "dimsegate",
        "iat": now,
        "exp": now + 300,
        "roles": ["all"],
    }
    if arguments.bound_to:
        claims["cnf"] = {"x5t#S256": thumbprint(arguments.bound_to)}
    claims.update(json.loads(arguments.claims))
    claims = {name: value for name, value in claims.items() if value is not None}
    name = arguments.algorithm
    header = {"kid": name, **json.loads(arguments.header)}
    if name == "none":
        return jwt.encode(claims, None, algorithm="none", headers=header)
    if name == "HS256":
        return forged({**header, "alg": "HS256", "kid": "RS256"}, claims)
    return jwt.encode(claims, private(name), algorithm=name, headers=header)


print({"keys": keys, "sign": sign}[arguments.what]())
