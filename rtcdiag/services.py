"""The URL of a service that hands out ICE servers: which ones are asked, and how one is shown."""

import re
from ipaddress import ip_address

import msgspec

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")


class ServiceError(ValueError):
    """A URL that is not asked; the message says why, and repeats nothing that may be a key."""


class Service(msgspec.Struct, frozen=True):
    """A service of HTTPS, or on this computer of HTTP."""

    url: str
    """May hold a key: never shown."""
    scheme: str
    host: str
    """A name in lower case, or an IP address without brackets."""
    port: int

    @property
    def label(self) -> str:
        """Return scheme, host and port, which may be shown."""
        usual = self.port == (443 if self.scheme == "https" else 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if usual else f":{self.port}")


def is_url(name: str) -> bool:
    """Tell a URL from the name of a file."""
    return _URL.fullmatch(name.strip()) is not None


def parse_service(url: str, token_option: str = "") -> Service:
    """Read the URL of a service; raise ServiceError where it is not to be asked.

    ``token_option`` takes a file with a token, where the user may use it instead of writing a password into the URL.
    """
    match = _URL.fullmatch(url.strip())
    scheme = match["scheme"].lower() if match else ""
    if match is None or scheme not in ("https", "http"):
        raise ServiceError(f"only https:// URLs are asked, not {scheme}://" if scheme else "it is no URL")
    authority = re.split("[/?#]", match["rest"], maxsplit=1)[0]
    if "@" in authority:
        hint = f" (put a token into a file: {token_option} FILE)" if token_option else ""
        raise ServiceError(f"a URL carries no user name or password here{hint}")
    host, port = _split(authority)
    service = Service(url.strip(), scheme, host, port or (443 if scheme == "https" else 80))
    if not url.strip().isascii() or not url.strip().isprintable() or " " in url.strip():
        raise ServiceError("it holds what has to be written in percent form")
    if scheme == "http" and not _is_here(host):
        raise ServiceError("http:// shows credentials to everybody on the way (write https://)")
    return service


def _split(authority: str) -> tuple[str, int]:
    bare = ":" not in authority or authority.endswith("]")
    host, colon, port = (authority, "", "") if bare else authority.rpartition(":")
    if not _HOST.fullmatch(host):
        raise ServiceError("there is no host name in it")
    if colon and not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise ServiceError("its port is not a number from 1 to 65535")
    return host.strip("[]").lower(), int(port or 0)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
