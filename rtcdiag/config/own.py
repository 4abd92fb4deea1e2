"""rtcdiag's own TOML: named targets, thresholds, and ``${NAME}`` for what the environment holds."""

import re
from collections.abc import Mapping
from typing import Any

from rtcdiag.config.errors import PlaceError, kind_of, login, mapping
from rtcdiag.config.ice_servers import check_count, credential_of, placed_server, uris_of
from rtcdiag.config.targets import MOST_TARGETS, HealthConfig, HealthTarget, Secret
from rtcdiag.demands import DEPTHS, FIGURES, Depth, Threshold, Thresholds

_TOP = ("depth", "thresholds", "targets")
_TARGET = ("urls", "url", "username", "credential", "password", "secret", "critical", "depth", "thresholds")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[^\W_][\w .:@/+-]{0,99}")


def read_own(tree: dict[str, Any], environment: Mapping[str, str]) -> HealthConfig:
    """Return the configuration; raise PlaceError for what it does not know, too: a typing mistake must not pass."""
    _only(tree, _TOP, "$")
    filled = _filled(tree, "$", environment)
    thresholds, depth = _thresholds(filled, "$"), _depth(filled, "$")
    named = mapping(filled.get("targets", {}), "$.targets", "a table for each target ([targets.NAME])")
    targets: list[HealthTarget] = []
    for name, entry in named.items():
        targets += _targets(name, entry, f"$.targets.{name}")
        check_count(len(targets), MOST_TARGETS)
    if not targets:
        raise PlaceError("$.targets", "there is no target (write [targets.NAME] and urls = [...])")
    return HealthConfig(targets=tuple(targets), thresholds=thresholds, depth=depth)


def _targets(name: str, value: Any, path: str) -> list[HealthTarget]:
    if not _NAME.fullmatch(name):
        raise PlaceError(path, "a name begins with a letter or digit, and has at most 100 characters")
    entry = mapping(value, path, "a table with urls")
    _only(entry, _TARGET, path)
    credential, secret = credential_of(entry, path), _secret(entry, path)
    critical = entry.get("critical", True)
    if not isinstance(critical, bool):
        raise PlaceError(f"{path}.critical", f"expected true or false, found {kind_of(critical)}")
    if credential is not None and secret is not None:
        raise PlaceError(f"{path}.secret", "a secret makes the password: leave out either")
    found, uris = [], uris_of(entry, path)
    check_count(len(uris), MOST_TARGETS)
    for where, uri in uris:
        _, server = placed_server(uri, where, credential)
        found.append(
            HealthTarget(
                name=name,
                server=server,
                secret=secret,
                critical=critical,
                depth=_depth(entry, path),
                thresholds=_thresholds(entry, path),
                where=where,
            )
        )
    return found


def _secret(entry: dict[str, Any], path: str) -> Secret | None:
    value = entry.get("secret")
    if value is None:
        return None
    name = entry.get("username")
    return Secret(login(value, f"{path}.secret"), *([login(name, f"{path}.username")] if name else []))


def _only(entry: dict[str, Any], known: tuple[str, ...], path: str) -> None:
    for key in entry:
        if key not in known:
            raise PlaceError(f"{path}.{key[:60]}", f"not known here (there are {', '.join(known)})")


def _depth(entry: dict[str, Any], path: str) -> Depth | None:
    value = entry.get("depth")
    if value is not None and value not in DEPTHS:
        raise PlaceError(f"{path}.depth", f"expected one of {', '.join(DEPTHS)}")
    return value


def _thresholds(entry: dict[str, Any], path: str) -> Thresholds:
    path = f"{path}.thresholds"
    value = mapping(entry.get("thresholds", {}), path, "a table of thresholds")
    _only(value, tuple(FIGURES), path)
    return {name: _threshold(name, one, f"{path}.{name}") for name, one in value.items()}


def _threshold(name: str, value: Any, path: str) -> Threshold:
    entry = mapping(value, path, "{ warning = 300, critical = 800 }")
    _only(entry, ("warning", "critical"), path)
    limits = {key: _number(limit, f"{path}.{key}") for key, limit in entry.items()}
    found = Threshold(**limits)
    if found.warning is not None and found.critical is not None:
        low = FIGURES[name].low_is_bad
        if (found.warning < found.critical) if low else (found.warning > found.critical):
            raise PlaceError(path, f"critical has to be {'below' if low else 'above'} warning")
    return found


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e9:
        raise PlaceError(path, "expected a number from 0 to 1000000000")
    return float(value)


def _filled(value: Any, path: str, environment: Mapping[str, str]) -> Any:
    """Put what the environment holds into every string."""
    if isinstance(value, dict):
        return {key: _filled(item, f"{path}.{key}", environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, f"{path}[{index}]", environment) for index, item in enumerate(value)]
    return _expanded(value, path, environment) if isinstance(value, str) else value


def _expanded(text: str, path: str, environment: Mapping[str, str]) -> str:
    def held(match: re.Match[str]) -> str:
        name = match[1]
        if not environment.get(name):
            raise PlaceError(path, f"the environment has no {name[:60]!r}, or nothing in it")
        return environment[name]

    return _VARIABLE.sub(held, text)
