"""What else a configuration opens, tells, or leaves unlimited."""

from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import ip_address

from rtcdiag.address import Scope, scope_of
from rtcdiag.audit.conf import UNKNOWN, UNREADABLE
from rtcdiag.audit.conf_view import Conf, Issue
from rtcdiag.audit.options import options

_FEW_PORTS = 200
_PORTS = (49152, 65535)
_QUOTAS = {"user-quota": 12, "total-quota": 1200, "max-bps": 3_000_000}
"""What to write where there is none: calls for one user and for the server, and bytes a second of one session."""
_SMALL_ANSWERS = ("no-rfc5780", "no-stun-backward-compatibility", "response-origin-only-with-rfc5780")


def exposure(conf: Conf) -> Iterator[Issue]:
    """Judge everything but users and peers."""
    for judge in (_admin, _metrics, _old_tls, _banner, _answers, _unknown, _unreadable):
        yield from judge(conf)
    for judge in () if conf.flag("stun-only") else (_external, _ports, _no_tls, _limits, _nonce):
        yield from judge(conf)


def _is_local(text: str | None) -> bool:
    try:
        return scope_of(ip_address(text or "")) is Scope.LOOPBACK
    except ValueError:
        return False


def _external(conf: Conf) -> Iterator[Issue]:
    for line, ip in conf.addresses("external-ip"):
        if scope_of(ip) is not Scope.GLOBAL:
            suggested = (f"external-ip=<public address>/{ip}",)
            yield Issue(code="turn-config-external-ip-inner", lines=(line,), suggested=suggested)


def _ports(conf: Conf) -> Iterator[Issue]:
    low, high = conf.number("min-port", _PORTS[0]), conf.number("max-port", _PORTS[1])
    if high - low + 1 < _FEW_PORTS:
        suggested = tuple(f"{name}={port}" for name, port in zip(("min-port", "max-port"), _PORTS, strict=True))
        facts = {"ports": max(0, high - low + 1)}
        yield Issue(
            code="turn-config-few-ports", lines=conf.all("min-port", "max-port"), suggested=suggested, facts=facts
        )


def _admin(conf: Conf) -> Iterator[Issue]:
    cli = conf.value("cli-ip")
    if cli is not None and not _is_local(cli) and not conf.flag("no-cli"):
        yield Issue(code="turn-config-cli-exposed", lines=conf.all("cli-ip"), suggested=("cli-ip=127.0.0.1",))
    weak = tuple(line for line in conf.all("cli-password") if line.secret is not None and line.secret.weak)
    if weak and not conf.flag("no-cli"):
        yield Issue(code="turn-config-known-password", lines=weak, suggested=("no-cli",))
    if conf.flag("web-admin"):
        outside = conf.value("web-admin-ip") is not None and not _is_local(conf.value("web-admin-ip"))
        if outside or conf.flag("web-admin-listen-on-workers"):
            lines = conf.all("web-admin-ip", "web-admin-listen-on-workers")
            suggested = ("web-admin-ip=127.0.0.1",)
            yield Issue(code="turn-config-web-admin-exposed", lines=lines, suggested=suggested)


def _metrics(conf: Conf) -> Iterator[Issue]:
    if conf.flag("prometheus") and not _is_local(conf.value("prometheus-address")):
        lines = conf.all("prometheus-address")
        suggested = ("prometheus-address=127.0.0.1",)
        yield Issue(code="turn-config-metrics-exposed", lines=lines, suggested=suggested)


def _no_tls(conf: Conf) -> Iterator[Issue]:
    if conf.flag("no-tls") or not conf.all("cert"):
        yield Issue(code="turn-config-no-tls", suggested=_CERTIFICATE, lines=conf.all("no-tls"))


def _old_tls(conf: Conf) -> Iterator[Issue]:
    if conf.flag("no-tlsv1_2"):
        yield Issue(code="turn-config-no-tls12", lines=conf.all("no-tlsv1_2"))
    if conf.has_safer_defaults:
        lines = tuple(line for name in ("tlsv1", "tlsv1_1") if conf.flag(name) for line in conf.all(name))
        if lines:
            yield Issue(code="turn-config-old-tls", lines=lines)
        return
    lacking = tuple(name for name in ("no-tlsv1", "no-tlsv1_1") if not conf.flag(name))
    if lacking and not conf.flag("no-tls"):
        yield Issue(code="turn-config-old-tls", lines=conf.all(*lacking), suggested=lacking)


_CERTIFICATE = ("cert=<fullchain.pem>", "pkey=<privkey.pem>")


def _banner(conf: Conf) -> Iterator[Issue]:
    if conf.has_safer_defaults:
        if conf.flag("software-attribute"):
            yield Issue(code="turn-config-software", lines=conf.all("software-attribute"))
    elif not (conf.flag("no-software-attribute") or conf.flag("prod")):
        lines = conf.all("no-software-attribute", "prod")
        yield Issue(code="turn-config-software", lines=lines, suggested=("no-software-attribute",))


def _answers(conf: Conf) -> Iterator[Issue]:
    if conf.has_safer_defaults:
        on = tuple(name for name in ("rfc5780", "stun-backward-compatibility") if conf.flag(name))
        if on:
            yield Issue(code="turn-config-large-answers", lines=conf.all(*on), facts={"more": list(on)})
        return
    lacking = tuple(name for name in _SMALL_ANSWERS if not conf.flag(name))
    if lacking:
        facts = {"more": [f"no {name}" for name in lacking]}
        yield Issue(code="turn-config-large-answers", lines=conf.all(*lacking), suggested=lacking, facts=facts)


def _limits(conf: Conf) -> Iterator[Issue]:
    lacking = tuple(name for name in _QUOTAS if conf.number(name, 0) == 0)
    if lacking:
        suggested = tuple(f"{name}={_QUOTAS[name]}" for name in lacking)
        facts = {"lacking": list(lacking)}
        yield Issue(code="turn-config-no-quota", lines=conf.all(*lacking), suggested=suggested, facts=facts)
    if conf.has_rate_limit and not conf.flag("unauthorized-ratelimit"):
        lines = conf.all("unauthorized-ratelimit")
        yield Issue(code="turn-config-no-rate-limit", lines=lines, suggested=("unauthorized-ratelimit",))


def _nonce(conf: Conf) -> Iterator[Issue]:
    lines = conf.all("stale-nonce")
    if not lines or (lines[-1].value is not None and conf.number("stale-nonce", 600) == 0):
        yield Issue(code="turn-config-lasting-nonce", lines=lines, suggested=("stale-nonce=600",))


def _unreadable(conf: Conf) -> Iterator[Issue]:
    lines = tuple(line for line in conf.lines if line.value == UNREADABLE)
    if lines:
        yield Issue(code="turn-config-bad-switch", lines=lines, suggested=tuple(line.option for line in lines))


def _unknown(conf: Conf) -> Iterator[Issue]:
    """Name lines that coturn passes over; one that looks like an option was meant to be it."""
    known = options().known
    for line in conf.lines:
        if line.option == UNKNOWN:
            yield Issue(code="turn-config-unknown-option", lines=(line,), facts={"meant": "none"}, is_milder=True)
        elif line.option not in known:
            meant = get_close_matches(line.option, known, n=1)[0]
            yield Issue(code="turn-config-unknown-option", lines=(line,), suggested=(meant,), facts={"meant": meant})
