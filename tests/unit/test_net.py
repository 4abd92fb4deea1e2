"""The network seam as far as it needs no socket: failures, look-ups and their bounds, local addresses."""

import asyncio
import errno
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from rtcdiag import net as subject
from rtcdiag.address import Family
from rtcdiag.evidence import Failure
from rtcdiag.net import Net
from rtcdiag.net.failures import errno_failure, failure_of
from rtcdiag.net.resolver import look_up
from rtcdiag.options import RunOptions

# --- failures ---


@pytest.mark.parametrize(
    ("number", "failure"),
    [
        (errno.ECONNREFUSED, Failure.CONNECTION_REFUSED),
        (errno.ECONNRESET, Failure.CONNECTION_RESET),
        (errno.EPIPE, Failure.CONNECTION_CLOSED),
        (errno.ETIMEDOUT, Failure.TIMEOUT),
        (errno.EHOSTUNREACH, Failure.HOST_UNREACHABLE),
        (errno.ENETUNREACH, Failure.NETWORK_UNREACHABLE),
        (errno.EAFNOSUPPORT, Failure.NETWORK_UNREACHABLE),
        (errno.EPERM, Failure.PERMISSION_DENIED),
        (errno.EACCES, Failure.PERMISSION_DENIED),
        (errno.EADDRINUSE, Failure.ADDRESS_UNAVAILABLE),
        (errno.EADDRNOTAVAIL, Failure.ADDRESS_UNAVAILABLE),
        (errno.EMSGSIZE, Failure.MESSAGE_TOO_LONG),
        (errno.ENOBUFS, Failure.OTHER_OS_ERROR),
        (0, Failure.OTHER_OS_ERROR),
    ],
)
def test_an_errno_means_one_failure_whether_raised_or_read_from_the_error_queue(number: int, failure: Failure) -> None:
    assert errno_failure(number) is failure
    assert failure_of(OSError(number, "words")) is failure


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "words"
    return error


def openssl(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (verification(9), Failure.TLS_CERTIFICATE_NOT_YET_VALID),
        (verification(10), Failure.TLS_CERTIFICATE_EXPIRED),
        (verification(18), Failure.TLS_SELF_SIGNED),
        (verification(20), Failure.TLS_UNKNOWN_AUTHORITY),
        (verification(62), Failure.TLS_HOSTNAME_MISMATCH),
        (verification(64), Failure.TLS_HOSTNAME_MISMATCH),
        (verification(23), Failure.TLS_CERTIFICATE_INVALID),
        (openssl("WRONG_VERSION_NUMBER"), Failure.TLS_NOT_SPOKEN),
        (openssl("HTTP_REQUEST"), Failure.TLS_NOT_SPOKEN),
        (openssl("TLSV1_ALERT_PROTOCOL_VERSION"), Failure.TLS_PROTOCOL_VERSION),
        (openssl("SSLV3_ALERT_HANDSHAKE_FAILURE"), Failure.TLS_HANDSHAKE),
        (ssl.SSLError(1, "without a reason"), Failure.TLS_HANDSHAKE),
        (openssl("UNEXPECTED_EOF_WHILE_READING"), Failure.CONNECTION_CLOSED),
        (ssl.SSLEOFError(8, "EOF occurred"), Failure.CONNECTION_CLOSED),
        (ssl.SSLZeroReturnError(6, "closed"), Failure.CONNECTION_CLOSED),
        (socket.gaierror(socket.EAI_NONAME, "words"), Failure.DNS_NOT_FOUND),
        (socket.gaierror(socket.EAI_AGAIN, "words"), Failure.DNS_FAILURE),
        (socket.gaierror(socket.EAI_FAIL, "words"), Failure.DNS_FAILURE),
        (socket.gaierror(12345, "words"), Failure.DNS_FAILURE),
        (TimeoutError(), Failure.TIMEOUT),
        (TimeoutError(errno.ETIMEDOUT, "words"), Failure.TIMEOUT),
        (ConnectionResetError(), Failure.CONNECTION_CLOSED),
        (ConnectionResetError(errno.ECONNRESET, "words"), Failure.CONNECTION_RESET),
        (EOFError(), Failure.CONNECTION_CLOSED),
        (OSError("no errno"), Failure.OTHER_OS_ERROR),
        (ValueError("a bug"), Failure.OTHER_OS_ERROR),
    ],
)
def test_an_exception_of_tls_resolver_or_stream_means_one_failure(error: Exception, failure: Failure) -> None:
    assert failure_of(error) is failure


