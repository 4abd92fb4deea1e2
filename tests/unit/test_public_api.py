"""The names that a library user imports from ``rtcdiag``, and what importing them costs."""

import ast
import subprocess
import sys
from pathlib import Path

import rtcdiag

EXPORTED = {
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
}


def test_the_public_api_is_this_and_nothing_else() -> None:
    assert set(rtcdiag.__all__) == EXPORTED
    assert set(dir(rtcdiag)) >= EXPORTED


def test_every_public_name_can_be_had() -> None:
    for name in rtcdiag.__all__:
        assert getattr(rtcdiag, name) is not None, name


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    assert not hasattr(rtcdiag, "no_such_name")


def test_type_checkers_see_the_names_that_run_time_sees() -> None:
    tree = ast.parse(Path(rtcdiag.__file__).read_text(encoding="utf-8"))
    guarded = [
        (node.module, alias.name)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    at_run_time = [(f"rtcdiag.{home}", name) for home, names in rtcdiag._HOMES.items() for name in names]
    assert sorted(guarded, key=str) == sorted(at_run_time, key=str)


def test_importing_the_package_imports_none_of_its_modules() -> None:
    code = (
        "import sys, rtcdiag; print([n for n in sorted(sys.modules) if n.partition('.')[0] in ('rtcdiag', 'msgspec')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['rtcdiag', 'rtcdiag.version']"
