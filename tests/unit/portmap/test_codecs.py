"""NAT-PMP, PCP and SSDP: bytes as the RFCs draw them, and hostile ones."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.address import TransportAddress
from rtcdiag.portmap import natpmp, pcp, ssdp
from rtcdiag.portmap.answer import PortmapAnswer

GATEWAY = ip_address("192.168.1.1")


def test_the_request_for_the_external_address_is_two_zero_bytes() -> None:
    assert natpmp.EXTERNAL_ADDRESS_REQUEST == b"\0\0"


def test_an_external_address_is_read() -> None:
    answer = natpmp.decode(bytes.fromhex("00800000 00000e10 cb007107"))
    assert answer == PortmapAnswer(version=0, result=0, epoch_s=3600, external=IPv4Address("203.0.113.7"))
    assert answer.result_name == "SUCCESS"


@pytest.mark.parametrize(
    ("data", "version", "name"),
    [
        ("00800002 00000001 00000000", 0, "NOT_AUTHORIZED"),
        ("00800003 00000001", 0, "NETWORK_FAILURE"),
        ("02800001 00000000 00000001 000000000000000000000000", 2, "UNSUPP_VERSION"),
    ],
)
def test_a_refusal_of_nat_pmp_has_a_name_and_no_address(data: str, version: int, name: str) -> None:
    answer = natpmp.decode(bytes.fromhex(data))
    assert answer is not None
    assert (answer.version, answer.result_name, answer.external) == (version, name, None)


def test_an_announcement_carries_the_clients_address_and_asks_for_no_mapping() -> None:
    request = pcp.announce_request(IPv4Address("192.168.1.2"))
    assert request == bytes.fromhex("02000000 00000000 00000000000000000000ffffc0a80102")
    assert pcp.announce_request(IPv6Address("2001:db8::2"))[8:] == IPv6Address("2001:db8::2").packed


@pytest.mark.parametrize(
    ("data", "version", "name", "epoch_s"),
    [
        ("02800000 00000000 00000e10 000000000000000000000000", 2, "SUCCESS", 3600),
        ("0280000c 00000000 00000001 000000000000000000000000", 2, "ADDRESS_MISMATCH", 1),
        ("028000fe 00000000 00000001 000000000000000000000000", 2, "UNKNOWN", 1),
        ("00800001 00000000", 0, "UNSUPP_VERSION", None),
    ],
)
def test_answers_to_an_announcement_are_read(data: str, version: int, name: str, epoch_s: int | None) -> None:
    answer = pcp.decode(bytes.fromhex(data))
    assert answer is not None
    assert (answer.version, answer.result_name, answer.epoch_s) == (version, name, epoch_s)


@pytest.mark.parametrize(
    "data",
    [
        "00000000 00000e10 cb007107",  # a request
        "00810000 00000e10 cb007107",  # of another opcode
        "00800000 00000e10",  # a success that ends before the address
        "0080",
    ],
)
def test_what_is_no_answer_of_nat_pmp_is_none(data: str) -> None:
    assert natpmp.decode(bytes.fromhex(data)) is None


@pytest.mark.parametrize(
    "data",
    [
        "02000000 00000000 00000e10 000000000000000000000000",
        "02810000 00000000 00000e10 000000000000000000000000",  # MAP
        "02800000 00000000 00000e10",
        "01800000 00000000 00000e10 000000000000000000000000",
        "02800000 00000000 00000e10 000000000000000000000000" + 1100 * "00",
    ],
)
def test_what_is_no_answer_of_pcp_is_none(data: str) -> None:
    assert pcp.decode(bytes.fromhex(data)) is None


@given(st.binary(max_size=1200))
def test_no_bytes_make_a_decoder_raise(data: bytes) -> None:
    natpmp.decode(data)
    pcp.decode(data)
    ssdp.decode(data)
    ssdp.decode(b"HTTP/1.1 200 OK\r\n" + data)


@given(st.text(max_size=80))
def test_no_url_makes_the_check_raise(text: str) -> None:
    ssdp.place_of("http://" + text, GATEWAY)


ANSWER = (
    b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nst: urn:schemas-upnp-org:device:InternetGatewayDevice:2\r\n"
    b"USN: uuid:5bcbeffe::x\r\nEXT:\r\nSERVER: Debian UPnP/1.1\r\nLocation: http://192.168.1.1:5000/rootDesc.xml\r\n\r\n"
)


def test_the_answer_to_a_search_is_read() -> None:
    found = ssdp.decode(ANSWER)
    assert found == ssdp.Discovered(igd_version=2, location="http://192.168.1.1:5000/rootDesc.xml")


def test_a_search_names_whom_it_is_sent_to() -> None:
    lines = ssdp.search(1, "192.168.1.1").decode().split("\r\n")
    assert lines[0] == "M-SEARCH * HTTP/1.1"
    assert "HOST: 192.168.1.1:1900" in lines
    assert "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1" in lines
    assert lines[-2:] == ["", ""]


@pytest.mark.parametrize(
    "data",
    [
        ANSWER.replace(b"200 OK", b"404 No"),
        ANSWER.replace(b"InternetGatewayDevice:2", b"MediaServer:1"),
        ANSWER.replace(b"Location", b"Elsewhere"),
        ANSWER.replace(b"rootDesc", b"\x1b[31m"),
        ANSWER.replace(b"rootDesc", 300 * b"a"),
        ANSWER + 3000 * b" ",
    ],
)
def test_what_is_no_gateways_answer_is_none(data: bytes) -> None:
    assert ssdp.decode(data) is None


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://192.168.1.1:5000/d.xml", "192.168.1.1:5000"),
        ("http://192.168.1.1/d.xml", "192.168.1.1:80"),
    ],
)
def test_a_description_on_the_gateway_may_be_fetched(url: str, place: str) -> None:
    assert ssdp.place_of(url, GATEWAY) == TransportAddress.parse(place)


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.1.2:5000/d.xml",
        "http://127.0.0.1/d.xml",
        "http://router.lan/d.xml",
        "https://192.168.1.1/d.xml",
        "file:///etc/passwd",
        "http://192.168.1.1@10.0.0.1/d.xml",
        "http://10.0.0.1@192.168.1.1/d.xml",
        "http://192.168.1.1:0/d.xml",
        "http://192.168.1.1:99999/d.xml",
        "http://[::ffff:192.168.1.1]/d.xml",
        "http://[192.168.1.1/d.xml",
        "//192.168.1.1/d.xml",
        "",
    ],
)
def test_a_description_anywhere_else_may_not(url: str) -> None:
    assert ssdp.place_of(url, GATEWAY) is None
