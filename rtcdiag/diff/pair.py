"""Two reports side by side, and what of them can be compared at all."""

from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from rtcdiag.address import Scope, scope_of
from rtcdiag.report import Report, started_at_s
from rtcdiag.targets import UriError, parse_server


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The earlier and the later report, both diagnosed with today's rules."""

    before: Report
    after: Report

    @property
    def _shares_key(self) -> bool:
        key_id = self.before.redaction.key_id
        return key_id is not None and key_id == self.after.redaction.key_id

    @property
    def _levels(self) -> tuple[str, str]:
        return self.before.redaction.level, self.after.redaction.level

    @property
    def same_names(self) -> bool:
        """Whether equal names of servers are equal in both."""
        return "strict" not in self._levels or (self._levels == ("strict", "strict") and self._shares_key)

    @property
    def same_addresses(self) -> bool:
        """Whether equal addresses are equal in both."""
        return self._levels == ("none", "none") or ("none" not in self._levels and self._shares_key)

    def same_server(self, uri: str) -> bool:
        """Tell whether a server's URI means the same server in both: an address in it may be a pseudonym in one."""
        return self.same_names and (self.same_addresses or not _by_address(uri))

    @property
    def same_question(self) -> bool:
        """Whether what only one of them says can be news: one command, and neither was cut short."""
        return self.before.command == self.after.command and not (self.before.interrupted or self.after.interrupted)

    def asked(self, report: Report, uri: str) -> bool:
        """Tell whether a report asked a server."""
        return uri in report.options.targets or any(row.uri == uri for row in report.servers)

    @property
    def notes(self) -> Iterator[str]:
        """Yield what limits the comparison."""
        if started_at_s(self.after.started_at) < started_at_s(self.before.started_at):
            yield "B is older than A: what is new in B may be what has gone since"
        if self.before.command != self.after.command:
            commands = f"A is a report of {self.before.command}, B of {self.after.command}"
            yield f"{commands}: what only one of them tests is neither better nor worse"
        for name, report in (("A", self.before), ("B", self.after)):
            if report.interrupted:
                yield f"{name} was interrupted: what only the other one says is neither better nor worse"
            if report.redaction.withheld:
                yield f"of {name}, evidence was left out when it was redacted: its saved verdict counts"
        if not self.same_names:
            yield "the names of servers were replaced in one report, or with different keys: servers are not compared"
        elif not self.same_addresses and self._levels != ("none", "none"):
            yield "addresses were replaced in one report, or with different keys: they are not compared"
            if any(_by_address(row.uri) for report in (self.before, self.after) for row in report.servers):
                yield "servers that have a public address in place of a name are not compared either"


def _by_address(uri: str) -> bool:
    """Tell whether a server is named by an address that redaction replaces."""
    try:
        server = parse_server(uri)
    except UriError:
        return False
    return server.ip_literal and scope_of(ip_address(server.host)) is Scope.GLOBAL
