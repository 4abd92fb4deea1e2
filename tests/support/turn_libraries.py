"""TURN servers on the libraries of others: pion's (as in LiveKit) and processone's (as in eturnal and ejabberd).

Both are small programs of ours around Debian's packages: `pion/main.go`, which is built once and kept under `build`,
and `processone/turn.escript`.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import itertools
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from support.ca import Certificate
from support.ports import free_ports
from support.process import run, running
from support.ready import answers

_HERE = Path(__file__).parent
_BUILD = _HERE.parents[1] / "build" / "pion"
_RELAYS = 44
"""So many relay ports each server has, behind its own two."""
_ALLOCATIONS = "allocations "


@dataclasses.dataclass(frozen=True)
class LibraryServer:
    """A running server: UDP and TCP at `port`, and TLS at `tls_port` where it has a certificate."""

    host: str
    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def tls_port(self) -> int:
        """Return the port of TLS."""
        return self.port + 1

    def uri(self, scheme: str = "turn", transport: str = "", host: str = "") -> str:
        """Return its URI, such as `turn:127.0.0.1:12345?transport=tcp`."""
        port = self.tls_port if scheme.endswith("s") else self.port
        return f"{scheme}:{host or self.host}:{port}" + (f"?transport={transport}" if transport else "")

    def _counts(self) -> list[int]:
        lines = self.log.read_text(errors="replace").splitlines()
        return [int(line.removeprefix(_ALLOCATIONS)) for line in lines if line.startswith(_ALLOCATIONS)]

    def allocations_ever(self) -> int:
        """Return how many allocations came about since it started, at least."""
        counts = [0, *self._counts()]
        return sum(max(0, after - before) for before, after in itertools.pairwise(counts))

    def allocations(self) -> int:
        """Return how many allocations exist now."""
        return [0, *self._counts()][-1]

    def wait_until_empty(self, timeout_s: float = 3.0) -> bool:
        """Wait, bounded, until no allocation is left: whether that came true."""
        end = time.monotonic() + timeout_s
        while self.allocations() and time.monotonic() < end:
            time.sleep(0.05)
        return self.allocations() == 0


_Words = Callable[[int], list[str | Path]]


@contextlib.contextmanager
def _served(
    words: _Words, directory: Path, *, host: str, port: int, secure: bool, prefix: Sequence[str]
) -> Iterator[LibraryServer]:
    port = port or free_ports(_RELAYS + 2)
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "server.log"
    with running([*prefix, *words(port)], log=log) as process:
        server = LibraryServer(host, port, log, process)
        for number, kind in [(port, "udp"), (port, "open"), *([(port + 1, "open")] if secure else [])]:
            if not answers(host, number, kind, prefix=prefix) or process.poll() is not None:
                raise RuntimeError(f"{words(port)[0]} did not answer over {kind}:\n{log.read_text()[-4000:]}")
        yield server


def _program() -> Path:
    """Build the program around pion's library, unless that was done before."""
    source = _HERE / "pion" / "main.go"
    program = _BUILD / f"turn-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    _BUILD.mkdir(parents=True, exist_ok=True)
    with (_BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            env = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(_BUILD / "cache"), "GOFLAGS": ""}
            done = run(["go", "build", "-o", program, source], env=env, timeout=110)
            if done.returncode:
                raise RuntimeError(f"go build: {done.stderr}")
    return program


@contextlib.contextmanager
def pion(
    directory: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: Certificate | None = None,
    flags: Mapping[str, str | int] | None = None,
    prefix: Sequence[str] = (),
) -> Iterator[LibraryServer]:
    """Run a server on pion's library until the block ends; `flags` are those of `pion/main.go`, and win."""

    def words(at: int) -> list[str | Path]:
        files = {"tls": at + 1, "cert": certificate.chain_file, "key": certificate.key_file} if certificate else {}
        ports = {"listen": host, "udp": at, "tcp": at, "min-port": at + 2, "max-port": at + 1 + _RELAYS}
        return [program, *(f"-{name}={value}" for name, value in {**ports, **files, **(flags or {})}.items())]

    program = _program()
    secure = certificate is not None
    with _served(words, directory, host=host, port=port, secure=secure, prefix=prefix) as server:
        yield server


@contextlib.contextmanager
def processone(
    directory: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: Certificate | None = None,
    options: Sequence[str] = (),
    prefix: Sequence[str] = (),
) -> Iterator[LibraryServer]:
    """Run a server on processone's library until the block ends; `options` are its own, as Erlang terms."""
    whole = directory / "whole.pem"

    def words(at: int) -> list[str | Path]:
        ports = [f"{kind}={at}" for kind in ("udp", "tcp")]
        secure = [f"tls={at + 1}", f'certfile="{whole}"'] if certificate else []
        # Of an option that is given twice the last one counts.
        own = [f"{{turn_min_port,{at + 2}}}", f"{{turn_max_port,{at + 1 + _RELAYS}}}", *options]
        where = f"listen={{{host.replace('.', ',')}}}"
        return ["escript", _HERE / "processone" / "turn.escript", where, *ports, *secure, *(f"option={o}" for o in own)]

    directory.mkdir(parents=True, exist_ok=True)
    if certificate:
        whole.write_bytes(certificate.chain_file.read_bytes() + certificate.key_file.read_bytes())
    secure = certificate is not None
    with _served(words, directory, host=host, port=port, secure=secure, prefix=prefix) as server:
        yield server
