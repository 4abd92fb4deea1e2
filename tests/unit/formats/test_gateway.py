"""What the router says stands beside the NAT, in words that fit a line."""

from typing import Any

import msgspec
import pytest

from rtcdiag.evidence import Failure, GatewayQuery
from rtcdiag.formats import render
from rtcdiag.formats.tables.gateway import gateway_words, outcome
from rtcdiag.nat import Nat
from rtcdiag.report import Nats, Report, raw_evidence
from support.evidence import run
from support.gateway import nat_pmp, pcp, silence, upnp
from support.reports import REPORTS


def told(*queries: GatewayQuery, **nat: Any) -> Report:
    """Return a report with nothing but these answers of the gateway."""
    found = Nat(behind_nat=True, **nat)
    return msgspec.structs.replace(REPORTS["healthy"](), nat=Nats(ipv4=found), evidence=raw_evidence(run(*queries)))


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (told(nat_pmp("203.0.113.7"), pcp(), layers=1, cgnat=False), "NAT-PMP 203.0.113.7; PCP (the only NAT)"),
        (told(nat_pmp("100.64.0.2"), layers=2, cgnat=True), "NAT-PMP 100.64.0.2 (carrier-grade NAT)"),
        (told(upnp("10.0.0.2"), layers=2), "UPnP 10.0.0.2 (double NAT)"),
        (told(nat_pmp(name="NETWORK_FAILURE")), "NAT-PMP"),
        (told(silence()), ""),
        (told(), ""),
    ],
)
def test_the_words_of_a_gateway_stand_in_one_line(report: Report, words: str) -> None:
    assert gateway_words(report, "IPv4") == words
    assert gateway_words(report, "IPv6") == ""
    assert (words in render("text", report)) or not words


def test_each_answer_has_its_outcome() -> None:
    assert outcome(silence()) == ("no answer", "muted")
    assert outcome(silence(failure=Failure.CONNECTION_REFUSED)) == ("connection-refused", "muted")
    assert outcome(pcp("NOT_AUTHORIZED")) == ("NOT_AUTHORIZED (code 2)", "warn")
    assert outcome(upnp("10.0.0.2", version=2, device="Debian router")) == (
        "Debian router, IGD 2, external address 10.0.0.2",
        "ok",
    )
    assert outcome(upnp(None, result=None, problem="description-elsewhere"))[1] == "warn"
