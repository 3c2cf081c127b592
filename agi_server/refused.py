"""Why something that was asked is not done. The messages are for operators as they stand."""

from collections.abc import Sequence


class InvalidFieldError(ValueError):
    """A value that breaks its field's rule; the message says what is allowed.

    `field` is the name of the argument, e.g. `account_number`.
    """

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(f"{field}: {message}")


class InvalidFieldsError(InvalidFieldError):
    """One or more values that break their fields' rules: all that were found at once."""

    def __init__(self, problems: Sequence[InvalidFieldError]) -> None:
        self.problems = tuple(problems)
        super().__init__(problems[0].field, problems[0].message)


class RefusedError(Exception):
    """A request that the present state does not allow, e.g. a name already taken.

    `field` is the name of the argument that it is about, where there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class DeletedError(RefusedError):
    """The customer was deleted, which is for good."""

    def __init__(self) -> None:
        super().__init__("this customer was deleted")


class NotFoundError(RefusedError):
    """What was named does not exist."""
