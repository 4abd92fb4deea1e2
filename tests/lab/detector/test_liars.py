"""Servers that lie, in every way, beside none, one and two honest operators: never a wrong class.

Each lab asks all of it behind one NAT.
"""

import pytest

from lab.detector.labs import Told, ask, coturn_line, outside_line, truth
from lab.detector.outside import LIES, MAPPED, ONE_SIDED

pytestmark = pytest.mark.lab

HONEST = ("198.51.100.10,198.51.100.11", "203.0.113.10,203.0.113.11")
PLAIN = ("192.0.2.10", "192.0.2.11")
"""Two operators more, without RFC 5780."""
TURN = "203.0.113.20"
LIARS = {lie: f"192.0.2.{30 + 2 * number}" for number, lie in enumerate(LIES)}
NATS = ("eim/eif", "eim/apdf", "adm/adf", "apdm/eif", "apdm/apdf", "none")


def _second(ip: str) -> str:
    head, _, last = ip.rpartition(".")
    return f"{head}.{int(last) + 1}"


def _uris(lie: str, honest: int) -> list[str]:
    return [f"stun:{LIARS[lie]}", *(f"stun:{pair.partition(',')[0]}" for pair in HONEST[:honest])]


CASES = {f"{lie} and {honest}": _uris(lie, honest) for lie in LIES for honest in (0, 1, 2)}
CASES |= {f"{lie} and plain": [f"stun:{LIARS[lie]}", *(f"stun:{ip}" for ip in PLAIN)] for lie in LIES}
CASES |= {f"{lie} and a relay": [f"stun:{LIARS[lie]}", f"turn:{TURN}"] for lie in MAPPED}
CASES |= {f"{lie}, a relay and plain": [f"stun:{LIARS[lie]}", f"turn:{TURN}", f"stun:{PLAIN[0]}"] for lie in MAPPED}


@pytest.fixture(scope="module", params=NATS)
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Told]]:
    directory = tmp_path_factory.mktemp("liars")
    servers = [f"{lie}@{ip},{_second(ip)}:3478,3479" for lie, ip in LIARS.items()]
    servers += [f"honest@{pair}:3478,3479" for pair in HONEST] + [f"honest@{ip}:3478" for ip in PLAIN]
    addresses = [*PLAIN, TURN, *(ip for first in LIARS.values() for ip in (first, _second(first)))]
    internet = [coturn_line(directory, "turn", [TURN], [TURN]), outside_line(*servers)]
    ready = ["198.51.100.10:3478", f"{TURN}:3478"]
    # So many runs on one host take some port twice; a NAT that still knows whom the first one contacted lets it all in.
    nat = f"{request.param} lifetime=6s"
    return request.param, ask(nat, CASES, internet, directory, ready=ready, addresses=addresses, at_once=10)


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_makes_a_wrong_class(behind: tuple[str, dict[str, Told]], lie: str) -> None:
    nat, told = behind
    mapping, filtering = truth(nat)
    for name in (name for name in CASES if name.startswith((f"{lie} ", f"{lie},"))):
        found = told[name]["nat"]
        assert found["mapping"] in (mapping, "undetermined"), (name, found["mapping"])
        assert found["filtering"] in (filtering, "undetermined"), (name, found["filtering"])
        # A server that is alone and tells every socket another address than its own is a NAT to whoever asks it.
        assert name.endswith("and 0") or found["behind_nat"] in ("/" in nat, None), (name, found["mapped"])


@pytest.mark.parametrize("lie", LIES)
def test_two_honest_operators_are_believed(behind: tuple[str, dict[str, Told]], lie: str) -> None:
    nat, told = behind
    found = told[f"{lie} and 2"]["nat"]

    assert found["filtering"] == truth(nat)[1], found["undetermined"]
    if lie not in (*MAPPED, *ONE_SIDED):
        assert found["mapping"] == truth(nat)[0], found["undetermined"]


@pytest.mark.parametrize("lie", MAPPED)
def test_a_relay_and_one_honest_operator_name_the_liar(behind: tuple[str, dict[str, Told]], lie: str) -> None:
    nat, told = behind
    found = told[f"{lie}, a relay and plain"]

    assert list(found["nat"]["distrusted"]) == [f"stun:{LIARS[lie]}"], found["nat"]["undetermined"]
    assert "nat-server-distrusted" in [item["code"] for item in found["findings"]]
    assert (found["nat"]["mapping"], found["nat"]["filtering"]) == truth(nat), found["nat"]["undetermined"]
