"""The rule of every free text that stays and stands on one line: notes of money, descriptions."""

from agi_server.refused import InvalidFieldError

LONGEST_LINE = 200


def one_line(text: str) -> str:
    """The text without blanks around it. Raises ValueError, without the text."""
    text = text.strip()
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    if len(text) > LONGEST_LINE:
        raise ValueError(f"must have at most {LONGEST_LINE} characters")
    return text


def check_line(field: str, text: str) -> str:
    """The same of an argument of this name. Raises InvalidFieldError."""
    try:
        return one_line(text)
    except ValueError as error:
        raise InvalidFieldError(field, str(error)) from None
