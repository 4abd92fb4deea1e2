"""``python -m rtcdiag``: the same as ``rtcdiag``."""

import sys

from rtcdiag.cli import main

if __name__ == "__main__":
    sys.exit(main())
