"""Redacted reports: pseudonyms for public addresses (``share``), and for names too (``strict``).

Pure: a report and a key in, a report out. Everything that it concludes is concluded again from the redacted evidence,
so that nothing of the original can be left in a sentence.
"""

from rtcdiag.redact.align import aligned
from rtcdiag.redact.key import MIN_BYTES, Key
from rtcdiag.redact.redaction import redacted, redacted_result
from rtcdiag.redact.series import Series
from rtcdiag.report import LEVELS, Level

__all__ = ["LEVELS", "MIN_BYTES", "Key", "Level", "Series", "aligned", "redacted", "redacted_result"]
