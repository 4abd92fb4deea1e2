"""Run the candidates probe here or in a namespace, and return what it put on record.

In a namespace it is this file that runs: python asking.py '{"uris": [...], "options": {...}, "password": "..."}'.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec

from rtcdiag.address import Family
from rtcdiag.evidence import AnyObservation, Candidate, Gathering, Observation, Skipped, decode_value, encode_value
from rtcdiag.net import Net
from rtcdiag.options import RunOptions
from rtcdiag.probes.candidates import observe
from rtcdiag.probes.job import Job
from rtcdiag.targets import Credential, parse_server
from support.netns import Namespace

PASSWORD = "wonderland"
_PATH = {"PYTHONPATH": str(Path(__file__).parents[2])}


@dataclass(frozen=True)
class Found:
    """What the probe recorded, and how long it took."""

    observations: tuple[Observation, ...]
    took_s: float

    def candidates(self, kind: str) -> list[Candidate]:
        return [item for item in self.observations if isinstance(item, Candidate) and item.type == kind]

    def gathering(self, server: str | None) -> Gathering:
        (only,) = (item for item in self.observations if isinstance(item, Gathering) and item.server == server)
        return only

    def skipped(self) -> list[Skipped]:
        return [item for item in self.observations if isinstance(item, Skipped)]


def job(uris: Sequence[str], password: str | None = PASSWORD) -> Job:
    credential = Credential("alice", password) if password is not None else None
    return Job(probe="candidates", servers=tuple(parse_server(uri, credential=credential) for uri in uris))


def _options(given: dict[str, Any]) -> RunOptions:
    families = tuple(Family(name) for name in given.get("families", Family))
    bind = ip_address(given["bind"]) if "bind" in given else None
    return RunOptions(**{"timeout_ms": 1000.0, **given, "families": families, "bind": bind})


async def _gathered(uris: Sequence[str], password: str | None, options: dict[str, Any]) -> Found:
    found: list[Observation] = []
    net, began = Net(_options(options)), time.monotonic()
    try:
        await observe(job(uris, password), net, found.append)
    finally:
        await net.close()
    return Found(tuple(found), time.monotonic() - began)


def candidates(*uris: str, password: str | None = PASSWORD, **options: Any) -> Found:
    """Gather on this computer, where servers are on loopback."""
    return asyncio.run(_gathered(uris, password, options))


def candidates_in(where: Namespace, *uris: str, password: str | None = PASSWORD, **options: Any) -> Found:
    """Gather in a namespace."""
    question = json.dumps({"uris": uris, "options": options, "password": password})
    done = where.run([sys.executable, "-W", "error", __file__, question], timeout=30, env=_PATH)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    took_s, *lines = done.stdout.splitlines()
    decoder = msgspec.json.Decoder(AnyObservation, dec_hook=decode_value)
    return Found(tuple(map(decoder.decode, lines)), float(took_s))


def _main() -> None:
    asked = json.loads(sys.argv[1])
    found = asyncio.run(_gathered(asked["uris"], asked["password"], asked["options"]))
    sys.stdout.write(f"{found.took_s}\n")
    for item in found.observations:
        sys.stdout.write(msgspec.json.encode(item, enc_hook=encode_value).decode() + "\n")


if __name__ == "__main__":
    _main()
