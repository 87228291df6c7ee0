# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Enrolment inside a login: a QR code, the first code, recovery codes. The device decides who may."""

import hashlib
from typing import Any

from understudy import qr
from understudy.broker.asked import Asked, Reply, accepted, prompt
from understudy.broker.policy import DEVICE
from understudy.client import entropy, new_id
from understudy.made_codes import shown
from understudy.statuses import explain
from understudy_device.errors import MalformedCode, Rejected, Replayed, UnderstudyError

ENROL = "enrol"
_TEXT = "First code: "
_LOST = "The answer with the new secret was lost."
_SCAN = "Scan this with an authenticator app, then type its code."


async def begin(asked: Asked) -> Reply:
    """Have a secret made, and show it as a QR code of lines of text that fit 80x24."""
    fields = {"user": asked.question.user, "issuer": asked.settings.issuer}
    reply = await asked("enrol", {**fields, "entropy": _mixed(asked)})
    if reply["uri"] is None:  # told already, to somebody who did not get it: another one
        reply = await asked("enrol", {**fields, "entropy": entropy()}, new_id())
    if reply["uri"] is None:
        raise UnderstudyError(_LOST)
    picture = qr.terminal_text(str(reply["uri"]), colour=False).split("\n")
    lines = [("info", line) for line in (_SCAN, *picture)]
    return prompt(_TEXT, asked.settings.echo, ENROL, *lines)


async def confirm(asked: Asked) -> Reply:
    """Take it into use by its first code; a wrong one is no guess, and may be tried again."""
    question = asked.question
    fields = {"user": question.user, "code": question.answer, "entropy": _mixed(asked)}
    try:
        reply = await asked("enrol_confirm", fields)
    except (Rejected, Replayed, MalformedCode) as error:
        text = ("error", f"{explain(error)} Is the phone's time right?")
        return prompt(_TEXT, asked.settings.echo, ENROL, text)
    return accepted(DEVICE, *_recovery(reply.get("codes")), verdict="enrolled")


def _mixed(asked: Asked) -> str:
    """Bytes for the device's pool: of the question's id, which is random, so that it is the same request when
    the question is asked again."""
    return hashlib.sha256(b"entropy " + asked.question.id.encode()).hexdigest()


def _recovery(codes: Any) -> list[tuple[str, str]]:
    if not codes:
        return [("info", "You are enrolled. The recovery codes got lost: ask an admin for new ones.")]
    lines = ["You are enrolled. Recovery codes, each for one login without the phone; keep them:"]
    for_people = [shown(one) for one in codes]
    lines += ["  ".join(for_people[at : at + 2]) for at in range(0, len(for_people), 2)]
    return [("info", line) for line in lines]
