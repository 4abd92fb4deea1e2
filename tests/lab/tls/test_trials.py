"""What clients that greet differently would meet: each fault made with a proxy, or with coturn's own options."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lab.codes.asking import Asked, Row, check, report_of, stun, turn
from lab.codes.place import Lab
from support.gate import gate, refuses_alpn, wants_name
from support.scripted import binding, tls_context

pytestmark = pytest.mark.lab


def ours(lab: Lab, context: ssl.SSLContext) -> Asked:
    """Ask a STUN server of ours that speaks TLS in a way of its own."""
    return stun(lab, f"stuns:localhost:{lab.tcp(binding, context=context).port}")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def trials(told: dict[str, Any]) -> dict[str, Any]:
    return {item["trial"]: item for item in told["evidence"] if item["kind"] == "TlsTrial"}


def info(asked: Any, *codes: str) -> Row:
    return Row(asked, exit=0, servers=("ok",), beside=codes)


def behind(port: int, *codes: str) -> Row:
    """Return what is said of coturn behind a proxy, which hides where clients come from."""
    return Row(
        lambda lab: turn(lab, f"turns:localhost:{port}"),
        "mapped-address-not-ours",
        exit=0,
        servers=("warning",),
        beside=codes,
    )


def test_a_healthy_server_is_greeted_in_four_more_ways_and_nothing_is_said_of_it(lab: Lab) -> None:
    told = check(info(lambda lab: turn(lab, lab.tls.uri("turns", host="localhost"))), lab)
    tried = trials(told)
    assert {name for name, item in tried.items() if item["failure"] is None} == {"alpn", "no-sni", "tls-1.2"}
    # coturn knows RFC 7443.
    assert tried["alpn"]["alpn"] == "stun.turn"
    assert tried["no-sni"]["named"] is True
    assert tried["tls-1.2"]["version"] == "TLSv1.2"
    assert not [code for code in told.codes() if code.startswith("tls-")]


def test_a_stun_server_is_greeted_so_too(lab: Lab) -> None:
    told = check(info(lambda lab: stun(lab, lab.tls.uri("stuns", host="localhost"))), lab)
    assert len(trials(told)) == 4


def test_a_proxy_that_knows_other_protocols_only_is_named(lab: Lab, stack: ExitStack) -> None:
    port = stack.enter_context(gate(lab.tls.tls_port, refuses_alpn))
    told = check(behind(port, "tls-alpn-refused"), lab)
    assert "tls-needs-server-name" not in told.codes()


def test_a_proxy_that_wants_a_name_is_named(lab: Lab, stack: ExitStack) -> None:
    port = stack.enter_context(gate(lab.tls.tls_port, wants_name("localhost")))
    told = check(behind(port, "tls-needs-server-name"), lab)
    assert "tls-alpn-refused" not in told.codes()


def test_a_proxy_that_shows_another_certificate_without_a_name_is_named(lab: Lab, stack: ExitStack) -> None:
    other = lab.coturn(certificate=lab.certificate("other.example"))
    port = stack.enter_context(gate(lab.tls.tls_port, wants_name("localhost"), other_port=other.tls_port))
    told = check(behind(port, "tls-needs-server-name"), lab)
    (finding,) = [item for item in told["findings"] if item["code"] == "tls-needs-server-name"]
    assert "other.example" in finding["meaning"]


def test_an_address_is_greeted_without_a_name_anyway(lab: Lab) -> None:
    server = lab.coturn(certificate=lab.certificate("127.0.0.1"))
    assert "no-sni" not in trials(check(info(lambda lab: turn(lab, server.uri("turns"))), lab))


def test_a_server_without_tls_1_2_is_named(lab: Lab) -> None:
    context = tls_context(lab.certificate(), versions=("TLSv1_3", "TLSv1_3"))
    check(info(lambda lab: ours(lab, context), "tls-1-2-missing"), lab)


def test_a_server_that_still_speaks_old_versions_is_named(lab: Lab) -> None:
    context = tls_context(lab.certificate(), security_level=0, versions=("TLSv1", "TLSv1_3"))
    check(info(lambda lab: ours(lab, context), "tls-old-versions-accepted"), lab)


def test_a_server_of_old_versions_only_is_an_error_that_says_which(lab: Lab) -> None:
    context = tls_context(lab.certificate(), security_level=0, versions=("TLSv1", "TLSv1_1"))
    told = check(Row(lambda lab: ours(lab, context), "tls-protocol-version", stage="tls"), lab)
    assert "TLSv1.1" in told["findings"][0]["meaning"]


def test_coturn_as_old_guides_set_it_up_has_no_version_left(lab: Lab) -> None:
    server = lab.coturn("no-tlsv1_2", certificate=lab.certificate())
    row = Row(
        lambda lab: turn(lab, server.uri("turns", host="localhost")),
        "tls-protocol-version",
        stage="tls",
        servers=("failed", "ok"),
    )
    check(row, lab)


def test_a_proxy_that_is_silent_without_a_name_delays_nothing(lab: Lab, stack: ExitStack) -> None:
    with lab.one_row():
        silent = lab.tcp(lambda _data, _source: [])
        port = stack.enter_context(gate(lab.tls.tls_port, wants_name("localhost"), other_port=silent.port))
        told = report_of(turn(lab, f"turns:localhost:{port}").run("--json"))
    assert told["servers"][0]["stages"][-1]["status"] == "ok"
    released = max(item["t_ms"] + item["duration_ms"] for item in told["evidence"] if item["kind"] == "Refresh")
    # The silent one is waited for two seconds, unless all else is over before.
    assert told["duration_ms"] - released < 1000
    untested = "TLS without a server name" in str(told["not_tested"])
    assert untested or trials(told)["no-sni"]["failure"] == "timeout"
