"""How Asterisk takes a command apart, written from its behaviour and apart from our quoting.

`words` is the AGI layer, `arguments` the application layer, `mset` what MSet then sets.
"""


def words(line: str) -> list[str]:
    found: list[str] = []
    current: str | None = None
    quoted = False
    characters = iter(line)
    for character in characters:
        if character == "\\":
            current = (current or "") + next(characters, "")
        elif character == '"':
            quoted = not quoted
            current = current or ""
        elif character in " \t" and not quoted:
            if current is not None:
                found.append(current)
            current = None
        else:
            current = (current or "") + character
    if current is not None:
        found.append(current)
    return found


def arguments(text: str, separator: str, declared: int) -> list[str]:
    """`declared` arguments at most; the last of them is what remains, untouched."""
    found: list[str] = []
    rest = text
    while rest and len(found) < declared - 1:
        argument, rest, separated = _first(rest, separator)
        found.append(argument)
        if not rest and separated:
            found.append("")
    if rest:
        found.append(rest)
    return found


def _first(text: str, separator: str) -> tuple[str, str, bool]:
    kept = ""
    depth = {"(": 0, "[": 0}
    quoted = False
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "\\":
            kept += text[at : at + 1]
            at += 1
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted and not any(depth.values()):
            return kept, text[at:], True
        else:
            if character in "([":
                depth[character] += 1
            elif character in ")]":
                opening = "(" if character == ")" else "["
                depth[opening] = max(0, depth[opening] - 1)
            kept += character
    return kept, "", False


def mset(text: str) -> list[tuple[str, str]]:
    pairs = []
    for pair in arguments(text, ",", 99):
        name, *value = arguments(pair, "=", 2)
        if value:
            pairs.append((name, value[0]))
    return pairs
