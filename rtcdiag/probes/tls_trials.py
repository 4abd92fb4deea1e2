"""Handshakes beside a TLS connection that stands: with ALPN, without a name, with other versions; controls, no verdict.

They never hold anything up: what is not over when everything else is, was not tested.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from rtcdiag.evidence import Skipped, TlsTrial, Trial
from rtcdiag.net import Net
from rtcdiag.net.stream import NetError, connect_tcp
from rtcdiag.net.tls import Offer, Presented, presented
from rtcdiag.probes.connection import Path, tls_settings
from rtcdiag.probes.cross_check import plain_binding
from rtcdiag.probes.job import Record
from rtcdiag.probes.relay import side_by_side
from rtcdiag.targets import Transport

ALPN = "stun.turn"
"""RFC 7443 section 3. Browsers offer no ALPN to TURN servers."""
_WHAT: dict[Trial, str] = {
    "alpn": f"TLS with ALPN {ALPN}",
    "no-sni": "TLS without a server name",
    "tls-1.2": "TLS 1.2 by itself",
    "old-versions": "TLS 1.0 and 1.1",
}


@contextlib.asynccontextmanager
async def tried_beside(path: Path, net: Net, record: Record) -> AsyncIterator[None]:
    """Try other handshakes while the block runs, where the path is one over TLS and through no proxy."""
    if path.transport is not Transport.TLS or path.server.via is not None:
        yield
        return
    trying = asyncio.create_task(_all(path, net, record))
    try:
        yield
    finally:
        trying.cancel()
        await asyncio.wait({trying})


async def try_old_versions(path: Path, net: Net, record: Record) -> None:
    """Ask what a server speaks that speaks no version of ours."""
    await _try(path, net, record, "old-versions")


async def tell_silence(path: Path, net: Net, record: Record) -> None:
    """Ask a server that takes no part in a handshake for plain STUN, and for old versions of TLS.

    coturn without TLS 1.2 and 1.3 says nothing at all to who offers only those.
    """
    await side_by_side(plain_binding(path, net, record), try_old_versions(path, net, record))


async def _all(path: Path, net: Net, record: Record) -> None:
    named = not (path.server.ip_literal and net.options.server_name is None)
    trials: tuple[Trial, ...] = ("alpn", *(("no-sni",) if named else ()), "tls-1.2", "old-versions")
    await side_by_side(*(_try(path, net, record, trial) for trial in trials))


async def _try(path: Path, net: Net, record: Record, trial: Trial) -> None:
    began = net.now_ms()
    try:
        seen = await _shaken(path, net, trial)
    except (NetError, asyncio.CancelledError) as error:
        why = "another connection was refused" if isinstance(error, NetError) else "all else was over first"
        record(Skipped(t_ms=began, what=f"{_WHAT[trial]} at {path.destination}", why=why))
        if isinstance(error, NetError):
            return
        raise
    record(
        TlsTrial(
            t_ms=began,
            duration_ms=net.now_ms() - began,
            server=path.server.uri,
            destination=path.destination,
            trial=trial,
            version=seen.version,
            alpn=seen.alpn,
            certificate=seen.certificate,
            named=seen.named,
            failure=seen.failure,
            detail=seen.detail,
        )
    )


async def _shaken(path: Path, net: Net, trial: Trial) -> Presented:
    limit_ms, name = net.options.timeout_ms, tls_settings(path, net).server_name
    sock = await connect_tcp(path.destination, limit_ms, net.local_for(path.destination.family))
    return await presented(sock, name, _offer(trial, name), limit_ms)


def _offer(trial: Trial, name: str) -> Offer:
    match trial:
        case "alpn":
            return Offer(name, alpn=(ALPN,))
        case "no-sni":
            return Offer(None)
        case "tls-1.2":
            return Offer(name, versions="1.2")
        case "old-versions":
            return Offer(name, versions="old")
