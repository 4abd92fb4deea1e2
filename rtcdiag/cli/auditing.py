"""What ``audit-turn`` does: say whom it is about to ask what, ask, and judge a configuration beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rtcdiag.cli.asking import Question
from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.options import Judgement, Network, Output, Redacting, Servers

if TYPE_CHECKING:
    from rtcdiag.evidence import TurnConfig
    from rtcdiag.options import RunOptions
    from rtcdiag.targets import Server

_EXPIRED_S = 60
"""How long ago the credential expired that has to be refused."""


class Audit(NamedTuple):
    """One command line of ``audit-turn``."""

    is_own: bool
    config: str | None
    version: str | None
    output: Output
    redacting: Redacting
    servers: Servers
    network: Network
    judgement: Judgement
    uris: Sequence[str]

    @property
    def question(self) -> Question:
        """The part that it has in common with other commands."""
        return Question(
            "audit-turn", self.output, self.servers, self.network, self.judgement, uris=self.uris, only="turn"
        )

    @property
    def names_servers(self) -> bool:
        """Whether anybody is to be asked."""
        return bool(self.uris or self.servers.server or self.servers.ice_servers)


def audit(asked: Audit) -> int:
    """Run the command and return its exit code."""
    from rtcdiag.cli.exits import exit_code
    from rtcdiag.cli.outputs import deliver, destinations
    from rtcdiag.cli.recording import recorded
    from rtcdiag.cli.redacting import redactor

    servers = _named(asked)
    if asked.network.list_contacts:
        return _list_contacts(asked, servers)
    options, files = _options(asked, servers), destinations(asked.output)
    redact = redactor(asked.redacting)
    config = _config(asked)
    servers = _with_credentials(asked, servers)
    from rtcdiag.cli.running import run  # it imports every probe: not before the input is known to be good

    _say_scope(servers, named=asked.redacting.redact == "none")
    quiet = asked.output.quiet
    with recorded(asked.network.pcap, quiet=quiet) as capture:
        found, signal = run("audit-turn", servers, options, capture, quiet=quiet, given=config)
    deliver(redact(found), asked.output, files)
    judgement = asked.judgement
    return exit_code(found, fail_on=judgement.fail_on, require=judgement.require or (), signal=signal)


def _named(asked: Audit) -> "tuple[Server, ...]":
    """Return the servers, none of which may be anybody else's."""
    from rtcdiag.cli.audit_guard import refuse_public
    from rtcdiag.cli.servers import named_servers
    from rtcdiag.cli.services import service_of

    if not asked.names_servers:
        if asked.config is None:
            raise BadInputError("nothing to audit (write rtcdiag audit-turn turn:HOST, or --config turnserver.conf)")
        return ()
    if service_of(asked.servers) is not None:
        raise BadInputError("--ice-servers: audit-turn asks the servers that you own (save the list in a file first)")
    servers = named_servers(asked.servers, asked.uris, only="turn")
    refuse_public(servers)
    if not asked.is_own and not asked.network.list_contacts:
        raise BadInputError(f"{servers[0].uri}: add --i-own-this-server if you run it, else do not audit it")
    return servers


def _list_contacts(asked: Audit, servers: "tuple[Server, ...]") -> int:
    from rtcdiag.cli.contacts import print_contacts

    uris = [server.uri for server in servers]
    return print_contacts(uris, control=False, look_up=False, gateway=False, ports=False, output=asked.output)


def _options(asked: Audit, servers: "tuple[Server, ...]") -> "RunOptions":
    """Return the options of the run; without a deadline of the user's it is as long as an audit may take."""
    from msgspec.structs import replace

    from rtcdiag.cli.checking import run_options

    options = run_options(asked.question)
    return options if asked.network.deadline is not None or not servers else replace(options, deadline_ms=_LONGEST_MS)


_LONGEST_MS = 900_000.0
"""Every question may be repeated once and wait for its answer in vain; it still ends."""


def _config(asked: Audit) -> "tuple[TurnConfig, ...]":
    from rtcdiag.audit.conf import MAX_BYTES, ConfError, parse
    from rtcdiag.audit.flaws import version_of
    from rtcdiag.cli.files import STDIN, read_bytes
    from rtcdiag.evidence import TurnConfig

    if asked.config is None:
        if asked.version is not None:
            raise BadInputError(f"--coturn-version {asked.version}: says what --config is for, which is not given")
        return ()
    try:
        if asked.version is not None:
            version_of(asked.version)
    except ValueError:
        raise BadInputError(f"--coturn-version {asked.version}: not a version (write 4.6.1)") from None
    data = read_bytes(asked.config, what="--config", limit=MAX_BYTES)
    try:
        lines = parse(data)
    except ConfError as error:
        raise BadInputError(f"--config {asked.config}: {error}") from None
    name = "standard input" if asked.config == STDIN else Path(asked.config).name
    return (TurnConfig(t_ms=0.0, name=name, version=asked.version, lines=lines),)


def _with_credentials(asked: Audit, servers: "tuple[Server, ...]") -> "tuple[Server, ...]":
    """Give the servers the user's credentials, and where there is a secret an expired one as well."""
    from rtcdiag.cli.servers import with_credential

    found = with_credential(servers, asked.servers) if servers else ()
    name = asked.servers.secret_file
    if name is None or not found:
        return found
    import time

    from msgspec.structs import replace

    from rtcdiag.cli.files import STDIN
    from rtcdiag.cli.secrets import secret_of
    from rtcdiag.stun.credentials import mint

    if name == STDIN:
        return found
    secret = secret_of(name, "--secret-file")
    expired = mint(secret, asked.servers.username or "rtcdiag", int(time.time()) - _EXPIRED_S)
    return tuple(replace(server, expired_credential=expired) for server in found)


def _say_scope(servers: "tuple[Server, ...]", *, named: bool) -> None:
    """Say before anything is sent who is asked what: also where nothing else is to be said.

    Not ``named`` they are where the report is not to name them.
    """
    from rtcdiag.audit.peers import CHANNEL_PEERS, PEERS, audit_seconds
    from rtcdiag.cli.streams import say

    for number, server in enumerate(servers, 1):
        if server.credential is None:
            what = "what a stranger may ask (give credentials to ask about peers)"
        else:
            what = f"permissions for {len(PEERS)} fixed peers and its own addresses, {len(CHANNEL_PEERS)} channels"
        whom = server.uri if named else f"server {number}"
        say(f"rtcdiag: auditing {whom}: {what}, and logins; one packet a second; nothing is sent to any peer")
    if servers:
        say(f"rtcdiag: this takes about {audit_seconds(servers)} s; Ctrl-C ends it and releases everything")
