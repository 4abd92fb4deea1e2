"""Copied text at this end: where the other's text comes from, and how the own one is given to the person."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Collection
from pathlib import Path
from signal import raise_signal
from typing import NamedTuple

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.files import STDIN, check_writable, read_text, write_whole
from rtcdiag.cli.signals import cancelled_by_signals
from rtcdiag.cli.streams import emit, is_terminal, lasting, say, tell
from rtcdiag.signaling import SignalingError, paste
from rtcdiag.signaling.copied_text import CopiedText, Offered, is_whole, read_offer
from rtcdiag.signaling.errors import CopiedTextError
from rtcdiag.signaling.messages import Description
from rtcdiag.signaling.reveals import revealed
from rtcdiag.signaling.sdp_offer import OfferForm
from rtcdiag.signaling.used import UsedCodes, state_directory

MAX_BYTES = 200_000
_LONGEST_NAME = 255
"""A longer text is no file's name."""
_STARTS = ("rtcd", "{", "v=0")


class Ways(NamedTuple):
    """``--in`` and ``--out``: where texts come from and go to instead of the terminal."""

    source: str | None = None
    to: str | None = None


def offered(text: str | None, used: UsedCodes) -> Offered | None:
    """Return the offer that the command line names: a code, SDP, a file or ``-``; None where this end offers.

    Raises BadInputError for what cannot be answered.
    """
    if text is None:
        return None
    if text == STDIN and is_terminal(sys.stdin):
        return _typed(used)
    try:
        return read_offer(_content(text), used)
    except CopiedTextError as error:
        raise BadInputError(str(error)) from None


def _content(text: str) -> str:
    if text.lstrip("\ufeff \t\r\n'\"`*>").startswith(_STARTS) or len(text) > _LONGEST_NAME:
        return text
    if text != STDIN and not Path(text).exists():
        raise BadInputError(f"{text}: neither a code, which begins with rtcd1., nor a file")
    return read_text(text, what="offer", limit=MAX_BYTES)


def _typed(used: UsedCodes) -> Offered:
    """Let the person paste until it is an offer; a signal ends the process, with the terminal as it was before."""
    offer, signal = asyncio.run(_until_signal(used))
    if signal is not None:
        raise_signal(signal)
    if offer is None:
        raise BadInputError("no offer was pasted")
    return offer


async def _until_signal(used: UsedCodes) -> tuple[Offered | None, int | None]:
    task = asyncio.create_task(_pasted(used))
    with cancelled_by_signals(task) as caught, contextlib.suppress(asyncio.CancelledError):
        return await task, None
    return None, caught[0] if caught else None


async def _pasted(used: UsedCodes) -> Offered | None:
    pasting = paste.Pasting(paste.keyboard(sys.stdin.fileno()), is_whole)
    tell("Paste the offer here, then press Enter (it is not shown).")
    try:
        while True:
            try:
                return read_offer(await pasting.read(), used)
            except CopiedTextError as error:
                _refuse(str(error))
    except paste.EndOfInputError:
        return None
    finally:
        pasting.close()


def used_codes() -> UsedCodes:
    """Return what this computer has used."""
    return UsedCodes(state_directory(os.environ))


def check_ways(ways: Ways) -> None:
    """Raise BadInputError where a text cannot be written or read there."""
    if ways.to is not None and ways.to != STDIN and not Path(ways.to).is_fifo():  # trying would be a first writer
        check_writable(Path(ways.to), what="--out")
    if ways.source is not None and ways.source != STDIN and Path(ways.source).is_dir():
        raise BadInputError(f"--in {ways.source}: is a directory")


class Copying(NamedTuple):
    """What the command line says of copied text."""

    ways: Ways
    offer: Offered | None
    offer_as: OfferForm | None
    """The form of an offer to another application."""
    used: UsedCodes


