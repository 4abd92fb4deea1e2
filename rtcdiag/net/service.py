"""An ICE server list from a service over HTTPS: bounded in size, time and redirects; nothing of it is believed yet.

Imported only where a service is named, for the sake of httpx.
"""

import asyncio
import ssl
import time
from collections.abc import Iterator
from ipaddress import ip_address

import httpx
import msgspec

from rtcdiag.address import IPAddress
from rtcdiag.evidence import Failure
from rtcdiag.net.clock import http_time_s, offset_s
from rtcdiag.net.failures import failure_of
from rtcdiag.net.local import pinning
from rtcdiag.net.resolver import look_up
from rtcdiag.net.stream import verifying_context
from rtcdiag.options import RunOptions
from rtcdiag.proxies import Proxy
from rtcdiag.services import Service, ServiceError, parse_service

MOST_REDIRECTS = 3
MOST_ADDRESSES = 4
PATIENCE = 5.0
"""How much longer than one answer over UDP the whole request may take, redirects included."""
_REDIRECTS = (301, 302, 303, 307, 308)


class Fetched(msgspec.Struct, kw_only=True):
    """What came of the request, as far as it is known."""

    service: Service
    """Who was asked last."""
    content: bytes | None = None
    """The body of a success."""
    status: int | None = None
    redirects: int = 0
    token: bool = False
    proxy: str | None = None
    away: str | None = None
    """Why a redirect was not followed."""
    too_long: bool = False
    failure: Failure | None = None
    detail: str | None = None
    took_ms: float = 0.0
    clock_offset_s: float | None = None
    """This clock minus the one of the service that answered over HTTPS."""


async def fetch(service: Service, token: str | None, options: RunOptions, most_bytes: int) -> Fetched:
    """Ask a service, and whom it leads to over the same scheme; the token goes to the first one only."""
    seen, began_s = Fetched(service=service), time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE * options.timeout_ms / 1000):
            while await _asked(seen, token if seen.service.label == service.label else None, options, most_bytes):
                pass
    except TimeoutError:
        seen.failure = Failure.TIMEOUT
    seen.took_ms = (time.monotonic() - began_s) * 1000
    return seen


async def _asked(seen: Fetched, token: str | None, options: RunOptions, most_bytes: int) -> bool:
    """Ask once; whether the answer leads on."""
    seen.token |= token is not None
    proxy = options.proxy if _goes_through(options.proxy, seen.service) else None
    seen.proxy = proxy.label if proxy else None
    addresses = (None,) if proxy else await _addresses(seen, options)
    for address in addresses:
        seen.failure = None
        try:
            async with _client(proxy, options) as client:
                return await _at(client, address, seen, token, most_bytes)
        except httpx.ProxyError:
            seen.failure, seen.detail = Failure.CONNECTION_REFUSED, "the proxy gives no tunnel"
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            seen.failure, seen.detail = _connecting(error)
        except httpx.HTTPError as error:
            seen.failure = _reading(error)
            return False
    return False


def _goes_through(proxy: Proxy | None, service: Service) -> bool:
    usable = proxy is not None and not proxy.problem and service.scheme == "https"
    return usable and proxy is not None and proxy.serves(service.host, service.port)


async def _addresses(seen: Fetched, options: RunOptions) -> list[IPAddress]:
    """Look a name up as servers' names are: a resolver that hangs must not hold up the end of the program."""
    host = seen.service.host
    try:
        return [ip_address(host)]
    except ValueError:
        answers = [await look_up(host, family, 2 * options.timeout_ms) for family in options.families]
    found = [ip for answer in answers for ip in answer.addresses]
    seen.failure = None if found else next((answer.failure for answer in answers), Failure.DNS_NO_ADDRESS)
    return found[:MOST_ADDRESSES]


