"""What was asked: the servers as the user named them, before any packet."""

from typing import Literal

import msgspec

from rtcdiag.evidence.base import Observation
from rtcdiag.targets import Transport


class CredentialShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a username tells of itself. The username and the password are never evidence."""

    form: Literal["static", "time-limited"]
    """``time-limited``: the username carries a UNIX time stamp (coturn's ``use-auth-secret``)."""
    expires_at: float | None = None
    """UNIX seconds, from the username."""


class Target(Observation, frozen=True, kw_only=True, tag=True):
    """A server that was to be asked, as its URI says (RFC 7064, RFC 7065)."""

    server: str
    """The URI as written; the join key of all evidence about this server."""
    protocol: Literal["stun", "turn"]
    host: str
    """A name, or an IP address without brackets."""
    port: int
    transport: Transport
    ip_literal: bool
    ignored_query: str | None = None
    """A query that the scheme does not have (``stun:…?transport=udp``)."""
    credential: CredentialShape | None = None
    """None: no username and password were given."""
    origin: Literal["user", "default"] = "user"
    """Whether the user named it or it is of the documented default list."""
    via: str | None = None
    """The HTTP proxy through which it was asked, beside the direct way; None: directly. ``server`` names it too."""


class Skipped(Observation, frozen=True, kw_only=True, tag=True):
    """Something that this run did not test, and why."""

    what: str
    why: str
