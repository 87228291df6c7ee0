# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a host tells of logins that somebody else has decided, as the commands in `commands`.

Neither gives a host anything: a code that it knows to be good it could have had accepted, too, and of others
it learns nothing.
"""

from .code_commands import keep
from .errors import Throttled
from .policy import Moment, decide
from .protocol import NO_SUBJECT


def burn(device, caller, fields):
    """Use up whatever a code could be used for, as another server has accepted it.

    `used`: whether it was used before. It is no guess: whether a code was right is told of used ones only.
    """
    number, user = device.directory.look_up(fields["user"])
    state = device.directory.state(number)
    decision = decide(user, state, fields["code"], Moment(device.clock), 0, device.settings)
    if number == device.directory.nobody:
        return {"used": False}
    if decision.verdict == "accepted":
        keep(device, caller, number, decision, 0, device.code_of("burnt"))
    return {"used": decision.verdict == "replayed"}


def report(device, caller, fields):
    """Put into the audit log that a host let somebody in without a code, at `time` (Unix seconds, its own).

    Raises Throttled: what a host says must not push everything else out of the log.
    """
    seconds = device.reports.take(device.board.uptime())
    if seconds:
        raise Throttled("too many reports; try again in %d s" % seconds, seconds=seconds)
    number, _ = device.directory.look_up(fields["user"])
    subject = NO_SUBJECT if number == device.directory.nobody else number
    detail = "%s\n%d" % (fields["user"], fields["time"])
    device.log(fields["event"], caller, subject=subject, detail=detail, secret=True)
    return {}
