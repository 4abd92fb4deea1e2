"""What an emulated NAT does, and how to say it in a line.

A specification is a first word and flags, with spaces between; a later flag stands over an earlier one. The first
word is a preset's name (``presets.toml``) or one of:

====================  =================================================================================================
MAPPING/FILTERING     a NAT: ``eim``, ``adm`` or ``apdm``, then ``eif``, ``adf`` or ``apdf`` (RFC 4787 sections 4.1, 5)
firewall[/FILTERING]  no translation, but only answers get in (``apdf`` unless said)
none                  a plain router
====================  =================================================================================================

==================  =============================================================================  ====================
flag                values                                                                         unless said
==================  =============================================================================  ====================
mapping=            eim, adm, apdm: over a preset's                                                as the first word
filtering=          eif, adf, apdf: over a preset's                                                as the first word
port=               preserving, overloading (one port for many, of different remotes), random,     preserving
                    sequential[:STEP], block[:SIZE] (RFC 7422)
ports=              LOW-HIGH, the ports to choose from                                             1024-65535
parity=             yes, no: an even port stays even (RFC 4787 section 4.2.2)                      no
pool=               how many external addresses, 1 to 64                                           1
pooling=            paired, arbitrary (RFC 4787 section 4.1)                                       paired
hairpin=            none, internal, external: the source that the receiver sees                    none
lifetime=           of an idle UDP mapping and of what the filter remembers: 30s, 5m               300s
refresh=            outbound, inbound, both: what keeps a mapping alive (RFC 4787 section 4.3)     outbound
inbound=            what is not let in: dropped, or tracked (then its port is taken, as by Linux)  dropped
restart=            everything is forgotten so often: 60s                                          never
udp=, tcp=          open, blocked, or the only ports of servers that pass: 53,443                  open
blocked=            what does not pass is told: silent, prohibited or unreachable (ICMP)           silent
icmp=               open, blocked (then a packet that is too big vanishes without a word)          open
fragments=          open, blocked                                                                  open
alg=                yes, no: rewrite addresses inside UDP payloads (RFC 8489 section 14.2 on why)  no
mtu=                bytes, 68 to 65535: larger packets are fragmented or refused                   none
v6=                 firewall, none, nat66 (one address), prefix (RFC 6296's idea), blocked         firewall
loss=               5%                                                                             0%
burst=              mean number of packets lost in a row, 1 or more (Gilbert-Elliott)              lost independently
delay=, jitter=     20ms: one way; jitter is added or taken off evenly and keeps the order         0ms
reorder=, hold=     20%, 30ms: that share of packets is held back so long that later ones overtake 0%, 20ms
duplicate=          1%                                                                             0%
==================  =============================================================================  ====================

``none`` as first word makes ``v6=none`` the default. The flags from ``loss`` on hold for both directions, with
``up-`` (to the outside) or ``down-`` before them for one.
"""

import tomllib
from functools import lru_cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Literal

import msgspec

from rtcdiag.lab.grammar import ENDS, FILTERINGS, MAPPINGS, SpecError, nearest, read_flag
from rtcdiag.nat import Behavior, Pooling

