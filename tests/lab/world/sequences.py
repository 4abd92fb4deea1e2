"""The orders in which older tools ask one RFC 5780 server: `sequences.py ORDER SERVER` prints mapping and filtering.

`full`: stuntman's, with one socket for everything: Binding, CHANGE-REQUEST of address and port, of the port, then
Bindings at the alternate address with the first port, and with the other one. `apart`: stuntman's `behavior` and
`filtering` one after the other, with a socket each. `classic`: that of RFC 3489 section 10.1. No import but Python's.
"""

import json
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

COOKIE = 0x2112A442
CHANGE_PORT, CHANGE_BOTH = 2, 6
SENDS, WAIT_S = 2, 0.5
EIM, ADM, APDM = "endpoint-independent", "address-dependent", "address-and-port-dependent"
Address = tuple[str, int]


def ask(sock: socket.socket, server: Address, change: int = 0) -> tuple[Address, Address] | None:
    """Return the mapped and the other address, or None without an answer."""
    attribute = b"\0\3\0\4" + change.to_bytes(4) if change else b""
    identity = os.urandom(12)
    request = b"\0\1" + len(attribute).to_bytes(2) + COOKIE.to_bytes(4) + identity + attribute
    for _ in range(SENDS):
        sock.sendto(request, server)
        sock.settimeout(WAIT_S)
        with suppress(TimeoutError):
            while (answer := sock.recv(2048))[8:20] != identity:
                pass
            return _address(answer, 0x0020, COOKIE), _address(answer, 0x802C, 0)
    return None


def _address(answer: bytes, wanted: int, cookie: int) -> Address:
    at = 20
    while int.from_bytes(answer[at : at + 2]) != wanted:
        at += 4 + (int.from_bytes(answer[at + 2 : at + 4]) + 3 & ~3)
    port = int.from_bytes(answer[at + 6 : at + 8]) ^ cookie >> 16
    return socket.inet_ntoa((int.from_bytes(answer[at + 8 : at + 12]) ^ cookie).to_bytes(4)), port


def bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("0.0.0.0", 0))
    return sock


def binding(sock: socket.socket, server: Address) -> tuple[Address, Address]:
    """Return the mapped and the other address."""
    for _ in range(10):
        if answer := ask(sock, server):
            return answer
    raise SystemExit("the server does not answer")


def filtering(sock: socket.socket, server: Address) -> str:
    if ask(sock, server, CHANGE_BOTH):
        return EIM
    return ADM if ask(sock, server, CHANGE_PORT) else APDM


def mapping(sock: socket.socket, server: Address, first: Address, other: Address) -> str:
    second, _ = binding(sock, (other[0], server[1]))
    if second == first:
        return EIM
    third, _ = binding(sock, other)
    return ADM if third == second else APDM


def full(server: Address) -> list[str]:
    with bound() as sock:
        first, other = binding(sock, server)
        filters = filtering(sock, server)
        return [mapping(sock, server, first, other), filters]


def apart(server: Address) -> list[str]:
    with bound() as sock:
        maps = mapping(sock, server, *binding(sock, server))
    with bound() as sock:
        binding(sock, server)
        return [maps, filtering(sock, server)]


def classic(server: Address) -> list[str]:
    """Say "symmetric" without more of a mapping that differs."""
    with bound() as sock:
        first, other = binding(sock, server)
        if ask(sock, server, CHANGE_BOTH):
            return [EIM, EIM]
        second, _ = binding(sock, other)
        if second != first:
            return ["symmetric"]
        return [EIM, ADM if ask(sock, server, CHANGE_PORT) else APDM]


ORDERS: dict[str, Callable[[Address], list[str]]] = {"full": full, "apart": apart, "classic": classic}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(ORDERS[sys.argv[1]]((sys.argv[2], 3478))) + "\n")
