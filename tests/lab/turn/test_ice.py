"""Two real ICE agents through Debian's coturn: they connect where data passes, and say why where they do not."""

import asyncio
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from lab.turn.asking import ALICE, Seen, ask, ask_in, cut
from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Evidence, Failure, IceMeeting, RelayedData, Skipped
from rtcdiag.ice import Meeting, Relay, meet
from rtcdiag.net.stream import TlsSettings
from rtcdiag.rules.ice import agents
from rtcdiag.targets import Transport
from support.ca import Authority
from support.coturn import Coturn, coturn
from support.netns import SERVER, Client, Topology
from support.ports import free_port

pytestmark = pytest.mark.lab

RELAY_PORTS = (49152, 49250)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn"), certificate=authority.issue("turn.test")) as running:
        yield running


def codes(seen: Seen) -> list[str]:
    return [finding.code for finding in agents(Evidence(observations=seen.observations))]


@pytest.mark.parametrize(("scheme", "transport"), [("turn", ""), ("turn", "tcp"), ("turns", "tcp")])
def test_agents_connect_through_a_healthy_server_over_each_transport_and_leave_nothing(
    server: Coturn, authority: Authority, scheme: str, transport: str
) -> None:
    before = server.allocations_ever()
    uri = server.uri(scheme, transport)
    seen = ask(uri, ice=True, ca_file=str(authority.ca_file), server_name="turn.test")

    met = seen.only(IceMeeting)
    assert (met.outcome, met.failure, met.detail, met.released) == ("connected", None, None, True)
    assert len({*met.relayed}) == 2
    assert met.connecting_ms is not None
    assert codes(seen) == []
    assert server.allocations_ever() == before + 4
    assert server.wait_until_empty()


def test_agents_are_not_sent_where_the_probe_got_no_allocation(server: Coturn) -> None:
    seen = ask(server.uri(), ("alice", "looking-glass"), ice=True)

    assert not seen.of(IceMeeting)
    assert server.wait_until_empty()


def test_agents_without_a_server_say_why_and_hold_nothing() -> None:
    address = TransportAddress("127.0.0.1", free_port())
    nobody = Relay(address=address, transport=Transport.TCP, credential=None, tls=TlsSettings("turn.test"))
    meeting = Meeting()
    asyncio.run(meet(nobody, meeting, timeout_ms=1000.0))

    assert (meeting.outcome, meeting.failure, meeting.relayed) == ("no-relay", Failure.CONNECTION_REFUSED, [])
    assert meeting.released


def test_agents_that_cannot_be_bound_are_left_out_and_that_is_said(server: Coturn) -> None:
    seen = ask(server.uri(), ice=True, bind=IPv4Address("127.0.0.2"), families=["ipv4"])

    (skipped,) = [item for item in seen.of(Skipped) if "ICE agents" in item.what]
    assert "cannot be bound" in skipped.why


def test_a_denied_peer_is_told_at_once_and_agrees_with_the_probe(tmp_path_factory: pytest.TempPathFactory) -> None:
    with coturn(tmp_path_factory.mktemp("denying"), extra=["denied-peer-ip=127.0.0.1"]) as denying:
        seen = ask(denying.uri(), ice=True)

        met = seen.only(IceMeeting)
        assert met.outcome == "not-connected"
        assert met.detail == "no channel to the other agent's relayed address: the server refused with error 403"
        assert met.duration_ms is not None
        assert met.duration_ms < 2000
        assert codes(seen) == []
        assert denying.wait_until_empty()


def test_a_meeting_that_is_cut_off_says_so_and_releases_what_it_holds(server: Coturn) -> None:
    before = server.allocations_ever()
    seen = cut(server.uri(), 300.0, ice=True)

    assert all(met.failure is Failure.DEADLINE or met.outcome == "connected" for met in seen.of(IceMeeting))
    assert server.allocations_ever() > before
    assert server.wait_until_empty()


@pytest.fixture(scope="module")
def internet() -> Iterator[Topology]:
    with Topology() as net:
        yield net


@pytest.fixture(scope="module")
def client(internet: Topology) -> Client:
    return internet.client("masquerade")


@pytest.fixture(scope="module")
def outside(internet: Topology, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(
        tmp_path_factory.mktemp("outside"),
        listen=(SERVER,),
        relay=(SERVER,),
        prefix=internet.internet.prefix,
        port=3478,
        tls_port=5349,
        relay_ports=RELAY_PORTS,
    ) as running:
        yield running


def dropping(internet: Topology, what: str) -> None:
    """Drop some of what comes in to the relay's ports; the table is replaced."""
    low, high = RELAY_PORTS
    internet.internet.nft(
        "table inet block; delete table inet block; table inet block { "
        f"chain input {{ type filter hook input priority 0; udp dport {low}-{high} {what} drop; }}; }}"
    )


STUN_COOKIE = "@th,96,32 0x2112a442"


def test_where_the_relay_range_is_closed_the_agents_agree_with_the_probe_in_bounded_time(
    internet: Topology, client: Client, outside: Coturn
) -> None:
    dropping(internet, "")
    seen = ask_in(client, f"turn:{SERVER}", ALICE, families=["ipv4"], ice=True)

    met = seen.only(IceMeeting)
    assert (met.outcome, met.failure) == ("not-connected", Failure.TIMEOUT)
    assert not any(item.received for item in seen.of(RelayedData, path="relay-to-relay"))
    assert codes(seen) == []
    assert seen.took_s < 12
    assert outside.wait_until_empty()


def test_a_relay_that_loses_only_stun_fails_the_agents_although_data_passes(
    internet: Topology, client: Client, outside: Coturn
) -> None:
    dropping(internet, STUN_COOKIE)
    seen = ask_in(client, f"turn:{SERVER}", ALICE, families=["ipv4"], ice=True)

    assert any(item.received for item in seen.of(RelayedData, path="relay-to-relay"))
    assert seen.only(IceMeeting).outcome == "not-connected"
    assert codes(seen) == ["turn-ice-agents-fail"]
    assert outside.wait_until_empty()
