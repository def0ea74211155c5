"""A plugin for pytest-xdist: pynetdicom's own suite, with dimsegate between its requestors and its acceptors.

`DIMSEGATE_THROUGH` holds a JSON list with [acceptor's port, another port, dimsegate's port], one for each worker. The
suite lets its acceptors listen at the first; who connects there without TLS is brought to dimsegate. Where the third is
null, requestors connect directly.
"""

import json
import os

import pytest
from pynetdicom import ae
from pynetdicom.tests import utils
from pynetdicom.transport import AssociationSocket

servers = []


def pytest_configure(config):
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return
    acceptor, other, gate = json.loads(os.environ["DIMSEGATE_THROUGH"])[int(worker.removeprefix("gw"))]
    utils.PORTS[worker] = (acceptor, other)
    remember_servers()
    if gate is not None:
        bring_to(gate, acceptor)


def remember_servers():
    start = ae.ApplicationEntity.start_server

    def remembered(self, *args, **kwargs):
        server = start(self, *args, **kwargs)
        servers.append(server)
        return server

    ae.ApplicationEntity.start_server = remembered


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    """A test that failed leaves its acceptor behind, and the next ones would fail for want of the port."""
    while servers:
        server = servers.pop()
        if server is not None and server in server.ae._servers:
            server.shutdown()


def bring_to(gate, acceptor):
    directly = AssociationSocket.connect

    def connect(self, primitive):
        address = primitive.address_info
        if self.tls_args is None and address.port == acceptor:
            address.address, address.port = "127.0.0.1", gate
        directly(self, primitive)

    AssociationSocket.connect = connect
