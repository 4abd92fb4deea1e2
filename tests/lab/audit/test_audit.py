"""Audits of Debian's coturn, wide open and as our own judgement of a file wants it: what they find and send."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lab.audit.place import SECRET, Audited, at_once, place
from lab.audit.recommended import recommended
from rtcdiag.evidence import TurnConfig
from support.ca import Authority
from support.process import run as run_command
from support.turn_libraries import pion

pytestmark = pytest.mark.lab
RTCDIAG = Path(__file__).parents[3] / ".venv" / "bin" / "rtcdiag"
OPEN = {
    "turn-audit-loopback-peers": "error",
    "turn-audit-embedded-peers": "error",
    "turn-audit-link-local-peers": "error",
    "turn-audit-private-peers": "error",
    "turn-audit-special-peers": "warning",
    "turn-audit-tcp-relay": "warning",
    "turn-audit-software": "warning",
    "turn-audit-known-flaws": "warning",
    "turn-audit-large-answers": "warning",
    "turn-audit-lasting-credentials": "warning",
    "turn-audit-no-tls": "info",
}


@pytest.fixture(scope="module")
def audits(runs: dict[str, Any]) -> dict[str, Audited]:
    """Those of coturn."""
    return {name: found for name, found in runs.items() if isinstance(found, Audited)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every audit of this file, side by side: each takes most of a minute, and waits for nearly all of it."""
    base = tmp_path_factory.mktemp("audits")
    for name in ("open", "nobody", "recommended", "tls", "pion"):
        (base / name).mkdir()
    password, secret = base / "password", base / "secret"
    password.write_text("wonderland\n")
    secret.write_text(f"{SECRET}\n")
    jobs: dict[str, Callable[[], Any]] = {
        "open": lambda: _open(base / "open", "--username", "alice", "--password-file", str(password)),
        "nobody": lambda: _nobody(base / "nobody", "--username", "alice", "--password-file", str(password)),
        "recommended": lambda: _recommended(base / "recommended", "--secret-file", str(secret)),
        "tls": lambda: _tls(base / "tls"),
        "pion": lambda: _pion(base / "pion", password),
    }
    return at_once(jobs)


def _open(directory: Path, *login: str) -> Audited:
    with place(directory) as lab:
        return lab.audit(*login)


def _nobody(directory: Path, *login: str) -> Audited:
    with place(directory, users={}) as lab:
        return lab.audit(*login)


def _recommended(directory: Path, *login: str) -> Audited:
    """Audit the server with the configuration that was made of what is wrong with an open one."""
    with place(directory, loopback_peers=False, users={}, secret=SECRET, extra=recommended(directory)) as lab:
        return lab.audit(*login)


def _pion(directory: Path, password: Path) -> dict[str, str]:
    """Audit a server of pion's library, which has words of its own for no."""
    login = ("--username", "alice", "--password-file", password, "--json")
    with pion(directory, flags={"deny-peers": "true"}) as server:
        done = run_command([RTCDIAG, "audit-turn", server.uri(), "--i-own-this-server", *login], timeout=240)
    return {row["check"]: row["verdict"] for row in json.loads(done.stdout)["audit"]}


def _tls(directory: Path) -> Audited:
    """Audit without credentials a server that takes old versions of TLS, too."""
    authority = Authority(directory)
    with place(directory, certificate=authority.issue("turn.test"), extra=["cipher-list=ALL:@SECLEVEL=0"]) as lab:
        return lab.audit()


def test_a_wide_open_server_fails_every_check_that_it_can_fail(audits: dict[str, Audited]) -> None:
    found = audits["open"]
    assert {code: severity for code, severity in found.codes.items() if code.startswith("turn-audit-")} == OPEN
    assert found.code == 1
    assert found.verdicts["open-relay"] == found.verdicts["channel-parity"] == found.verdicts["nonce"] == "pass"
    assert found.verdicts["this-host"] == "pass"
    assert found.verdicts["expired-credentials"] == "undetermined"


def test_a_server_without_users_is_an_open_relay(audits: dict[str, Audited]) -> None:
    found = audits["nobody"]
    assert found.codes["turn-audit-open-relay"] == "error"
    assert found.codes["turn-audit-private-peers"] == "error"
    assert found.code == 1


