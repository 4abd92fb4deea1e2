"""One end of a session of two, with a channel made of files: ``rtcdiag lab pair … -- python session_end.py DIRECTORY``.

On side ``RTCDIAG_LAB_SIDE``; a offers. Prints the observations as JSON. Options of the environment: SESSION_TRICKLE
(0: none), SESSION_PASTE_S (after so many seconds the offerer's person pastes; then copied text), SESSION_TURN (0: no
relay), SESSION_LASTS_S.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec

from rtcdiag.connect import Asked, Beside, Outcome, Told, connect
from rtcdiag.evidence import Evidence, encode_value
from rtcdiag.evidence.session import SessionRole, SignalingKind
from rtcdiag.options import RunOptions
from rtcdiag.signaling import Message, decode, encode
from rtcdiag.targets import Credential, Server, parse_server

SIDE = os.environ["RTCDIAG_LAB_SIDE"]
OTHER = {"a": "b", "b": "a"}[SIDE]
PASTE_S = float(os.environ.get("SESSION_PASTE_S", "-1"))


class Files:
    """A channel: message number N of a side is a file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sent = self._received = 0

    kind: SignalingKind = "sse" if PASTE_S < 0 else "copied-text"
    role: SessionRole = "offerer" if SIDE == "a" else "answerer"
    trickles = PASTE_S < 0

    async def send(self, message: Message) -> None:
        fresh = self._directory / f"{SIDE}.new"
        fresh.write_bytes(encode(message))
        fresh.rename(self._directory / f"{SIDE}-{self._sent}")
        self._sent += 1

    async def receive(self) -> Message:
        path = self._directory / f"{OTHER}-{self._received}"
        while not path.exists():  # noqa: ASYNC110 - a file tells nobody that it comes
            await asyncio.sleep(0.005)
        if self.role == "offerer" and PASTE_S > 0:
            await asyncio.sleep(PASTE_S)
        self._received += 1
        return decode(path.read_bytes())

    async def close(self) -> None:
        """Nothing is open."""


def servers() -> tuple[Server, ...]:
    credential = Credential(os.environ["RTCDIAG_USERNAME"], os.environ["RTCDIAG_PASSWORD"])
    stun = parse_server(os.environ["RTCDIAG_LAB_STUN"])
    if os.environ.get("SESSION_TURN") == "0":
        return (stun,)
    return (stun, parse_server(os.environ["RTCDIAG_LAB_TURN"], credential=credential))


def tell(told: Told) -> None:
    sys.stderr.write(f"{time.monotonic():.3f} {SIDE} {told.stage}: {told.words}\n")


def report(evidence: Evidence) -> bytes:
    return msgspec.json.encode(evidence.observations, enc_hook=encode_value)


async def main() -> Outcome:
    asked = Asked(
        servers=servers(),
        trickle=os.environ.get("SESSION_TRICKLE") != "0",
        lasts_s=float(os.environ.get("SESSION_LASTS_S", "60")),
        measure_s=float(os.environ.get("SESSION_MEASURE_S", "1")),
    )
    beside = Beside(asked.servers, RunOptions(control=False, gateway=False))
    return await connect(Files(DIRECTORY), asked, beside, report, on_progress=tell)


DIRECTORY = Path(sys.argv[1])
ended = asyncio.run(main())
(DIRECTORY / f"{SIDE}.report").write_bytes(ended.report)
(DIRECTORY / f"{SIDE}.remote").write_bytes(ended.remote_report or b"")
sys.stdout.buffer.write(ended.report)
