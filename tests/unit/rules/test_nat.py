"""What a NAT does is named, and none of it is a fault; servers that tell wrong addresses are."""

import pytest

import rtcdiag.rules.nat
from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Exchange
from rtcdiag.findings import Finding, Severity
from rtcdiag.nat import CONTRADICTION, Certainty, Nat, OtherWay, classify
from support.evidence import answered, at, binding, failed, run, target

MAPPED = (TransportAddress.parse("203.0.113.7:50123"),)
FACTS = {
    "nat-endpoint-dependent-mapping": Nat(behind_nat=True, mapping="address-and-port-dependent"),
    "nat-port-dependent-filtering": Nat(
        behind_nat=True, mapping="endpoint-independent", filtering="address-and-port-dependent"
    ),
    "nat-tracks-unsolicited": Nat(behind_nat=True, mapping="endpoint-independent", tracks_unsolicited=True),
    "nat-carrier-grade": Nat(behind_nat=True, cgnat=True),
    "nat-layered": Nat(behind_nat=True, layers=2),
    "nat-arbitrary-pooling": Nat(behind_nat=True, pooling="arbitrary", mapped=MAPPED),
    "several-ways-out": Nat(behind_nat=True, interface="eth0", other_ways=(OtherWay(interface="wg0"),)),
    "firewall-without-nat": Nat(behind_nat=False, mapping="endpoint-independent", firewall=True),
    "nat-no-hairpinning": Nat(behind_nat=True, hairpinning=False),
    "nat-internal-hairpinning": Nat(behind_nat=True, hairpinning=True, hairpinning_source="internal"),
    "nat-lifetime-short": Nat(behind_nat=True, lifetime_s=16.0, lifetime_below_s=28.4),
    "nat-lifetime-below-two-minutes": Nat(behind_nat=True, lifetime_s=58.0, lifetime_below_s=88.4),
    "nat-lifetime-measured": Nat(behind_nat=True, lifetime_s=118.0, lifetime_below_s=178.4),
    "fragments-lost-outbound": Nat(behind_nat=True, fragments_outbound=False),
    "fragments-lost-inbound": Nat(behind_nat=True, fragments_outbound=True, fragments_inbound=False),
    "nat-servers-contradict": Nat(undetermined={"mapping": f"{CONTRADICTION}a saw b, c saw d"}),
    "nat-server-distrusted": Nat(distrusted={"stun:stun.example.org:3478": "it sees another address than all others"}),
}

WARNINGS = ("nat-server-distrusted", "nat-servers-contradict", "nat-lifetime-short")
"""Somebody pays for it: users of a server that is wrong, and calls that are silent for a while."""


def facts_of(nat: Nat | None, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """Return what the rule says of a NAT as classified, over IPv4."""
    monkeypatch.setattr(rtcdiag.rules.nat, "classify", lambda _, family: nat if family is Family.IPV4 else None)
    return list(rtcdiag.rules.nat.nat_facts(run(target("stun:stun.example.org:3478"))))


@pytest.mark.parametrize(("code", "nat"), FACTS.items())
def test_each_trait_is_one_fact(code: str, nat: Nat, monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = facts_of(nat, monkeypatch)
    severity = Severity.WARNING if code in WARNINGS else Severity.INFO
    assert (finding.code, finding.severity) == (code, severity)
    assert finding.facts["family"] == "ipv4"


@pytest.mark.parametrize(
    "nat",
    [
        None,
        Nat(),
        Nat(behind_nat=True, mapping="endpoint-independent", filtering="endpoint-independent", layers=1),
        Nat(behind_nat=True, mapping="address-dependent", cgnat=True, local_only=True),
        Nat(behind_nat=False, mapping="endpoint-independent", filtering="address-and-port-dependent"),
        Nat(hairpinning=True, hairpinning_source="external", fragments_outbound=True, fragments_inbound=True),
    ],
    ids=["not asked", "undetermined", "full cone", "only this computer asked", "no NAT", "hairpin and fragments"],
)
def test_nothing_is_said_of_what_is_harmless_or_unknown(nat: Nat | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert facts_of(nat, monkeypatch) == []


def test_a_fact_points_at_the_evidence_of_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    nat = Nat(
        behind_nat=True, mapping="address-dependent", confidence={"mapping": Certainty(evidence=("obs-3", "obs-4"))}
    )
    (finding,) = facts_of(nat, monkeypatch)
    assert finding.evidence == ("obs-3", "obs-4")
    assert "symmetric NAT" in finding.title
    assert "IPv4" in finding.title


URI, ADDRESS = "stun:stun.example.org:3478", "198.51.100.10:3478"


def why_no_filtering(*answers: Exchange) -> str:
    seen = [binding(URI, ADDRESS, answer, purpose="mapping") for answer in answers]
    nat = classify(run(target(URI), *seen), Family.IPV4)
    assert nat is not None
    return nat.undetermined["filtering"]


def test_what_a_server_cannot_do_is_said_only_of_one_that_answered() -> None:
    plain = answered(ADDRESS, xor_mapped=MAPPED[0])
    able = answered(ADDRESS, xor_mapped=MAPPED[0], other_address=at("198.51.100.11:3479"))
    wrong = answered(ADDRESS, xor_mapped=MAPPED[0], other_address=at("10.0.0.1:3479"))
    assert why_no_filtering(plain) == (
        "no server that was asked can answer from another address (RFC 5780); name one that can, or a TURN server with "
        "credentials, whose relay can test it"
    )
    assert why_no_filtering(able) == "no filtering test was made"
    assert "OTHER-ADDRESS that is private: 10.0.0.1:3479" in why_no_filtering(wrong)
    assert why_no_filtering(failed()) == "no answer over UDP"
