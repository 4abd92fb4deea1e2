"""The filter as TURN relays see it: right behind every NAT, and no class where a link of the proof is missing."""

from dataclasses import replace as with_field
from random import Random

import msgspec
import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Evidence, Observation, VantageBinding, VantageKnock, VantageOpening, VantagePoint
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify
from rtcdiag.nat.loss import p_all_lost
from rtcdiag.nat.vantage import P_TWO_FACED, counted
from rtcdiag.rules.behavior import no_behavior_server
from rtcdiag.targets import Transport
from support.nat_model import Lie, ModelNat, ModelServer, plain, two_operators
from support.nat_probe import Probe
from support.relay_model import ModelTurn, RelayProbe

EIM, ADM, APDM = BEHAVIORS
EIF, ADF, APDF = BEHAVIORS
ONE = plain(1)


def judged(probe: RelayProbe) -> Nat:
    return of(probe.run().evidence)


def of(evidence: Evidence) -> Nat:
    found = classify(evidence, Family.IPV4)
    assert found is not None
    return found


def seen(mapping: Behavior, filtering: Behavior, *others: ModelServer, turn: ModelTurn | None = None) -> Nat:
    return judged(RelayProbe(ModelNat(mapping, filtering), others or ONE, turn or ModelTurn()))


def liar(lie: Lie) -> tuple[ModelServer, ...]:
    return (with_field(ONE[0], lie=lie),)


def other_port(address: TransportAddress, _random: Random) -> TransportAddress:
    return TransportAddress(address.ip, address.port ^ 1)


def other_ip(address: TransportAddress, _random: Random) -> TransportAddress:
    return TransportAddress("203.0.113.99", address.port)


def always_the_same(_address: TransportAddress, _random: Random) -> TransportAddress:
    return TransportAddress("203.0.113.50", 40000)


def private(address: TransportAddress, _random: Random) -> TransportAddress:
    return TransportAddress("10.1.2.3", address.port)


LIES = [other_port, other_ip, always_the_same, private]
ALL = [(mapping, filtering) for mapping in BEHAVIORS for filtering in BEHAVIORS]


@pytest.mark.parametrize(("mapping", "filtering"), ALL)
@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP, Transport.TLS])
def test_one_plain_server_and_one_turn_server_classify_every_nat(
    mapping: Behavior, filtering: Behavior, transport: Transport
) -> None:
    nat = seen(mapping, filtering, turn=ModelTurn(transport=transport))

    assert (nat.mapping, nat.filtering) == (mapping, filtering)


@pytest.mark.parametrize("filtering", [EIF, ADF, APDF])
def test_a_computer_without_nat_is_open_or_firewalled(filtering: Behavior) -> None:
    nat = judged(RelayProbe(ModelNat(EIM, filtering, translates=False), ONE))

    assert (nat.behind_nat, nat.filtering, nat.firewall) == (False, filtering, filtering != EIF)


@pytest.mark.parametrize(("mapping", "filtering"), ALL)
@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("honest", [0, 1])
def test_a_liar_beside_the_relay_makes_no_wrong_class(
    mapping: Behavior, filtering: Behavior, lie: Lie, honest: int
) -> None:
    others = (*liar(lie), *plain(2)[1 : 1 + honest])
    nat = seen(mapping, filtering, *others)

    assert nat.mapping in (mapping, "undetermined")
    assert nat.filtering in (filtering, "undetermined")
    if honest:
        assert nat.filtering == filtering


@pytest.mark.parametrize("lie", LIES)
def test_a_liar_is_named_by_what_it_tells_the_relay(lie: Lie) -> None:
    nat = seen(APDM, APDF, *liar(lie), plain(2)[1])

    assert list(nat.distrusted) == [ONE[0].uri]
    assert "told the relay at 192.0.2.77:50001" in nat.distrusted[ONE[0].uri]


def test_a_relayed_address_that_nobody_confirms_blames_no_stun_server() -> None:
    assert not seen(APDM, APDF, *liar(other_port)).distrusted


def test_a_mapped_address_that_only_the_relays_question_confirms_leaves_a_doubt() -> None:
    doubtful, sure = (seen(mapping, ADF).confidence["filtering"].p_wrong for mapping in (APDM, EIM))

    assert doubtful is not None
    assert sure is not None
    assert sure < P_TWO_FACED <= doubtful


def test_a_turn_server_that_tells_wrong_mapped_addresses_makes_no_class() -> None:
    for mapping, filtering in ALL:
        nat = seen(mapping, filtering, turn=ModelTurn(sees=2))
        assert nat.filtering in (filtering, "undetermined"), (mapping, filtering)
        assert nat.mapping in (mapping, "undetermined"), (mapping, filtering)


