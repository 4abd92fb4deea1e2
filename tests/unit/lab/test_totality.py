"""Whatever arrives, a middlebox drops it or sends on whole packets, and its tables stay bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.lab.middlebox import Side
from rtcdiag.lab.packet import checksum, parse
from rtcdiag.lab.spec import presets
from support.middleboxes import ADDRESSES, EXTERNAL, HOST, HOST6, SERVER, SERVER6, Box, echo, icmp, ip, summed, tcp, udp

HERE, A, HERE6, A6 = (HOST, 5000), (SERVER, 3478), (HOST6, 5000), (SERVER6, 3478)
SPECS = [
    *presets(),
    "apdm/apdf port=block:16 pool=4 pooling=arbitrary hairpin=internal mtu=68 alg=yes v6=nat66 reorder=20%",
    "eim/eif hairpin=external mtu=1280 alg=yes v6=prefix parity=yes duplicate=50%",
]
PACKETS = [
    udp(HERE, A),
    udp(HERE, A, bytes(1400), field=0),
    udp(HERE, A, bytes(40), field=0x2000),
    udp(HERE, (EXTERNAL, 5000)),
    udp(A, (EXTERNAL, 5000)),
    udp(A, HERE),
    tcp(HERE, A),
    tcp(A, (EXTERNAL, 5000)),
    echo(HOST, SERVER, 5),
    echo(SERVER, EXTERNAL, 5, reply=True),
    icmp(SERVER, EXTERNAL, (3, 3), 0, udp((EXTERNAL, 5000), A)),
    icmp(HOST, SERVER, (3, 3), 0, udp(A, HERE)),
    udp(HERE6, A6),
    udp(A6, HERE6),
    tcp(HERE6, A6),
    echo(HOST6, SERVER6, 5),
    icmp(SERVER6, HOST6, (1, 4), 0, udp(HERE6, A6)),
    ip(HOST6, SERVER6, 44, b"\x11\0\0\1\0\0\0\x07" + udp(HERE6, A6)[40:]),
    ip(HOST6, SERVER6, 0, b"\x2c\0\0\0\0\0\0\0\x11\0\0\x09\0\0\0\x07" + bytes(16)),
]
SIDES = st.sampled_from(list(Side))


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A packet with some bytes changed, cut off or repeated."""
    packet = bytearray(draw(st.sampled_from(PACKETS)))
    for _ in range(draw(st.integers(0, 4))):
        packet[draw(st.integers(0, len(packet) - 1))] = draw(st.integers(0, 255))
    return bytes(packet[: draw(st.integers(0, len(packet)))]) if draw(st.booleans()) else bytes(packet)


ARRIVALS = st.lists(
    st.tuples(SIDES, st.one_of(broken(), st.sampled_from(PACKETS), st.binary(max_size=80)), st.floats(0, 1e9)),
    max_size=25,
)


@given(spec=st.sampled_from(SPECS), arrivals=ARRIVALS)
def test_nothing_that_arrives_is_an_error_and_what_leaves_is_whole(
    spec: str, arrivals: list[tuple[Side, bytes, float]]
) -> None:
    box = Box(spec)
    for side, packet, now_s in arrivals:
        for emission in box.middlebox.receive(side, packet, now_s):
            assert emission.delay_s >= 0
            parsed = parse(emission.packet)
            assert parsed is not None or emission.packet[6] & 0x20  # a first fragment may be shorter than a TCP header
            assert emission.packet[0] >> 4 in {4, 6}


@given(st.binary(max_size=100))
def test_any_bytes_are_a_packet_or_none(data: bytes) -> None:
    for quoted in (False, True):
        parsed = parse(data, quoted=quoted)
        assert parsed is None or data.startswith(parsed.data)


@pytest.mark.parametrize("packet", PACKETS)
def test_a_packet_that_was_cut_off_is_none(packet: bytes) -> None:
    assert all(parse(packet[:size]) is None for size in range(len(packet)))


@given(st.binary(max_size=64))
def test_the_checksum_is_that_of_words_added_one_by_one(data: bytes) -> None:
    assert checksum(data) == 0xFFFF - summed(data)


def test_the_addresses_of_these_tests_suffice_for_every_preset() -> None:
    for name in presets():
        Box(name)
    assert len(ADDRESSES.external) == 4
