"""Carry an offer and an answer between two people: copied text, Server-Sent Events with POST, WebSocket."""

from rtcdiag.signaling.channel import Channel, SignalingError
from rtcdiag.signaling.messages import (
    Bye,
    Description,
    Message,
    NewCandidate,
    Ping,
    Pong,
    Report,
    decode,
    encode,
)

__all__ = [
    "Bye",
    "Channel",
    "Description",
    "Message",
    "NewCandidate",
    "Ping",
    "Pong",
    "Report",
    "SignalingError",
    "decode",
    "encode",
]
