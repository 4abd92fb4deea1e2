"""Wires carry STUN transactions over one local port: they feed sans-IO transactions from real sockets and clocks.

A wire keeps every transaction until it is closed, so that a late answer is recorded with its own transaction instead of
being taken for the answer to the next.
"""

from rtcdiag.wires.call import Call
from rtcdiag.wires.datagrams import UdpWire
from rtcdiag.wires.driving import Wire, finish, transact, until
from rtcdiag.wires.stream import MOST_UNASKED, StreamWire

__all__ = ["MOST_UNASKED", "Call", "StreamWire", "UdpWire", "Wire", "finish", "transact", "until"]
