"""Servers on loopback that do with a TCP connection whatever they like: blocking code, one thread a connection."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

from support.ca import Certificate

LIMIT_S = 30.0
Handler = Callable[[socket.socket], None]


@contextlib.contextmanager
def raw_server(handler: Handler) -> Iterator[int]:
    """Give each connection to a handler, which ends when it raises OSError or returns; yield the port."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    taken: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), connection:
            connection.settimeout(LIMIT_S)
            handler(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                taken.append(listening.accept()[0])
                threading.Thread(target=serve, args=(taken[-1],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for connection in taken:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def inside_tls(context: ssl.SSLContext, handler: Handler) -> Handler:
    """Shake hands first."""

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True) as encrypted:
            handler(encrypted)

    return handle


def renegotiating(certificate: Certificate, times: int) -> Handler:
    """Shake hands as TLS 1.2, and then ask for another handshake, again and again."""
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.use_certificate_chain_file(str(certificate.chain_file))
    context.use_privatekey_file(str(certificate.key_file))

    def handle(connection: socket.socket) -> None:
        connection.settimeout(None)
        encrypted = SSL.Connection(context, connection)
        encrypted.set_accept_state()
        with contextlib.suppress(SSL.Error):
            encrypted.do_handshake()
            encrypted.recv(2048)
            for _ in range(times):
                encrypted.renegotiate()
                encrypted.do_handshake()
                encrypted.recv(2048)

    return handle
