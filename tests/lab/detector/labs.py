"""One lab for many cases: the servers, the questions, and what came out."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support.coturn import USERS
from support.lab import BEHAVIORS, lab

HERE = Path(__file__).parent
TURN, TURN_2 = "203.0.113.10", "203.0.113.11"
PLAIN = "198.51.100.10"
NATS = (*BEHAVIORS, "none", "firewall")
"""The nine of RFC 4787, no NAT, and a firewall without one."""
(NAME, PASSWORD) = next(iter(USERS.items()))

Told = dict[str, Any]


def truth(nat: str) -> tuple[str, str]:
    """Return the mapping and the filtering of one of `NATS`, with or without further flags."""
    if nat.startswith("none"):
        return "endpoint-independent", "endpoint-independent"
    if nat.startswith("firewall"):
        return "endpoint-independent", "address-and-port-dependent"
    return BEHAVIORS[nat.split(maxsplit=1)[0]]


def coturn_line(directory: Path, name: str, listen: Sequence[str], relay: Sequence[str], *more: str) -> str:
    """Return a line of the shell that runs coturn in the background; with two addresses it does RFC 5780."""
    (directory / name).mkdir(exist_ok=True)
    where = directory / name
    lines = [
        *(f"listening-ip={ip}" for ip in listen),
        *(f"relay-ip={ip}" for ip in relay),
        *(
            "lt-cred-mech",
            f"user={NAME}:{PASSWORD}",
            "realm=rtcdiag.test",
            "fingerprint",
            "no-tls",
            "no-dtls",
            "no-cli",
        ),
        *(f"log-file={where}/log", "simple-log", f"pidfile={where}/pid", f"userdb={where}/db"),
        *more,
    ]
    (where / "turnserver.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"turnserver -c {where}/turnserver.conf >/dev/null 2>&1 &"


def outside_line(*servers: str) -> str:
    """Return a line of the shell that runs scripted STUN servers in the background."""
    return f"{sys.executable} -S {HERE / 'outside.py'} {' '.join(servers)} &"


def ask(
    nat: str | Sequence[str],
    cases: Mapping[str, Sequence[str]],
    internet: Sequence[str],
    directory: Path,
    *,
    ready: Sequence[str] = (),
    addresses: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    at_once: int = 4,
) -> dict[str, Told]:
    """Ask all cases behind one NAT, so many at once; ``ready`` are servers that have to answer first."""
    layers = [nat] if isinstance(nat, str) else nat
    (directory / "cases.json").write_text(json.dumps({name: list(uris) for name, uris in cases.items()}))
    done = lab(
        "run",
        *(part for layer in layers for part in ("--nat", layer)),
        *(part for address in addresses for part in ("--address", address)),
        *(part for name, address in (names or {}).items() for part in ("--name", f"{name}={address}")),
        "--internet",
        "\n".join([*internet, "wait"]),
        "--",
        "env",
        f"RTCDIAG_USERNAME={NAME}",
        f"RTCDIAG_PASSWORD={PASSWORD}",
        f"RTCDIAG_TEST_AT_ONCE={at_once}",
        sys.executable,
        HERE / "asking.py",
        directory / "cases.json",
        *ready,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Told] = json.loads(done.stdout)
    for name, told in results.items():
        assert not told["crashes"], (name, told["crashes"])
    return results


def classes(told: Told) -> tuple[str, str]:
    """Return the mapping and the filtering that were found."""
    return told["nat"]["mapping"], told["nat"]["filtering"]
