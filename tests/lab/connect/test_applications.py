"""Copied text between `rtcdiag connect` and applications that are no rtcdiag, each on a network of its own."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.process import RTCDIAG, run

pytestmark = pytest.mark.lab
APPLICATION, BROWSER = (
    Path(__file__).parents[2] / "support" / f"{name}.py" for name in ("application", "browser_agent")
)
OPEN = "eim/apdf delay=20ms v6=blocked"
SYMMETRIC = "apdm/apdf delay=20ms v6=blocked"


class Seen(NamedTuple):
    """What both ends saw."""

    code: int
    shown: str
    """What rtcdiag printed and told."""
    report: dict[str, Any]
    application: str
    """What the application printed."""

    @property
    def session(self) -> dict[str, Any]:
        (found,) = [item for item in self.report["evidence"] if item["kind"] == "PeerSession"]
        return dict(found)

    def outcome(self, policy: str) -> str:
        return str(next(item["outcome"] for item in self.session["policies"] if item["policy"] == policy))


def held(directory: Path, connect: str, application: list[str], *, offers: bool, nats: tuple[str, str]) -> Seen:
    """Let rtcdiag and an application exchange their descriptions as files; side a offers."""
    directory.chmod(0o777)
    awaited = "" if offers else f"until [ -s {connect.partition(' ')[0]} ]; do sleep 0.1; done; "
    asked = "--no-control --no-gateway --server $RTCDIAG_LAB_STUN --reports-dir reports"
    own = f"{awaited}{RTCDIAG} connect {connect} {asked} > shown 2>&1; echo $? > code"
    other = f"{sys.executable} {' '.join(application)} > application"
    on_a, on_b = (own, other) if offers else (other, own)
    script = f"cd {directory}; export XDG_STATE_HOME=$PWD; if [ $RTCDIAG_LAB_SIDE = a ]; then {on_a}; else {on_b}; fi"
    line = [RTCDIAG, "lab", "pair", "--a", nats[0], "--b", nats[1], "--with", "coturn", "--", "sh", "-c", script]
    done = run(line, timeout=60)
    shown = (directory / "shown").read_text()
    assert done.returncode == 0, done.stderr + shown
    (saved,) = (directory / "reports").glob("rtcdiag-*Z.json")
    return Seen(
        int((directory / "code").read_text()),
        shown,
        json.loads(saved.read_text()),
        (directory / "application").read_text(),
    )


def answered(directory: Path, how: str, form: str, nats: tuple[str, str], seconds: int = 8) -> Seen:
    """Let another application answer an offer of this form."""
    application = [str(APPLICATION), how, "offer", "answer", str(seconds)]
    return held(directory, f"--offer-as {form} --out offer --in answer", application, offers=True, nats=nats)


@pytest.mark.parametrize("form", ["json", "sdp"])
@pytest.mark.parametrize("how", ["aiortc", "aioice"])
def test_an_application_that_answers_an_offer_in_sdp_is_connected_to(tmp_path: Path, how: str, form: str) -> None:
    seen = answered(tmp_path, how, form, (OPEN, OPEN))

    assert "completed" in seen.application.split(), seen.shown
    assert (seen.code, seen.outcome("direct"), seen.session["stop"]) == (0, "connected", "done"), seen.shown
    assert (seen.session["role"], seen.session["application"]) == ("offerer", True)
    assert "This offer reveals: " in seen.shown
    assert "report did not come" not in seen.shown
    assert not [item for item in seen.report["evidence"] if item["kind"] == "PeerStream"]


def test_an_application_to_which_no_pair_leads_gets_no_certain_no(tmp_path: Path) -> None:
    seen = answered(tmp_path, "aiortc", "json", (OPEN, SYMMETRIC), seconds=15)

    assert seen.session["stop"] == "no-path"
    assert "connected" not in {seen.outcome(policy) for policy in ("all", "direct", "relay")}
    assert seen.code == 3, seen.shown
    assert "session-application-silent" in {item["code"] for item in seen.report["findings"]}


def _browser(directory: Path, connect: str, *, offers: bool) -> tuple[Seen, dict[str, Any]]:
    own = directory / f"browser-{'a' if offers else 'b'}-direct-done-0"
    own.write_text('{"connected": false}')  # for the page; DTLS is not spoken
    application = [str(BROWSER), str(directory), "1", "6", "direct"]
    seen = held(directory, connect, application, offers=offers, nats=(OPEN, OPEN))
    return seen, json.loads(seen.application)


@pytest.mark.parametrize("offers", [True, False], ids=["rtcdiag offers", "Chromium offers"])
def test_a_page_in_chromium_is_connected_to_whoever_offers(tmp_path: Path, *, offers: bool) -> None:
    ways = "--offer-as json --out browser-a-direct-sdp-0 --in browser-b-direct-sdp-0"
    waits = "browser-a-direct-sdp-0 --out browser-b-direct-sdp-0"
    seen, page = _browser(tmp_path, ways if offers else waits, offers=offers)

    assert "connected" in page["states"], page
    assert (seen.code, seen.outcome("direct"), seen.session["stop"]) == (0, "connected", "done"), seen.shown
    assert seen.session["role"] == ("offerer" if offers else "answerer")
