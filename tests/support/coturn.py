"""Debian's coturn, started for one test with a configuration made for it."""

import contextlib
import dataclasses
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from support.ca import Certificate
from support.ports import free_ports
from support.process import running
from support.ready import ALLOCATE, BINDING, READY_S, answers

REALM = "rtcdiag.test"
USERS = {"alice": "wonderland"}

_SESSION = re.compile(r"session (\d+): (new,|refreshed,.*lifetime=0\b|delete:)")


@dataclasses.dataclass(frozen=True)
class Coturn:
    """A running coturn. The alternate ports are one above `port` and `tls_port`."""

    host: str
    port: int
    tls_port: int
    log: Path
    process: subprocess.Popen[bytes]
    prefix: tuple[str, ...]

    def uri(self, scheme: str = "turn", transport: str = "", host: str = "") -> str:
        """Return its URI, such as `turn:127.0.0.1:12345?transport=tcp`."""
        name = host or self.host
        port = self.tls_port if scheme.endswith("s") else self.port
        query = f"?transport={transport}" if transport else ""
        return f"{scheme}:{f'[{name}]' if ':' in name else name}:{port}{query}"

    def log_text(self) -> str:
        """Return what it has logged so far."""
        return self.log.read_text(errors="replace")

    def sessions(self) -> tuple[set[str], set[str]]:
        """Return the sessions that made an allocation, and those of them that still have it."""
        ever, left = set[str](), set[str]()
        for session, event in _SESSION.findall(self.log_text()):
            if event.startswith("new"):
                ever.add(session)
                left.add(session)
            else:
                left.discard(session)
        return ever, left

    def allocations_ever(self) -> int:
        """Return how many allocations were made since it started."""
        return len(self.sessions()[0])

    def allocations(self) -> int:
        """Return how many allocations exist now."""
        return len(self.sessions()[1])

    def wait_until_empty(self, timeout_s: float = 3.0) -> bool:
        """Wait, bounded, until no allocation is left: whether that came true."""
        end = time.monotonic() + timeout_s
        while self.allocations() and time.monotonic() < end:
            time.sleep(0.05)
        return self.allocations() == 0


def _credentials(users: Mapping[str, str], secret: str) -> list[str]:
    if secret:
        return ["use-auth-secret", f"static-auth-secret={secret}"]
    if users:
        return ["lt-cred-mech", *(f"user={name}:{password}" for name, password in users.items())]
    return ["no-auth"]


def _transports(certificate: Certificate | None, *, udp: bool, tcp: bool, dtls: bool) -> list[str]:
    files = [f"cert={certificate.chain_file}", f"pkey={certificate.key_file}"] if certificate else ["no-tls"]
    kept = {"no-udp": udp, "no-tcp": tcp, "no-dtls": bool(certificate) and dtls}
    return files + [line for line, keep in kept.items() if not keep]


def _ports(
    port: int, tls_port: int, relay_ports: tuple[int, int] | None, *, well_known: bool
) -> tuple[list[str], int, int]:
    """Return the lines of the configuration, the port and the port of TLS."""
    first = 0 if well_known or (port and tls_port and relay_ports) else free_ports(48)
    port = port or first or 3478
    tls_port = tls_port or (first + 2 if first else 5349)
    low, high = relay_ports or ((first + 4, first + 47) if first else (50_000, 51_000))
    lines = [
        f"listening-port={port}",
        f"alt-listening-port={port + 1}",
        f"tls-listening-port={tls_port}",
        f"alt-tls-listening-port={tls_port + 1}",
        f"min-port={low}",
        f"max-port={high}",
    ]
    return lines, port, tls_port


def _configuration(directory: Path, *parts: Sequence[str]) -> Path:
    written = directory / "turnserver.conf"
    written.write_text("\n".join(line for part in parts for line in part) + "\n")
    return written


def _wait_until_it_answers(server: Coturn, kind: str, extra: Sequence[str], ready_s: float) -> None:
    method = ALLOCATE if "no-stun" in extra else BINDING
    port = server.tls_port if kind == "tls" else server.port
    heard = answers(server.host, port, kind, method=method, prefix=server.prefix, limit_s=ready_s)
    if not heard or server.process.poll() is not None:
        raise RuntimeError(f"coturn did not answer over {kind}:\n{server.log_text()[-4000:]}")


@contextlib.contextmanager
def coturn(
    directory: Path,
    *,
    listen: Sequence[str] = ("127.0.0.1", "127.0.0.2", "::1"),
    relay: Sequence[str] = ("127.0.0.1", "::1"),
    users: Mapping[str, str] = USERS,
    secret: str = "",
    realm: str = REALM,
    certificate: Certificate | None = None,
    dtls: bool = False,
    udp: bool = True,
    tcp: bool = True,
    loopback_peers: bool = True,
    port: int = 0,
    tls_port: int = 0,
    relay_ports: tuple[int, int] | None = None,
    extra: Sequence[str] = (),
    prefix: Sequence[str] = (),
    ready_s: float = READY_S,
) -> Iterator[Coturn]:
    """Run coturn until the block ends; it answers when the block begins.

    It speaks UDP and TCP, and TLS with a certificate. With two listening addresses of a family it does RFC 5780.
    Credentials are `users`, or a `secret` for time-limited ones (`use-auth-secret`), or none (`users={}`). `extra` is
    more lines of its configuration. `prefix` starts it elsewhere: `prefix=namespace.prefix`, with addresses to `listen`
    and `relay` there, and ports 3478, 5349 and 50000 to 51000 unless given; here they are free ones unless given.
    """
    directory.mkdir(parents=True, exist_ok=True)
    ports, port, tls_port = _ports(port, tls_port, relay_ports, well_known=bool(prefix))
    configuration = _configuration(
        directory,
        [f"listening-ip={address}" for address in listen],
        [f"relay-ip={address}" for address in relay],
        ports,
        _credentials(users, secret),
        _transports(certificate, udp=udp, tcp=tcp, dtls=dtls),
        [f"realm={realm}", "fingerprint", "no-cli", "verbose", "log-file=stdout", "simple-log"],
        [f"pidfile={directory / 'pid'}", f"userdb={directory / 'turndb'}"],
        ["allow-loopback-peers"] if loopback_peers else [],
        extra,
    )
    log = directory / "coturn.log"
    with running([*prefix, "turnserver", "-c", configuration], log=log) as process:
        server = Coturn(listen[0], port, tls_port, log, process, tuple(prefix))
        _wait_until_it_answers(server, "udp" if udp else "tcp" if tcp else "tls", extra, ready_s)
        # Without TLS 1.2 this coturn has no version left that we speak.
        if certificate and "no-tlsv1_2" not in extra:
            _wait_until_it_answers(server, "tls", extra, ready_s)
        yield server
