"""The way to a server through an HTTP proxy."""

from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure, Observation


class ProxyTunnel(Observation, frozen=True, kw_only=True, tag=True):
    """One try to get a tunnel to a server from an HTTP proxy, by CONNECT (RFC 9110 section 9.3.6)."""

    server: str
    """The ``server`` of the target: of a server that is asked through a proxy it names both."""
    proxy: str
    """The proxy's URL, without its login."""
    target: str
    """To where the proxy was asked to connect, ``turn.example.org:443``; the proxy looks the name up."""
    destination: TransportAddress | None = None
    """The proxy's address; None where its name has none."""
    local: TransportAddress | None = None
    step: Literal["name", "connect", "tls", "request"]
    """How far it came: the proxy's name, TCP to it, TLS to it (``https://`` proxies), the request and its answer."""
    login: bool = False
    """Whether a username and a password were sent to the proxy."""
    status: int | None = None
    """The status that the proxy answered with; 2xx is a tunnel."""
    schemes: tuple[str, ...] = ()
    """The kinds of login that a 407 asks for (``Basic``, ``NTLM``)."""
    failure: Failure | None = None
    """Why there is no answer; None where there is one."""
    detail: str | None = None
    """The TLS library's words."""

    @property
    def opened(self) -> bool:
        """Whether there is a tunnel."""
        return self.failure is None and self.status is not None and 200 <= self.status < 300
