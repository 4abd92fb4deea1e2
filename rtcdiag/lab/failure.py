"""What goes wrong with the lab itself."""


class LabError(Exception):
    """The lab cannot do what it was asked to; the message is one line."""
