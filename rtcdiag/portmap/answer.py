"""What a router answers over NAT-PMP or PCP."""

from ipaddress import IPv4Address

import msgspec

PORT = 5351
"""Of NAT-PMP and PCP servers (RFC 6886 section 3, RFC 6887 section 19)."""


class PortmapAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded response."""

    version: int
    """Of the protocol that the answer is in: 0 is NAT-PMP, 2 is PCP. Each refuses the other in its own words."""
    result: int
    """0 is success; the meaning of the others depends on ``version``."""
    epoch_s: int | None = None
    """Seconds since the server lost its mappings."""
    external: IPv4Address | None = None
    """What NAT-PMP gives as the router's external address; may be any nonsense."""

    @property
    def result_name(self) -> str:
        """The name that the RFC gives to the result, ``UNKNOWN`` where it gives none."""
        names = _PCP_RESULTS if self.version == 2 else _NAT_PMP_RESULTS
        return names.get(self.result, "UNKNOWN")


# RFC 6886 section 3.5, in the spelling of RFC 6887, so that both have one word for the same.
_NAT_PMP_RESULTS = {
    0: "SUCCESS",
    1: "UNSUPP_VERSION",
    2: "NOT_AUTHORIZED",
    3: "NETWORK_FAILURE",
    4: "NO_RESOURCES",
    5: "UNSUPP_OPCODE",
}

# RFC 6887 section 7.4.
_PCP_RESULTS = {
    0: "SUCCESS",
    1: "UNSUPP_VERSION",
    2: "NOT_AUTHORIZED",
    3: "MALFORMED_REQUEST",
    4: "UNSUPP_OPCODE",
    5: "UNSUPP_OPTION",
    6: "MALFORMED_OPTION",
    7: "NETWORK_FAILURE",
    8: "NO_RESOURCES",
    9: "UNSUPP_PROTOCOL",
    10: "USER_EX_QUOTA",
    11: "CANNOT_PROVIDE_EXTERNAL",
    12: "ADDRESS_MISMATCH",
    13: "EXCESSIVE_REMOTE_PEERS",
}
