"""``rtcdiag nat-type``."""

from rtcdiag.cli.asking import Question, ask
from rtcdiag.cli.commands import command_app
from rtcdiag.cli.experiment_options import Experiments
from rtcdiag.cli.options import Judgement, Network, Output, Redacting, Servers


def nat_type(
    *,
    output: Output,
    redacting: Redacting,
    servers: Servers,
    network: Network,
    experiments: Experiments,
    judgement: Judgement,
) -> int:
    """Tell how the NAT here maps and filters (RFC 5780), and which kinds of peers it can reach directly.

    Asks the STUN servers given by --server or --ice-servers, else a default list (see --list-contacts).
    """
    about = (output, servers, network, judgement)
    return ask(Question("nat-type", *about, redacting=redacting, experiments=experiments))


app = command_app(nat_type)