def test_the_configuration_that_is_recommended_passes_its_audit(audits: dict[str, Audited]) -> None:
    found = audits["recommended"]
    assert set(found.codes.values()) <= {"info"}, found.codes
    assert found.code == 0, found.text + found.stderr
    verdicts = {name: verdict for name, verdict in found.verdicts.items() if verdict != "pass"}
    assert verdicts == {"tls-versions": "undetermined", "cleartext": "fail"}


def test_without_credentials_only_what_a_stranger_may_ask_is_asked(audits: dict[str, Audited]) -> None:
    found = audits["tls"]
    kinds = {item["kind"] for item in found.report["evidence"]}
    assert kinds <= {"Target", "AuditScope", "Binding", "Challenge", "AuditSize", "AuditNonce", "AuditTls"}
    assert found.verdicts["loopback"] == found.verdicts["tcp-relay"] == "undetermined"
    assert found.code == 3
    assert found.took_s < 25


def test_old_versions_of_tls_are_seen(audits: dict[str, Audited]) -> None:
    offers = {item["version"]: item["outcome"] for item in audits["tls"].report["evidence"] if "version" in item}
    assert (offers["TLSv1.2"], offers["TLSv1.1"], offers["TLSv1"]) == ("accepted", "accepted", "accepted")
    assert offers["TLSv1.3"] == "refused"  # Debian's coturn offers 1.2 at most where old versions are on
    assert "turn-audit-old-tls" in audits["tls"].codes


def test_how_pion_says_no_is_understood(runs: dict[str, Any]) -> None:
    denied = ("loopback", "this-host", "embedded", "link-local", "private", "special", "channel-parity", "tcp-relay")
    assert {name: runs["pion"][name] for name in denied} == dict.fromkeys(denied, "pass")


def test_no_packet_ever_goes_to_a_peer(audits: dict[str, Audited]) -> None:
    assert {name: found.peer_packets for name, found in audits.items()} == dict.fromkeys(audits, 0)


def test_no_allocation_is_left(audits: dict[str, Audited]) -> None:
    assert {name: found.left for name, found in audits.items()} == dict.fromkeys(audits, 0)


def test_at_most_one_packet_a_second_is_sent(audits: dict[str, Audited]) -> None:
    for name, found in audits.items():
        # A handshake belongs to the connection that was made for it.
        times = [at for kind, at in found.sent if kind != "tls"]
        assert len(times) >= 5, name
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert min(gaps) >= 1.0, (name, min(gaps))


def test_what_is_about_to_be_asked_is_said_first_and_about_how_long_it_takes(audits: dict[str, Audited]) -> None:
    for found in audits.values():
        first, second, *_ = found.stderr.splitlines()
        assert "nothing is sent to any peer" in first
        said_s = float(second.partition("about ")[2].partition(" s")[0])
        # This computer may be busy, and then it takes longer to begin and to end.
        assert 0.5 * said_s <= found.took_s <= 1.5 * said_s + 15


def test_the_text_fits_a_screen_and_no_report_tells_a_credential(audits: dict[str, Audited]) -> None:
    for found in audits.values():
        lines = found.text.splitlines()
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 80
        assert not [word for word in ("wonderland", "alice", SECRET) if word in str(found.report) + found.text]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_audit_that_is_ended_early_releases_everything(tmp_path: Path, number: signal.Signals) -> None:
    password = tmp_path / "password"
    password.write_text("wonderland\n")
    with place(tmp_path) as lab:
        login = ("--username", "alice", "--password-file", password, "-o", tmp_path / "report.json")
        command = [*lab.client.prefix, *map(str, lab.command(*login))]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            end = time.monotonic() + 20
            while not lab.server.allocations() and time.monotonic() < end:
                time.sleep(0.1)
            assert lab.server.allocations() == 1
            process.send_signal(number)
            assert process.wait(10) == 128 + number
        assert lab.server.wait_until_empty()
        assert lab.peer_packets() == 0
        assert '"interrupted": true' in (tmp_path / "report.json").read_text()


def test_the_recommended_configuration_is_judged_clean(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    lines = [*recommended(tmp_path / "new"), "use-auth-secret", f"static-auth-secret={SECRET}", "realm=turn.test"]
    (tmp_path / "turnserver.conf").write_text("\n".join(lines) + "\n")
    done = run_command(
        [RTCDIAG, "audit-turn", "--config", tmp_path / "turnserver.conf", "--fail-on", "warning"], timeout=20
    )
    assert done.returncode == 0, done.stdout
    assert TurnConfig.__name__ not in done.stderr
