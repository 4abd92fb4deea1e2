"""What a TURN server can do: yes only where it did, no only where it said so, else undetermined with the reason."""

from typing import Any

import pytest
from hypothesis import given

from rtcdiag.address import Family
from rtcdiag.capabilities import capabilities_of
from rtcdiag.evidence import Evidence, Exchange, Failure, Observation, Target
from rtcdiag.report import Capability
from rtcdiag.targets import Transport
from support.evidence import Turn, answered, at, evidences, failed, refused, run

T = Turn()
TCP = Turn(uri="turn:turn.example.org:3478?transport=tcp", transport=Transport.TCP)
SIX = at("[2001:db8::30]:49160")
DF, EVEN, FAMILY = 0x001A, 0x0018, 0x0017


def told(evidence: Evidence, turn: Turn = T) -> dict[str, Capability]:
    (target,) = evidence.of(Target, lambda item: item.server == turn.uri)
    return {item.name: item for item in capabilities_of(target, at(turn.address), turn.transport, evidence)}


def after(*more: Observation) -> dict[str, Capability]:
    """Return what is told where calls worked, and this was seen beside them."""
    return told(run(*T.up_to("end"), *more))


def unknown(*kinds: int) -> Exchange:
    return refused(T.address, 420, unknown_attributes=kinds)


def test_what_was_granted_is_a_yes() -> None:
    pair = T.trial("dont-fragment", "even-port", "next-port", "ipv6", relayed=SIX, reservation_token=True)
    found = after(
        pair,
        T.trial("reserved-port", relayed=SIX),
        T.trial("both-families", relayed_also=SIX),
    )
    yes = {name for name, item in found.items() if item.answer == "yes"}
    assert yes == {"relay-ipv4", "relay-ipv6", "both-families", "dont-fragment", "even-port", "reserved-port"}
    assert all(item.why is None for item in found.values() if item.answer == "yes")


def test_what_a_420_names_is_a_no_and_what_it_does_not_name_is_not() -> None:
    found = after(T.trial("dont-fragment", "even-port", "ipv6", exchange=unknown(DF)))
    assert {name: found[name].answer for name in ("dont-fragment", "even-port", "relay-ipv6")} == {
        "dont-fragment": "no",
        "even-port": "undetermined",
        "relay-ipv6": "undetermined",
    }


def test_a_later_answer_tells_what_an_earlier_refusal_did_not() -> None:
    found = after(T.trial("dont-fragment", "even-port", exchange=unknown(DF)), T.trial("even-port"))
    assert (found["dont-fragment"].answer, found["even-port"].answer) == ("no", "yes")


@pytest.mark.parametrize("code", [400, 401, 403, 437, 438, 486, 500, 508])
def test_a_refusal_for_another_reason_tells_nothing(code: int) -> None:
    found = after(
        T.trial("dont-fragment", "even-port", "next-port", "ipv6", exchange=refused(T.address, code)),
        T.trial("both-families", exchange=refused(T.address, code)),
    )
    for name in ("dont-fragment", "even-port", "reserved-port", "relay-ipv6", "both-families"):
        assert found[name].answer == "undetermined"
        assert found[name].why is not None


def test_silence_tells_nothing() -> None:
    assert after(T.trial("dont-fragment", exchange=failed()))["dont-fragment"].why == "no answer"
    cut = after(T.trial("dont-fragment", exchange=failed(Failure.DEADLINE)))["dont-fragment"]
    assert cut.why == "the run ended before the answer"


def test_an_odd_port_is_no_even_one() -> None:
    assert after(T.trial("even-port", relayed=at("198.51.100.30:49161")))["even-port"].answer == "no"


