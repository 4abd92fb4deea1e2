"""``rtcdiag health``."""

from typing import Annotated

import typer

from rtcdiag.cli.commands import command_app
from rtcdiag.cli.health_options import Checks, HealthJudgement, HealthNetwork, HealthOutput, HealthServers
from rtcdiag.cli.options import Redacting


def health(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG",
            help="An ICE server list, turnserver.conf, eturnal.yml or TOML: a file, a URL (https://), or -.",
        ),
    ],
    *,
    output: HealthOutput,
    checks: Checks,
    servers: HealthServers,
    network: HealthNetwork,
    judgement: HealthJudgement,
    redacting: Redacting,
) -> int:
    """Check every STUN and TURN server of a configuration, at each of its addresses, for CI and monitoring.

    The configuration is recognised by its content. --format nagios has the exit codes of a Nagios plug-in.
    """
    from rtcdiag.cli.healthing import Asked, run_health

    return run_health(Asked(config, output, checks, servers, network, judgement, redacting))


app = command_app(health)
