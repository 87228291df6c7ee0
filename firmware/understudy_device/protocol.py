# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""THE table: frame types, limits, commands with their fields and roles, statuses with their texts and exit
codes.

Both sides import it; nothing about the protocol is written down anywhere else, but what a kind of
field may hold: `fields`.

A request is one JSON object: `{"id": "<16 hex digits>", "cmd": "verify", <fields>}`; the reply repeats the
id: `{"id": "...", "status": "accepted", <fields>}`. An id names one request for good: asked again (after a
lost reply) it gets the same answer and nothing is done twice.
"""

from .compat import const
from .fields import Field

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
MAX_CREDENTIAL_NAME = const(24)
MAX_CREDENTIALS = const(6)  # of one user
MAX_GROUP_NAME = const(24)
MAX_GROUPS = const(4)  # of one user
MAX_TIME = const(0xFFFFFFFF)  # Unix seconds, 2106-02-07
MAX_COUNTER = const(0xFFFFFFFF)
MAX_WINDOW = const(10)  # steps
MAX_BYPASS_SECONDS = const(604800)
PRESENCE_SECONDS = const(30)  # that a press of the button counts
MAX_SEARCH = const(34560000)  # seconds, 400 days: what `clock_regain` looks through at most
RECOVERY_CODES = const(10)
MADE_DIGITS = const(10)  # of a recovery code or a bypass code

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

# Kinds of credentials.
TOTP = "totp"
HOTP = "hotp"
RECOVERY = "recovery"
BYPASS = "bypass"
KINDS = (TOTP, HOTP, RECOVERY, BYPASS)

ALGORITHMS = ("SHA1", "SHA256", "SHA512")
DIGITS = (6, 7, 8, 10)

_AWAY = "AUTHINFO_UNAVAIL"

# name: (exit code of the command line, text for people, what a PAM module returns, without PAM_). Exit codes
# 1 and 2 are the shell's own (failure, usage). Of the PAM codes only SUCCESS lets anyone in and only IGNORE
# is passed over: none but `accepted` and `not-required` may have those, nor NEW_AUTHTOK_REQD, which a stack
# with `required` takes for success.
STATUSES = {
    "ok": (0, "Done.", _AWAY),
    "accepted": (0, "The code is right.", "SUCCESS"),
    "rejected": (10, "The code is wrong.", "AUTH_ERR"),
    "replayed": (11, "This code was used already; wait for the next one.", "CRED_EXPIRED"),
    "throttled": (12, "Too many wrong codes; try again later.", "MAXTRIES"),
    "clock-unset": (13, "The device does not know the time; set its clock.", "CRED_UNAVAIL"),
    "sealed": (14, "The device is sealed; connect with a paired host key to unseal it.", _AWAY),
    "unknown-user": (15, "The device does not know this user.", "USER_UNKNOWN"),
    "disabled": (16, "This user is switched off.", "PERM_DENIED"),
    "malformed": (17, "That is not a code; type the digits that the authenticator shows.", "CRED_ERR"),
    "pending": (18, "This user has to enrol first.", "CRED_INSUFFICIENT"),
    "expired": (19, "This user may not log in at this date.", "ACCT_EXPIRED"),
    "denied": (20, "This host key may not do that; an admin's may.", _AWAY),
    "bad-request": (21, "The device did not understand the request.", _AWAY),
    "unknown-command": (22, "The device's firmware is too old for this command.", _AWAY),
    "exists": (23, "That name is taken.", _AWAY),
    "not-found": (24, "There is nothing of that name.", _AWAY),
    "unclaimed": (25, "The device has no admin yet; claim it first.", _AWAY),
    "claimed": (26, "The device has an admin already.", _AWAY),
    "pairing-closed": (27, "Pairing is not open; an admin has to open it first.", _AWAY),
    "last-admin": (28, "The last admin's key can't be removed.", _AWAY),
    "clock-refused": (29, "The device does not take this time.", _AWAY),
    "full": (30, "The device's flash is full; remove users first.", _AWAY),
    "damaged": (31, "The device's flash does not hold a readable store.", _AWAY),
    "flash-failed": (32, "The device can't write its flash; nothing was changed.", _AWAY),
    "no-display": (33, "The device has no display.", _AWAY),
    "presence": (36, "Press the button on the device, then try again.", _AWAY),
    "no-session": (40, "The secure session has ended; try again.", _AWAY),
    "handshake-failed": (41, "The other end does not hold the key it should.", _AWAY),
    "not-paired": (42, "The device does not know this host's key; pair it first.", _AWAY),
    "version": (43, "Device and host tool have no protocol version in common; update the older one.", _AWAY),
    "no-device": (50, "No device found.", _AWAY),
    "port-busy": (51, "Another program holds the port.", _AWAY),
    "not-yours": (52, "This is not a device that this host is paired with.", _AWAY),
    "timeout": (53, "The device did not answer in time.", _AWAY),
    "identity": (54, "This host's identity file can't be used.", _AWAY),
    "audit-broken": (55, "The audit log does not hold together.", _AWAY),
    "not-required": (56, "No code is asked for.", "IGNORE"),
    "busy": (57, "Too many logins wait; try again.", _AWAY),
    "no-broker": (58, "The broker does not run.", _AWAY),
    "unreachable": (60, "The 2FA server can't be reached.", _AWAY),
    "config": (59, "The configuration can't be used.", "SERVICE_ERR"),
    "internal": (70, "Something went wrong inside.", "SYSTEM_ERR"),
}


# What a device says in the clear, in a FAULT frame; anything else is for inside a session.
FAULTS = ("no-session", "handshake-failed", "not-paired", "unclaimed", "damaged", "throttled", "internal")

# What the device may answer about a code. The order is that of their numbers in the audit log.
VERDICTS = (
    "accepted",
    "rejected",
    "replayed",
    "throttled",
    "clock-unset",
    "unknown-user",
    "disabled",
    "malformed",
    "pending",
    "expired",
)

# The audit log's events. A retired number stays retired.
EVENTS = {
    1: "claimed",
    2: "paired",
    3: "unpaired",
    4: "pairing-opened",
    5: "unsealed",
    6: "settings-changed",
    7: "clock-set",
    8: "user-added",
    9: "user-confirmed",
    10: "user-removed",
    11: "user-reset",
    12: "user-changed",
    13: "credential-removed",
    14: "credential-changed",
    15: "recovery-codes-made",
    16: "bypass-code-made",
    17: "resynced",
    18: "resync-refused",
    19: "fault",
    20: "store-converted",
    21: "restarted",
    22: "clock-told",
    23: "clock-regained",
    24: "burnt",
    25: "clock-synced",
    26: "factory-reset",
    27: "user-invited",
    28: "enrolment-begun",
    29: "user-enrolled",
    30: "emergency",
    31: "local-bypass",
}
REPORTS = ("emergency", "local-bypass")  # events that a host tells of
VERDICT_EVENT = const(32)  # the number of the first of VERDICTS
EVENTS.update({VERDICT_EVENT + number: name for number, name in enumerate(VERDICTS)})
NO_SUBJECT = const(0xFFFF)  # in the place of a user's or host's number
NO_ACTOR = const(0xFF)  # in the place of the asking host's number

_USER = Field("text", 1, MAX_NAME)
_LABEL = Field("text", 1, MAX_NAME, required=False)
_HOST_NAME = Field("plain", 1, MAX_HOST_NAME, required=False)
# Plain, so that a user with as many as there may be fits into one reply.
_CREDENTIAL = Field("plain", 1, MAX_CREDENTIAL_NAME)
_ANY_CREDENTIAL = Field("plain", 1, MAX_CREDENTIAL_NAME, required=False)
_GROUP = Field("text", 1, MAX_GROUP_NAME)
_CODE = Field("typed", 0, 64)
_TIME = Field("int", 0, MAX_TIME)
_TWO_CODES = {"user": _USER, "credential": _ANY_CREDENTIAL, "code1": _CODE, "code2": _CODE}
_ENTROPY = Field("hex", KEY, KEY)
_WRAP = Field("hex", KEY, KEY)
_FLAG = Field("bool", required=False)
_DATE = Field("int", 0, MAX_TIME, required=False)

SETTINGS = {
    # Of new credentials.
    "digits": Field("choice", DIGITS, required=False),
    "interval": Field("int", 5, 300, required=False),  # seconds
    "algorithm": Field("choice", ALGORITHMS, required=False),
    # Of all of them; a credential may have its own window.
    "window": Field("int", 0, MAX_WINDOW, required=False),  # steps either side
    "widest_window": Field("int", 0, MAX_WINDOW, required=False),  # to which the clock's error may widen it
    "look_ahead": Field("int", 0, 50, required=False),  # HOTP counters
    # How guessing is slowed down, see `throttle`.
    "attempts": Field("int", 1, 20, required=False),  # wrong codes in a row before a user has to wait
    "delay": Field("int", 1, 3600, required=False),  # seconds; the first wait, doubled by each further one
    "max_delay": Field("int", 1, 86400, required=False),  # seconds
    "device_attempts": Field("int", 5, 1000, required=False),  # wrong codes of all users together
    # Whether a factory reset has to be confirmed by the device's button. A claim comes before any setting: a
    # board that wants it confirmed says so in its board.json ("presence": ["claim"]).
    "presence": Field("bool", required=False),
    # Whether a pending user may enrol through a verifier, which a login asks: see `enrol_commands`.
    "enrol_at_login": Field("bool", required=False),
}
DEFAULTS = {
    "digits": 6,
    "interval": 30,
    "algorithm": "SHA1",
    "window": 1,
    "widest_window": 2,
    "look_ahead": 10,
    "attempts": 5,
    "delay": 30,
    "max_delay": 3600,
    "device_attempts": 100,
    "presence": False,
    "enrol_at_login": True,
}
OF_A_CREDENTIAL = ("digits", "interval", "algorithm", "window")  # settings that one can have of its own


def _with_settings(fields):
    merged = {name: SETTINGS[name] for name in OF_A_CREDENTIAL}
    merged.update(fields)
    return merged


# Who may ask: a role, or PAIRING = inside a pairing session, whose host key has no role yet.
PAIRING = "pairing"

# name: (who may ask, needs an unsealed device, fields). The service has one function of the same name for
# each.
COMMANDS = {
    "claim": (PAIRING, False, {"name": _HOST_NAME, "wrap": _WRAP, "entropy": _ENTROPY}),
    "pair": (PAIRING, True, {"name": _HOST_NAME, "wrap": _WRAP, "entropy": _ENTROPY}),
    "unseal": (VERIFIER, False, {"wrap": _WRAP, "entropy": _ENTROPY}),
    "status": (VERIFIER, False, {}),
    "screen": (VERIFIER, False, {}),
    "verify": (VERIFIER, True, {"user": _USER, "code": _CODE}),
    "burn": (VERIFIER, True, {"user": _USER, "code": _CODE}),
    "report": (VERIFIER, True, {"event": Field("choice", REPORTS), "user": _USER, "time": _TIME}),
    "resync": (VERIFIER, True, _TWO_CODES),
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
                "credential": _ANY_CREDENTIAL,
                "kind": Field("choice", (TOTP, HOTP), required=False),
                "issuer": _LABEL,
                "label": _LABEL,
                "secret": Field("hex", MIN_SECRET, MAX_SECRET, required=False),
                "counter": Field("int", 0, MAX_COUNTER, required=False),
                "confirmed": _FLAG,
                "on_device": _FLAG,
                "entropy": _ENTROPY,
            }
        ),
    ),
    "user_confirm": (ADMIN, True, {"user": _USER, "credential": _ANY_CREDENTIAL, "code": _CODE}),
    "user_invite": (ADMIN, True, {"user": _USER}),
    "user_state": (VERIFIER, True, {"user": _USER}),
    "enrol": (VERIFIER, True, {"user": _USER, "issuer": _LABEL, "label": _LABEL, "entropy": _ENTROPY}),
    "enrol_confirm": (VERIFIER, True, {"user": _USER, "code": _CODE, "entropy": _ENTROPY}),
    "user_list": (
        ADMIN,
        True,
        {
            "after": Field("int", -1, 0xFFFF, required=False),
            "group": Field("text", 1, MAX_GROUP_NAME, required=False),
        },
    ),
    "user_show": (ADMIN, True, {"user": _USER}),
    "user_set": (ADMIN, True, {"user": _USER, "enabled": _FLAG, "valid_from": _DATE, "valid_until": _DATE}),
    "user_reset": (ADMIN, True, {"user": _USER}),
    "user_remove": (ADMIN, True, {"user": _USER}),
    "group_add": (ADMIN, True, {"user": _USER, "group": _GROUP}),
    "group_remove": (ADMIN, True, {"user": _USER, "group": _GROUP}),
    "credential_show": (ADMIN, True, {"user": _USER, "credential": _CREDENTIAL}),
    "credential_set": (ADMIN, True, {"user": _USER, "credential": _CREDENTIAL, "enabled": Field("bool")}),
    "credential_remove": (ADMIN, True, {"user": _USER, "credential": _CREDENTIAL}),
    "recovery_make": (ADMIN, True, {"user": _USER, "entropy": _ENTROPY}),
    "bypass_make": (
        ADMIN,
        True,
        {"user": _USER, "seconds": Field("int", 1, MAX_BYPASS_SECONDS), "entropy": _ENTROPY},
    ),
    "factory_reset": (ADMIN, False, {"device": Field("hex", KEY_ID, KEY_ID)}),  # its own id, to be sure
    "settings_show": (VERIFIER, False, {}),
    "settings_set": (ADMIN, True, dict(SETTINGS)),
    "clock_show": (VERIFIER, False, {}),
    "clock_set": (ADMIN, True, {"time": _TIME, "back": _FLAG}),
    "clock_tell": (VERIFIER, False, {"time": _TIME}),
    "clock_regain": (ADMIN, True, dict(_TWO_CODES, low=_TIME, high=_TIME)),
    "audit_read": (ADMIN, True, {"first": Field("int", 0, 0xFFFFFFFF)}),
}
# Fields of a reply that are told once and never again, not even when the same request is asked again.
TOLD_ONCE = ("uri", "codes", "code")


def may(role, needed):
    """Whether a host of `role` (None in a pairing session) may ask for a command that needs `needed`."""
    if role is None or needed == PAIRING:
        return role is None and needed == PAIRING
    return ROLES.index(role) >= ROLES.index(needed)
