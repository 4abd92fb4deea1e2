"""What one end's evidence says of a session of two: what connected, what did not and where, and what was learned."""

from rtcdiag.session.browser import UNREACHED, Difference, differences
from rtcdiag.session.end import Answer, End, Whose, end_of, latest
from rtcdiag.session.learned import Lesson, lessons
from rtcdiag.session.told import Told, told_candidates

__all__ = [
    "UNREACHED",
    "Answer",
    "Difference",
    "End",
    "Lesson",
    "Told",
    "Whose",
    "differences",
    "end_of",
    "latest",
    "lessons",
    "told_candidates",
]
