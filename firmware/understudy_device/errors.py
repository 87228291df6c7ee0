# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""One exception class per status of `protocol.STATUSES`.

Raised deep, turned once at the edge into a reply (the device's service) or a message and an exit code (the
command line). A message says what to do about it and never holds a secret or a code.
"""


class UnderstudyError(Exception):
    """Base of all; `status` is the key in `protocol.STATUSES`, `fields` goes into the reply beside it."""

    status = "internal"

    def __init__(self, message="", **fields):
        super().__init__(message)
        self.message = message
        self.fields = fields


# Verdicts about a code.


class Rejected(UnderstudyError):
    """The code is not one of the window's."""

    status = "rejected"


class Replayed(UnderstudyError):
    """The code was right, and its step is used up."""

    status = "replayed"


class Throttled(UnderstudyError):
    """Too many wrong codes; `seconds` says how long to wait."""

    status = "throttled"


class ClockUnset(UnderstudyError):
    """The device does not know the time, so a time-based code can't be judged."""

    status = "clock-unset"


class UnknownUser(UnderstudyError):
    """No such user on this device."""

    status = "unknown-user"


class Disabled(UnderstudyError):
    """The user, or every credential of the user, is switched off."""

    status = "disabled"


class Pending(UnderstudyError):
    """The user was reset, or never finished enrolment: there is no credential to check against."""

    status = "pending"


class Expired(UnderstudyError):
    """The device's time lies outside of the user's dates."""

    status = "expired"


class MalformedCode(UnderstudyError):
    """What was typed can't be a code; it costs no guess."""

    status = "malformed"


# What a request can meet.


class Sealed(UnderstudyError):
    """Nobody has unsealed the device since it was powered up."""

    status = "sealed"


class Denied(UnderstudyError):
    """The role of this host key does not allow the command."""

    status = "denied"


class BadRequest(UnderstudyError):
    """Not a JSON object with an id and a command, or with a wrong, missing or extra field."""

    status = "bad-request"


class UnknownCommand(UnderstudyError):
    """This firmware does not know the command."""

    status = "unknown-command"


class AlreadyExists(UnderstudyError):
    """A user or host of that name is there already."""

    status = "exists"


class NotFound(UnderstudyError):
    """Nothing of that name or number is there."""

    status = "not-found"


class Unclaimed(UnderstudyError):
    """The device has no admin yet."""

    status = "unclaimed"


class AlreadyClaimed(UnderstudyError):
    """The device has an admin already."""

    status = "claimed"


class PairingClosed(UnderstudyError):
    """No admin has opened the pairing window, or it has run out."""

    status = "pairing-closed"


class LastAdmin(UnderstudyError):
    """Removing this host key would leave the device without an admin."""

    status = "last-admin"


class ClockRefused(UnderstudyError):
    """The time lies before the clock's floor, or further away than its source may move the clock."""

    status = "clock-refused"


class StoreFull(UnderstudyError):
    """The flash has no room for this record; nothing was changed."""

    status = "full"


class FlashFailed(UnderstudyError):
    """The flash (or the file in its place) can't be written; what was on it before is still there."""

    status = "flash-failed"


class StoreDamaged(UnderstudyError):
    """The flash region holds something that is not a store of this product or of this version."""

    status = "damaged"


class NoDisplay(UnderstudyError):
    """The device has no display, or none that can show a QR code."""

    status = "no-display"


class PresenceNeeded(UnderstudyError):
    """Somebody has to press the button on the device first."""

    status = "presence"


# The link.


class NoSession(UnderstudyError):
    """The secure session is not there (any more); open a new one."""

    status = "no-session"


class AuthenticationFailed(UnderstudyError):
    """A handshake or a message does not come from the holder of the expected key."""

    status = "handshake-failed"


class NotPaired(UnderstudyError):
    """The device does not know this host key."""

    status = "not-paired"


class WrongVersion(UnderstudyError):
    """The two ends have no protocol version in common."""

    status = "version"


# The host's own.


class NoDevice(UnderstudyError):
    """No device was found, or the port can't be opened."""

    status = "no-device"


class PortBusy(UnderstudyError):
    """Another program holds the port."""

    status = "port-busy"


class NotYours(UnderstudyError):
    """The device is not one that this host is paired with, or not the one asked for."""

    status = "not-yours"


class LinkTimeout(UnderstudyError):
    """The device did not answer in time."""

    status = "timeout"


class IdentityError(UnderstudyError):
    """This host's identity file is missing, readable by others, or not one of ours."""

    status = "identity"


class AuditBroken(UnderstudyError):
    """The audit log was changed, cut or rolled back."""

    status = "audit-broken"


# The broker's.


class Busy(UnderstudyError):
    """As many logins as the broker takes on are waiting already."""

    status = "busy"


class NoBroker(UnderstudyError):
    """Nobody answers on the broker's socket."""

    status = "no-broker"


class Unreachable(UnderstudyError):
    """No 2FA server has answered, in words that make sense."""

    status = "unreachable"


class ConfigError(UnderstudyError):
    """The configuration file is missing something, holds something unknown, or can't be read."""

    status = "config"