class Person(NamedTuple):
    """Who copies the texts."""

    ways: Ways
    offer: Offered | None
    lasts_s: float
    """How long the session waits."""
    offer_as: OfferForm | None = None
    keeps_report: bool = False
    """Whether the other end does not get this end's report."""
    vpn: Collection[str] = ()
    """The own addresses that are a VPN's."""
    redacted: bool = False
    """Whether what the code reveals is counted only."""

    @property
    def to_application(self) -> bool:
        """Whether another application, and no rtcdiag, reads what this end tells."""
        return self.offer_as is not None or (self.offer is not None and self.offer.foreign is not None)


def channel(person: Person, used: UsedCodes) -> CopiedText:
    """Return the channel of a person who copies."""

    async def hand_over(own: Description, text: str) -> None:
        _preview(person, own)
        if person.ways.to is not None:
            await _write(person.ways.to, text)
        else:
            _show(person, text)
        if person.offer is not None:
            tell(_waiting(person))

    def on_ready() -> None:
        tell(f"Waiting up to {lasting(person.lasts_s)} for the answer. {_how(person.ways)}")

    return CopiedText(
        offered=person.offer,
        offer_as=person.offer_as,
        used=used,
        hand_over=hand_over,
        source=lambda: _source(person.ways),
        on_ready=on_ready,
        tell=_refuse,
    )


def _preview(person: Person, own: Description) -> None:
    told = revealed(own.candidates, person.vpn, counted=person.redacted)
    if person.to_application:
        tell(f"This {'offer' if person.offer is None else 'answer'} reveals: {told}.")
        return
    tell(f"This code reveals: {told}. Valid {lasting(person.lasts_s)}, one use.")
    tell(_KEPT if person.keeps_report else _SHARED)


def _waiting(person: Person) -> str:
    """Say how long an answer is good for, and that nobody will tell this end where there is no path."""
    other = "the application" if person.to_application else "the other person"
    return (
        f"Waiting up to {lasting(person.lasts_s)} for {other} to take it. Where there is no path, nothing comes: "
        "when they say so, press Ctrl-C, and what this end saw is saved."
    )


_SHARED = "Once you are connected, each of you also gets the other's report, with all addresses in it."
_KEPT = "Your report stays here, because it holds what you hide."


def _show(person: Person, text: str) -> None:
    """Show a text as the person has to copy it: whole, on lines of its own."""
    if person.offer_as is not None:
        tell("Give this offer to the other application:")
    elif person.offer is None:
        tell("On the other computer, run this line:")
        text = f"rtcdiag connect {text}"
    else:
        tell(f"Give this answer back to the other {'application' if person.to_application else 'person'}:")
    say("")
    for line in text.splitlines():
        say(line)
    say("")


def _how(ways: Ways) -> str:
    if ways.source is not None and ways.source != STDIN:
        return f"It is read from {ways.source}."
    if is_terminal(sys.stdin):
        return "Paste it here, then press Enter (it is not shown)."
    return "It is read from standard input."


def _source(ways: Ways) -> paste.Source:
    if ways.source is not None and ways.source != STDIN:
        return paste.file(Path(ways.source))
    descriptor = sys.stdin.fileno()
    return paste.keyboard(descriptor) if is_terminal(sys.stdin) else paste.pipe(descriptor)


def _refuse(problem: str) -> None:
    tell(f"rtcdiag: {problem}")


async def _write(to: str, text: str) -> None:
    """Write a text by a thread that nobody has to wait for: who reads a named pipe may come late, or never."""
    if to == STDIN:
        emit(text + "\n")
        return
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def ended(problem: str) -> None:
        if not done.done():
            done.set_result(problem)

    def write() -> None:
        try:
            write_whole(Path(to), f"{text}\n".encode(), private=True)
            problem = ""
        except OSError as error:
            problem = f"--out {to}: {error.strerror}"
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(ended, problem)

    threading.Thread(target=write, daemon=True, name="writing").start()
    if problem := await done:
        raise SignalingError(problem)
    tell(f"Wrote it to {to}.")
