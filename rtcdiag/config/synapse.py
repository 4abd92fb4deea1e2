"""Synapse's ``homeserver.yaml`` to the TURN servers that it hands out to Matrix clients."""

from typing import Any

from rtcdiag.config.errors import PlaceError, login
from rtcdiag.config.ice_servers import check_count, placed_server, uris_of
from rtcdiag.config.targets import MOST_TARGETS, HealthTarget, Secret
from rtcdiag.targets import Credential

URIS = "turn_uris"


def read_synapse(tree: dict[str, Any]) -> list[HealthTarget]:
    """Return the servers, with what makes their credentials; raise PlaceError."""
    uris = uris_of(tree, "$", keys=(URIS,))
    check_count(len(uris), MOST_TARGETS)
    secret = _secret(tree)
    credential = _user(tree) if secret is None else None
    placed = (placed_server(uri, where, credential) for where, uri in uris)
    return [HealthTarget(name=server.uri, server=server, secret=secret, where=where) for where, server in placed]


def _secret(tree: dict[str, Any]) -> Secret | None:
    value = tree.get("turn_shared_secret")
    if value is None and tree.get("turn_shared_secret_path"):
        raise PlaceError("$.turn_shared_secret_path", "no other file is read (use --secret-file, or our own TOML)")
    return Secret(login(value, "$.turn_shared_secret")) if value else None


def _user(tree: dict[str, Any]) -> Credential | None:
    name, password = (tree.get(f"turn_{key}") for key in ("username", "password"))
    if not (name and password):
        return None
    return Credential(login(name, "$.turn_username"), login(password, "$.turn_password"))
