"""What changed of the network: the verdict, the NAT of each family, and the candidates."""

from collections.abc import Iterator

from rtcdiag.diff.pair import Pair
from rtcdiag.diff.value import Direction, ValueChange, direction_of, words_of
from rtcdiag.nat import BEHAVIORS, Nat
from rtcdiag.report import CandidateRow, Report

STATUSES = ("healthy", "degraded", "broken")
DIRECT = ("likely", "depends-on-peer", "relay-needed", "blocked")
"""The best first; a confirmed path is ``likely`` here, as what only a test of two can tell is no change."""
_YES_FIRST, _NO_FIRST = ("yes", "no"), ("no", "yes")
_NAT: dict[str, tuple[str, tuple[str, ...]]] = {
    "behind_nat": ("behind a NAT", _NO_FIRST),
    "mapping": ("mapping", BEHAVIORS),
    "filtering": ("filtering", BEHAVIORS),
    "firewall": ("firewall", _NO_FIRST),
    "pooling": ("pooling", ("paired", "arbitrary")),
    "port_assignment": ("choice of ports", ()),
    "hairpinning": ("hairpinning", _YES_FIRST),
    "lifetime_s": ("mapping lifetime in seconds, at least", ()),
    "fragments_outbound": ("fragments on their way out", _YES_FIRST),
    "fragments_inbound": ("fragments on their way in", _YES_FIRST),
    "alg": ("addresses rewritten inside packets", _NO_FIRST),
    "cgnat": ("carrier-grade NAT", _NO_FIRST),
    "layers": ("NATs in a row", ()),
    "nat64": ("NAT64", ()),
}
"""By field of a NAT: its name, and its values, the best first."""


def verdict_changes(pair: Pair) -> Iterator[ValueChange]:
    """Yield status and directness, over all and for each family."""
    before, after = pair.before.verdict, pair.after.verdict
    if before.status != after.status:
        yield _verdict("status", before.status, after.status, direction_of(before.status, after.status, STATUSES))
    families = sorted(before.by_family.keys() | after.by_family.keys())
    told = [("direct P2P", before.direct_p2p, after.direct_p2p)]
    told += [
        (
            f"direct P2P over {family.replace('ip', 'IP')}",
            before.by_family.get(family, "not-tested"),
            after.by_family.get(family, "not-tested"),
        )
        for family in families
    ]
    for what, one, two in told:
        if one != two:
            yield _verdict(what, one, two, direction_of(_directness(one), _directness(two), DIRECT))


def _directness(direct: str) -> str:
    return "likely" if direct == "confirmed" else direct


def _verdict(what: str, before: str, after: str, direction: Direction) -> ValueChange:
    return ValueChange(where="verdict", what=what, before=before, after=after, direction=direction)


def nat_changes(pair: Pair) -> Iterator[ValueChange]:
    """Yield what changed of the NATs that both reports describe."""
    nats = (pair.before.nat, pair.after.nat)
    for family, one, two in (("IPv4", nats[0].ipv4, nats[1].ipv4), ("IPv6", nats[0].ipv6, nats[1].ipv6)):
        if one is not None and two is not None:
            yield from _nat(f"NAT over {family}", one, two, pair)


def _nat(where: str, one: Nat, two: Nat, pair: Pair) -> Iterator[ValueChange]:
    for field, (what, best_first) in _NAT.items():
        before, after = words_of(getattr(one, field)), words_of(getattr(two, field))
        if before != after:
            direction = direction_of(before, after, best_first)
            yield ValueChange(where=where, what=what, before=before, after=after, direction=direction)
    if pair.same_addresses:
        before, after = _hosts(one), _hosts(two)
        if before != after:
            yield ValueChange(where=where, what="public address", before=before, after=after)


def _hosts(nat: Nat) -> str:
    return ", ".join(sorted({address.host for address in nat.mapped})) or "not known"


def candidate_changes(pair: Pair) -> Iterator[ValueChange]:
    """Yield the kinds of candidates that only one report has, and those at other addresses."""
    if "candidates" not in (pair.before.command, pair.after.command) and not (
        pair.before.candidates and pair.after.candidates
    ):
        return
    before, after = _by_kind(pair.before, pair), _by_kind(pair.after, pair)
    both_asked = _both_asked(pair)
    for kind in sorted(before.keys() | after.keys()):
        one, two = before.get(kind, set()), after.get(kind, set())
        if one == two or (one and two and not pair.same_addresses):
            continue
        relay = kind.startswith("relay") and pair.same_question and not (one and two) and both_asked[kind]
        yield ValueChange(
            where="candidates",
            what=kind,
            before=", ".join(sorted(one)) or "none",
            after=", ".join(sorted(two)) or "none",
            direction=("better" if two else "worse") if relay else "neither",
        )


def _by_kind(report: Report, pair: Pair) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in report.candidates:
        found.setdefault(_kind(row, pair), set()).add(row.address.host)
    return found


def _both_asked(pair: Pair) -> dict[str, bool]:
    """Tell of each kind whether both asked its server: a relay of one that only one report asked is no news."""
    found: dict[str, bool] = {}
    for row in (*pair.before.candidates, *pair.after.candidates):
        named = row.server if row.server and pair.same_server(row.server) else None
        asked = named is None or all(pair.asked(report, named) for report in (pair.before, pair.after))
        found[_kind(row, pair)] = asked
    return found


def _kind(row: CandidateRow, pair: Pair) -> str:
    over = f", asked over {row.relay_protocol}," if row.relay_protocol else ""
    server = f" from {row.server}" if row.server and pair.same_server(row.server) else ""
    words = f"{row.type} over {row.address.family.value.replace('ip', 'IP')} {row.protocol}{over}{server}"
    return words.removesuffix(",")
