"""From the options of a command line to those of a run: each wrong value is named before anyone is contacted."""

import os
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from rtcdiag.address import Family, family_of
from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.experiment_options import Experiments
from rtcdiag.cli.files import read_bytes
from rtcdiag.cli.lasting import lasting_of
from rtcdiag.cli.options import Network
from rtcdiag.options import RunOptions
from rtcdiag.proxies import Proxy, ProxyError, parse_proxy, proxy_of
from rtcdiag.targets import why_no_host

if TYPE_CHECKING:
    from rtcdiag.cli.asking import Question

_CA_BYTES = 16 << 20
MAX_TIMEOUT_S = 60.0
MAX_DEADLINE_S = 3600.0
DEADLINE_S = 30.0
LIFETIME_S = 185.0
MIN_LIFETIME_S, MAX_LIFETIME_S = 1.0, 900.0


def run_options(question: "Question") -> RunOptions:
    """Return the options of the run; raise BadInputError for the first value that cannot be."""
    network, servers = question.network, question.servers
    families = _families(network)
    lifetime_s, lasting = _lifetime(question.experiments), lasting_of(question.lasting)
    return RunOptions(
        families=families,
        bind=_bind(network.bind, families),
        interface=_interface(network.interface, families),
        port=_port(network.port),
        server_name=_server_name(servers.sni),
        ca_file=_ca_file(servers.ca_file),
        timeout_ms=_seconds("--timeout", network.timeout, MAX_TIMEOUT_S) * 1000,
        deadline_ms=_deadline_s(network, (lifetime_s or 0.0) + lasting.lasts_s) * 1000,
        control=not network.no_control,
        gateway=not network.no_gateway,
        proxy=proxy_for(network.proxy),
        relay_only=question.relay_only,
        ice=question.relays.ice,
        tcp_relay=question.relays.tcp_relay,
        hairpin=question.experiments.hairpin,
        lifetime_up_to_s=lifetime_s,
        fragments=question.experiments.fragments,
        quality_s=lasting.quality_s,
        throughput_kbps=lasting.throughput_kbps,
        soak_s=lasting.soak_s,
    )


def proxy_for(option: str | None) -> Proxy | None:
    """Return the proxy that the option names, else that of the environment; ``none`` leaves either out."""
    if option is None:
        return proxy_of(os.environ)
    if option.strip().lower() == "none":
        return None
    try:
        return parse_proxy(option, "--proxy")
    except ProxyError as error:
        raise BadInputError(f"--proxy: {error} (write http://HOST:PORT, or none)") from None


def _families(network: Network) -> tuple[Family, ...]:
    if network.ipv4 == network.ipv6:
        return (Family.IPV4, Family.IPV6)
    return (Family.IPV4,) if network.ipv4 else (Family.IPV6,)


def _bind(text: str | None, families: tuple[Family, ...]) -> IPv4Address | IPv6Address | None:
    if text is None:
        return None
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        raise BadInputError(f"--bind {text}: not an IP address (write 192.0.2.1 or 2001:db8::1)") from None
    if family_of(address) not in families:
        raise BadInputError(f"--bind {text}: an address of the family that -{families[0][-1]} leaves out")
    _check_own(address, text)
    return address


def _check_own(address: IPv4Address | IPv6Address, text: str) -> None:
    """Bind a socket to it, which tells more than any list: a system may have whole networks as its own."""
    from rtcdiag.net.local import can_bind
    from rtcdiag.net.routes import local_addresses

    if isinstance(address, IPv6Address) and address.is_link_local and address.scope_id is None:
        names = {ip: name for name, ip in local_addresses()}
        name = next((name for ip, name in names.items() if ip.packed == address.packed), "eth0")
        raise BadInputError(f"--bind {text}: a link-local address needs its interface (write {address}%{name})")
    if not can_bind(address):
        family = family_of(address)
        own = [str(ip) for _, ip in local_addresses() if family_of(ip) is family and not ip.is_link_local]
        raise BadInputError(f"--bind {text}: no address of this computer (there are {', '.join(own) or 'none'})")


def _interface(name: str | None, families: tuple[Family, ...]) -> str | None:
    if name is None:
        return None
    import ifaddr

    from rtcdiag.net.local import is_down
    from rtcdiag.net.routes import local_addresses

    known = sorted({str(adapter.nice_name) for adapter in ifaddr.get_adapters(include_unconfigured=True)})
    if name not in known:
        raise BadInputError(f"--interface {name}: there is none of this name (there are {', '.join(known)})")
    if is_down(name):
        raise BadInputError(f"--interface {name}: it is down")
    if not any(owner == name and family_of(ip) in families for owner, ip in local_addresses()):
        what = "IP" if len(families) > 1 else f"IPv{families[0][-1]}"
        raise BadInputError(f"--interface {name}: it has no {what} address")
    return name


def _port(port: int) -> int:
    if not 0 <= port <= 65535:
        raise BadInputError(f"--port {port}: not a number from 0 to 65535")
    return port


def _server_name(name: str | None) -> str | None:
    why = None if name is None or _is_address(name) else why_no_host(name)
    if why is not None:
        raise BadInputError(f"--sni {name!r}: {why}")
    return name


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _ca_file(name: str | None) -> str | None:
    """Check that TLS can load the file now, and not when a server is waiting."""
    if name is None:
        return None
    read_bytes(name, what="--ca-file", limit=_CA_BYTES)
    import ssl

    try:
        ssl.create_default_context(cafile=str(Path(name)))
    except (ssl.SSLError, OSError):
        raise BadInputError(f"--ca-file {name}: there is no PEM certificate in it") from None
    return name


def _lifetime(experiments: Experiments) -> float | None:
    """Return the longest silence to try, None where none is."""
    up_to_s = experiments.lifetime_up_to
    if not experiments.lifetime:
        if up_to_s is not None:
            raise BadInputError(f"--lifetime-up-to {up_to_s:g}: says how long --lifetime takes, which is not asked for")
        return None
    if up_to_s is None:
        return LIFETIME_S
    if not MIN_LIFETIME_S <= up_to_s <= MAX_LIFETIME_S:
        raise BadInputError(
            f"--lifetime-up-to {up_to_s:g}: not between {MIN_LIFETIME_S:g} and {MAX_LIFETIME_S:g} seconds"
        )
    return up_to_s


def _deadline_s(network: Network, lasts_s: float) -> float:
    """Return what the user set, else the default and what the experiments take that were asked for."""
    if network.deadline is None:
        return DEADLINE_S + lasts_s
    return _seconds("--deadline", network.deadline, MAX_DEADLINE_S)


def _seconds(option: str, value: float, limit: float) -> float:
    if not 0.01 <= value <= limit:  # so is NaN refused
        raise BadInputError(f"{option} {value:g}: not between 0.01 and {limit:g} seconds")
    return value
