"""Many servers in one run: bounded, in no order that matters, each judged by itself as soon as it was checked.

``one.check`` checks one target; an exporter calls it for each scrape. ``many.check_all`` checks them all.
"""

from rtcdiag.fleet.controls import Controls
from rtcdiag.fleet.many import check_all
from rtcdiag.fleet.one import check
from rtcdiag.fleet.settings import Settings, around, settings_for

__all__ = ["Controls", "Settings", "around", "check", "check_all", "settings_for"]
