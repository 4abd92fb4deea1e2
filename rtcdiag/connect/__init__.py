"""A session of two people: signaling, ICE, measurement, and the evidence of one end."""

from rtcdiag.connect.flow import Asked, Held, hold
from rtcdiag.connect.progress import OnProgress, Told

__all__ = ["Asked", "Held", "OnProgress", "Told", "hold"]
