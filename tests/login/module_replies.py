# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Replies of a broker, good, bad and damaged, and a second reading of them by the same rules."""

import random
import re

from tests.login.fake_broker import message, prompt
from tests.login.module_support import PAM

from understudy_device.protocol import STATUSES


def is_text(data: bytes) -> bool:
    """What the rules call a value."""
    try:
        return not re.search(r"[\x00-\x1f\x7f]", data.decode())
    except UnicodeDecodeError:
        return False


def hexed(value: str | bytes | None) -> str:
    """A value in hex; . for none, - for an empty one."""
    if value is None:
        return "."
    return (value.encode() if isinstance(value, str) else value).hex() or "-"


def read_reply(data: bytes) -> list[str]:
    """What c/probe.c has to say to these bytes: status, PAM code, prompt, stage, echo, then kind and text of
    each text to show; values in hex. ["bad"] if they are no reply by the rules of broker/messages.py."""
    try:
        return _read_reply(data)
    except (ValueError, KeyError):
        return ["bad"]


def _refuse(when: bool) -> None:
    if when:
        raise ValueError


def _read_reply(data: bytes) -> list[str]:
    _refuse(len(data) > 16384 or data.find(b"\n\n") != len(data) - 2)
    raw = data[:-2].split(b"\n")
    _refuse(any(len(line) > 1023 or not is_text(line) for line in raw))
    first, *lines = [line.decode() for line in raw]
    status = re.fullmatch("understudy/1 ([a-z-]{1,32})", first)
    _refuse(status is None or not all(re.match("[a-z-]+ ", line) for line in lines))
    assert status is not None
    pairs = [(name, value) for name, _, value in (line.partition(" ") for line in lines)]
    asked = [(name, value) for name, value in pairs if name in ("prompt", "echo", "stage")]
    fields = dict(asked)
    _refuse(len(fields) != len(asked))
    code = STATUSES[status[1]][2] if status[1] in STATUSES else "SYSTEM_ERR"
    result = [status[1], str(PAM[code]), ".", ".", "."]
    if status[1] == "prompt":
        _refuse(fields["echo"] not in ("on", "off"))
        result[2:] = [hexed(fields["prompt"]), hexed(fields["stage"]), fields["echo"]]
    before = ""
    for name, value in pairs:
        if name in ("info", "error"):
            if name == before:
                result[-1] = hexed(bytes.fromhex(result[-1].replace("-", "")) + b"\n" + value.encode())
            else:
                result += [name, hexed(value)]
        before = name
    return result


QR = ["info " + "\u2588\u2580\u2584 " * 10] * 20
GOOD = [
    *(message(status) for status in STATUSES),
    message("accepted", "info a", "info b", "error c", "info d", "seconds 9", "info e", "info ", "info "),
    message("accepted", "new-field of later", "info  two spaces ", "prompt unused"),
    message("throttled", "error Too many wrong codes; try again in 40 s.", "seconds 40"),
    prompt(),
    prompt("Code: ", "on", "enrol", *QR, "error \u00fc\U0001f511"),
    message("prompt", "stage ", "prompt ", "echo off"),
    message("some-later-word"),
    message("a" * 32),
    message("accepted", "info " + "x" * 1018),
    message("accepted", *["info " + "x" * 1018] * 15),
]
BAD = [
    b"",
    b"\n",
    b"\n\n",
    b"accepted\n\n",
    b"understudy/1 accepted",
    b"understudy/1 accepted\n",
    b"understudy/1 accepted\r\n\r\n",
    b"understudy/1 accepted\n\n\n",
    b"understudy/1 accepted\n\nx",
    b"understudy/1 accepted\n\nunderstudy/1 rejected\n\n",
    b"\nunderstudy/1 accepted\n\n",
    b" understudy/1 accepted\n\n",
    b"understudy/1  accepted\n\n",
    b"understudy/1 accepted \n\n",
    b"understudy/1 Accepted\n\n",
    b"understudy/1 accepted\x00\n\n",
    b"understudy/1 accepted\x00rejected\n\n",
    b"understudy/1 \n\n",
    b"understudy/1\n\n",
    b"understudy/10 accepted\n\n",
    b"understudy/2 accepted\n\n",
    b"understudy/01 accepted\n\n",
    message("a" * 33),
    message("accepted", "info"),
    message("accepted", " info"),
    message("accepted", "Info a"),
    message("accepted", "info\ta"),
    message("accepted", "info a\x7f"),
    message("accepted", "info a\x1b[31m"),
    message("accepted", "info " + "x" * 1019),
    message("accepted", *["info " + "x" * 1018] * 16),
    b"understudy/1 accepted\ninfo \xff\n\n",
    b"understudy/1 accepted\ninfo \xed\xa0\x80\n\n",
    message("prompt"),
    message("prompt", "prompt Code: ", "echo off"),
    message("prompt", "prompt Code: ", "stage code"),
    message("prompt", "echo off", "stage code"),
    message("prompt", "prompt Code: ", "echo yes", "stage code"),
    message("prompt", "prompt Code: ", "echo ", "stage code"),
    message("prompt", "prompt a", "prompt b", "echo off", "stage code"),
    message("prompt", "prompt a", "echo on", "echo off", "stage code"),
    message("prompt", "prompt a", "echo on", "stage a", "stage b"),
]


PIECES = [
    *(b"understudy/1 ", b"accepted", b"not-required", b"prompt", b"\n", b"\n\n", b"info ", b"error ", b" "),
    *(
        b"echo on\n",
        b"echo off\n",
        b"stage ",
        b"prompt Code: \n",
        b"\0",
        b"\xc3\xa9",
        b"\xe2\x96\x88",
        b"\xff",
    ),
    *(b"seconds 9\n", b"x" * 1010, b"-", b"\r"),
]


def mutated(chance: random.Random) -> bytes:
    """A reply with a few things changed."""
    data = bytearray(chance.choice(chance.choice((GOOD, GOOD, GOOD, BAD))))
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(data))
        to = min(len(data), at + chance.choice((0, 1, 1, 2, 8, 64)))
        kind = chance.randrange(5)
        if kind == 0:
            data[at:to] = b""
        elif kind == 1:
            data[at:to] = chance.choice(PIECES)
        elif kind == 2:
            data[at:at] = data[at:to] * chance.choice((1, 1, 1, 300))
        elif kind == 3:
            data[at:to] = chance.randbytes(to - at)
        elif data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
    return bytes(data[:20000])
