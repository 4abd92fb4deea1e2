"""The configuration of `rtcdiag health`, whatever wrote it: recognised by content, and never by the file's name."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from rtcdiag.config.documents import check_length, json_tree, toml_tree, yaml_tree
from rtcdiag.config.errors import ConfigError, PlaceError
from rtcdiag.config.eturnal import read_eturnal
from rtcdiag.config.ice_servers import check_count, placed_servers
from rtcdiag.config.own import read_own
from rtcdiag.config.synapse import URIS, read_synapse
from rtcdiag.config.targets import MOST_TARGETS, HealthConfig, HealthTarget
from rtcdiag.config.turnserver_conf import is_turnserver_conf, read_turnserver_conf

HEALTH_BYTES = 8 << 20
"""How long a configuration may be: ten thousand URIs with credentials of their own have less than half."""
_JSON = re.compile(r"[\s\ufeff]*(\{|\[\s*[\[{\]\"0-9])")
_TOML = re.compile(
    r"^[ \t]*(\[\[?[\w.\"' \t-]+\]\]?[ \t]*(#.*)?$|(depth|targets|thresholds)[ \t]*=)", re.MULTILINE | re.ASCII
)
_YAML = re.compile(r"^(---|%YAML|- |[A-Za-z_\"'][\w\"' -]*:(\s|$))", re.MULTILINE)
_URI = re.compile(r"(?:stun|turn)s?:[^\s\"',\]}]+", re.IGNORECASE)


def read_health_config(text: str, name: str, environment: Mapping[str, str]) -> HealthConfig:
    """Read what to check; ``name`` is what errors call it, ``environment`` what ``${NAME}`` stands for.

    An ICE server list in JSON or YAML of any service, ``turnserver.conf``, ``eturnal.yml``, Synapse's
    ``homeserver.yaml``, or our own TOML. Raise ConfigError for anything else, with the place of what is wrong.
    """
    try:
        check_length(text, HEALTH_BYTES)
        config = _recognised(text, environment)
        check_count(len(config.targets), MOST_TARGETS)
    except PlaceError as error:
        raise ConfigError(f"{name}: {error}") from None
    return replace(config, targets=tuple(_named_apart(_with_lines(config.targets, _lines(text)))))


def _with_lines(targets: Iterable[HealthTarget], lines: dict[str, list[int]]) -> Iterator[HealthTarget]:
    """Yield each target with its line: of those that share a URI, the first has the first line with it, and so on."""
    met = Counter[str]()
    for item in targets:
        uri = item.server.uri
        places = lines.get(uri)
        if item.line is not None or not places:
            yield item
        else:
            yield replace(item, line=places[min(met[uri], len(places) - 1)])
        met[uri] += 1


def _named_apart(targets: Iterable[HealthTarget]) -> Iterator[HealthTarget]:
    """Yield the targets; the second that shares name and URI with another is ``NAME #2``: the two name a result."""
    met = Counter[tuple[str, str]]()
    for item in targets:
        met[item.name, item.server.uri] += 1
        number = met[item.name, item.server.uri]
        yield item if number == 1 else replace(item, name=f"{item.name} #{number}")


def _recognised(text: str, environment: Mapping[str, str]) -> HealthConfig:
    if _JSON.match(text):
        return _listed(json_tree(text, HEALTH_BYTES))
    if _TOML.search(text):
        return read_own(toml_tree(text, HEALTH_BYTES), environment)
    if is_turnserver_conf(text):
        return HealthConfig(targets=tuple(read_turnserver_conf(text.removeprefix("\ufeff"))))
    if _YAML.search(text):
        return _of_yaml(yaml_tree(text))
    raise PlaceError("$", "not an ICE server list in JSON, nor TOML, turnserver.conf or eturnal.yml")


def _of_yaml(tree: object) -> HealthConfig:
    if isinstance(tree, dict) and "eturnal" in tree:
        return HealthConfig(targets=tuple(read_eturnal(tree)))
    if isinstance(tree, dict) and URIS in tree:
        return HealthConfig(targets=tuple(read_synapse(tree)))
    return _listed(tree)


def _listed(tree: object) -> HealthConfig:
    placed = placed_servers(tree, MOST_TARGETS)
    return HealthConfig(targets=tuple(HealthTarget(name=one.uri, server=one, where=where) for where, one in placed))


def _lines(text: str) -> dict[str, list[int]]:
    """Return the lines in which each URI stands, once for each time."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for uri in _URI.findall(line):
            found.setdefault(uri, []).append(number)
    return found
