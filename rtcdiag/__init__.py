"""rtcdiag: can two WebRTC peers reach each other directly, and if not, why.

The public API: what stands in ``__all__``, imported only when it is used (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rtcdiag.version import __version__

if TYPE_CHECKING:
    from rtcdiag.address import TransportAddress
    from rtcdiag.config import ConfigError, read_ice_servers
    from rtcdiag.diagnosis import Run, diagnose, rediagnose
    from rtcdiag.evidence import Evidence
    from rtcdiag.findings import Finding, Severity
    from rtcdiag.formats import FORMATS, RenderOptions, render
    from rtcdiag.options import RunOptions
    from rtcdiag.planning import plan
    from rtcdiag.report import Report, ReportError, Verdict, decode, encode
    from rtcdiag.run import gather
    from rtcdiag.schema import report_schema
    from rtcdiag.targets import Credential, Server, UriError, parse_server

__all__ = [
    "FORMATS",
    "ConfigError",
    "Credential",
    "Evidence",
    "Finding",
    "RenderOptions",
    "Report",
    "ReportError",
    "Run",
    "RunOptions",
    "Server",
    "Severity",
    "TransportAddress",
    "UriError",
    "Verdict",
    "__version__",
    "decode",
    "diagnose",
    "encode",
    "gather",
    "parse_server",
    "plan",
    "read_ice_servers",
    "rediagnose",
    "render",
    "report_schema",
]

_HOMES = {
    "address": ("TransportAddress",),
    "config": ("ConfigError", "read_ice_servers"),
    "diagnosis": ("Run", "diagnose", "rediagnose"),
    "evidence": ("Evidence",),
    "findings": ("Finding", "Severity"),
    "formats": ("FORMATS", "RenderOptions", "render"),
    "options": ("RunOptions",),
    "planning": ("plan",),
    "report": ("Report", "ReportError", "Verdict", "decode", "encode"),
    "run": ("gather",),
    "schema": ("report_schema",),
    "targets": ("Credential", "Server", "UriError", "parse_server"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
