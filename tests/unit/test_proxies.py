"""Proxy settings: which proxy the environment names, for whom, and that its login is never shown."""

import pytest

from rtcdiag.proxies import Proxy, ProxyError, parse_proxy, proxy_of


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("HTTP://Proxy.Example", "http://proxy.example:80"),
        ("proxy.example:8080", "http://proxy.example:8080"),
        ("https://proxy.example/", "https://proxy.example:443"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
        ("http://ann:hunter2@10.0.0.1:3128", "http://10.0.0.1:3128"),
    ],
)
def test_a_proxy_is_shown_with_scheme_host_and_port_and_without_its_login(text: str, label: str) -> None:
    proxy = parse_proxy(text, "--proxy")
    assert proxy.label == label
    assert "hunter2" not in repr(proxy)


def test_a_login_in_percent_form_is_read() -> None:
    proxy = parse_proxy("http://a%40b:p%3Aq%2F@proxy.example:3128", "--proxy")
    assert proxy.credential is not None
    assert (proxy.credential.username, proxy.credential.password) == ("a@b", "p:q/")


@pytest.mark.parametrize(
    "text",
    [
        "socks5://ann:hunter2@proxy.example:1080",
        "http://ann:hunter2@",
        "http://ann:hunter2@proxy.example:99999",
        "http://ann:hunter2@proxy.example:0",
        "http://ann:hunter2@proxy.example:3128/path",
        "http://ann:hunter2@proxy.example:3128?x",
        "http://ann:hunter2@pro xy.example:3128",
        "http://ann:hunter2@[::1",
        "http://ann:hunter2@[fe80::zz]:1",
        "://hunter2",
        "\x1b[31mhunter2://x",
    ],
)
def test_what_is_no_proxy_is_refused_without_repeating_its_login(text: str) -> None:
    with pytest.raises(ProxyError) as caught:
        parse_proxy(text, "--proxy")
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_the_variables_are_asked_in_the_order_of_other_programs() -> None:
    names = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    for at, name in enumerate(names):
        found = proxy_of({later: f"http://{later.lower()}.example:1" for later in names[at:]} | {"http_proxy": "x"})
        assert found is not None
        assert found.named_by == name
    assert proxy_of({"http_proxy": "http://proxy.example", "https_proxy": " "}) is None


def test_a_variable_that_cannot_be_used_says_why_and_shows_nothing() -> None:
    proxy = proxy_of({"all_proxy": "socks5h://ann:hunter2@proxy.example"})
    assert proxy is not None
    assert proxy.problem == "only http:// and https:// proxies can be asked, not socks5h://"
    assert "hunter2" not in repr(proxy)


def serves(no_proxy: str, host: str, port: int = 443) -> bool:
    proxy = proxy_of({"https_proxy": "http://proxy.example", "NO_PROXY": no_proxy})
    assert proxy is not None
    return proxy.serves(host, port)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("*", "turn.example.org"),
        ("example.org", "turn.example.org"),
        (".example.org", "turn.example.org"),
        ("*.example.org", "turn.example.org"),
        ("a.test, TURN.example.org ,", "turn.example.org."),
        ("turn.example.org:443", "turn.example.org"),
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8::/32", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
    ],
)
def test_no_proxy_leaves_a_host_out(no_proxy: str, host: str) -> None:
    assert not serves(no_proxy, host)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("", "turn.example.org"),
        ("example.org", "badexample.org"),
        ("turn.example.org:80", "turn.example.org"),
        (".", "turn.example.org"),
        ("10.0.0.0/8", "11.1.2.3"),
        ("10", "10.1.2.3"),
        ("not a network/99", "10.1.2.3"),
    ],
)
def test_no_proxy_leaves_nobody_else_out(no_proxy: str, host: str) -> None:
    assert serves(no_proxy, host)


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_computer_is_asked_without_a_proxy_unless_the_option_names_one(host: str) -> None:
    assert not serves("", host)
    assert Proxy("http", "proxy.example", 3128, "--proxy").serves(host, 3478)
