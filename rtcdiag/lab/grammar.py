"""The flags of a specification: what each may say, and what it then sets."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

from rtcdiag.nat import Behavior

MAPPINGS: dict[str, Behavior] = {
    "eim": "endpoint-independent",
    "adm": "address-dependent",
    "apdm": "address-and-port-dependent",
}
FILTERINGS: dict[str, Behavior] = {
    "eif": "endpoint-independent",
    "adf": "address-dependent",
    "apdf": "address-and-port-dependent",
}
ENDS: tuple[Literal["up"], Literal["down"]] = ("up", "down")
"""The two directions: to the outside, to the inside."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DAY_S = 86400.0
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_T = TypeVar("_T")


class SpecError(ValueError):
    """A specification that says nothing that a NAT could do; one line that names the word and what is allowed."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.7)), None)


def _one_of(choices: dict[str, _T]) -> Callable[[str], _T]:
    return choices.__getitem__


def _word(*words: str) -> Callable[[str], str]:
    return _one_of({word: word for word in words})


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,6}", text):
        raise ValueError(text)
    return int(text)


def _between(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = _integer(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return read


_port = _between(1, 65535)


def _decimal(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _share(text: str) -> float:
    percent = _decimal(text.removesuffix("%"))
    if not text.endswith("%") or percent > 100:
        raise ValueError(text)
    return percent / 100


def _seconds(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+)(ms|s|m|h)", text)
    if not match:
        raise ValueError(text)
    seconds = _decimal(match[1]) * _SECONDS[match[2]]
    if seconds > _DAY_S:
        raise ValueError(text)
    return seconds


def _positive_seconds(text: str) -> float:
    if (seconds := _seconds(text)) <= 0:
        raise ValueError(text)
    return seconds


def _mean_burst(text: str) -> float:
    if (burst := _decimal(text)) < 1:
        raise ValueError(text)
    return burst


def _passage(text: str) -> tuple[int, ...] | None:
    if text in {"open", "blocked"}:
        return None if text == "open" else ()
    return tuple(_port(word) for word in text.split(","))


def _port_range(text: str) -> tuple[int, int]:
    low, high = map(_port, text.split("-"))
    if low > high:
        raise ValueError(text)
    return low, high


def _assignment(text: str) -> dict[str, Any]:
    how, colon, detail = text.partition(":")
    if not colon:
        return {"port": _word("preserving", "overloading", "random", "sequential", "block")(how)}
    if how == "block":
        return {"port": "block", "block_size": _between(1, 65535)(detail)}
    if how != "sequential" or not 0 < abs(step := _integer(detail)) < 10000:
        raise ValueError(text)
    return {"port": "sequential", "port_step": step}


_PERCENT = "a share such as 5%"
_TIME = "a time such as 20ms, 30s or 5m"
_PASSAGE = "open, blocked, or ports that pass such as 53,443"
_SWITCH = {"yes": True, "no": False}
_OPEN = {"open": True, "blocked": False}

_FLAGS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "mapping": ("mapping", _one_of(MAPPINGS), "eim, adm or apdm"),
    "filtering": ("filtering", _one_of(FILTERINGS), "eif, adf or apdf"),
    "ports": ("ports", _port_range, "a range such as 40000-49999"),
    "parity": ("parity", _one_of(_SWITCH), "yes or no"),
    "pool": ("pool", _between(1, 64), "a number from 1 to 64"),
    "pooling": ("pooling", _word("paired", "arbitrary"), "paired or arbitrary"),
    "hairpin": ("hairpin", _word("none", "internal", "external"), "none, internal or external"),
    "lifetime": ("lifetime_s", _positive_seconds, _TIME),
    "refresh": ("refresh", _word("outbound", "inbound", "both"), "outbound, inbound or both"),
    "inbound": ("inbound", _word("dropped", "tracked"), "dropped or tracked"),
    "restart": ("restart_s", _positive_seconds, _TIME),
    "udp": ("udp", _passage, _PASSAGE),
    "tcp": ("tcp", _passage, _PASSAGE),
    "blocked": ("blocked", _word("silent", "prohibited", "unreachable"), "silent, prohibited or unreachable"),
    "icmp": ("icmp", _one_of(_OPEN), "open or blocked"),
    "fragments": ("fragments", _one_of(_OPEN), "open or blocked"),
    "alg": ("alg", _one_of(_SWITCH), "yes or no"),
    "mtu": ("mtu", _between(68, 65535), "a number of bytes from 68 to 65535"),
    "v6": ("v6", _word("firewall", "none", "nat66", "prefix", "blocked"), "firewall, none, nat66, prefix or blocked"),
}
_ASSIGNMENTS = "preserving, overloading, random, sequential[:STEP] or block[:SIZE]"
_LINK_FLAGS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "loss": ("loss", _share, _PERCENT),
    "burst": ("burst", _mean_burst, "a number of packets, 1 or more"),
    "delay": ("delay_s", _seconds, _TIME),
    "jitter": ("jitter_s", _seconds, _TIME),
    "reorder": ("reorder", _share, _PERCENT),
    "hold": ("hold_s", _seconds, _TIME),
    "duplicate": ("duplicate", _share, _PERCENT),
}


def read_flag(flag: str) -> dict[str, Any]:
    """Return what one flag sets: fields of NatSpec, and with ``up.`` or ``down.`` before them those of a Link."""
    name, _, text = flag.partition("=")
    if name == "port":
        return _read(flag, _assignment, text, _ASSIGNMENTS)
    if name in _FLAGS:
        field, read, allowed = _FLAGS[name]
        return {field: _read(flag, read, text, allowed)}
    end, dash, bare = name.partition("-")
    ends, bare = ((end,), bare) if dash and end in ENDS else (ENDS, name)
    if bare not in _LINK_FLAGS:
        names = ("port", *_FLAGS, *_LINK_FLAGS)
        if near := nearest(bare, names):
            raise SpecError(f'"{flag}" is no flag: did you mean {near}=?')
        raise SpecError(f'"{flag}" is no flag: say NAME=VALUE, with a name from {", ".join(names)}')
    field, read, allowed = _LINK_FLAGS[bare]
    value = _read(flag, read, text, allowed)
    return {f"{end}.{field}": value for end in ends}


def _read(flag: str, read: Callable[[str], _T], text: str, allowed: str) -> _T:
    try:
        return read(text)
    except (ValueError, KeyError):
        raise SpecError(f'"{flag}" is not possible: say {allowed}') from None
