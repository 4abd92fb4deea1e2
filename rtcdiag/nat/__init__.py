"""Classify a NAT from what Binding transactions showed (RFC 4787 sections 4 and 5, RFC 5780 section 4).

Pure: evidence in, one ``Nat`` a family out. Every judgement is a value or a reason why there is none; silence counts
only with a control, and no server is believed alone where others contradict it.
"""

from rtcdiag.nat.behavior import (
    BEHAVIORS,
    Behavior,
    Certainty,
    Nat,
    OtherWay,
    Pooling,
    PortAssignment,
    endpoint_dependent,
    familiar_name,
    lifetime_words,
    possible_filterings,
    possible_mappings,
)
from rtcdiag.nat.classify import classify
from rtcdiag.nat.judgement import CONTRADICTION, NO_NAT, OPT_IN
from rtcdiag.nat.layers import BENCHMARKING, INNER_PSEUDONYMS
from rtcdiag.nat.nat64 import Nat64, nat64_of

__all__ = [
    "BEHAVIORS",
    "BENCHMARKING",
    "CONTRADICTION",
    "INNER_PSEUDONYMS",
    "NO_NAT",
    "OPT_IN",
    "Behavior",
    "Certainty",
    "Nat",
    "Nat64",
    "OtherWay",
    "Pooling",
    "PortAssignment",
    "classify",
    "endpoint_dependent",
    "familiar_name",
    "lifetime_words",
    "nat64_of",
    "possible_filterings",
    "possible_mappings",
]
