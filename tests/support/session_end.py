"""One end of a session of two, with a channel made of files: ``rtcdiag lab pair … -- python session_end.py DIRECTORY``.

On side ``RTCDIAG_LAB_SIDE``; a offers. Prints the observations as JSON. Options of the environment: SESSION_TRICKLE
(0: none), SESSION_PASTE_S (after so many seconds the offerer's person pastes; then copied text), SESSION_TURN (0: no
relay), SESSION_ALSO (more servers, before the usual ones), SESSION_LASTS_S, SESSION_ENDS ("b KILL measuring": side b
sends itself SIGKILL when its progress comes there; ``reporting`` is when it makes its report, ``checking`` half a
second after it heard of the other, ``beside`` 1.5 s after it connected, through a relay, too).
"""

import asyncio
import os
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import msgspec

from rtcdiag.connect import Asked, Beside, Outcome, Told, connect
from rtcdiag.evidence import Evidence, encode_value
from rtcdiag.evidence.session import SessionRole, SignalingKind
from rtcdiag.net.capture import Capture
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
    also = tuple(map(parse_server, os.environ.get("SESSION_ALSO", "").split()))
    stun = parse_server(os.environ["RTCDIAG_LAB_STUN"])
    if os.environ.get("SESSION_TURN") == "0":
        return (*also, stun)
    return (*also, stun, parse_server(os.environ["RTCDIAG_LAB_TURN"], credential=credential))


def end_at(stage: str) -> None:
    side, name, at = os.environ.get("SESSION_ENDS", "- - -").split()
    later = {("heard", "checking"): 0.5, ("connected", "beside"): 1.5}.get((stage, at))
    if side == SIDE and later is not None:
        threading.Timer(later, os.kill, (os.getpid(), signal.Signals[f"SIG{name}"])).start()
    elif (side, at) == (SIDE, stage):
        (DIRECTORY / "ended").write_text(str(time.time()))
        os.kill(os.getpid(), signal.Signals[f"SIG{name}"])


def tell(told: Told) -> None:
    # A relay that is first where the computer is busy says nothing of the direct way.
    beside = os.environ.get("SESSION_ENDS", "").endswith("beside")
    if beside or told.stage != "connected" or "relay" not in told.words:
        end_at(told.stage)
    sys.stderr.write(f"{time.monotonic():.3f} {SIDE} {told.stage}: {told.words}\n")


def report(evidence: Evidence) -> bytes:
    end_at("reporting")
    return msgspec.json.encode(evidence.observations, enc_hook=encode_value)


async def main() -> Outcome:
    asked = Asked(
        servers=servers(),
        trickle=os.environ.get("SESSION_TRICKLE") != "0",
        lasts_s=float(os.environ.get("SESSION_LASTS_S", "60")),
        measure_s=float(os.environ.get("SESSION_MEASURE_S", "1")),
    )
    capture = Capture()
    beside = Beside(asked.servers, RunOptions(control=False, gateway=False), capture)
    outcome = await connect(Files(DIRECTORY), asked, beside, report, on_progress=tell)
    (DIRECTORY / f"{SIDE}.pcapng").write_bytes(capture.content())
    return outcome


# Where it is imported already, a farewell over the channel overtakes the last answer over the pair.
import_module("cryptography.hazmat.primitives.ciphers.aead")
DIRECTORY = Path(sys.argv[1])
ended = asyncio.run(main())
(DIRECTORY / f"{SIDE}.report").write_bytes(ended.report)
(DIRECTORY / f"{SIDE}.remote").write_bytes(ended.remote_report or b"")
sys.stdout.buffer.write(ended.report)
