# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the broker and those who ask it say to each other, over a Unix stream socket, in any language.

One request, one reply, and the broker closes. A message is lines of UTF-8, each ended by LF: first
`understudy/1 WORD`, then a `name value` line for each field, then an empty line. A name is of [a-z-], the
value is the rest of the line after one space; it may be empty and holds no control character. A field may
come more than once where that is said.

Requests, by WORD
  login     is a code needed, and is it right?
      id       32 lower-case hex digits, fresh for each question. The same again only when the connection was
               lost before a whole reply had come: then it is the same question, and nothing happens twice
      user, service    whom it is about, and the PAM service
      tty, rhost       for the log; may be left out
      within   milliseconds that the client will wait for this reply, at most 60000
      enrol    "yes": a first factor was shown, so a user who has to enrol may do so; counts for root only
      stage, answer    both or neither: the `stage` of the last reply as it came, and what the user typed
  account   may this user log in at all? Fields as for login, but enrol, stage and answer
  status    no fields
  bypass    for root: `seconds` without codes for logins on a local terminal (0: its end); `tty`, for the log
  attach    no fields; for admins: after the reply `ok`, the connection carries the device's bytes

Replies, by WORD
  prompt    ask the user and come back: `prompt` (the text), `echo` (on or off), `stage`
  a status  of protocol.STATUSES: the end. `accepted` alone lets somebody in; `not-required` says that no code
            is asked for; `throttled` has `seconds`; the reply to `status` has `json`, an object in pieces
  Before a prompt and with an end: `info` and `error` lines, any number, to be shown first and in order;
  neighbours of one kind are one text of several lines.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from understudy_device.errors import BadRequest

VERSION = 1
MAX_REQUEST = 4096  # bytes
MAX_REPLY = 16384
MAX_LINE = 1024
MAX_WITHIN = 60000  # ms
MAX_BYPASS = 86400  # s
END = b"\n\n"

LOGIN = "login"
ACCOUNT = "account"
STATUS = "status"
ATTACH = "attach"
BYPASS = "bypass"
PROMPT = "prompt"

_FIRST = re.compile(r"understudy/(\d{1,4}) ([a-z-]{1,32})\Z")
_NAME = re.compile(r"[a-z-]{1,16}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ID = re.compile(r"[0-9a-f]{32}\Z")
_ASKING = {"id", "user", "service", "tty", "rhost", "within"}
_FIELDS = {
    LOGIN: _ASKING | {"enrol", "stage", "answer"},
    ACCOUNT: _ASKING,
    STATUS: set(),
    ATTACH: set(),
    BYPASS: {"seconds", "tty"},
}
_NEEDED = ("id", "user", "service", "within")


@dataclass(frozen=True)
class Question:
    """A checked `login` or `account` request; `within` in seconds. What was typed stays out of its repr."""

    word: str
    id: str
    user: str
    service: str
    within: float
    tty: str = ""
    rhost: str = ""
    may_enrol: bool = False
    stage: str | None = None
    answer: str | None = None

    def __repr__(self) -> str:
        return f"Question({self.word} {self.id} {self.user!r} {self.service!r})"


def pack(word: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """A message. ValueError for a value that can't be in one."""
    lines = [f"understudy/{VERSION} {word}", *(f"{name} {value}" for name, value in fields)]
    for line in lines:
        if _CONTROL.search(line) or len(line.encode()) >= MAX_LINE:
            raise ValueError("not a line")
    return "\n".join([*lines, "", ""]).encode()


def unpack(data: bytes, limit: int) -> tuple[str, list[tuple[str, str]]]:
    """The word and the fields of one whole message. BadRequest says what is wrong with it."""
    if len(data) > limit:
        raise BadRequest(f"a message of over {limit} bytes")
    if not data.endswith(END):
        raise BadRequest("a message ends with an empty line")
    try:
        lines = data[: -len(END)].decode().split("\n")
    except UnicodeDecodeError:
        raise BadRequest("not UTF-8") from None
    if any(_CONTROL.search(line) for line in lines):
        raise BadRequest("a control character")
    first = _FIRST.match(lines[0])
    if first is None:
        raise BadRequest("the first line is `understudy/1 WORD`")
    if int(first[1]) != VERSION:
        raise BadRequest(f"this side speaks version {VERSION}")
    return first[2], [_field(line) for line in lines[1:]]


def _field(line: str) -> tuple[str, str]:
    name, space, value = line.partition(" ")
    if not space or not _NAME.match(name):
        raise BadRequest("a line is a name, a space and a value")
    return name, value


def read_request(data: bytes) -> tuple[str, dict[str, str]]:
    """The word and the fields of a request, each known and there once. BadRequest."""
    word, pairs = unpack(data, MAX_REQUEST)
    if word not in _FIELDS:
        raise BadRequest(f"no request {word}; there are {', '.join(_FIELDS)}")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadRequest("a field comes twice")
    unknown = sorted(fields.keys() - _FIELDS[word])
    if unknown:
        raise BadRequest(f"{word} has no field {unknown[0]}")
    return word, fields


def question(word: str, fields: Mapping[str, str]) -> Question:
    """The fields of a `login` or `account` request, checked. BadRequest."""
    for name in _NEEDED:
        if not fields.get(name):
            raise BadRequest(f"{name}: missing")
    if not _ID.match(fields["id"]):
        raise BadRequest("id: 32 lower-case hex digits")
    within = fields["within"]
    if not (within.isascii() and within.isdigit() and len(within) <= 5 and 0 < int(within) <= MAX_WITHIN):
        raise BadRequest(f"within: 1 to {MAX_WITHIN} milliseconds")
    if fields.get("enrol", "yes") != "yes":
        raise BadRequest("enrol: yes, or not at all")
    if ("stage" in fields) != ("answer" in fields):
        raise BadRequest("stage and answer go together")
    return Question(
        word,
        fields["id"],
        fields["user"],
        fields["service"],
        int(within) / 1000,
        fields.get("tty", ""),
        fields.get("rhost", ""),
        "enrol" in fields,
        fields.get("stage"),
        fields.get("answer"),
    )


def bypass_seconds(fields: Mapping[str, str]) -> int:
    """How long a `bypass` is to last. BadRequest."""
    text = fields.get("seconds", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= MAX_BYPASS):
        raise BadRequest(f"seconds: 0 to {MAX_BYPASS}")
    return int(text)
