"""Options of a run: what cannot be is named before anybody is contacted."""

from pathlib import Path
from typing import Any

import pytest

from rtcdiag.address import Family
from rtcdiag.cli.asking import Question
from rtcdiag.cli.checking import run_options
from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.experiment_options import Experiments, Lasting
from rtcdiag.cli.options import Judgement, Network, Output, Servers
from rtcdiag.options import RunOptions


def question(network: dict[str, Any] | None = None, **servers: Any) -> Question:
    return Question("nat-type", Output(), Servers(**servers), Network(**(network or {})), Judgement())


def test_without_options_a_run_has_the_defaults_of_the_program() -> None:
    assert run_options(question()) == RunOptions()


def test_options_reach_the_run_in_its_units() -> None:
    given: dict[str, Any] = {"timeout": 1.5, "deadline": 4.0, "ipv6": True, "port": 5000, "no_control": True}
    options = run_options(question({**given, "bind": "[::1]"}, sni="example.org"))
    assert (options.timeout_ms, options.deadline_ms) == (1500.0, 4000.0)
    assert options.families == (Family.IPV6,)
    assert (str(options.bind), options.port, options.control) == ("::1", 5000, False)
    assert options.server_name == "example.org"


def test_both_families_are_the_same_as_none_named() -> None:
    assert run_options(question({"ipv4": True, "ipv6": True})).families == (Family.IPV4, Family.IPV6)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"timeout": 0.0}, "--timeout 0: not between 0.01 and 60 seconds"),
        ({"timeout": 61.0}, "--timeout 61: not between"),
        ({"timeout": float("nan")}, "--timeout nan: not between"),
        ({"deadline": float("inf")}, "--deadline inf: not between 0.01 and 3600 seconds"),
        ({"deadline": -1.0}, "--deadline -1: not between"),
        ({"port": -1}, "--port -1: not a number from 0 to 65535"),
        ({"port": 65536}, "--port 65536: not a number"),
        ({"bind": "eth0"}, "--bind eth0: not an IP address (write 192.0.2.1 or 2001:db8::1)"),
        ({"bind": "192.0.2.99"}, "--bind 192.0.2.99: no address of this computer (there are "),
        ({"bind": "fe80::1"}, "--bind fe80::1: a link-local address needs its interface (write fe80::1%"),
        ({"bind": "127.0.0.1", "ipv6": True}, "--bind 127.0.0.1: an address of the family that -6 leaves out"),
        ({"interface": "no-such-0"}, "--interface no-such-0: there is none of this name (there are "),
    ],
)
def test_a_value_that_cannot_be_is_named_with_the_reason(network: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError) as caught:
        run_options(question(network))
    assert str(caught.value).startswith(message)


def experiments(network: dict[str, Any] | None = None, **asked: Any) -> RunOptions:
    question = Question(
        "nat-type", Output(), Servers(), Network(**(network or {})), Judgement(), experiments=Experiments(**asked)
    )
    return run_options(question)


def test_an_experiment_is_done_only_where_it_is_asked_for() -> None:
    options = experiments(hairpin=True, lifetime=True, fragments=True)
    assert (options.hairpin, options.lifetime_up_to_s, options.fragments) == (True, 185.0, True)
    options = experiments()
    assert (options.hairpin, options.lifetime_up_to_s, options.fragments) == (False, None, False)


def test_the_deadline_comes_after_the_longest_silence_unless_the_user_sets_it() -> None:
    assert experiments(lifetime=True, lifetime_up_to=65.0).deadline_ms == 95_000
    assert experiments({"deadline": 40.0}, lifetime=True, lifetime_up_to=65.0).deadline_ms == 40_000


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"lifetime_up_to": 65.0}, "--lifetime-up-to 65: says how long --lifetime takes, which is not asked for"),
        ({"lifetime": True, "lifetime_up_to": 0.5}, "--lifetime-up-to 0.5: not between 1 and 900 seconds"),
        ({"lifetime": True, "lifetime_up_to": float("nan")}, "--lifetime-up-to nan: not between"),
    ],
)
def test_a_silence_that_cannot_be_tried_is_named(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError) as caught:
        experiments(**asked)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["", "münchen.example", "a" * 254, "a" * 64, "a\nb", "a b", ".example"])
def test_a_server_name_that_tls_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(BadInputError, match="--sni"):
        run_options(question(sni=name))


def test_a_file_without_certificates_is_refused_before_any_server_waits(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    with pytest.raises(BadInputError, match=r"--ca-file .*: No such file"):
        run_options(question(ca_file=str(path)))
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(BadInputError, match=r"--ca-file .*: there is no PEM certificate in it"):
        run_options(question(ca_file=str(path)))


def lasting(**asked: Any) -> RunOptions:
    return run_options(question()._replace(lasting=Lasting(**asked)))


def test_a_measurement_makes_the_run_as_much_longer() -> None:
    options = lasting(quality=10.0)
    assert options.quality_s == 10.0
    assert options.deadline_ms >= 30_000 + 10_000


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("11m", 660), ("1.5h", 5400)])
def test_a_duration_is_read_with_its_unit(text: str, seconds: float) -> None:
    options = lasting(soak=text)
    assert options.soak_s == seconds
    assert options.deadline_ms >= 1000 * (30 + seconds)


def test_throughput_is_capped_unless_a_rate_is_named() -> None:
    assert lasting(throughput=True).throughput_kbps == 1000
    assert lasting(throughput=True, throughput_up_to=4000).throughput_kbps == 4000
    assert lasting().throughput_kbps is None


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"quality": 0.5}, "--quality 0.5: not between 1 and 3600 seconds"),
        ({"throughput_up_to": 500}, "--throughput-up-to 500: how far --throughput goes, which is not asked for"),
        ({"throughput": True, "throughput_up_to": 49}, "--throughput-up-to 49: not between 50 and 10000 kbit/s"),
        ({"soak": "11 min"}, "--soak 11 min: not a duration (write 90s or 11m)"),
        ({"soak": "4s"}, "--soak 4s: not between 5s and 12h"),
        ({"soak": "13h"}, "--soak 13h: not between"),
        ({"soak": "nan"}, "--soak nan: not a duration"),
        ({"quality": float("nan")}, "--quality nan: not between"),
    ],
)
def test_a_measurement_that_cannot_be_is_named_with_the_reason(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError) as caught:
        lasting(**asked)
    assert str(caught.value).startswith(message)
