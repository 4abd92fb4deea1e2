"""What a server says of itself comes out harmless in every format, from the wire to the file."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from lab.codes.asking import PLAIN, Asked, turn
from lab.codes.place import Lab
from lab.codes.scripts import Turn
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.header import Method

pytestmark = pytest.mark.lab

SAID = {
    "script": "<script>alert(1)</script>",
    "end of script": "</script><img src=x onerror=alert(1)>",
    "rich markup": "[red]x[/red] [link=http://evil.example]y[/link]",
    "color": "\x1b[31mred\x1b]0;owned\x07",
    "newline": "one\ntwo\r\n::error::three",
    "NUL": "a\x00b\x7fc\x9bd",
    "bidi": "safe\u202egnp.exe",
    "markdown": "| x | `y` [z](javascript:alert(1)) ![i](http://evil.example/i.png)",
}
FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, but for the newline, and what turns text around."""


class Page(HTMLParser):
    """The elements of a page, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts.append(data)


class Results:
    """One report in its four formats."""

    def __init__(self, lab: Lab, said: str, refuse: int) -> None:
        directory = Path(lab.file("")).parent
        self.paths = {suffix: directory / f"said-{refuse}-{hash(said)}.{suffix}" for suffix in ("json", "html", "md")}
        script = Turn(
            {Method.ALLOCATE: refuse},
            challenge=((A.REALM, said), (A.NONCE, b"n")),
            software=said,
            reason=said,
        )
        outputs = [word for path in self.paths.values() for word in ("--output", str(path))]
        with lab.one_row():
            asked = turn(lab, f"turn:127.0.0.1:{lab.udp(script).port}")
            self.done = Asked(asked.words, env={**asked.env, "COLUMNS": "500"}).run("-vv", *outputs)
        self.text = self.done.stdout
        self.html, self.markdown = self.paths["html"].read_text(), self.paths["md"].read_text()
        self.report = json.loads(self.paths["json"].read_bytes())


@pytest.mark.parametrize(("kind", "refuse"), [*((kind, 477) for kind in SAID), ("script", 401), ("color", 401)])
def test_what_a_server_says_is_harmless_in_every_format(lab: Lab, kind: str, refuse: int) -> None:
    said = SAID[kind]
    results = Results(lab, said, refuse)
    assert results.done.returncode == 1
    assert "Traceback" not in results.done.stderr

    for written in (results.text, results.markdown, results.html, results.done.stderr):
        assert not FORBIDDEN.search(written)
    assert not re.search(r"^::error", results.text, re.MULTILINE)
    if said.isprintable():
        assert said in results.text
    assert_is_kept(results, said, refuse)
    assert_is_inert_html(results)
    assert_is_inert(MarkdownIt("gfm-like", {"linkify": False}).render(results.markdown))


@pytest.mark.parametrize("flag", ["-v", "-vv"])
def test_a_text_of_64_kib_with_escapes_in_it_stays_a_few_harmless_lines(lab: Lab, flag: str) -> None:
    said = "\x1b]0;owned\x07[red]" + "A" * 64_000
    with lab.one_row():
        script = Turn({Method.ALLOCATE: 477}, challenge=((A.REALM, "r"), (A.NONCE, b"\x1b[31m" * 20)), software=said)
        done = turn(lab, f"turn:127.0.0.1:{lab.udp(script).port}").run(flag)

    assert done.returncode == 1
    assert not FORBIDDEN.search(done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.count("A") < 5000
    assert "\\x1b]0;owned\\x07[red]AAAA" in "".join(line.strip() for line in done.stdout.splitlines())


def assert_is_kept(results: Results, said: str, refuse: int) -> None:
    """The evidence holds what was said, in JSON without raw control characters."""
    answers = [
        answer
        for item in results.report["evidence"]
        for answer in item.get("exchange", {}).get("answers", ())
        if answer.get("error_code") == refuse
    ]
    assert {answer["reason"] for answer in answers} == {said}
    raw = results.paths["json"].read_text()
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", raw)


def assert_is_inert(html: str) -> None:
    """No script, handler, image or frame, and no link to where the server wants."""
    page = Page(html)
    assert not {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object", "embed", "base", "form"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    targets = [str(attributes.get("href") or attributes.get("src") or "") for _, attributes in page.tags]
    assert not [target for target in targets if "evil" in target or target.startswith("javascript")]


def assert_is_inert_html(results: Results) -> None:
    """One script element, which is data; nothing else that acts; and the report comes back."""
    page = Page(results.html)
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert [attributes["type"] for attributes in scripts] == ["application/json"]
    assert_is_inert(results.html.replace("<script", "<data"))
    assert json.loads("".join(page.scripts)) == results.report
    shown = Asked(("show", str(results.paths["html"])), env=PLAIN).run("--json")
    assert json.loads(shown.stdout) == results.report
