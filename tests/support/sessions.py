"""Two ends of a session in a lab, and what each saw."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from support.process import RTCDIAG, run

END = Path(__file__).with_name("session_end.py")
OTHER_END = Path(__file__).with_name("other_end.py")


class Seen(NamedTuple):
    """What one end saw, as JSON."""

    session: dict[str, Any]
    pairs: list[dict[str, Any]]
    learned: list[dict[str, Any]]
    streams: list[dict[str, Any]]
    candidates: list[dict[str, Any]]
    told: str
    """What the program said meanwhile, both ends in one."""
    report: bytes
    remote_report: bytes

    def outcome(self, policy: str) -> str:
        """Return what a policy achieved."""
        (found,) = [item["outcome"] for item in self.session["policies"] if item["policy"] == policy]
        return str(found)

    def selected(self, policy: str) -> dict[str, Any]:
        """Return the last pair that a policy used."""
        found: dict[str, Any] = [item for item in self.session["selected"] if item["policy"] == policy][-1]
        return found


def held(
    directory: Path,
    a: str | None,
    b: str | None,
    *options: str,
    settings: Mapping[str, str] | None = None,
    timeout: float = 60.0,
    means: Sequence[str] = ("--with", "coturn"),
) -> dict[str, Seen]:
    """Hold a session between two networks, and return what each end saw."""
    directory.chmod(0o777)
    exported = "".join(f"export {name}='{value}'; " for name, value in (settings or {}).items())
    python = Path(RTCDIAG).with_name("python")
    script = f"{exported}exec {python} {END} {directory} > {directory}/seen.$RTCDIAG_LAB_SIDE"
    sides = [part for side, spec in (("--a", a), ("--b", b)) if spec is not None for part in (side, spec)]
    done = run([RTCDIAG, "lab", "pair", *sides, *means, *options, "--", "sh", "-c", script], timeout=timeout)
    assert done.returncode == 0, done.stderr
    return {side: seen(directory, side, done.stderr) for side in "ab"}


def survived(directory: Path, nats: tuple[str, str], ends: str, settings: Mapping[str, str]) -> Seen:
    """Hold a session that side b ends early (``SESSION_ENDS`` of session_end.py); return what side a saw."""
    directory.chmod(0o777)
    exported = "".join(f"export {name}='{value}'; " for name, value in {**settings, "SESSION_ENDS": ends}.items())
    python = Path(RTCDIAG).with_name("python")
    script = f"{exported}{python} {END} {directory} > {directory}/seen.$RTCDIAG_LAB_SIDE || [ $RTCDIAG_LAB_SIDE = b ]"
    sides = ["--a", nats[0], "--b", nats[1]]
    done = run([RTCDIAG, "lab", "pair", *sides, "--with", "coturn", "--", "sh", "-c", script], timeout=60)
    assert done.returncode == 0, done.stderr
    return seen(directory, "a", done.stderr)


def held_with(
    directory: Path,
    how: str,
    *,
    offers: bool,
    nat: str,
    seconds: float = 4.0,
    settings: Mapping[str, str] | None = None,
) -> Seen:
    """Hold a session with a program of another kind; ``offers`` tells whether rtcdiag does."""
    directory.chmod(0o777)
    exported = "".join(f"export {name}='{value}'; " for name, value in (settings or {}).items())
    python = Path(RTCDIAG).with_name("python")
    own = f"{exported}exec {python} {END} {directory} > /dev/null"
    other = f"exec {python} {OTHER_END} {directory} {how} {seconds}"
    on_a, on_b = (own, other) if offers else (other, own)
    script = f"if [ $RTCDIAG_LAB_SIDE = a ]; then {on_a}; else {on_b}; fi"
    line = [RTCDIAG, "lab", "pair", "--a", nat, "--b", nat, "--with", "coturn", "--", "sh", "-c", script]
    done = run(line, timeout=60)
    assert done.returncode == 0, done.stderr
    return seen(directory, "a" if offers else "b", done.stderr)


def seen(directory: Path, side: str, told: str) -> Seen:
    """Read what one end saw."""
    report, remote = (directory.joinpath(f"{side}.{whose}").read_bytes() for whose in ("report", "remote"))
    found: list[dict[str, Any]] = json.loads(report)

    def of(kind: str) -> list[dict[str, Any]]:
        return [item for item in found if item["kind"] == kind]

    (session,) = of("PeerSession")
    return Seen(
        session, of("CheckedPair"), of("LearnedCandidate"), of("PeerStream"), of("Candidate"), told, report, remote
    )
