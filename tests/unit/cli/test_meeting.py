"""What a person is told of the rendezvous."""

import pytest

from rtcdiag.cli.meeting import unnamed
from rtcdiag.signaling.invitation import Invitation, Rendezvous

PLACE = Rendezvous("https://meet.example.org:8443/rooms")


@pytest.mark.parametrize("place", [PLACE, Invitation(PLACE, "r" * 22, b"k" * 16)], ids=["made", "joined"])
@pytest.mark.parametrize(
    "said",
    [
        "https://meet.example.org:8443/rooms does not answer",
        "what answers at meet.example.org:8443 is no rendezvous",
        "Meet.Example.org cannot be looked up",
    ],
)
def test_what_is_redacted_does_not_name_the_rendezvous(said: str, place: Rendezvous | Invitation) -> None:
    shown = unnamed(said, place)
    assert "the rendezvous" in shown
    assert "meet" not in shown.lower()
