"""A hook over HTTPS, of Python and OpenSSL: prints its port, then each message and the HMAC-SHA-256 that it had to have.

usage: hook.py CERTIFICATE KEY SECRET-FILE
"""

import hashlib
import hmac
import http.server
import json
import ssl
import sys

certificate, key, secret_file = sys.argv[1:]
with open(secret_file, "rb") as file:
    secret = file.read().removesuffix(b"\n")


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        signed = hmac.compare_digest(self.headers.get("Dimsegate-Signature", ""), expected)
        told = {"path": self.path, "type": self.headers["Content-Type"], "signed": signed, "message": json.loads(body)}
        print(json.dumps(told), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