async def _at(
    client: httpx.AsyncClient, address: IPAddress | None, seen: Fetched, token: str | None, most_bytes: int
) -> bool:
    service = seen.service
    url = httpx.URL(service.url)
    where = url if address is None else url.copy_with(host=str(address))
    headers = {"Host": url.netloc.decode("ascii"), "Accept": "application/json", "Accept-Encoding": "identity"}
    headers |= {"User-Agent": "rtcdiag"} | ({"Authorization": f"Bearer {token}"} if token else {})
    extensions = {"sni_hostname": service.host} if service.scheme == "https" else {}
    async with client.stream("GET", where, headers=headers, extensions=extensions) as response:
        return await _read(response, seen, most_bytes)


def _client(proxy: Proxy | None, options: RunOptions) -> httpx.AsyncClient:
    context = verifying_context(options.ca_file)
    transport = httpx.AsyncHTTPTransport(
        verify=context,
        proxy=None if proxy is None else _proxy(proxy, context),
        local_address=None if options.bind is None else str(options.bind),
        socket_options=pinning(options.interface),
    )
    # A quarter of the whole for each address: the first that is dead leaves time for the next.
    limit_s = PATIENCE * options.timeout_ms / 1000
    return httpx.AsyncClient(
        transport=transport, trust_env=False, timeout=httpx.Timeout(limit_s, connect=limit_s / MOST_ADDRESSES)
    )


def _proxy(proxy: Proxy, context: ssl.SSLContext) -> httpx.Proxy:
    login = proxy.credential
    auth = None if login is None else (login.username, login.password)
    return httpx.Proxy(proxy.label, auth=auth, ssl_context=context if proxy.scheme == "https" else None)


async def _read(response: httpx.Response, seen: Fetched, most_bytes: int) -> bool:
    seen.status = response.status_code
    if seen.service.scheme == "https":
        told_s = http_time_s(response.headers.get("date"), response.headers.get("age"))
        seen.clock_offset_s = None if told_s is None else offset_s(time.time(), time.time(), told_s)
    if response.status_code in _REDIRECTS:
        return _leads_on(response, seen)
    if response.is_success:
        content = bytearray()
        async for part in response.aiter_raw():
            content += part
            if len(content) > most_bytes:
                seen.too_long = True
                return False
        seen.content = bytes(content)
    return False


def _leads_on(response: httpx.Response, seen: Fetched) -> bool:
    """Take the new place, where it is of the same scheme; say why not, otherwise."""
    if seen.redirects >= MOST_REDIRECTS:
        seen.away = f"more than {MOST_REDIRECTS} times"
        return False
    if not response.headers.get("location"):
        seen.away = "nowhere: it names no place"
        return False
    try:
        target = httpx.URL(seen.service.url).join(response.headers.get("location", ""))
        if target.scheme != seen.service.scheme:
            seen.away = f"from {seen.service.scheme}:// to {target.scheme[:20]}://"
            return False
        after = parse_service(str(target))
    except (httpx.InvalidURL, ServiceError, ValueError, TypeError) as error:
        seen.away = f"elsewhere: {error}" if isinstance(error, ServiceError) else "to what is no URL"
        return False
    seen.service, seen.redirects = after, seen.redirects + 1
    return True


def _connecting(error: BaseException) -> tuple[Failure, str | None]:
    """Return what the exception below httpx's own means."""
    if isinstance(error, httpx.ConnectTimeout):
        return Failure.TIMEOUT, None
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            words = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else cause.reason
            return failure_of(cause), words
    found = next((cause for cause in causes if isinstance(cause, OSError) and cause.errno), None)
    return (failure_of(found) if found is not None else Failure.CONNECTION_CLOSED), None


def _causes(error: BaseException | None, depth: int = 0) -> Iterator[BaseException]:
    if error is None or depth > 10:
        return
    yield error
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _causes(inner, depth + 1)
    yield from _causes(error.__cause__ or error.__context__, depth + 1)


def _reading(error: httpx.HTTPError) -> Failure:
    if isinstance(error, httpx.TimeoutException):
        return Failure.TIMEOUT
    return Failure.NOT_HTTP if isinstance(error, httpx.ProtocolError) else Failure.CONNECTION_CLOSED