@pytest.mark.parametrize(
    ("token", "used", "answer"),
    [
        (True, answered(T.address, relayed=at("198.51.100.30:49161")), "yes"),
        (True, refused(T.address, 508), "no"),
        (True, failed(), "undetermined"),
        (True, None, "undetermined"),
        (False, None, "no"),
    ],
)
def test_a_kept_port_is_one_only_where_its_token_gets_it(token: bool, used: Exchange | None, answer: str) -> None:
    seen = [T.trial("even-port", "next-port", reservation_token=token)]
    seen += [T.trial("reserved-port", exchange=used)] if used else []
    assert after(*seen)["reserved-port"].answer == answer


@pytest.mark.parametrize(
    ("granted", "answers"),
    [
        ({"relayed_also": SIX}, ("yes", "yes")),
        ({"family_error": 440}, ("no", "no")),
        ({}, ("no", "undetermined")),
        ({"relayed_also": at("198.51.100.30:49170")}, ("no", "undetermined")),
    ],
)
def test_both_families_are_two_addresses_of_two_families(granted: dict[str, Any], answers: tuple[str, str]) -> None:
    found = after(T.trial("both-families", **granted))
    assert (found["both-families"].answer, found["relay-ipv6"].answer) == answers


def test_an_ipv4_address_for_ipv6_and_a_440_are_a_no_to_relays_over_ipv6() -> None:
    for trial in (T.trial("ipv6"), T.trial("ipv6", exchange=refused(T.address, 440))):
        assert after(trial)["relay-ipv6"].answer == "no"
    assert after(T.trial("ipv6", exchange=unknown(FAMILY)))["relay-ipv6"].answer == "no"


def test_a_call_that_asked_for_ipv6_and_got_ipv4_proves_both() -> None:
    tries = (T.allocation(refused(T.address, 440), family=Family.IPV6), T.allocation())
    found = told(run(T.target(), T.binding(), T.challenge(), *tries))
    assert (found["relay-ipv4"].answer, found["relay-ipv6"].answer) == ("yes", "no")


def test_sha_256_is_a_yes_only_where_it_was_used() -> None:
    offer = refused(T.address, 401, realm="example.org", nonce=True, password_algorithms=(2, 1))
    challenge = T.challenge(offer)
    start = (T.target(), T.binding(), challenge)
    assert told(run(*start, T.allocation(sha256=True)))["sha256"].answer == "yes"
    assert told(run(*start, T.allocation()))["sha256"].answer == "no"
    assert told(run(*start))["sha256"].answer == "undetermined"
    assert after()["sha256"].answer == "no"


def test_a_server_that_hides_usernames_says_so_in_its_nonce() -> None:
    says = refused(T.address, 401, realm="example.org", nonce=True, security_features=("username-anonymity",))
    assert told(run(T.target(), T.binding(), T.challenge(says)))["userhash"].answer == "yes"
    assert after()["userhash"].answer == "no"


def test_paths_to_one_server_share_what_one_of_them_learned_and_another_server_does_not() -> None:
    trial = T.trial("dont-fragment")
    both = run(*T.up_to("end"), trial, *TCP.up_to("end"))
    assert told(both, TCP)["dont-fragment"].answer == "yes"
    other = TCP.challenge(refused(TCP.address, 401, realm="another.org", nonce=True))
    apart = run(*T.up_to("end"), trial, TCP.target(), other)
    assert told(apart, TCP)["dont-fragment"].answer == "undetermined"


def test_tcp_relays_are_told_of_only_where_they_were_asked_for() -> None:
    assert "tcp-relay" not in after()
    assert after(T.trial("tcp"))["tcp-relay"].answer == "yes"
    assert after(T.trial("tcp", exchange=refused(T.address, 442)))["tcp-relay"].answer == "no"


def test_of_a_server_that_asks_for_no_password_nothing_is_told() -> None:
    assert told(run(T.target(), T.binding())) == {}


@given(evidences)
def test_every_answer_that_is_no_yes_has_its_reason(evidence: Evidence) -> None:
    for target in evidence.of(Target):
        for item in evidence.observations:
            place = getattr(item, "destination", None)
            for found in capabilities_of(target, place, target.transport, evidence):
                assert (found.answer == "yes") == (found.why is None)
