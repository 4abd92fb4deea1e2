"""A MAC address inside an IPv6 address names a device: it is told nowhere, and what rests on it stays."""

import re
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.diagnosis import Run, diagnose, rediagnose
from rtcdiag.evidence import Interface
from rtcdiag.formats import FORMATS, RenderOptions, render
from rtcdiag.redact import Key, Level, redacted
from rtcdiag.report import Report, encode
from support.conclusions import conclusions
from support.evidence import answered, at, binding, run, target

HOST = "211:22ff:fe33:4455"
PUBLIC, SECOND, PRIVATE, LINK = (f"{net}:{HOST}" for net in ("2a01:4f8:1:2", "2a01:4f8:1:3", "fd00:1:2:3", "fe80:"))
OTHER = "2a01:4f8:1:2:a11:22ff:fe33:4455"
STUN = "stun:[2a01:4f8:9::1]:3478"
LEVELS: tuple[Level, ...] = ("share", "strict")


def report() -> Report:
    here = Interface(name="eth0", role="ethernet", addresses=(PUBLIC, SECOND, PRIVATE, LINK, OTHER))
    own = at(f"[{PUBLIC}]:50000")
    seen = binding(STUN, STUN[5:], answered(STUN[5:], xor_mapped=own, mapped=own), local=own)
    evidence = run(target(STUN), seen, interfaces=(here,), ipv6=True)
    return diagnose(evidence, Run(id="x", command="report", started_at="2026-11-22T16:00:00.000Z", duration_ms=1.0))


def addresses(told: Report) -> list[int]:
    return [int(IPv6Address(text)) for text in told.environment.interfaces[0].addresses]


def of_mac(number: int) -> bool:
    return number >> 24 & 0xFFFF == 0xFFFE


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", FORMATS)
def test_no_format_tells_a_mac_address(name: str, level: Level) -> None:
    shown = render(name, redacted(report(), level, Key(b"k" * 16)), RenderOptions(verbosity=2))
    assert not re.search("22ff:fe33|fe33:4455", shown)


@given(secret=st.binary(min_size=16, max_size=32))
def test_equal_identifiers_stay_equal_and_of_a_mac_address_with_any_key(secret: bytes) -> None:
    told = redacted(report(), "share", Key(secret))
    public, second, private, link, other = addresses(told)
    hosts = {number & (1 << 64) - 1 for number in (public, second, private, link)}
    assert len(hosts) == 1
    assert other & (1 << 64) - 1 not in hosts
    assert all(map(of_mac, (public, second, private, link, other)))
    assert (private >> 64, link >> 64) == (int(IPv6Address(PRIVATE)) >> 64, int(IPv6Address(LINK)) >> 64)
    assert not public >> 56 & 1, "a device's address is of no group"
    assert other >> 64 == public >> 64 != second >> 64


@pytest.mark.parametrize("level", LEVELS)
def test_a_report_without_its_mac_addresses_concludes_the_same_and_stays_as_it_is(level: Level) -> None:
    plain = report()
    told = redacted(plain, level, Key(b"k" * 16))
    assert conclusions(rediagnose(told)[0]) == conclusions(plain)
    assert addresses(redacted(told, level, Key(b"l" * 16))) == addresses(told)
    assert HOST not in encode(told).decode()
