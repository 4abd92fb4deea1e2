"""Debian's chromium without a window and without a network, and what a script of the page in it found out."""

import html
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

# Alone with a loopback interface that is down: whatever the browser would like to fetch, it cannot.
_ALONE = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")
_COMMAND = (
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1400,1000",
)


def run(*arguments: str, home: Path, timeout_s: float = 110) -> str:
    """Run it with these arguments until it ends; return what it wrote to stdout."""
    return subprocess.run(
        [*_ALONE, *_COMMAND, f"--user-data-dir={home / 'profile'}", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=True,
        env={**os.environ, "HOME": str(home)},
    ).stdout


def result_of(page: str, theme: str, home: Path, *more: str, timeout_s: float = 110) -> Any:
    """Return the JSON that the page's script leaves in ``data-result`` of its body, in a theme, dark or light."""
    file = home / "page.html"
    file.write_text(page, encoding="utf-8")
    scheme = f"--blink-settings=preferredColorScheme={0 if theme == 'dark' else 1}"
    dumped = run(scheme, *more, "--dump-dom", file.as_uri(), home=home, timeout_s=timeout_s)
    found = re.search(r'data-result="([^"]*)"', dumped)
    assert found is not None, dumped[-2000:]
    return json.loads(html.unescape(found[1]))


def framed(pages: dict[str, str], widths: tuple[int, ...], script: str) -> str:
    """Return a page with every page in a frame of every width, and a script that looks at them."""
    parts = [
        f'<iframe name="{html.escape(name)}" title="{html.escape(name)}" width="{width}" height="900"'
        f' srcdoc="{html.escape(page)}"></iframe>'
        for name, page in pages.items()
        for width in widths
    ]
    # Without a charset, the browser guesses one from the first bytes that arrive.
    return f'<!doctype html><meta charset="utf-8">{script}{"".join(parts)}'
