"""The golden JSON report: written by hand of this file, compared by tests/unit/formats/test_golden_json.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rtcdiag.report import encode
from support.reports import everything

GOLDEN = Path(__file__).parents[1] / "golden" / "report.json"


def golden() -> bytes:
    """Return what the golden file has to hold."""
    return encode(everything())


if __name__ == "__main__":
    GOLDEN.write_bytes(golden())
