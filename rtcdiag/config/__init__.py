"""Configurations of others and our own: lists of ICE servers, of TURN servers, and what is demanded of them."""

from rtcdiag.config.errors import ConfigError
from rtcdiag.config.health import HEALTH_BYTES, read_health_config
from rtcdiag.config.ice_servers import MAX_BYTES, MAX_SERVERS, read_ice_servers
from rtcdiag.config.targets import HealthConfig, HealthTarget, Secret

__all__ = [
    "HEALTH_BYTES",
    "MAX_BYTES",
    "MAX_SERVERS",
    "ConfigError",
    "HealthConfig",
    "HealthTarget",
    "Secret",
    "read_health_config",
    "read_ice_servers",
]
