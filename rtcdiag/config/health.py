"""The configuration of `rtcdiag health`, whatever wrote it: recognised by content, and never by the file's name."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from rtcdiag.config.documents import check_length, json_tree, toml_tree, yaml_tree
from rtcdiag.config.errors import ConfigError, PlaceError
from rtcdiag.config.eturnal import read_eturnal
from rtcdiag.config.ice_servers import placed_servers
from rtcdiag.config.own import read_own
from rtcdiag.config.targets import HealthConfig, HealthTarget
from rtcdiag.config.turnserver_conf import is_turnserver_conf, read_turnserver_conf

HEALTH_BYTES = 8 << 20
"""How long a configuration may be: ten thousand URIs with credentials of their own have less than half."""
MOST_TARGETS = 20_000
_JSON = re.compile(r"[\s\ufeff]*(\{|\[\s*[\[{\]\"0-9])")
_TOML = re.compile(
    r"^[ \t]*(\[\[?[ \t]*[\w.\"' -]+\]\]?[ \t]*(#.*)?$|(depth|targets|thresholds)[ \t]*=)", re.MULTILINE | re.ASCII
)
_YAML = re.compile(r"^(---|%YAML|- |[A-Za-z_\"'][\w\"' -]*:(\s|$))", re.MULTILINE)
_URI = re.compile(r"(?:stun|turn)s?:[^\s\"',\]}]+", re.IGNORECASE)


def read_health_config(text: str, name: str, environment: Mapping[str, str]) -> HealthConfig:
    """Read what to check; ``name`` is what errors call it, ``environment`` what ``${NAME}`` stands for.

    An ICE server list in JSON or YAML of any service, coturn's ``turnserver.conf``, eturnal's ``eturnal.yml``, or our
    own TOML. Raise ConfigError for anything else, with the place of what is wrong.
    """
    try:
        check_length(text, HEALTH_BYTES)
        config = _recognised(text, environment)
        _check_count(config)
    except PlaceError as error:
        raise ConfigError(f"{name}: {error}") from None
    return replace(config, targets=tuple(_with_lines(config.targets, _lines(text))))


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


def _check_count(config: HealthConfig) -> None:
    if len(config.targets) > MOST_TARGETS:
        raise PlaceError("$", f"{len(config.targets)} URIs; at most {MOST_TARGETS} are taken")


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
    return _listed(tree)


def _listed(tree: object) -> HealthConfig:
    targets = [HealthTarget(name=server.uri, server=server, where=where) for where, server in placed_servers(tree)]
    return HealthConfig(targets=tuple(targets))


def _lines(text: str) -> dict[str, list[int]]:
    """Return the lines in which each URI stands, once for each time."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for uri in _URI.findall(line):
            found.setdefault(uri, []).append(number)
    return found
