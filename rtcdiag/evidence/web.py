"""The web as this network shows it, where the right answer is known."""

from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure, Observation


class WebCheck(Observation, frozen=True, kw_only=True, tag=True):
    """One plain HTTP request to a documented URL that always answers alike: does anybody else answer in its place."""

    url: str
    """The documented URL; nothing that came back is in it."""
    expected_status: Literal[200, 204]
    """What the documented host answers: 204 has no content, that of 200 is known."""
    destination: TransportAddress
    """The host's address, as it resolved here."""
    local: TransportAddress | None = None
    status: int | None = None
    """The status that came; None: none did."""
    redirect_host: str | None = None
    """To whose host the answer's Location leads, in lower case, without port, path and query; ``""`` where it has no
    host name that could be one, None where there was no Location. It is never followed."""
    content: Literal["none", "expected", "other"] = "none"
    """What came with status 200: nothing, the documented content, or another one. The content itself is not kept."""
    failure: Failure | None = None
    """Why there was no answer; None where there was one, right or wrong."""

    @property
    def right(self) -> bool:
        """Whether the documented answer came: the host itself was reached."""
        content = "expected" if self.expected_status == 200 else "none"
        return (self.status, self.content) == (self.expected_status, content)