# --- look-ups ---


class Resolver:
    """What the system's resolver says, and how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.says: Callable[[str], list[str]] = lambda _: ["192.0.2.7"]
        self.asked: list[tuple[str, int]] = []
        monkeypatch.setattr(socket, "getaddrinfo", self._getaddrinfo)

    def _getaddrinfo(self, host: str, port: object, family: int, kind: int) -> list[Any]:
        del port, kind
        self.asked.append((host, family))
        return [(family, 0, 0, "", (address, 0)) for address in self.says(host)]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


@pytest.fixture
def hanging(resolver: Resolver) -> Iterator[Resolver]:
    """A resolver that does not answer while the test runs."""
    released = threading.Event()

    def hang(_host: str) -> list[str]:
        released.wait(10)
        return []

    resolver.says = hang
    yield resolver
    released.set()


def test_addresses_come_in_the_resolvers_order_and_once_each(resolver: Resolver) -> None:
    resolver.says = lambda _: ["192.0.2.9", "192.0.2.7", "192.0.2.9"]
    answer = asyncio.run(look_up("turn.test", Family.IPV4, 1000))
    assert [str(ip) for ip in answer.addresses] == ["192.0.2.9", "192.0.2.7"]
    assert answer.failure is None


def test_a_resolver_that_hangs_is_a_time_out_within_the_bound(hanging: Resolver) -> None:
    began = time.monotonic()
    assert asyncio.run(look_up("turn.test", Family.IPV4, 50)).failure is Failure.DNS_TIMEOUT
    assert time.monotonic() - began < 5
    assert hanging.asked


def test_an_answer_that_comes_after_the_loop_is_closed_harms_nothing(hanging: Resolver) -> None:
    asyncio.run(look_up("turn.test", Family.IPV4, 10))
    assert any(thread.daemon for thread in threading.enumerate())
    assert hanging.asked


@pytest.mark.parametrize("host", ["x" * 64 + ".test", "..", "a..b"])
def test_a_name_that_cannot_be_encoded_does_not_exist(host: str) -> None:
    # The real resolver: Python's own encoding refuses these before anything is asked.
    assert asyncio.run(look_up(host, Family.IPV4, 1000)).failure is Failure.DNS_NOT_FOUND


def test_a_literal_is_looked_up_nowhere(resolver: Resolver) -> None:
    net = Net(RunOptions())
    assert asyncio.run(net.resolve("2001:db8::7")) == (ip_address("2001:db8::7"),)
    assert resolver.asked == []
    assert net.resolutions == ()


def test_a_literal_of_a_family_that_was_left_out_has_no_address() -> None:
    assert asyncio.run(Net(RunOptions(families=(Family.IPV6,))).resolve("192.0.2.7")) == ()


async def together(net: Net, *hosts: str) -> list[Any]:
    try:
        return await asyncio.gather(*map(net.resolve, hosts))
    finally:
        await net.close()


def test_a_name_is_looked_up_once_a_family_however_many_ask(resolver: Resolver) -> None:
    resolver.says = lambda _: []
    net = Net(RunOptions())
    asyncio.run(together(net, "turn.test", "turn.test", "turn.test"))
    assert sorted(resolver.asked) == sorted([("turn.test", socket.AF_INET), ("turn.test", socket.AF_INET6)])
    assert sorted(item.family for item in net.resolutions) == [Family.IPV4, Family.IPV6]


def test_a_failed_look_up_is_on_record_with_its_failure(resolver: Resolver) -> None:
    def refuse(_host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "words")

    resolver.says = refuse
    net = Net(RunOptions(families=(Family.IPV4,)))
    assert asyncio.run(together(net, "turn.test")) == [()]
    (resolution,) = net.resolutions
    assert (resolution.host, resolution.failure, resolution.addresses) == ("turn.test", Failure.DNS_NOT_FOUND, ())


def test_one_that_gives_up_does_not_take_the_look_up_from_the_others(resolver: Resolver) -> None:
    async def one_gives_up() -> Any:
        net = Net(RunOptions(families=(Family.IPV4,)))
        impatient, patient = (asyncio.create_task(net.resolve("turn.test")) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        try:
            return await patient
        finally:
            await net.close()

    assert asyncio.run(one_gives_up()) == (ip_address("192.0.2.7"),)
    assert resolver.asked == [("turn.test", socket.AF_INET)]


def test_closing_gives_up_a_look_up_that_hangs(hanging: Resolver) -> None:
    async def close_at_once() -> None:
        net = Net(RunOptions())
        waiting = asyncio.create_task(net.resolve("turn.test"))
        await asyncio.sleep(0.01)
        await net.close()
        assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)

    began = time.monotonic()
    asyncio.run(close_at_once())
    assert time.monotonic() - began < 2
    assert hanging.asked


# --- local addresses ---


@pytest.fixture
def two_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    owned = [("eth0", "fe80::1%2"), ("eth0", "192.0.2.7"), ("eth0", "2001:db8::7"), ("wlan0", "198.51.100.7")]
    monkeypatch.setattr(subject, "local_addresses", lambda: ((name, ip_address(text)) for name, text in owned))


@pytest.mark.usefixtures("two_interfaces")
@pytest.mark.parametrize(
    ("options", "ipv4", "ipv6"),
    [
        (RunOptions(), None, None),
        (RunOptions(interface="eth0"), "192.0.2.7", "2001:db8::7"),
        (RunOptions(interface="wlan0"), "198.51.100.7", None),
        (RunOptions(bind=ip_address("198.51.100.7")), "198.51.100.7", None),
        (RunOptions(bind=ip_address("2001:db8::7")), None, "2001:db8::7"),
    ],
)
def test_bind_and_interface_choose_one_address_a_family_and_never_a_link_local_one_first(
    options: RunOptions, ipv4: str | None, ipv6: str | None
) -> None:
    chosen = [Net(options).local_for(family).address for family in (Family.IPV4, Family.IPV6)]
    assert chosen == [ip_address(text) if text else None for text in (ipv4, ipv6)]


@pytest.mark.usefixtures("two_interfaces")
@pytest.mark.parametrize(
    ("options", "families"),
    [
        (RunOptions(), (Family.IPV4, Family.IPV6)),
        (RunOptions(interface="eth0"), (Family.IPV4, Family.IPV6)),
        (RunOptions(interface="wlan0"), (Family.IPV4,)),
        (RunOptions(interface="wlan0", families=(Family.IPV6,)), ()),
        (RunOptions(bind=ip_address("2001:db8::7")), (Family.IPV6,)),
        (RunOptions(interface="eth9"), ()),
    ],
)
def test_a_family_without_an_address_to_bind_to_is_not_used(
    resolver: Resolver, options: RunOptions, families: tuple[Family, ...]
) -> None:
    resolver.says = lambda _: []
    net = Net(options)
    assert net.families == families
    asyncio.run(together(net, "turn.test"))
    assert {item.family for item in net.resolutions} == set(families)
    literals = {Family.IPV4: "192.0.2.9", Family.IPV6: "2001:db8::9"}
    for family, literal in literals.items():
        assert asyncio.run(net.resolve(literal)) == ((ip_address(literal),) if family in families else ())


@pytest.mark.usefixtures("two_interfaces")
def test_an_address_belongs_to_its_interface_and_a_foreign_one_to_none() -> None:
    net = Net(RunOptions())
    assert net.interface_of(ip_address("198.51.100.7")) == "wlan0"
    assert net.interface_of(ip_address("203.0.113.7")) is None
