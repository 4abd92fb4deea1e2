"""Debian's tinyproxy, started for one test with a configuration made for it."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.netns import Namespace

PORT = 8888
READY_S = 10.0


@contextlib.contextmanager
def tinyproxy(
    where: Namespace,
    directory: Path,
    *,
    listen: str,
    connect_ports: Sequence[int] = (),
    login: tuple[str, str] | None = None,
    extra: Sequence[str] = (),
) -> Iterator[str]:
    """Run tinyproxy in a namespace until the block ends, and return `host:port`.

    CONNECT is allowed to every port unless some are named; `login` is the only one that it lets in (Basic).
    """
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "tinyproxy.log"
    lines = [
        f"Port {PORT}",
        f"Listen {listen}",
        "Timeout 60",
        "LogLevel Info",
        "MaxClients 50",
        "DisableViaHeader Yes",
        *(f"ConnectPort {port}" for port in connect_ports),
        *([f"BasicAuth {' '.join(login)}"] if login else []),
        *extra,
    ]
    configuration = directory / "tinyproxy.conf"
    configuration.write_text("\n".join(lines) + "\n")
    with where.running(["tinyproxy", "-d", "-c", configuration], log=log) as process:
        end = time.monotonic() + READY_S
        while not _listens(where, listen):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
        yield f"{f'[{listen}]' if ':' in listen else listen}:{PORT}"


def _listens(where: Namespace, host: str) -> bool:
    shown = where.run(["ss", "-Hltn", f"sport = :{PORT}"]).stdout
    return host in shown
