"""What each kind of router does, in nftables: `wan` outside, `lan` inside."""

from typing import Literal, assert_never

Nat = Literal["masquerade", "random", "full-cone", "address-restricted", "firewall", "udp-blocked", "no-nat"]

_MASQUERADE = "chain post { type nat hook postrouting priority srcnat; oifname wan masquerade; }"
_SYMMETRIC = "chain post { type nat hook postrouting priority srcnat; oifname wan masquerade fully-random; }"
_FORWARD_ALL = """
chain pre { type nat hook prerouting priority dstnat; iifname wan meta l4proto udp dnat to %s; }
"""
# Lets an address in that the client has sent to from that port, whatever its own port.
_FORWARD_KNOWN = """
set seen { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 2m; }
chain out { type filter hook forward priority filter - 1;
  iifname lan meta l4proto udp update @seen { ip daddr . udp sport }; }
chain pre { type nat hook prerouting priority dstnat;
  iifname wan meta l4proto udp ip saddr . udp dport @seen dnat to %s; }
"""


def _translation(nat: Nat, client: str) -> str:
    match nat:
        case "masquerade" | "udp-blocked":
            return _MASQUERADE
        case "random":
            return _SYMMETRIC
        case "full-cone":
            return _MASQUERADE + _FORWARD_ALL % client
        case "address-restricted":
            return _MASQUERADE + _FORWARD_KNOWN % client
        case "firewall" | "no-nat":
            return ""
        case _:
            assert_never(nat)


def ruleset(nat: Nat, client: str, name_server: str) -> str:
    """Return the rules of a router in front of a client.

    masquerade: keeps the port (endpoint-independent mapping, address-and-port-dependent filtering); random: a new port
    for each destination (address-and-port-dependent mapping); full-cone: lets everyone in; address-restricted: lets
    addresses in that were sent to; firewall: no translation, lets answers in; udp-blocked: masquerade, and no UDP but
    to the name server; no-nat: no translation and no filter. IPv6 is never translated, and lets answers in only
    (no-nat: everything). Unasked packets to the router itself are dropped without a word.
    """
    policy = "accept" if nat == "no-nat" else "drop"
    block = f"meta l4proto udp ip daddr != {name_server} ip saddr != {name_server} drop" if nat == "udp-blocked" else ""
    block6 = "meta nfproto ipv6 meta l4proto udp drop" if nat == "udp-blocked" else ""
    return f"""
table ip translate {{
{_translation(nat, client)}
}}
table inet filter {{
  chain input {{ type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname {{ lo, lan }} accept
    meta l4proto {{ icmp, icmpv6 }} accept
  }}
  chain passing {{ type filter hook forward priority filter; policy {policy};
    {block}
    {block6}
    iifname lan accept
    ct state established,related accept
    ct status dnat accept
  }}
}}
"""
