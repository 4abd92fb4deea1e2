"""What to do where a behavior stays undetermined: to every reason, the next step that could settle it."""

_STEPS: tuple[tuple[str, str], ...] = (
    (" 0 of ", "run it again with a longer --timeout"),
    ("loss cannot be excluded", "run it again: packets were lost, or answers take longer than --timeout allows"),
    ("only one server address", "ask a second server (--server)"),
    ("one operator", "add a server of another operator (--server)"),
    ("a third operator", "add one more server (--server)"),
    ("no two ports of one server", "ask one server on two ports, or one that does RFC 5780"),
    ("needs RESPONSE-PORT", "run it again, or ask a server that does RESPONSE-PORT"),
    ("(RFC 5780)", "ask one that can: without --server, some are"),
    ("OTHER-ADDRESS", "ask another RFC 5780 server: without --server, some are"),
    ("CHANGE-REQUEST", "ask another RFC 5780 server: without --server, some are"),
    ("alternate", "ask another RFC 5780 server: without --server, some are"),
)
_ELSE = "run it again, with more servers (--server)"


def step_for(why: str) -> str:
    """Return what would find out what is not known for this reason."""
    return next((step for words, step in _STEPS if words in why), _ELSE)
