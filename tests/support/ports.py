"""Ports that nobody uses: below the ephemeral range, and another part of it for each test process."""

import errno
import itertools
import os
import socket

_HOSTS = ("127.0.0.1", "127.0.0.2", "::1")


def _part() -> tuple[int, int]:
    """Return the first port and the last of this process's part.

    Processes that share a machine share no part: a port that one keeps closed on purpose another must not open.
    """
    first, size = 10_000, 22_000 // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return first + worker * size, first + (worker + 1) * size - 1


_FIRST, _LAST = _part()
_offsets = itertools.count((os.getpid() * 97) % (_LAST - _FIRST))


def _is_free(port: int) -> bool:
    for host, kind in itertools.product(_HOSTS, (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as sock:
            try:
                sock.bind((host, port))
            except OSError as error:
                # An address that this computer has not got is in nobody's way.
                if error.errno != errno.EADDRNOTAVAIL:
                    return False
    return True


def free_ports(count: int) -> int:
    """Return the first of `count` consecutive ports that are free over UDP and TCP on every loopback address."""
    for _ in range(_LAST - _FIRST):
        first = _FIRST + next(_offsets) % (_LAST - _FIRST)
        if first + count > _LAST:
            continue
        if all(_is_free(first + i) for i in range(count)):
            for _ in range(count - 1):
                next(_offsets)
            return first
    raise RuntimeError(f"no {count} free ports between {_FIRST} and {_LAST}")


def free_port() -> int:
    """Return a port that is free over UDP and TCP on every loopback address: also good as a closed port."""
    return free_ports(1)
