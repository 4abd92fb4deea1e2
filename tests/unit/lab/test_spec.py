"""A specification means what it says, and what says nothing is named in one line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.lab import grammar, spec
from rtcdiag.lab.spec import Link, NatSpec, SpecError, parse_spec, presets
from rtcdiag.nat import BEHAVIORS


def test_the_nine_behaviors_can_be_said() -> None:
    said = {
        (parse_spec(f"{mapping}/{filtering}").mapping, parse_spec(f"{mapping}/{filtering}").filtering)
        for mapping in ("eim", "adm", "apdm")
        for filtering in ("eif", "adf", "apdf")
    }
    assert said == {(mapping, filtering) for mapping in BEHAVIORS for filtering in BEHAVIORS}


def test_every_flag_sets_its_field() -> None:
    text = (
        "apdm/apdf port=sequential:-2 ports=2000-2999 parity=yes pool=3 pooling=arbitrary hairpin=internal "
        "lifetime=30s refresh=both udp=53,443 tcp=blocked icmp=blocked fragments=blocked alg=yes mtu=1280 v6=nat66 "
        "loss=5% burst=3 delay=20ms jitter=5ms reorder=20% hold=1s duplicate=1%"
    )
    link = Link(loss=0.05, burst=3, delay_s=0.02, jitter_s=0.005, reorder=0.2, hold_s=1, duplicate=0.01)
    assert parse_spec(text) == NatSpec(
        kind="nat",
        mapping="address-and-port-dependent",
        filtering="address-and-port-dependent",
        port="sequential",
        port_step=-2,
        ports=(2000, 2999),
        parity=True,
        pool=3,
        pooling="arbitrary",
        hairpin="internal",
        lifetime_s=30,
        refresh="both",
        udp=(53, 443),
        tcp=(),
        icmp=False,
        fragments=False,
        alg=True,
        mtu=1280,
        v6="nat66",
        up=link,
        down=link,
    )


def test_a_direction_can_be_impaired_alone_and_the_last_word_counts() -> None:
    parsed = parse_spec("eim/eif loss=5% up-loss=1% down-delay=2m")
    assert parsed.up == Link(loss=0.01)
    assert parsed.down == Link(loss=0.05, delay_s=120)


def test_a_preset_can_be_changed() -> None:
    changed = parse_spec("symmetric filtering=eif mapping=adm udp=open port=block:64 lifetime=1h")
    assert changed == NatSpec(
        mapping="address-dependent", filtering="endpoint-independent", port="block", block_size=64, lifetime_s=3600
    )


def test_a_firewall_lets_in_only_answers_unless_told_otherwise() -> None:
    assert parse_spec("firewall") == parse_spec("firewall/apdf")
    assert parse_spec("firewall/adf").filtering == "address-dependent"
    assert (parse_spec("none").kind, parse_spec("none").v6) == ("none", "none")


@pytest.mark.parametrize("name", presets())
def test_every_preset_parses_and_has_a_sentence(name: str) -> None:
    parse_spec(name)
    assert re.fullmatch(r"[A-Z][^\n]+\.", presets()[name].about)


def test_the_names_people_know_are_there() -> None:
    known = {"full-cone", "symmetric", "cgnat", "hotel-wifi", "office-udp-blocked", "mobile-carrier"}
    assert known <= presets().keys()


def test_every_flag_is_documented_in_the_table() -> None:
    documented = set(re.findall(r"([a-z0-9]+)=[, ]", spec.__doc__ or ""))
    assert documented == {"port", *grammar._FLAGS, *grammar._LINK_FLAGS}


@pytest.mark.parametrize(
    ("text", "named", "allowed"),
    [
        ("", '""', "full-cone"),
        ("fullcone", '"fullcone"', "full-cone"),
        ("eim", '"eim"', "firewall[/FILTERING]"),
        ("eim/xyz", '"eim/xyz"', "eif, adf, apdf"),
        ("firewall/eim", '"firewall/eim"', "MAPPING/FILTERING"),
        ("symetric", '"symetric"', "did you mean symmetric?"),
        ("eim/eif los=5%", '"los=5%"', "did you mean loss=?"),
        ("eim/eif fltering=eif", '"fltering=eif"', "did you mean filtering=?"),
        ("eim/eif up-dellay=1ms", '"up-dellay=1ms"', "did you mean delay=?"),
        ("eim/eif inbound=yes", '"inbound=yes"', "dropped or tracked"),
        ("eim/eif blocked=no", '"blocked=no"', "prohibited"),
        ("eim/eif restart=0s", '"restart=0s"', "30s"),
        ("eim/eif random", '"random"', "port"),
        ("eim/eif up-port=random", '"up-port=random"', "did you mean port=?"),
        ("eim/eif side-loss=1%", '"side-loss=1%"', "loss"),
        ("eim/eif loss=5", '"loss=5"', "5%"),
        ("eim/eif loss=101%", '"loss=101%"', "5%"),
        ("eim/eif loss=1.%", '"loss=1.%"', "5%"),
        ("eim/eif burst=0.5", '"burst=0.5"', "1 or more"),
        ("eim/eif delay=5", '"delay=5"', "20ms"),
        ("eim/eif delay=25h", '"delay=25h"', "20ms"),
        ("eim/eif delay=-5ms", '"delay=-5ms"', "20ms"),
        ("eim/eif lifetime=0s", '"lifetime=0s"', "30s"),
        ("eim/eif port=first", '"port=first"', "sequential[:STEP]"),
        ("eim/eif port=random:3", '"port=random:3"', "sequential[:STEP]"),
        ("eim/eif port=sequential:0", '"port=sequential:0"', "sequential[:STEP]"),
        ("eim/eif port=sequential:x", '"port=sequential:x"', "sequential[:STEP]"),
        ("eim/eif port=block:0", '"port=block:0"', "block[:SIZE]"),
        ("eim/eif ports=9-8", '"ports=9-8"', "40000-49999"),
        ("eim/eif ports=9", '"ports=9"', "40000-49999"),
        ("eim/eif pool=65", '"pool=65"', "1 to 64"),
        ("eim/eif udp=0", '"udp=0"', "53,443"),
        ("eim/eif mtu=67", '"mtu=67"', "68 to 65535"),
        ("eim/eif parity=maybe", '"parity=maybe"', "yes or no"),
        ("eim/eif v6=nat64", '"v6=nat64"', "nat66"),
        ("eim/eif loss=90% burst=2", '"burst=2"', "9 or more"),
        ("eim/eif up-loss=100% burst=2", '"burst=2"', "leave burst out"),
        ("eim/eif port=block:600 ports=1024-1500", '"block:600"', "477 or less"),
    ],
)
def test_what_says_nothing_is_named_in_one_line_with_what_is_allowed(text: str, named: str, allowed: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    line = str(caught.value)
    assert line.startswith(named)
    assert allowed in line
    assert "\n" not in line


_WORDS = st.sampled_from(
    ["eim/apdf", "none", "cgnat", "port=", "loss=", "ports=", "udp=", "1%", "²%", "5ms", "-", ",", ":"]
)


@given(st.one_of(st.text(max_size=40), st.lists(_WORDS, max_size=6).map("".join), st.lists(_WORDS).map(" ".join)))
def test_any_text_is_a_specification_or_a_clear_error(text: str) -> None:
    try:
        said: object = parse_spec(text)
    except SpecError as error:
        said = str(error)
    assert isinstance(said, NatSpec) or (isinstance(said, str) and "\n" not in said)
