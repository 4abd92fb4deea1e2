"""Whom a relay may send to, by its configuration."""

from collections.abc import Iterator
from ipaddress import ip_address

from rtcdiag.address import IPAddress, Scope, scope_of
from rtcdiag.audit.conf_view import Conf, Issue
from rtcdiag.audit.ranges import Range, missing, network_range, parse_range, uncovered
from rtcdiag.evidence import ConfigLine

_MULTICAST = (network_range("224.0.0.0/4"), network_range("ff00::/8"))


def peers(conf: Conf) -> Iterator[Issue]:
    """Judge which peers are let through, where there is a relay."""
    if conf.flag("stun-only"):
        return
    yield from _unreadable(conf)
    yield from _boundless(conf)
    yield from _not_denied(conf)
    yield from _locked_out(conf)
    if conf.flag("allow-loopback-peers"):
        yield Issue(code="turn-config-loopback-peers", lines=conf.all("allow-loopback-peers"))
    inner = tuple(line for line, item in _read(conf.all("allowed-peer-ip")) if _is_inner(item))
    if inner:
        yield Issue(code="turn-config-inner-peers-allowed", lines=inner)
    if not conf.flag("no-multicast-peers") and any(uncovered(item, conf.denied) for item in _MULTICAST):
        lines = conf.all("no-multicast-peers")
        yield Issue(code="turn-config-multicast-peers", lines=lines, suggested=("no-multicast-peers",))
    if not conf.flag("no-tcp-relay"):
        lines = conf.all("no-tcp-relay")
        yield Issue(code="turn-config-tcp-relay", lines=lines, suggested=("no-tcp-relay",))
    if conf.flag("server-relay"):
        yield Issue(code="turn-config-server-relay", lines=conf.all("server-relay"))


def _read(lines: tuple[ConfigLine, ...]) -> Iterator[tuple[ConfigLine, Range]]:
    for line in lines:
        try:
            yield line, parse_range(line.value or "")
        except ValueError:
            continue


def _is_inner(item: Range) -> bool:
    return any(scope_of(ip) is not Scope.GLOBAL for ip in (item.first, item.last))


def _unreadable(conf: Conf) -> Iterator[Issue]:
    """Name ranges that coturn passes over: a network with a slash is none to it."""
    for line in conf.all("denied-peer-ip", "allowed-peer-ip"):
        try:
            parse_range(line.value or "")
        except ValueError:
            yield Issue(code="turn-config-bad-range", lines=(line,), suggested=_as_range(line))


def _boundless(conf: Conf) -> Iterator[Issue]:
    """Name ranges that coturn takes for more than they say, mostly for everything."""
    for line, item in _read(conf.all("denied-peer-ip", "allowed-peer-ip")):
        if item.is_boundless:
            narrow = _narrowed(item)
            suggested = () if narrow is None else (f"{line.option}={narrow}",)
            facts = {"does": "denies" if line.option == "denied-peer-ip" else "allows"}
            yield Issue(code="turn-config-boundless-range", lines=(line,), suggested=suggested, facts=facts)


def _narrowed(item: Range) -> Range | None:
    """Return what was meant, without the unspecified IPv6 address, which coturn refuses by itself."""
    if item.first.version == 4:
        return network_range("0.0.0.0/8")
    return None if item.last.is_unspecified else Range(ip_address("::1"), item.last)


def _as_range(line: ConfigLine) -> tuple[str, ...]:
    text = (line.value or "").partition("#")[0].strip()
    for read in (network_range, parse_range):
        try:
            return (f"{line.option}={read(text)}",)
        except ValueError:
            continue
    return (f"{line.option}=<first address>-<last address>",)


def own_addresses(conf: Conf) -> list[tuple[ConfigLine, IPAddress]]:
    """Return the server's public addresses: what it says of itself, else where it listens and relays."""
    for options in (("external-ip",), ("relay-ip", "listening-ip")):
        found = [pair for option in options for pair in conf.addresses(option)]
        if found:
            return [(line, ip) for line, ip in found if scope_of(ip) is Scope.GLOBAL]
    return []


def _not_denied(conf: Conf) -> Iterator[Issue]:
    lacking = missing(conf.denied)
    if not lacking:
        return
    own = dict.fromkeys(ip for _, ip in own_addresses(conf))
    locked = [ip for ip in own if conf.is_denied(ip, lacking) and not conf.is_denied(ip)]
    yield Issue(
        code="turn-config-peers-not-denied",
        suggested=(*(f"denied-peer-ip={item}" for item in lacking), *(f"allowed-peer-ip={ip}" for ip in locked)),
        facts={"ranges": [str(item) for item in lacking]},
    )


def _locked_out(conf: Conf) -> Iterator[Issue]:
    """Find the server's own public addresses among the denied: two of its clients could not talk to each other."""
    for ip in dict.fromkeys(ip for _, ip in own_addresses(conf)):
        if conf.is_denied(ip):
            yield Issue(
                code="turn-config-locked-out", suggested=(f"allowed-peer-ip={ip}",), facts={"own_address": str(ip)}
            )
