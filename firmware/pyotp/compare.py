# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Comparing a typed code with the right one."""

_MAX_LENGTH = 1024

# The characters that Unicode's NFKC turns into decimal digits: first character, how many, value of the first.
# Complete for Unicode 15; a test walks all characters.
_DIGIT_RUNS = (
    (0x00B2, 2, 2),
    (0x00B9, 1, 1),
    (0x2070, 1, 0),
    (0x2074, 6, 4),
    (0x2080, 10, 0),
    (0x2460, 20, 1),
    (0x24EA, 1, 0),
    (0x3251, 15, 21),
    (0x32B1, 15, 36),
    (0xFF10, 10, 0),
    (0x1D7CE, 10, 0),
    (0x1D7D8, 10, 0),
    (0x1D7E2, 10, 0),
    (0x1D7EC, 10, 0),
    (0x1D7F6, 10, 0),
    (0x1FBF0, 10, 0),
)


def same_code(typed, right):
    """Tell whether `typed` (any str) is the code `right` (ASCII digits), in a time that depends on lengths
    only.

    Compatibility forms of digits count as digits, full-width ones for example. A text over 1024 characters is
    wrong.
    """
    if len(typed) > _MAX_LENGTH:
        return False
    given = typed.encode()
    if len(given) != len(typed):
        given = "".join([_plain(character) for character in typed]).encode()
    expected = right.encode()
    if len(given) != len(expected):
        return False
    difference = 0
    for i in range(len(expected)):
        difference |= given[i] ^ expected[i]
    return difference == 0


def _plain(character):
    """Return the ASCII digits that a character stands for, or the character itself."""
    code = ord(character)
    for first, count, value in _DIGIT_RUNS:
        if first <= code < first + count:
            return str(value + code - first)
    return character