__all__ = ["Addresses", "Link", "NatSpec", "Preset", "SpecError", "parse_spec", "presets"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to packets in one direction; shares are from 0 to 1."""

    loss: float = 0.0
    burst: float | None = None
    """Mean number of packets lost in a row, None where each is lost independently."""
    delay_s: float = 0.0
    jitter_s: float = 0.0
    reorder: float = 0.0
    hold_s: float = 0.02
    duplicate: float = 0.0


class NatSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an emulated NAT, firewall or router does."""

    kind: Literal["nat", "firewall", "none"] = "nat"
    mapping: Behavior = "endpoint-independent"
    filtering: Behavior = "address-and-port-dependent"
    port: Literal["preserving", "overloading", "random", "sequential", "block"] = "preserving"
    port_step: int = 1
    """Between one sequential port and the next; may be negative."""
    block_size: int = 512
    ports: tuple[int, int] = (1024, 65535)
    """The lowest and the highest external port that is chosen."""
    parity: bool = False
    pool: int = 1
    """Number of external IPv4 addresses."""
    pooling: Pooling = "paired"
    hairpin: Literal["none", "internal", "external"] = "none"
    lifetime_s: float = 300.0
    refresh: Literal["outbound", "inbound", "both"] = "outbound"
    inbound: Literal["dropped", "tracked"] = "dropped"
    restart_s: float | None = None
    udp: tuple[int, ...] | None = None
    """The ports of servers that can be talked to over UDP: all when None."""
    tcp: tuple[int, ...] | None = None
    blocked: Literal["silent", "prohibited", "unreachable"] = "silent"
    icmp: bool = True
    fragments: bool = True
    alg: bool = False
    mtu: int | None = None
    v6: Literal["firewall", "none", "nat66", "prefix", "blocked"] = "firewall"
    up: Link = Link()
    down: Link = Link()


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where a middlebox stands."""

    inside: tuple[IPv4Network, ...]
    external: tuple[IPv4Address, ...] = ()
    """At least as many as ``NatSpec.pool``, of a NAT."""
    inside6: IPv6Network | None = None
    external6: IPv6Network | None = None
    """For ``v6=nat66``, whose address is the first one of it, and ``v6=prefix``, which takes it for ``inside6``."""
    routers: tuple[IPv4Address | IPv6Address, ...] = ()
    """Its own addresses on the inside; of a family that has none here, the first ones of the inside networks."""


class Preset(msgspec.Struct, frozen=True):
    """A NAT that people know by name."""

    spec: str
    about: str


@lru_cache(maxsize=1)
def presets() -> dict[str, Preset]:
    """Return all presets by name, in the order of the file."""
    text = files("rtcdiag.lab").joinpath("presets.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Preset])


def parse_spec(text: str) -> NatSpec:
    """Return the specification that ``text`` says; raise SpecError with one line that names the wrong word."""
    first, *flags = text.split() or [""]
    if preset := presets().get(first):
        first, *settled = preset.spec.split()
        flags = settled + flags
    fields = _first_word(first)
    for flag in flags:
        fields |= read_flag(flag)
    return _consistent(_build(fields))


def _first_word(word: str) -> dict[str, Any]:
    if word == "none":
        return {"kind": "none", "filtering": "endpoint-independent", "v6": "none"}
    left, slash, right = word.partition("/")
    if left == "firewall" and (not slash or right in FILTERINGS):
        return {"kind": "firewall", "filtering": FILTERINGS[right or "apdf"]}
    if left in MAPPINGS and right in FILTERINGS:
        return {"kind": "nat", "mapping": MAPPINGS[left], "filtering": FILTERINGS[right]}
    if "/" not in word and (near := nearest(word, presets())):
        raise SpecError(f'"{word}" is no NAT: did you mean {near}? (rtcdiag lab presets lists all that have a name)')
    raise SpecError(
        f'"{word}" is no NAT: say MAPPING/FILTERING (eim, adm, apdm; eif, adf, apdf), '
        f"firewall[/FILTERING], none, or a preset: {', '.join(presets())}"
    )


def _build(fields: dict[str, Any]) -> NatSpec:
    links: dict[str, dict[str, Any]] = {end: {} for end in ENDS}
    plain: dict[str, Any] = {}
    for name, value in fields.items():
        end, dot, rest = name.partition(".")
        (links[end] if dot else plain)[rest or name] = value
    return NatSpec(**plain, up=Link(**links["up"]), down=Link(**links["down"]))


def _consistent(spec: NatSpec) -> NatSpec:
    for end, link in (("up", spec.up), ("down", spec.down)):
        if link.burst is not None and link.loss > link.burst / (link.burst + 1):
            raise SpecError(
                f'"burst={link.burst:g}" cannot lose {link.loss:.0%} {end}: say {link.loss / (1 - link.loss):g} or more'
                if link.loss < 1
                else f'"burst={link.burst:g}" cannot lose everything {end}: leave burst out'
            )
    low, high = spec.ports
    if spec.port == "block" and spec.block_size > high - low + 1:
        raise SpecError(f'"block:{spec.block_size}" does not fit into ports={low}-{high}: say {high - low + 1} or less')
    return spec
