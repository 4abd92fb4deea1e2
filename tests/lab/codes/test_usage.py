"""Bad input: one line on standard error that names it, exit code 2, nothing on standard output, nobody contacted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lab.codes.asking import Asked, Lab, report_of, stun
from support.scripted import silence

pytestmark = pytest.mark.lab


class Wrong(NamedTuple):
    """Words that no server hears of, and what the line has to say."""

    words: tuple[str, ...]
    named: tuple[str, ...]


def listed(text: str) -> Callable[[Lab], Wrong]:
    def wrong(lab: Lab) -> Wrong:
        name = lab.file(text)
        return Wrong(("check-turn", "--ice-servers", name), (name,))

    return wrong


def cut(lab: Lab, suffix: str) -> Wrong:
    """Half of a report."""
    whole = Path(lab.file("")).with_suffix(suffix)
    assert stun(lab, lab.tls.uri("stun")).run("--output", str(whole), "-q").returncode == 0
    half = whole.with_stem(f"{whole.stem}-half")
    half.write_text(whole.read_text()[: len(whole.read_text()) // 2])
    return Wrong(("show", str(half)), (str(half),))


USAGE: dict[str, Callable[[Lab], Wrong]] = {
    "a URI with slashes": lambda _: Wrong(("check-turn", "turn://host"), ("turn://host", "turn:host")),
    "a URI without a scheme": lambda _: Wrong(("check-stun", "stun.example.org"), ("stun.example.org", "stun:stun")),
    "a URI of another scheme": lambda _: Wrong(("check-stun", "https://example.org"), ("https://example.org",)),
    "a query that TURN does not have": lambda _: Wrong(
        ("check-turn", "turn:host?proto=tcp"), ("turn:host?proto=tcp", "turn:host?transport=tcp")
    ),
    "a URI with a password in it": lambda _: Wrong(("check-turn", "turn:ann:secret@host"), ("@host", "turn:host")),
    "port 0": lambda _: Wrong(("check-stun", "stun:127.0.0.1:0"), ("stun:127.0.0.1:0", "'0'")),
    "port 99999": lambda _: Wrong(("check-turn", "turn:127.0.0.1:99999"), ("turn:127.0.0.1:99999", "'99999'")),
    "an address that is none": lambda _: Wrong(("check-stun", "stun:999.1.1.1"), ("999.1.1.1",)),
    "TURN where STUN is asked": lambda _: Wrong(("check-stun", "turn:host"), ("turn:host", "stun:host")),
    "no server": lambda _: Wrong(("check-turn",), ("no server",)),
    "an ICE server list that is not JSON": listed("urls: turn:host"),
    "an ICE server list without urls": listed('{"iceServers": [{"username": "ann"}]}'),
    "an ICE server list that is empty": listed(""),
    "an ICE server list with a bad URI in it": listed('[{"urls": "turn://host"}]'),
    "an ICE server list that is not there": lambda _: Wrong(
        ("check-turn", "--ice-servers", "/nowhere/list.json"), ("/nowhere/list.json",)
    ),
    "an output that cannot be written": lambda lab: Wrong(
        ("check-stun", f"stun:127.0.0.1:{lab.udp(silence).port}", "--output", "/nowhere/report.json"),
        ("/nowhere/report.json",),
    ),
    "an output of no format": lambda lab: Wrong(
        ("check-stun", f"stun:127.0.0.1:{lab.udp(silence).port}", "--output", "report.docx"), ("report.docx",)
    ),
    "a password file that is not there": lambda _: Wrong(
        ("check-turn", "turn:127.0.0.1", "--username", "ann", "--password-file", "/nowhere/password"),
        ("/nowhere/password",),
    ),
    "a CA file without a certificate": lambda lab: Wrong(
        ("check-turn", "turns:localhost", "--ca-file", name := lab.file("nothing")), (name,)
    ),
    "a time-out that is none": lambda _: Wrong(("check-stun", "stun:127.0.0.1", "--timeout", "nan"), ("nan",)),
    "a report in JSON that was cut in half": lambda lab: cut(lab, ".json"),
    "a report in HTML that was cut in half": lambda lab: cut(lab, ".html"),
    "a report that is something else": lambda lab: Wrong(("show", name := lab.file('{"kind": "other"}')), (name,)),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage_is_refused_in_one_line_for(lab: Lab, name: str) -> None:
    with lab.one_row():
        wrong = USAGE[name](lab)
        done = Asked(wrong.words).run()
        assert not [heard for server in lab.heard for heard in server.received]
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert not [word for word in wrong.named if word not in done.stderr], done.stderr
    assert "secret" not in done.stderr


def test_a_report_that_a_later_version_wrote_is_shown_as_it_was_saved(lab: Lab) -> None:
    saved = report_of(stun(lab, lab.tls.uri("stun")).run("--json"))
    later = {**saved, "schema_version": "1.9", "moon": "full"}
    later["evidence"] = [*saved["evidence"], {"kind": "Moon", "id": "obs-99", "t_ms": 0.0, "duration_ms": None}]
    done = Asked(("show", lab.file(json.dumps(later)))).run("--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["verdict"] == saved["verdict"]
