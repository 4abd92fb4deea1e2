"""The HTTP proxy that the environment or the user names: its URL, its login, and which hosts are asked without it."""

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network

import msgspec

from rtcdiag.targets import Credential

VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""Where programs look for the proxy of TLS and TCP connections, the first that is set."""
_EXEMPT = ("no_proxy", "NO_PROXY")
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")


class ProxyError(ValueError):
    """A proxy's URL that cannot be used; the message says why and repeats nothing that may be a password."""


class Proxy(msgspec.Struct, frozen=True):
    """An HTTP proxy that is asked for a tunnel by CONNECT (RFC 9110 section 9.3.6)."""

    scheme: str
    """``http``, or ``https`` where the way to the proxy itself is encrypted."""
    host: str
    """A name in lower case, or an IP address without brackets."""
    port: int
    named_by: str
    """The variable or the option that named it."""
    credential: Credential | None = None
    """For Basic authentication (RFC 7617)."""
    exempt: tuple[str, ...] = ()
    """Entries of ``no_proxy``."""
    problem: str = ""
    """Why it cannot be used; empty where it can."""

    @property
    def label(self) -> str:
        """Return its URL without the login."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def serves(self, host: str, port: int) -> bool:
        """Tell whether a host is to be asked through it; this computer is not, unless the user himself named it."""
        named = self.named_by not in VARIABLES
        return named or not (_is_here(host) or any(_excludes(entry, host, port) for entry in self.exempt))


def proxy_of(environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy that the environment names; None for none. One that cannot be used says why."""
    name = next((name for name in VARIABLES if environment.get(name, "").strip()), None)
    if name is None:
        return None
    exempt = next((environment[entry] for entry in _EXEMPT if environment.get(entry)), "")
    entries = tuple(entry for part in exempt.split(",") if (entry := part.strip().lower()))
    try:
        return parse_proxy(environment[name], name, entries)
    except ProxyError as error:
        return Proxy("", "", 0, name, exempt=entries, problem=str(error))


def parse_proxy(text: str, named_by: str, exempt: tuple[str, ...] = ()) -> Proxy:
    """Read a proxy's URL, ``http://`` where it names no scheme; raise ProxyError for what is none."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - most runs have no proxy

    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise ProxyError("its host or port cannot be read") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise ProxyError(f"only http:// and https:// proxies can be asked, not {_shown(scheme)}")
    if not _HOST.fullmatch(host) or (":" in host and not _is_address(host)):
        raise ProxyError("there is no host name in it")
    if port == 0:
        raise ProxyError("port 0 is none")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ProxyError("a proxy's URL ends with its port")
    return Proxy(scheme, host, port or _PORTS[scheme], named_by, _credential(parts.username, parts.password), exempt)


def _shown(scheme: str) -> str:
    return f"{scheme}://" if re.fullmatch(r"[a-z0-9+.-]{1,20}", scheme) else "that"


def _credential(username: str | None, password: str | None) -> Credential | None:
    from urllib.parse import unquote  # noqa: PLC0415 - as above

    return Credential(unquote(username), unquote(password or "")) if username else None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_here(host: str) -> bool:
    """Tell this computer, which browsers ask without a proxy whatever ``no_proxy`` says."""
    return ip_address(host).is_loopback if _is_address(host) else host.rpartition(".")[2] == "localhost"


def _excludes(entry: str, host: str, port: int) -> bool:
    """Tell whether an entry of ``no_proxy`` is about a host: a name with all below it, an address, a network, or *."""
    if entry == "*":
        return True
    if _is_address(host):
        return _holds(entry, host)
    name, colon, number = entry.partition(":")
    if colon and number != str(port):
        return False
    name = name.removeprefix("*").removeprefix(".").removesuffix(".")
    return bool(name) and (host.removesuffix(".") == name or host.removesuffix(".").endswith(f".{name}"))


def _holds(network: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(network.strip("[]"), strict=False)
    except ValueError:
        return False
