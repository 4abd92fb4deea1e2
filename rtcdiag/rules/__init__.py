"""Evidence to findings: pure functions, one file a subject. A rule sees all the evidence and has no clock."""

from collections.abc import Callable, Iterable

from rtcdiag.evidence import Evidence
from rtcdiag.findings import Finding
from rtcdiag.rules import (
    allocation,
    behavior,
    candidates,
    data_path,
    dns,
    firewall,
    gateway,
    ice,
    ipv6,
    nat,
    network,
    quality,
    reach,
    relay,
    run,
    stun,
    tls,
    turn_auth,
    turn_config,
    web,
    wire,
)

__all__ = ["RULES", "Rule"]

Rule = Callable[[Evidence], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    run.crashed,
    run.deadline,
    run.clock,
    run.surroundings,
    turn_config.entry,
    turn_config.credentials,
    dns.names,
    web.captive_portal,
    web.all_names_alike,
    web.proxy,
    network.network,
    network.only_this_computer,
    firewall.local_firewall,
    reach.reachable,
    tls.handshake,
    wire.wire,
    wire.integrity,
    stun.binding,
    stun.quality,
    stun.software,
    stun.rewritten,
    stun.outvoted,
    behavior.change_request,
    behavior.other_address,
    behavior.origin,
    behavior.no_behavior_server,
    turn_auth.challenge,
    turn_auth.credentials_refused,
    allocation.granted,
    relay.relayed_address,
    relay.permission,
    data_path.data,
    data_path.refresh,
    ice.agents,
    quality.quality,
    nat.nat_facts,
    gateway.gateway,
    ipv6.silent,
    ipv6.addresses,
    candidates.gathering,
    candidates.host_candidates,
)
