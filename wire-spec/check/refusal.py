"""What a decoder raises when it refuses its input."""


class Refused(Exception):
    """The input breaks a rule; `violation` is the name that the specification gives the rule."""

    def __init__(self, violation: str) -> None:
        super().__init__(violation)
        self.violation = violation