@pytest.mark.parametrize(("mapping", "filtering"), ALL)
def test_a_relay_that_sees_wrong_is_believed_no_more_than_what_gets_back(
    mapping: Behavior, filtering: Behavior
) -> None:
    nat = seen(mapping, filtering, turn=ModelTurn(second_sees=2))

    assert nat.filtering == (EIF if filtering == EIF else "undetermined")


def test_a_relay_that_sends_nothing_is_no_filter() -> None:
    nat = seen(EIM, EIF, turn=ModelTurn(sends=False))

    assert nat.filtering == "undetermined"
    assert "not even where this computer had sent to it" in nat.undetermined["filtering"]


def test_a_relay_that_sends_from_elsewhere_is_no_filter() -> None:
    nat = seen(EIM, APDF, turn=ModelTurn(sends_from=TransportAddress("192.0.2.99", 50001)))

    assert nat.filtering == "undetermined"


def test_what_comes_from_elsewhere_than_the_relayed_address_is_said() -> None:
    nat = seen(EIM, EIF, turn=ModelTurn(sends_from=TransportAddress("192.0.2.99", 50001)))

    assert nat.filtering == "undetermined"
    assert "came from 192.0.2.99:50001" in nat.undetermined["filtering"]


@pytest.mark.parametrize(("filtering", "possible"), [(EIF, (EIF,)), (ADF, (ADF, APDF)), (APDF, (ADF, APDF))])
def test_one_relay_alone_does_not_tell_whether_ports_count(filtering: Behavior, possible: tuple[Behavior, ...]) -> None:
    nat = seen(EIM, filtering, turn=ModelTurn(relays=ModelTurn().relays[:1]))

    assert nat.filtering_possible == possible
    assert len(possible) == 1 or "no second relay" in nat.undetermined["filtering"]


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        ("unreachable", "could not be reached"),
        ("refused", "refused an allocation (error 486)"),
        ("implausible-relayed-address", "cannot be reached from outside"),
        ("no-relayed-address", "named no relayed address"),
        ("no-other-server", "at another IP address"),
        ("no-mapped-address", "told a socket's mapped address"),
        ("peer-refused", "refuses to send to this network's own address (error 486)"),
    ],
)
def test_a_vantage_point_that_is_none_says_why(outcome: str, word: str) -> None:
    turn = ModelTurn(outcome=outcome, error_code=486)  # type: ignore[arg-type]  # parametrized words
    probe = RelayProbe(ModelNat(EIM, APDF), ONE, turn)
    evidence = probe.run().evidence
    asked = Probe(ModelNat(EIM, APDF), ONE).run().evidence
    nat = of(Evidence(observations=asked.observations + evidence.observations))

    assert nat.filtering == "undetermined"
    assert word in nat.undetermined["filtering"]


def test_relays_without_time_to_send_are_not_blamed_on_the_other_servers() -> None:
    asked = Probe(ModelNat(EIM, APDF), ONE).run().evidence
    points = RelayProbe(ModelNat(EIM, APDF), ONE, ModelTurn()).run().evidence.of(VantagePoint)
    nat = of(Evidence(observations=asked.observations + points))

    assert "the run ended before its relay could send" in nat.undetermined["filtering"]


def test_the_reasons_of_a_server_and_of_its_relays_are_both_told() -> None:
    turn = ModelTurn(outcome="no-mapped-address")
    refused = RelayProbe(ModelNat(EIM, APDF), ONE, turn).run().evidence.of(VantagePoint)
    server = with_field(two_operators()[0], uri=refused[0].server, obedience="drops")
    asked = Probe(ModelNat(EIM, APDF), (server,)).run().evidence
    why = of(Evidence(observations=asked.observations + refused)).undetermined["filtering"]

    assert "came to the control either" in why
    assert "told a socket's mapped address" in why


def test_what_was_sent_while_the_control_was_lost_does_not_count() -> None:
    knocks = RelayProbe(ModelNat(EIM, APDF), ONE).run().evidence.of(VantageKnock)
    silent = next(item for item in knocks if item.socket == "ta1")
    control = next(item for item in knocks if item.socket == "ta4")
    partly = msgspec.structs.replace(control, arrivals=control.arrivals[:3])

    assert counted(silent, [control], 250.0) == len(silent.sent_ms)
    assert counted(silent, [partly], 250.0) == 3
    assert counted(silent, [control], 450.0) == 5


