"""The servers on the lab's internet: our own, or Debian's coturn, each on two addresses of both families."""

import os
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from secrets import token_hex
from select import select
from typing import Literal, NamedTuple

from rtcdiag.lab import linux
from rtcdiag.lab.answering import answers
from rtcdiag.lab.failure import LabError
from rtcdiag.lab.iproute import find
from rtcdiag.lab.plan import OPERATORS, Operator

ServerKind = Literal["embedded", "coturn"]
PORT = 3478
REALM = "lab.rtcdiag"
_READY_S = 15.0
_BINDING_REQUEST = bytes.fromhex("000100002112a442") + bytes(12)
_SCRATCH = "/tmp"  # noqa: S108 - a file system of the server's own is mounted there first


class User(NamedTuple):
    """The one user of the lab's servers."""

    name: str
    password: str

    @classmethod
    def new(cls) -> "User":
        """Make one with a password of its own for each lab."""
        return cls("lab", token_hex(12))


Fork = Callable[[Callable[[], int], str], Callable[[], None]]
"""Do work in a process of the lab's own; the text says what it is. The result raises LabError where that has ended."""


def start(kinds: Sequence[ServerKind], user: User, fork: Fork) -> Callable[[], None]:
    """Start these servers in the present network; return what waits until all of them serve, or raises LabError."""
    waits = [_STARTS[kind](operator, user, fork) for kind, operator in zip(kinds, OPERATORS, strict=False)]

    def wait() -> None:
        end = time.monotonic() + _READY_S
        for one in waits:
            one(end)

    return wait


def environment(kinds: Sequence[ServerKind], user: User) -> dict[str, str]:
    """Return the variables that tell a command about the servers."""
    found = {"RTCDIAG_USERNAME": user.name, "RTCDIAG_PASSWORD": user.password} if kinds else {}
    for number, operator in zip(range(1, len(kinds) + 1), OPERATORS, strict=False):
        suffix = "" if number == 1 else f"_{number}"
        for scheme in ("stun", "turn"):
            found[f"RTCDIAG_LAB_{scheme.upper()}{suffix}"] = f"{scheme}:{operator.ipv4[0]}:{PORT}"
            found[f"RTCDIAG_LAB_{scheme.upper()}6{suffix}"] = f"{scheme}:[{operator.ipv6[0]}]:{PORT}"
    return found


def _start_embedded(operator: Operator, user: User, fork: Fork) -> Callable[[float], None]:
    serving, tell = os.pipe()

    fork(lambda: _serve(operator, user, tell), "the embedded server")
    os.close(tell)

    def wait(end: float) -> None:
        ready, _, _ = select([serving], [], [], max(0.0, end - time.monotonic()))
        if not ready or not os.read(serving, 1):
            raise LabError("the embedded server did not start")
        os.close(serving)

    return wait


def _serve(operator: Operator, user: User, tell: int) -> int:
    # Imported here, while others go on building: it takes a quarter of the time that a lab needs to start.
    import asyncio  # noqa: PLC0415 - see above

    from rtcdiag.server.config import ServerConfig  # noqa: PLC0415 - see above
    from rtcdiag.server.serving import serve  # noqa: PLC0415 - see above
    from rtcdiag.targets import Credential  # noqa: PLC0415 - see above

    def ready(_: object) -> None:
        os.write(tell, b"1")

    listen = tuple(ip_address(text) for text in (*operator.ipv4, *operator.ipv6))
    config = ServerConfig(listen=listen, port=PORT, users=(Credential(user.name, user.password),), realm=REALM)
    asyncio.run(serve(config, ready))
    return 0


def _start_coturn(operator: Operator, user: User, fork: Fork) -> Callable[[float], None]:
    program = find("turnserver", "coturn")
    check = fork(lambda: _exec_coturn(program, operator, user), "coturn")

    def wait(end: float) -> None:
        while time.monotonic() < end:
            if answers(operator.ipv4[0], PORT, _BINDING_REQUEST):
                return
            check()
        raise LabError("coturn did not start")

    return wait


def _exec_coturn(program: str, operator: Operator, user: User) -> int:
    linux.own_mounts()
    linux.mount("tmpfs", _SCRATCH, "tmpfs")
    configuration = Path(_SCRATCH, "turnserver.conf")
    configuration.write_text("\n".join(_coturn_lines(operator, user)) + "\n", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    os.execv(program, [program, "-c", str(configuration)])  # noqa: S606 - a program of the system


def _coturn_lines(operator: Operator, user: User) -> list[str]:
    return [
        *(f"listening-ip={address}" for address in (*operator.ipv4, *operator.ipv6)),
        *(f"relay-ip={address}" for address in (operator.ipv4[0], operator.ipv6[0])),
        f"listening-port={PORT}",
        f"alt-listening-port={PORT + 1}",
        "lt-cred-mech",
        f"user={user.name}:{user.password}",
        f"realm={REALM}",
        *("fingerprint", "no-cli", "no-tls", "no-dtls", "log-file=stdout"),
        f"pidfile={_SCRATCH}/pid",
        f"userdb={_SCRATCH}/turndb",
    ]


_STARTS: dict[ServerKind, Callable[[Operator, User, Fork], Callable[[float], None]]] = {
    "embedded": _start_embedded,
    "coturn": _start_coturn,
}
