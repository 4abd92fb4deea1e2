"""What each text of a report is: by the names of its fields, and text with anything in it unless said otherwise."""

from enum import Enum, auto


class Role(Enum):
    """What a field of text holds."""

    TEXT = auto()
    """Anything: a sentence, a URI, what a server wrote."""
    HOST = auto()
    REALM = auto()
    INTERFACE = auto()
    DISTINGUISHED_NAME = auto()
    """A certificate's subject or issuer."""
    ATTRIBUTES = auto()
    """``NAME value`` of a STUN attribute."""
    FOUNDATION = auto()
    """Of a candidate: agents make it from the address, which could be found out from it."""
    SDP = auto()
    """A candidate's attribute, with its foundation."""
    TARGET = auto()
    """What a person calls a server, or its URI."""
    PLACE = auto()
    """Where in a configuration: the tables of targets are called as these are."""
    FILE = auto()
    OWN = auto()
    """A word of this program in which nothing else can stand, although it may look like a name."""


_BY_FIELD: dict[str, Role] = {
    "host": Role.HOST,
    "server_name": Role.HOST,
    "redirect_host": Role.HOST,
    "domain": Role.HOST,
    "alternate_domain": Role.HOST,
    "names": Role.HOST,
    "realm": Role.REALM,
    "interface": Role.INTERFACE,
    "default_route": Role.INTERFACE,
    "default_interfaces": Role.INTERFACE,
    "foundation": Role.FOUNDATION,
    "sdp": Role.SDP,
    "attributes": Role.ATTRIBUTES,
    "more_attributes": Role.ATTRIBUTES,
}
_BY_STRUCT: dict[tuple[str, str], Role] = {
    ("Interface", "name"): Role.INTERFACE,
    ("Certificate", "subject"): Role.DISTINGUISHED_NAME,
    ("Certificate", "issuer"): Role.DISTINGUISHED_NAME,
    ("TurnConfig", "name"): Role.FILE,
    ("HealthResult", "name"): Role.TARGET,
    ("HealthResult", "where"): Role.PLACE,
    ("Crash", "probe"): Role.OWN,
    ("Crash", "where"): Role.OWN,
}
_BY_FACT: dict[str, Role] = {"realm": Role.REALM, "issuer": Role.DISTINGUISHED_NAME}
"""Facts of findings that are a name, whatever it looks like."""


def role_of(struct: str, field: str) -> Role:
    """Return what a field of a struct holds."""
    return _BY_STRUCT.get((struct, field)) or _BY_FIELD.get(field, Role.TEXT)


def role_of_fact(name: str) -> Role:
    """Return what a fact of a finding holds."""
    return _BY_FACT.get(name, Role.TEXT)