def test_silence_counts_only_beside_what_got_in() -> None:
    stalled = ModelTurn(transport=Transport.TCP, stalls_after=1)

    assert seen(EIM, APDF, turn=stalled).filtering == "undetermined"
    assert seen(EIM, APDF, turn=with_field(stalled, stalls_after=8)).filtering == APDF


def test_loss_leaves_it_open_until_enough_was_sent() -> None:
    few = judged(RelayProbe(ModelNat(EIM, APDF), ONE, rounds=1))

    assert few.filtering == "undetermined"
    assert "loss cannot be excluded: 1 transmission waited" in few.undetermined["filtering"]


def test_loss_makes_no_wrong_class_of_any_nat() -> None:
    for number in range(400):
        mapping, filtering = ALL[number % len(ALL)]
        random = Random(number)  # noqa: S311 - a model, no secret
        nat = judged(RelayProbe(ModelNat(mapping, filtering, random=random), ONE, rounds=8, loss=0.1, random=random))
        assert nat.filtering in (filtering, "undetermined"), number


def test_a_knock_that_got_in_to_a_socket_that_had_sent_to_the_relay_proves_nothing() -> None:
    """A test socket whose label says closed, but which had sent to the relay after all."""
    evidence = RelayProbe(ModelNat(EIM, APDF), ONE).run().evidence
    moved = [_renamed(item, "ta4", "ta1") for item in evidence.observations if getattr(item, "socket", "") != "ta1"]

    assert of(Evidence(observations=tuple(moved))).filtering != EIF


def _renamed(item: Observation, old: str, new: str) -> Observation:
    return msgspec.structs.replace(item, socket=new) if getattr(item, "socket", "") == old else item


def test_the_relays_view_stands_beside_rfc_5780_and_a_contradiction_is_shown() -> None:
    servers = two_operators()
    strict = Probe(ModelNat(EIM, APDF), servers).run().evidence
    agreeing = RelayProbe(ModelNat(EIM, APDF), ONE).run().evidence
    contradicting = RelayProbe(ModelNat(EIM, EIF), ONE).run().evidence

    both = of(Evidence(observations=strict.observations + agreeing.observations))
    torn = of(Evidence(observations=strict.observations + contradicting.observations))

    assert both.filtering == APDF
    assert (both.confidence["filtering"].p_wrong or 1) <= (of(strict).confidence["filtering"].p_wrong or 0)
    assert torn.filtering == "undetermined"
    assert servers[0].uri in torn.undetermined["filtering"]
    assert ModelTurn().uri in torn.undetermined["filtering"]


def test_the_class_names_the_knocks_that_show_it() -> None:
    evidence = RelayProbe(ModelNat(EIM, ADF), ONE).run().evidence
    named = of(evidence).confidence["filtering"].evidence
    knocks = {item.id for item in evidence.of(VantageKnock)}

    assert set(named) & knocks
    assert set(named) <= {item.id for item in evidence.observations}


def test_a_relay_makes_the_hint_about_rfc_5780_superfluous() -> None:
    asked = Probe(ModelNat(EIM, APDF), plain(3)).run().evidence.observations
    relayed = RelayProbe(ModelNat(EIM, APDF), ONE).run().evidence.observations

    assert [item.code for item in no_behavior_server(Evidence(observations=asked))] == ["no-nat-behavior-server"]
    assert not [*no_behavior_server(Evidence(observations=asked + relayed))]


def test_a_relay_in_a_private_network_says_nothing_of_the_internets_view() -> None:
    inner = ModelTurn(ip="10.0.0.9", relays=(TransportAddress("10.0.0.9", 5001), TransportAddress("10.0.0.9", 5002)))

    evidence = RelayProbe(ModelNat(APDM, EIF), ONE, inner).run().evidence
    nat = of(evidence)

    assert nat.filtering == "undetermined"
    assert not {item.mapped for item in evidence.of(VantageOpening)} & {*nat.mapped}


def test_five_datagrams_without_loss_are_enough() -> None:
    nat = judged(RelayProbe(ModelNat(EIM, APDF), ONE, rounds=5))

    assert nat.filtering == APDF
    assert nat.confidence["filtering"].p_wrong is not None
    assert nat.confidence["filtering"].p_wrong <= p_all_lost((0, 8), 5)


@pytest.mark.parametrize("kind", [VantageOpening, VantageBinding])
def test_without_either_vouching_a_dependent_mapping_stays_open(kind: type[Observation]) -> None:
    evidence = RelayProbe(ModelNat(APDM, APDF), ONE).run().evidence
    fewer = tuple(item for item in evidence.observations if not isinstance(item, kind))

    assert of(Evidence(observations=fewer)).mapping == "undetermined"
