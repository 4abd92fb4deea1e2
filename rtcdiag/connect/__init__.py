"""A session of two people: signaling, ICE, measurement, and the evidence of one end."""

from rtcdiag.connect.beside import Beside
from rtcdiag.connect.flow import Asked, Held, hold
from rtcdiag.connect.other import Other
from rtcdiag.connect.progress import OnProgress, Told
from rtcdiag.connect.whole import Outcome, connect

__all__ = ["Asked", "Beside", "Held", "OnProgress", "Other", "Outcome", "Told", "connect", "hold"]
