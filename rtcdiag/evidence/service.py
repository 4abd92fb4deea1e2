"""What was learned before the servers were asked, or beside them: a service's list, and other computers' clocks."""

from typing import Literal

from rtcdiag.evidence.base import Failure, Observation

ServiceOutcome = Literal["list", "refused", "redirected-away", "too-long", "no-list", "no-answer"]


class IceService(Observation, frozen=True, kw_only=True, tag=True):
    """One request for an ICE server list to a service (``--ice-servers https://…``), before the run: ``t_ms`` is 0."""

    url: str
    """Scheme, host and port: path and query may hold a key and are left out."""
    token: bool = False
    """Whether a bearer token was sent (RFC 6750)."""
    proxy: str | None = None
    """The HTTP proxy that it was asked through."""
    redirects: int = 0
    """How many redirects were followed."""
    outcome: ServiceOutcome
    """``refused``: a status that is no success; ``redirected-away``: to where is not followed; ``no-list``: an answer
    that is no ICE server list, or without a server to ask."""
    status: int | None = None
    servers: int = 0
    """How many URIs were taken from the list."""
    problem: str | None = None
    """What is wrong with the answer, with the path inside it; nothing of a credential."""
    failure: Failure | None = None
    """Why there was no answer."""
    detail: str | None = None
    """The TLS library's words."""


class ClockReading(Observation, frozen=True, kw_only=True, tag=True):
    """The time that another computer tells in the Date of an HTTPS answer (RFC 9110 section 6.6.1)."""

    host: str
    role: Literal["service", "server", "control"]
    """Who it is: the service of the ICE server list, the TURN server's host, a documented control host."""
    offset_s: float | None = None
    """This computer's clock minus that one, in seconds, to about a second and the way's time; None: none came."""
    failure: Failure | None = None
    """Why there was no answer."""
