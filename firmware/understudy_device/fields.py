# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What may stand in a field of a request: one validator for everything that a host can send."""

from .errors import BadRequest

# Characters that look like nothing at the ends of a name: Unicode's white space that is no control character.
_SPACES = tuple(" \u00a0\u1680\u2028\u2029\u202f\u205f\u3000") + tuple(chr(n) for n in range(0x2000, 0x200B))
_NAMED = 32  # characters of a stranger's field name that an error repeats


class Field:
    """One field of a request: what may stand in it. `check` gives the value back or raises BadRequest."""

    def __init__(self, kind, low=0, high=0, required=True):
        self.kind = kind
        self.low = low  # int: smallest; texts: bytes; hex: bytes
        self.high = high
        self.required = required

    def check(self, name, value):
        """Return `value` (hex as bytes) if it fits, else raise BadRequest naming the field and its bounds."""
        good = _CHECKS[self.kind](self, value)
        if good is None:
            raise BadRequest("%s: %s" % (name, self.describe()))
        return good

    def describe(self):
        """What fits, for people."""
        if self.kind == "choice":
            return "one of " + ", ".join(str(x) for x in self.low)
        if self.kind == "bool":
            return "true or false"
        if self.kind == "hex" and self.low == self.high:
            return "%d lower-case hex digits" % (2 * self.low)
        return _DESCRIPTIONS[self.kind] % (self.low, self.high)


_DESCRIPTIONS = {
    "int": "a whole number, %d to %d",
    "typed": "text of %d to %d bytes",
    "text": "text of %d to %d bytes without control characters or space around it",
    "plain": "text of %d to %d bytes without quotes, backslashes, control characters or space around it",
    "hex": "lower-case hex digits of %d to %d bytes",
}


def _is_int(field, value):
    # bool is an int in Python, and never meant as one here.
    return value if type(value) is int and field.low <= value <= field.high else None


def _is_typed(field, value):
    """Whatever a person typed; what it is worth is judged later."""
    if type(value) is not str:
        return None
    # Half of a surrogate pair, which JSON can spell and UTF-8 can't: CPython refuses, MicroPython not.
    try:
        size = len(value.encode())
    except UnicodeError:
        return None
    if size != len(value) and any(0xD800 <= ord(char) <= 0xDFFF for char in value):
        return None
    return value if field.low <= size <= field.high else None


def _is_text(field, value):
    if _is_typed(field, value) is None:
        return None
    # Control characters would end up in terminals, logs and screens; DEL and the C1 block are such too.
    data = value.encode()
    plain = data and min(data) >= 32 and max(data) < 127  # a tenth of the time, for what most names are
    for char in "" if plain else value:
        if ord(char) < 32 or 127 <= ord(char) < 160:
            return None
    # By itself: str.strip takes away what differs from interpreter to interpreter.
    return None if value[:1] in _SPACES or value[-1:] in _SPACES else value


def _is_plain(field, value):
    """Text that takes no more room in JSON than by itself."""
    if _is_text(field, value) is None or '"' in value or "\\" in value:
        return None
    return value


def _is_hex(field, value):
    if type(value) is not str or len(value) > 2 * field.high or len(value) % 2:
        return None
    for char in value:
        if char not in "0123456789abcdef":
            return None
    return bytes.fromhex(value) if len(value) >= 2 * field.low else None


def _is_choice(field, value):
    return value if type(value) in (int, str) and value in field.low else None


def _is_bool(_field, value):
    return value if type(value) is bool else None


_CHECKS = {
    "int": _is_int,
    "typed": _is_typed,
    "text": _is_text,
    "plain": _is_plain,
    "hex": _is_hex,
    "choice": _is_choice,
    "bool": _is_bool,
}


def check_fields(fields, values):
    """Check a mapping of `values` against a mapping of Fields; return the checked copy.

    Extra ones are errors too.
    """
    checked = {}
    for name in values:
        if name not in fields:
            raise BadRequest("%s: not a field of this command" % name[:_NAMED])
    for name, field in fields.items():
        if name in values:
            checked[name] = field.check(name, values[name])
        elif field.required:
            raise BadRequest("%s: missing" % name)
    return checked
