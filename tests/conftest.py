"""What holds for every test: no packet leaves this computer, and no test skips."""

import gc
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Quick runs try the same examples each time, so that a red test stays red; scripts/test --all looks for new ones.
settings.register_profile("quick", max_examples=15, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=400, deadline=None)
settings.load_profile(os.environ.get("RTCDIAG_EXAMPLES", "quick"))


# A proxy that this machine uses is no part of what tests set up.
for _name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)


# A shell's background jobs ignore Ctrl-C, and what they start inherits that: tests send it and expect an effect.
signal.signal(signal.SIGINT, signal.default_int_handler)


class LeftThisComputerError(AssertionError):
    """A test tried to contact another computer."""


def _network_namespace() -> str:
    """The calling thread's network namespace, or nothing where there are none."""
    path = "/proc/thread-self/ns/net"
    return os.readlink(path) if Path(path).exists() else ""  # noqa: PTH115 - resolve() would look for a file "net:[1]"


_HOME = _network_namespace()
_ROUTE_LOOKUPS = {"192.0.2.1", "2001:db8::1"}
"""Connecting a datagram socket to these asks for a route (rtcdiag.net.routes.INTERNET), and sends nothing."""


def _stays_here(host: str) -> bool:
    if host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified


def _guard(event: str, args: tuple[Any, ...]) -> None:
    """Refuse, as an audit hook, any address but loopback; inside a namespace of a test's own everything goes."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        sock, address = args
        if sock.family not in {socket.AF_INET, socket.AF_INET6} or not address:
            return
        host = address[0]
        if event == "socket.connect" and sock.type == socket.SOCK_DGRAM and host in _ROUTE_LOOKUPS:
            return
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if not _stays_here(text) and _network_namespace() == _HOME:
        raise LeftThisComputerError(f"{event}: {text} is not loopback; use a namespace (support.netns)")


sys.addaudithook(_guard)


def _failed_instead(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and a test that cannot run has failed: {report.longrepr}"


def pytest_collection_finish() -> None:
    """Keep the collector of garbage from going through the thousands of tests again and again: they stay."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure: a test that did not run has shown nothing."""
    report = yield
    _failed_instead(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped file into a failure too."""
    report = yield
    _failed_instead(report)
    return report
