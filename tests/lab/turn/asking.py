"""Run the TURN probe here or in a namespace, and return what it put on record.

In a namespace it is this file that runs: python asking.py '{"uri": "...", "options": {...}, "login": ["...", "..."]}'.
"""

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rtcdiag.address import Family
from rtcdiag.evidence import (
    Allocation,
    AnyObservation,
    Binding,
    Challenge,
    Connect,
    Exchange,
    Observation,
    Permission,
    Refresh,
    RelayedData,
    TlsHandshake,
    decode_value,
    encode_value,
)
from rtcdiag.net import Net
from rtcdiag.options import RunOptions
from rtcdiag.probes.job import Job
from rtcdiag.probes.turn_server import observe
from rtcdiag.targets import Credential, parse_server
from support.netns import Namespace

ALICE = ("alice", "wonderland")
Login = tuple[str, str] | None
_Kind = TypeVar("_Kind", bound=Observation)


@dataclass(frozen=True)
class Seen:
    """What the probe recorded, in its order, and how long it took."""

    observations: tuple[Observation, ...]
    took_s: float

    def of(self, kind: type[_Kind], **fields: Any) -> list[_Kind]:
        """Return the observations of a kind whose fields have these values."""
        found = [item for item in self.observations if isinstance(item, kind)]
        return [item for item in found if all(getattr(item, name) == value for name, value in fields.items())]

    def only(self, kind: type[_Kind], **fields: Any) -> _Kind:
        (item,) = self.of(kind, **fields)
        return item

    def exchanges(self, *kinds: type[Observation]) -> list[Exchange]:
        found = [getattr(item, "exchange", None) for item in self.observations if isinstance(item, kinds)]
        return [exchange for exchange in found if isinstance(exchange, Exchange)]

    def exchange(self, kind: type[Observation], **fields: Any) -> Exchange:
        (exchange,) = Seen(tuple(self.of(kind, **fields)), 0.0).exchanges(kind)
        return exchange

    def code(self, kind: type[Observation], **fields: Any) -> int | None:
        answer = self.exchange(kind, **fields).answer
        assert answer is not None
        return answer.error_code

    @property
    def kinds(self) -> set[str]:
        return {type(item).__name__ for item in self.observations}

    @property
    def stages(self) -> list[str]:
        """The steps taken, in the order of their first observation, without what runs beside them."""
        names = [_STAGES[type(item)](item) for item in self.observations if type(item) in _STAGES]
        return list(dict.fromkeys(names))

    @property
    def text(self) -> str:
        """The JSON of all that a report would keep."""
        return "\n".join(msgspec.json.encode(item, enc_hook=encode_value).decode() for item in self.observations)


_STAGES: dict[type[Observation], Any] = {
    Connect: lambda item: "connect" if item.purpose == "server" else "control",
    TlsHandshake: lambda _: "tls",
    Challenge: lambda _: "challenge",
    Allocation: lambda _: "allocate",
    Permission: lambda item: "permission" if item.channel is None else "channel",
    RelayedData: lambda item: item.method,
    Refresh: lambda item: "refresh" if item.lifetime_s else "release",
    Binding: lambda item: "binding" if item.purpose == "reach" else "control",
}


def job(uri: str, login: Login = ALICE, *, trials: bool = False) -> Job:
    credential = Credential(*login) if login else None
    return Job(probe="turn-server", servers=(parse_server(uri, credential=credential),), trials=trials)


async def observed(uri: str, login: Login, options: dict[str, Any], cut_ms: float | None = None) -> Seen:
    """Run the probe, and cancel it after a time where one is given; ``trials`` is an option of the job."""
    options = dict(options)
    work = job(uri, login, trials=options.pop("trials", False))
    families = tuple(Family(name) for name in options.get("families", Family))
    net = Net(RunOptions(**{**options, "families": families}))
    found: list[Observation] = []
    task = asyncio.create_task(observe(work, net, found.append))
    try:
        await asyncio.wait({task}, timeout=None if cut_ms is None else cut_ms / 1000)
        task.cancel()
        began = time.monotonic()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        took_s = net.now_ms() / 1000 if cut_ms is None else time.monotonic() - began
    finally:
        await net.close()
    return Seen(tuple(found), took_s)


def ask(uri: str, login: Login = ALICE, **options: Any) -> Seen:
    """Try a server on this computer."""
    return asyncio.run(observed(uri, login, options))


def cut(uri: str, after_ms: float, login: Login = ALICE, **options: Any) -> Seen:
    """Try a server and be cancelled; ``took_s`` is the time from the cancellation to the end."""
    return asyncio.run(observed(uri, login, options, after_ms))


def ask_in(where: Namespace, uri: str, login: Login = ALICE, **options: Any) -> Seen:
    """Try a server from a namespace."""
    question = json.dumps({"uri": uri, "login": login, "options": options})
    command = [sys.executable, "-W", "error", __file__, question]
    done = where.run(command, timeout=30, env={"PYTHONPATH": str(Path(__file__).parents[2])})
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    took_s, *lines = done.stdout.splitlines()
    decoder = msgspec.json.Decoder(AnyObservation, dec_hook=decode_value)
    return Seen(tuple(map(decoder.decode, lines)), float(took_s))


def _main() -> None:
    asked = json.loads(sys.argv[1])
    seen = ask(asked["uri"], asked["login"] and tuple(asked["login"]), **asked["options"])
    sys.stdout.write(f"{seen.took_s}\n{seen.text}\n")


if __name__ == "__main__":
    _main()
