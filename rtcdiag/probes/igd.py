"""UPnP Internet Gateway Device over HTTP: two read-only actions on one host, within bounds.

Imported only when a gateway answered SSDP: what this imports takes longer than a whole run without it.
"""

import logging
import time
from collections.abc import Awaitable

import aiohttp
import msgspec
from async_upnp_client.client import UpnpRequester
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.const import HttpRequest, HttpResponse
from async_upnp_client.exceptions import UpnpActionError
from async_upnp_client.profiles.igd import IgdDevice

from rtcdiag.address import IPAddress
from rtcdiag.portmap.ssdp import place_of

LIMIT_S = 1.0
"""For all requests to one gateway together."""
MOST_BYTES = 200_000
"""Of all answers of one gateway together."""
MOST_REQUESTS = 16
_MOST_NAME = 64
_READ_ONLY = ("#GetExternalIPAddress", "#GetStatusInfo")

# The library would write a gateway's own words to standard error.
logging.getLogger("async_upnp_client").addHandler(logging.NullHandler())
logging.getLogger("async_upnp_client").propagate = False


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What an action gave: ``result`` is 0 and there is a value, or UPnP's error code; None: nothing of use came."""

    result: int | None = None
    value: str | None = None


class OutOfBoundsError(Exception):
    """A request to elsewhere or too much, or an answer that is too long."""


class _Requester(UpnpRequester):
    """HTTP to nothing but the gateway, without redirects and proxies."""

    def __init__(self, session: aiohttp.ClientSession, gateway: IPAddress) -> None:
        self._session = session
        self._gateway = gateway
        self._end_s = time.monotonic() + LIMIT_S
        self._bytes_left = MOST_BYTES
        self._requests_left = MOST_REQUESTS

    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        """Carry out one request of the library."""
        self._requests_left -= 1
        _check(http_request, self._gateway)
        if self._requests_left < 0:
            raise OutOfBoundsError
        async with self._session.request(
            http_request.method,
            http_request.url,
            headers=http_request.headers,
            data=http_request.body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=max(0.001, self._end_s - time.monotonic())),
        ) as response:
            body = await self._body(response.content)
            return HttpResponse(response.status, response.headers, body.decode(errors="replace"))

    async def _body(self, content: aiohttp.StreamReader) -> bytes:
        found = bytearray()
        async for piece in content.iter_any():
            self._bytes_left -= len(piece)
            if self._bytes_left < 0:
                raise OutOfBoundsError
            found += piece
        return bytes(found)


def _check(request: HttpRequest, gateway: IPAddress) -> None:
    """Raise OutOfBoundsError for a request to another host, or one that could change something there."""
    action = request.headers.get("SOAPAction", "").strip('"')
    reads = request.method == "GET" or (request.method == "POST" and action.endswith(_READ_ONLY))
    if place_of(request.url, gateway) is None or not reads:
        raise OutOfBoundsError


class Igd:
    """A gateway whose description was read. Each question has its answer, an error code, or nothing in time."""

    def __init__(self, device: IgdDevice) -> None:
        """Use ``reading`` instead."""
        self._device = device

    @property
    def name(self) -> str:
        """Manufacturer and model as the device says: printable ASCII, bounded."""
        words = f"{self._device.manufacturer} {self._device.model_name}"
        return "".join(letter for letter in words if letter.isascii() and letter.isprintable()).strip()[:_MOST_NAME]

    @property
    def version(self) -> int | None:
        """The version of the Internet Gateway Device, 1 or 2."""
        number = self._device.device_type.rpartition(":")[2]
        return int(number) if number in {"1", "2"} else None

    async def external_address(self) -> Reply:
        """Ask for the external IP address, as the gateway writes it."""
        return await _reply(self._device.async_get_external_ip_address())

    async def status(self) -> Reply:
        """Ask for the state of the line."""

        async def connection_status() -> str | None:
            info = await self._device.async_get_status_info()
            return str(info.connection_status) if info is not None else None

        return await _reply(connection_status())


async def _reply(asking: Awaitable[str | None]) -> Reply:
    try:
        value = await asking
    except UpnpActionError as error:
        return Reply(result=error.error_code)
    except Exception:  # noqa: BLE001 - whatever a library makes of a gateway's nonsense
        return Reply()
    return Reply(result=0, value=value) if value is not None else Reply()


class Reading:
    """A session with one gateway, to be used with ``async with``: it gives the gateway, or None where it is no good."""

    def __init__(self, location: str, gateway: IPAddress, source: IPAddress) -> None:
        """Take the URL of the description, and whom to ask from which local address."""
        self._location = location
        self._gateway = gateway
        connector = aiohttp.TCPConnector(limit=1, local_addr=(str(source), 0))
        self._session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, headers={"Accept-Encoding": "identity"}
        )

    async def __aenter__(self) -> Igd | None:
        """Read the description."""
        try:
            factory = UpnpFactory(_Requester(self._session, self._gateway), non_strict=True)
            return Igd(IgdDevice(await factory.async_create_device(self._location), None))
        except Exception:  # noqa: BLE001 - whatever a library makes of a gateway's nonsense
            return None

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self._session.close()
