"""ICE server lists in every shape in which services and applications hand them out.

W3C's RTCConfiguration (also bare, single, or with the old ``url``), Twilio's ``ice_servers``, Cloudflare's object in
place of a list, Metered's bare list, Xirsys's ``v``, AWS Kinesis' ``IceServerList``, and the TURN REST and Matrix form
with ``uris``. What a list says about lifetimes is not read: a username that carries a time says it itself.
"""

from typing import Any

import msgspec

from rtcdiag.targets import Credential, Server, UriError, parse_server

MAX_BYTES = 1 << 20
"""How long an ICE server list may be; the longest known has some kilobytes."""
MAX_SERVERS = 256
"""How many URIs a list may hold."""


class ConfigError(ValueError):
    """A list that is none; the message is one line with the file's name and the place: ``$.iceServers[2].urls``."""


_LISTS = ("iceServers", "ice_servers", "IceServerList")
_URLS = ("urls", "url", "uris", "Uris")
_NAMES = ("username", "Username")
_PASSWORDS = ("credential", "password", "Password")


def read_ice_servers(text: str, name: str) -> tuple[Server, ...]:
    """Read an ICE server list; ``name`` is what errors call it.

    Raise ConfigError for what is none. A TURN server without username and password is returned without a credential:
    that is a finding, not an error.
    """
    servers: list[Server] = []
    try:
        for path, entry in _entries(_parsed(text), "$"):
            servers += _servers(entry, path)
    except _PlaceError as error:
        raise ConfigError(f"{name}: {error}") from None
    if not servers:
        raise ConfigError(f"{name}: $: the list of ICE servers is empty")
    if len(servers) > MAX_SERVERS:
        raise ConfigError(f"{name}: $: {len(servers)} URIs; at most {MAX_SERVERS} are taken")
    return tuple(servers)


class _PlaceError(ValueError):
    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")


def _parsed(text: str) -> Any:
    if len(text) > MAX_BYTES:
        raise _PlaceError("$", f"longer than {MAX_BYTES >> 20} MiB")
    if not text.strip("\ufeff \t\r\n"):
        raise _PlaceError("$", "empty")
    try:
        return msgspec.json.decode(text.removeprefix("\ufeff").encode())
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _PlaceError("$", f"not JSON: {error}") from None
    except RecursionError:
        raise _PlaceError("$", "nested too deeply") from None


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
    if not isinstance(value, dict):
        raise _PlaceError(path, f"expected an object with urls, found {_kind(value)}")
    return value


def _servers(entry: dict[str, Any], path: str) -> list[Server]:
    credential = _credential(entry, path)
    return [_server(uri, where, credential) for where, uri in _uris(entry, path)]


def _server(uri: str, path: str, credential: Credential | None) -> Server:
    try:
        return parse_server(uri, credential=credential)
    except UriError as error:
        raise _PlaceError(path, str(error)) from None


def _uris(entry: dict[str, Any], path: str) -> list[tuple[str, str]]:
    key = next((key for key in _URLS if key in entry), None)
    if key is None:
        raise _PlaceError(path, "no urls")
    value, where = entry[key], f"{path}.{key}"
    if isinstance(value, str):
        return [(where, value)]
    if not isinstance(value, list):
        raise _PlaceError(where, f"expected a string or a list of strings, found {_kind(value)}")
    if not value:
        raise _PlaceError(where, "the list is empty")
    return [(f"{where}[{index}]", _string(item, f"{where}[{index}]")) for index, item in enumerate(value)]


def _credential(entry: dict[str, Any], path: str) -> Credential | None:
    username, password = _text(entry, _NAMES, path), _text(entry, _PASSWORDS, path)
    return Credential(username, password) if username and password else None


def _text(entry: dict[str, Any], keys: tuple[str, ...], path: str) -> str | None:
    key = next((key for key in keys if entry.get(key) is not None), None)
    return None if key is None else _string(entry[key], f"{path}.{key}")


def _string(value: Any, path: str) -> str:
    """Return a string; the error names the kind of what stands there and not what it says: it may be a password."""
    if not isinstance(value, str):
        raise _PlaceError(path, f"expected a string, found {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return kinds.get(type(value), "an object")
