#!/usr/bin/env python3
"""A server of FHIR R4 Consent over TLS, that knows the patients of one file.

    fhir.py CERTIFICATE KEY FILE

FILE is JSON: identifiers, each with the list of its Consents, or with the word that makes an answer of another kind: `silent`,
`garbage`, `long`, `elsewhere`, `failing`. It is read anew for each request. Prints `listening PORT`, then `asked PATH` for each.
"""

import http.server
import json
import ssl
import sys
import threading
import urllib.parse

CERTIFICATE, KEY, FILE = sys.argv[1:4]
SYSTEM = "urn:oid:1.2.3"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body, more=()):
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        print("asked", self.path, flush=True)
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query, strict_parsing=True)
        system, _, identifier = query["patient.identifier"][0].partition("|")
        if url.path != "/r4/Consent" or system != SYSTEM or self.headers["Accept"] != "application/fhir+json":
            return self.answer(400, b"{}")
        with open(FILE, encoding="utf-8") as file:
            known = json.load(file).get(identifier, [])
        if known == "silent":
            return threading.Event().wait()
        if known == "garbage":
            return self.answer(200, b"<Bundle/>")
        if known == "long":
            return self.answer(200, b" " * (2 << 20))
        if known == "elsewhere":
            return self.answer(302, b"", [("Location", "/r4/Consent?patient.identifier=" + SYSTEM + "%7CPAT-0001")])
        if known == "failing":
            return self.answer(500, b"{}")
        entries = [{"resource": consent, "search": {"mode": "match"}} for consent in known]
        self.answer(200, json.dumps({"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}).encode())


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print("listening", server.server_address[1], flush=True)
server.serve_forever()
