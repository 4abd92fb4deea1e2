"""What every observation has, and the closed list of ways in which a network operation fails."""

from enum import StrEnum

import msgspec


class Failure(StrEnum):
    """Why an operation gave no result. One word each; ``net.py`` is the only translator from exceptions."""

    # transport
    TIMEOUT = "timeout"
    """Nothing came back within the bound; alone it does not tell who is silent."""
    CONNECTION_REFUSED = "connection-refused"
    """TCP reset to a SYN, or ICMP port unreachable to a UDP datagram."""
    CONNECTION_RESET = "connection-reset"
    CONNECTION_CLOSED = "connection-closed"
    """The other end closed the stream before it answered."""
    HOST_UNREACHABLE = "host-unreachable"
    NETWORK_UNREACHABLE = "network-unreachable"
    """No route from this computer."""
    PERMISSION_DENIED = "permission-denied"
    """This computer's own firewall or sandbox forbade it (EPERM, EACCES)."""
    ADMIN_PROHIBITED = "admin-prohibited"
    """Somebody on the way, and not the destination, said by ICMP that it does not let this through."""
    ADDRESS_UNAVAILABLE = "address-unavailable"
    """The local address or port could not be bound."""
    MESSAGE_TOO_LONG = "message-too-long"
    OTHER_OS_ERROR = "other-os-error"
    # name resolution
    DNS_NOT_FOUND = "dns-not-found"
    """The name does not exist (NXDOMAIN)."""
    DNS_NO_ADDRESS = "dns-no-address"
    """The name exists, but has no address of this family."""
    DNS_FAILURE = "dns-failure"
    """The resolver could not answer (SERVFAIL, no resolver, refused)."""
    DNS_TIMEOUT = "dns-timeout"
    # TLS
    TLS_CERTIFICATE_EXPIRED = "tls-certificate-expired"
    TLS_CERTIFICATE_NOT_YET_VALID = "tls-certificate-not-yet-valid"
    TLS_HOSTNAME_MISMATCH = "tls-hostname-mismatch"
    TLS_CHAIN_INCOMPLETE = "tls-chain-incomplete"
    TLS_SELF_SIGNED = "tls-self-signed"
    TLS_UNKNOWN_AUTHORITY = "tls-unknown-authority"
    TLS_CERTIFICATE_WEAK = "tls-certificate-weak"
    """A key or a signature of the chain is one that can be forged."""
    TLS_CERTIFICATES_TOO_LARGE = "tls-certificates-too-large"
    """A message of the handshake, as only that with the certificates can, is longer than clients read (100 KiB)."""
    TLS_CERTIFICATE_INVALID = "tls-certificate-invalid"
    """Another reason of the verifier; its words stand in the observation."""
    TLS_PROTOCOL_VERSION = "tls-protocol-version"
    TLS_HANDSHAKE = "tls-handshake"
    """The other end speaks TLS but refused this handshake."""
    TLS_NOT_SPOKEN = "tls-not-spoken"
    """What came back to the ClientHello was not TLS."""
    # what came back on a STUN connection
    NOT_STUN = "not-stun"
    NOT_STUN_HTTP = "not-stun-http"
    NOT_STUN_TLS = "not-stun-tls"
    """A TLS record came back to plain STUN."""
    # what came back to a request of the web
    NOT_HTTP = "not-http"
    """No HTTP response, a broken one, or one without end."""
    # the run
    DEADLINE = "deadline"
    """The run's deadline came before the answer."""
    INTERRUPTED = "interrupted"
    """The user ended the run before the answer."""


class Observation(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=False):
    """One fact that a probe saw. Subclasses are the kinds; the class name is the ``kind`` in JSON."""

    id: str = ""
    """``obs-12``: given when the run ends, in the order of the plan, so that findings can point at it."""
    t_ms: float
    """When it began, in milliseconds from the start of the run (monotonic clock)."""
    duration_ms: float | None = None
    """How long it took, in milliseconds."""
