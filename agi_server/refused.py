"""Why something that was asked is not done. The messages are for operators as they stand."""


class InvalidFieldError(ValueError):
    """A value that breaks its field's rule; the message says what is allowed.

    `field` is the name of the argument, e.g. `account_number`.
    """

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(f"{field}: {message}")


class RefusedError(Exception):
    """A request that the present state does not allow, e.g. a name already taken."""


class NotFoundError(RefusedError):
    """What was named does not exist."""
