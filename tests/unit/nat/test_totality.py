"""Whatever a report holds, classification gives an answer."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Answer, Binding, Environment, Evidence, Exchange, Failure
from rtcdiag.nat import BEHAVIORS, classify, endpoint_dependent, familiar_name
from rtcdiag.targets import Transport
from rtcdiag.traversal import direct_verdict, reach_rows

ADDRESSES = [
    TransportAddress.parse(text)
    for text in (
        "198.51.100.1:3478", "198.51.100.1:3479", "198.51.100.2:3478", "198.51.100.2:3479", "8.8.8.8:19302",
        "203.0.113.5:5000", "203.0.113.5:5001", "203.0.113.6:5000", "192.168.1.4:5000", "100.64.0.1:1", "10.0.0.1:3478",
        "127.0.0.1:3478", "0.0.0.0:0", "255.255.255.255:9", "[2001:db8::1]:3478", "[fe80::1%eth0]:3478", "[::1]:1",
    )
]  # fmt: skip
addresses = st.sampled_from(ADDRESSES)
times = st.floats(min_value=-10, max_value=1e12)
answers = st.builds(
    Answer,
    t_ms=times,
    source=st.none() | addresses,
    expected_source=st.booleans(),
    late=st.booleans(),
    size_bytes=st.just(1),
    success=st.sampled_from([True, True, True, False]),
    mapped=st.none() | addresses,
    xor_mapped=st.none() | addresses,
    other_address=st.none() | addresses,
    error_code=st.none() | st.just(420),
)
exchanges = st.builds(
    Exchange,
    sent_ms=st.lists(times, max_size=6).map(tuple),
    answers=st.lists(answers, max_size=2).map(tuple),
    failure=st.none() | st.sampled_from(Failure),
    rtt_ms=st.none() | times,
)
bindings = st.builds(
    Binding,
    id=st.sampled_from(["", "obs-1", "obs-2"]),
    t_ms=times,
    duration_ms=st.none() | times,
    server=st.sampled_from(["stun:a.example", "stun:b.test", "stun:1.2.3.4", "<script>", ""]),
    purpose=st.sampled_from(["reach", "mapping", "filtering", "control"]),
    socket=st.sampled_from(["m1", "m2", "fa", "ca"]),
    transport=st.sampled_from([Transport.UDP, Transport.UDP, Transport.TCP]),
    local=st.none() | addresses,
    interface=st.none() | st.just("eth0"),
    destination=addresses,
    role=st.sampled_from(["primary", "alternate-address", "alternate-port", "alternate-address-and-port"]),
    change=st.sampled_from(["none", "address-and-port", "port"]),
    answer_from=st.none() | addresses,
    exchange=exchanges,
)


@settings(deadline=None)
@given(st.lists(bindings, max_size=12))
def test_no_evidence_makes_it_raise(observations: list[Binding]) -> None:
    for family in Family:
        seen = classify(Evidence(observations=tuple(observations), environment=Environment()), family)
        if seen is None:
            continue
        assert (seen.mapping == "undetermined") is ("mapping" in seen.undetermined)
        assert (seen.filtering == "undetermined") is ("filtering" in seen.undetermined)
        assert (seen.mapping == "undetermined") or seen.mapping_possible == (seen.mapping,)
        assert set(seen.filtering_possible) <= set(BEHAVIORS)
        assert seen.mapping_possible
        assert seen.filtering_possible
        assert all(seen.undetermined.values())
        assert len(reach_rows(seen, None)) == 7
        assert direct_verdict(seen) != "not-tested"
        assert familiar_name(seen) is None or endpoint_dependent(seen) is not None or seen.behind_nat is False
