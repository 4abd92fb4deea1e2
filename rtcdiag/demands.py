"""What is demanded of servers that are watched: how deep they are checked, and from where on a figure is too bad."""

from typing import Literal, get_args

import msgspec

Depth = Literal["reach", "auth", "relay", "quality"]
DEPTHS: tuple[Depth, ...] = get_args(Depth)
"""Each does all of the one before: a Binding; an allocation; data through the relay; packets at the rate of a call."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is measured of a server, in the unit of its name."""

    words: str
    """How a sentence calls it."""
    unit: str
    warning: float | None = None
    """From where on it is worth a warning, unless the user says otherwise; None where rules judge it already."""
    critical: float | None = None
    low_is_bad: bool = False
    """Whether it is too little, and not too much, that is bad: what is left of a life."""


FIGURES: dict[str, Figure] = {
    "dns_ms": Figure(words="the look-up of the name", unit="ms", warning=200, critical=1000),
    "connect_ms": Figure(words="the TCP connection", unit="ms", warning=300, critical=1000),
    "tls_ms": Figure(words="the TLS handshake", unit="ms", warning=500, critical=2000),
    "binding_ms": Figure(words="a Binding", unit="ms", warning=300, critical=800),
    "allocate_ms": Figure(words="the allocation", unit="ms", warning=500, critical=2000),
    "rtt_ms": Figure(words="the way through the relay and back", unit="ms", warning=300, critical=800),
    "jitter_ms": Figure(words="the jitter through the relay", unit="ms", critical=100),
    "loss_percent": Figure(words="the loss through the relay", unit="%", critical=5),
    "certificate_days": Figure(words="what is left of the certificate", unit="days", critical=7, low_is_bad=True),
    "credential_s": Figure(words="what is left of the credentials", unit="s", low_is_bad=True),
}
"""By the name that configurations, JSON and metrics share. Jitter, loss and lives have rules that warn earlier."""


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """From where on a figure is a warning, and from where on a failure; None: never."""

    warning: float | None = None
    critical: float | None = None


Thresholds = dict[str, Threshold]
"""By the name of the figure; one that is missing has its defaults."""
