"""ICE server lists in every shape in which services and applications hand them out.

W3C's RTCConfiguration (also bare, single, or with the old ``url``), Twilio's ``ice_servers``, Cloudflare's object in
place of a list, Metered's bare list, Xirsys's ``v``, AWS Kinesis' ``IceServerList``, and the TURN REST and Matrix form
with ``uris``. What a list says about lifetimes is not read: a username that carries a time says it itself.
"""

from typing import Any

from rtcdiag.config.documents import json_tree
from rtcdiag.config.errors import ConfigError, PlaceError, kind_of, login, mapping, string
from rtcdiag.targets import Credential, Server, UriError, parse_server

MAX_BYTES = 1 << 20
"""How long an ICE server list may be; the longest known has some kilobytes."""
MAX_SERVERS = 256
"""How many URIs a list may hold."""
Placed = tuple[str, Server]
"""A place in the configuration, and the server that stands there."""

_LISTS = ("iceServers", "ice_servers", "IceServerList")
_URLS = ("urls", "url", "uris", "Uris")
_NAMES = ("username", "Username")
_PASSWORDS = ("credential", "password", "Password")


def read_ice_servers(text: str, name: str) -> tuple[Server, ...]:
    """Read an ICE server list in JSON; ``name`` is what errors call it.

    Raise ConfigError for what is none. A TURN server without username and password is returned without a credential:
    that is a finding, not an error.
    """
    try:
        return tuple(server for _, server in placed_servers(json_tree(text, MAX_BYTES), MAX_SERVERS))
    except PlaceError as error:
        raise ConfigError(f"{name}: {error}") from None


def placed_servers(tree: Any, most: int) -> list[Placed]:
    """Return the servers of a list that was parsed, each with its place; raise PlaceError, also for too many."""
    found: list[Placed] = []
    for path, entry in _entries(tree, "$"):
        uris = uris_of(entry, path)
        check_count(len(found) + len(uris), most)
        credential = credential_of(entry, path)
        found += (placed_server(uri, where, credential) for where, uri in uris)
    if not found:
        raise PlaceError("$", "the list of ICE servers is empty")
    return found


def check_count(count: int, most: int) -> None:
    """Raise for more URIs than are taken."""
    if count > most:
        raise PlaceError("$", f"more than {most} URIs; no more are taken")


def credential_of(entry: dict[str, Any], path: str) -> Credential | None:
    """Return the username and password of an entry; None where one is missing."""
    username, password = _text(entry, _NAMES, path), _text(entry, _PASSWORDS, path)
    return Credential(username, password) if username and password else None


def placed_server(uri: str, path: str, credential: Credential | None) -> Placed:
    """Return the server of a URI with its place."""
    try:
        return path, parse_server(uri, credential=credential)
    except UriError as error:
        raise PlaceError(path, str(error)) from None


def _entries(value: Any, path: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the objects that name servers, each with its path."""
    if isinstance(value, list):
        return [(f"{path}[{index}]", _object(item, f"{path}[{index}]")) for index, item in enumerate(value)]
    outer = _object(value, path)
    for key in _LISTS:
        if key in outer:
            return _entries_of_list(outer[key], f"{path}.{key}")
    if isinstance(outer.get("v"), dict):
        return _entries(outer["v"], f"{path}.v")
    return [(path, outer)]


def _entries_of_list(value: Any, path: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the entries of a list; Cloudflare and Xirsys put one object in its place."""
    return _entries(value, path) if isinstance(value, list) else [(path, _object(value, path))]


def _object(value: Any, path: str) -> dict[str, Any]:
    return mapping(value, path, "an object with urls")


def uris_of(entry: dict[str, Any], path: str, keys: tuple[str, ...] = _URLS) -> list[tuple[str, str]]:
    """Return the URIs of an entry, under the first of these keys that it has, each with its place."""
    key = next((key for key in keys if key in entry), None)
    if key is None:
        raise PlaceError(path, "no urls")
    value, where = entry[key], f"{path}.{key}"
    if isinstance(value, str):
        return [(where, value)]
    if not isinstance(value, list):
        raise PlaceError(where, f"expected a string or a list of strings, found {kind_of(value)}")
    if not value:
        raise PlaceError(where, "the list is empty")
    return [(f"{where}[{index}]", string(item, f"{where}[{index}]")) for index, item in enumerate(value)]


def _text(entry: dict[str, Any], keys: tuple[str, ...], path: str) -> str | None:
    key = next((key for key in keys if entry.get(key) is not None), None)
    return None if key is None else login(entry[key], f"{path}.{key}")
