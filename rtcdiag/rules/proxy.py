"""The HTTP proxy beside the direct way: what it does to TURN over TCP and TLS, and which of the two ways works."""

from collections.abc import Iterator

import msgspec

from rtcdiag.evidence import Connect, Evidence, Failure, ProxyTunnel, Target, TlsHandshake
from rtcdiag.findings import Facts, Finding, Severity, Stage, find
from rtcdiag.rules.paths import UNFINISHED, Path, asked_paths, clip, relayed_data, server_of

_LOGIN = 407
"""Proxy Authentication Required (RFC 9110 section 15.5.8)."""
_SPOKEN = "basic"
_SHOWN = 4
_HUNG_UP = (Failure.CONNECTION_CLOSED, Failure.CONNECTION_RESET)


class _Refused(msgspec.Struct, frozen=True):
    """A tunnel that did not come about, by its code and what all of that code have in common."""

    code: str
    tunnel: ProxyTunnel
    facts: Facts


def tunnels(evidence: Evidence) -> Iterator[Finding]:
    """Say why the proxy gave no tunnel, once for all servers; a mere fact where all of them answer directly."""
    answering = {path.server for path in asked_paths(evidence) if path.is_direct and path.answered}
    found: dict[tuple[str, str], list[_Refused]] = {}
    for item in evidence.of(ProxyTunnel, lambda item: not item.opened):
        refused = _refused(item)
        if refused is not None:
            found.setdefault((refused.code, repr(refused.facts)), []).append(refused)
    for group in found.values():
        seen = [refused.tunnel for refused in group]
        needless = all(server_of(item.server) in answering for item in seen)
        yield find(
            group[0].code,
            *(item.id for item in seen),
            severity=Severity.INFO if needless else None,
            servers=list(dict.fromkeys(item.server for item in seen)),
            targets=list(dict.fromkeys(item.target for item in seen))[:_SHOWN],
            **group[0].facts,
        )


def _refused(item: ProxyTunnel) -> _Refused | None:
    if item.failure in UNFINISHED:
        return None
    code, more = _told(item) if item.failure is None else _failed(item, item.failure)
    return _Refused(code, item, {"proxy": item.proxy, **more})


def _told(item: ProxyTunnel) -> tuple[str, Facts]:
    status = item.status or 0
    if status == _LOGIN:
        schemes = [clip(name) for name in item.schemes]
        if item.login and _SPOKEN in [name.lower() for name in schemes]:
            return "proxy-rejects-login", {}
        return "proxy-wants-login", {"schemes": schemes}
    return ("proxy-cannot-connect" if status >= 500 else "proxy-forbids-connect"), {"status": status}


def _failed(item: ProxyTunnel, failure: Failure) -> tuple[str, Facts]:
    if item.step in ("name", "connect"):
        return "proxy-unreachable", {"why": failure.value, "place": str(item.destination or "no address")}
    if item.step == "tls":
        return "proxy-tls-failed", {"why": failure.value, "detail": clip(item.detail) or failure.value}
    if failure is Failure.TIMEOUT:
        return "proxy-silent", {}
    return ("proxy-hangs-up" if failure in _HUNG_UP else "proxy-answers-garbage"), {}


def ways(evidence: Evidence) -> Iterator[Finding]:
    """Say of every server that works through the proxy whether it works without it, too."""
    every = asked_paths(evidence)
    for target in evidence.of(Target, lambda item: item.via is not None):
        through = [path for path in every if path.server == target.server]
        uri = server_of(target.server)
        direct = [path for path in every if path.server == uri]
        for path in through:
            if relayed_data(path):
                code = "turn-also-through-proxy" if any(map(relayed_data, direct)) else "turn-only-through-proxy"
                seen = [item.id for item in path.observations]
                if code == "turn-also-through-proxy" or not any(other.answered for other in direct):
                    at = _broken_at(direct) if code == "turn-only-through-proxy" else None
                    yield find(code, *seen[:2], subject=uri, stage=at, proxy=target.via)
            elif _is_mute(path):
                stage = path.steps[0].stage
                yield path.find("proxy-passes-no-turn", *path.of(ProxyTunnel), stage=stage, proxy=target.via)


def _broken_at(direct: list[Path]) -> Stage:
    """Return the stage at which the direct way ends."""
    if not direct:
        return "dns"
    if not any(item.failure is None for path in direct for item in path.of(Connect)):
        return "connect"
    shaken = [item for path in direct for item in path.of(TlsHandshake)]
    return "tls" if shaken and all(item.failure for item in shaken) else "binding"


def _is_mute(path: Path) -> bool:
    """Whether there is a tunnel in which nothing is answered, for no reason of TLS."""
    opened = any(item.opened for item in path.of(ProxyTunnel))
    failures = {step.exchange.failure for step in path.steps}
    return opened and path.connected and bool(failures) and not path.answered and not failures <= {None, *UNFINISHED}
