# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""THE table: frame types, limits, commands with their fields and roles, statuses with their texts and exit
codes.

Both sides import it; nothing about the protocol is written down anywhere else.

A request is one JSON object: `{"id": "<16 hex digits>", "cmd": "verify", <fields>}`; the reply repeats the
id: `{"id": "...", "status": "accepted", <fields>}`. An id names one request for good: asked again (after a
lost reply) it gets the same answer and nothing is done twice.
"""

from .compat import const
from .errors import BadRequest

VERSION = const(1)
FIRMWARE = "0.1.0"

# Frame types. In the clear: the hello, the handshakes, a fault (a status name, when there is no session to
# say it in).
HELLO = const(0x01)  # host: 16 random bytes; device: a JSON object, see `session.Session.hello`
PAIR_1 = const(0x11)  # Noise XX, message 1
PAIR_2 = const(0x12)  # Noise XX, message 2; payload: the device's commitment
PAIR_3 = const(0x13)  # Noise XX, message 3; payload: the host's nonce
PAIR_4 = const(0x14)  # transport message: the device opens its commitment
OPEN_1 = const(0x21)  # the host's key id, then Noise KK, message 1
OPEN_2 = const(0x22)  # Noise KK, message 2
DATA = const(0x31)  # transport message: one request or one reply
FAULT = const(0x7F)

# Limits, in bytes unless said otherwise.
MAX_JSON = const(1024)
TAG = const(16)
MAX_PAYLOAD = const(1040)  # MAX_JSON + TAG
KEY = const(32)
KEY_ID = const(8)
NONCE = const(16)
MAX_NAME = const(64)
MAX_HOST_NAME = const(32)
MAX_SECRET = const(64)
MIN_SECRET = const(10)
MAX_HOSTS = const(8)  # each with the longest name, they fit into one reply
MAX_PAIRING_SECONDS = const(300)
MAX_PAIRINGS = const(10)  # handshakes a minute: each is a guess at the six digits for someone in the middle
REPLIES_KEPT = const(16)  # requests

PROLOGUE = b"Understudy 1"

ADMIN = "admin"
VERIFIER = "verifier"
ROLES = (VERIFIER, ADMIN)  # each may do all that those before it may

# Device states, as the hello says them.
UNCLAIMED = "unclaimed"
SEALED = "sealed"
OPEN = "open"
DAMAGED = "damaged"

# Clock states.
CLOCK_UNSET = "unset"
CLOCK_HOLDOVER = "holdover"
CLOCK_SYNCED = "synced"

ALGORITHMS = ("SHA1", "SHA256", "SHA512")
DIGITS = (6, 7, 8, 10)

# name: (exit code of the command line, text for people). Exit codes 1 and 2 are the shell's own (failure,
# usage).
STATUSES = {
    "ok": (0, "Done."),
    "accepted": (0, "The code is right."),
    "rejected": (10, "The code is wrong."),
    "replayed": (11, "This code was used already; wait for the next one."),
    "throttled": (12, "Too many wrong codes; try again later."),
    "clock-unset": (13, "The device does not know the time; set its clock."),
    "sealed": (14, "The device is sealed; connect with a paired host key to unseal it."),
    "unknown-user": (15, "The device does not know this user."),
    "disabled": (16, "This user's credential is not in use."),
    "malformed": (17, "That is not a code; type the digits that the authenticator shows."),
    "denied": (20, "This host key may not do that; an admin's may."),
    "bad-request": (21, "The device did not understand the request."),
    "unknown-command": (22, "The device's firmware is too old for this command."),
    "exists": (23, "That name is taken."),
    "not-found": (24, "There is nothing of that name."),
    "unclaimed": (25, "The device has no admin yet; claim it first."),
    "claimed": (26, "The device has an admin already."),
    "pairing-closed": (27, "Pairing is not open; an admin has to open it first."),
    "last-admin": (28, "The last admin's key can't be removed."),
    "clock-refused": (29, "The time lies before one that the device has seen."),
    "full": (30, "The device's flash is full; remove users first."),
    "damaged": (31, "The device's flash does not hold a readable store."),
    "no-session": (40, "The secure session has ended; try again."),
    "handshake-failed": (41, "The other end does not hold the key it should."),
    "not-paired": (42, "The device does not know this host's key; pair it first."),
    "version": (43, "Device and host tool have no protocol version in common; update the older one."),
    "no-device": (50, "No device found."),
    "port-busy": (51, "Another program holds the port."),
    "not-yours": (52, "This is not a device that this host is paired with."),
    "timeout": (53, "The device did not answer in time."),
    "identity": (54, "This host's identity file can't be used."),
    "internal": (70, "Something went wrong inside."),
}


# What a device says in the clear, in a FAULT frame; anything else is for inside a session.
FAULTS = ("no-session", "handshake-failed", "not-paired", "unclaimed", "damaged", "throttled", "internal")

# What the device may answer about a code.
VERDICTS = (
    "accepted",
    "rejected",
    "replayed",
    "throttled",
    "clock-unset",
    "unknown-user",
    "disabled",
    "malformed",
)


class Field:
    """One field of a request: what may stand in it. `check` gives the value back or raises BadRequest."""

    def __init__(self, kind, low=0, high=0, required=True):
        self.kind = kind
        self.low = low  # int: smallest; text: bytes; hex: bytes
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
    "hex": "lower-case hex digits of %d to %d bytes",
}


def _is_int(field, value):
    # bool is an int in Python, and never meant as one here.
    return value if type(value) is int and field.low <= value <= field.high else None


def _is_typed(field, value):
    """Whatever a person typed; what it is worth is judged later."""
    if type(value) is not str:
        return None
    for char in value:
        if 0xD800 <= ord(char) <= 0xDFFF:  # half of a surrogate pair, which JSON can spell and UTF-8 can't
            return None
    return value if field.low <= len(value.encode()) <= field.high else None


def _is_text(field, value):
    if _is_typed(field, value) is None:
        return None
    # Control characters would end up in terminals, logs and screens; DEL and the C1 block are such too.
    for char in value:
        if ord(char) < 32 or 127 <= ord(char) < 160:
            return None
    return value if value == value.strip() else None


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
    "hex": _is_hex,
    "choice": _is_choice,
    "bool": _is_bool,
}

_USER = Field("text", 1, MAX_NAME)
_LABEL = Field("text", 1, MAX_NAME, required=False)
_HOST_NAME = Field("text", 1, MAX_HOST_NAME, required=False)
_CODE = Field("typed", 0, 64)
_ENTROPY = Field("hex", KEY, KEY)
_WRAP = Field("hex", KEY, KEY)
_MAX_TIME = const(0xFFFFFFFFFF)  # seconds; five bytes, the year 36812

DIGITS_FIELD = Field("choice", DIGITS, required=False)
INTERVAL_FIELD = Field("int", 5, 300, required=False)  # seconds
WINDOW_FIELD = Field("int", 0, 10, required=False)  # steps
ALGORITHM_FIELD = Field("choice", ALGORITHMS, required=False)

SETTINGS = {
    "digits": DIGITS_FIELD,
    "interval": INTERVAL_FIELD,
    "window": WINDOW_FIELD,
    "algorithm": ALGORITHM_FIELD,
}
DEFAULTS = {"digits": 6, "interval": 30, "window": 1, "algorithm": "SHA1"}


def _with_settings(fields):
    merged = dict(SETTINGS)
    merged.update(fields)
    return merged


# Who may ask: a role, or PAIRING = inside a pairing session, whose host key has no role yet.
PAIRING = "pairing"

# name: (who may ask, needs an unsealed device, fields). The service has one method of the same name for each.
COMMANDS = {
    "claim": (PAIRING, False, {"name": _HOST_NAME, "wrap": _WRAP, "entropy": _ENTROPY}),
    "pair": (PAIRING, True, {"name": _HOST_NAME, "wrap": _WRAP, "entropy": _ENTROPY}),
    "unseal": (VERIFIER, False, {"wrap": _WRAP, "entropy": _ENTROPY}),
    "status": (VERIFIER, False, {}),
    "verify": (VERIFIER, True, {"user": _USER, "code": _CODE}),
    "pair_open": (
        ADMIN,
        True,
        {"role": Field("choice", ROLES), "seconds": Field("int", 1, MAX_PAIRING_SECONDS)},
    ),
    "unpair": (ADMIN, False, {"host": Field("hex", KEY_ID, KEY_ID)}),
    "host_list": (ADMIN, False, {}),
    "user_add": (
        ADMIN,
        True,
        _with_settings(
            {
                "user": _USER,
                "issuer": _LABEL,
                "label": _LABEL,
                "secret": Field("hex", MIN_SECRET, MAX_SECRET, required=False),
                "confirmed": Field("bool", required=False),
                "entropy": _ENTROPY,
            }
        ),
    ),
    "user_confirm": (ADMIN, True, {"user": _USER, "code": _CODE}),
    "user_list": (ADMIN, True, {"after": Field("int", -1, 0xFFFF, required=False)}),
    "user_show": (ADMIN, True, {"user": _USER}),
    "user_remove": (ADMIN, True, {"user": _USER}),
    "settings_show": (VERIFIER, False, {}),
    "settings_set": (ADMIN, True, dict(SETTINGS)),
    "clock_show": (VERIFIER, False, {}),
    "clock_set": (
        ADMIN,
        True,
        {"time": Field("int", 0, _MAX_TIME), "back": Field("bool", required=False)},
    ),
}


def check_fields(fields, values):
    """Check a mapping of `values` against a mapping of Fields; return the checked copy.

    Extra ones are errors too.
    """
    checked = {}
    for name in values:
        if name not in fields:
            raise BadRequest("%s: not a field of this command" % name[:MAX_HOST_NAME])
    for name, field in fields.items():
        if name in values:
            checked[name] = field.check(name, values[name])
        elif field.required:
            raise BadRequest("%s: missing" % name)
    return checked


def may(role, needed):
    """Whether a host of `role` (None in a pairing session) may ask for a command that needs `needed`."""
    if role is None or needed == PAIRING:
        return role is None and needed == PAIRING
    return ROLES.index(role) >= ROLES.index(needed)
