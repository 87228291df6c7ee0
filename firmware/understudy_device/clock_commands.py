# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The commands about the clock, as those in `commands`."""

from .code_commands import keep, resyncable
from .errors import BadRequest, ClockRefused, Disabled, MalformedCode, Replayed, Throttled
from .policy import Decision, Moment, digits_of, is_fresh, used
from .protocol import HOTP, MAX_SEARCH, MAX_TIME
from .records import CLOCK, STATE, pack_clock
from .regain import Search


def clock_show(device, _caller, _fields):
    """Time, state, source, error and floor, and how the other sources are."""
    return device.timekeeper.show()


def clock_set(device, caller, fields):
    """Set the time; before the floor only with `back`."""
    now, time = device.clock.now(), fields["time"]
    detail = "%s -> %d" % ("unset" if now is None else now, time)
    event = device.event("clock-set", caller, detail=detail)
    device.set_clock(time, "admin", fields.get("back", False), event)
    return device.timekeeper.show()


def clock_tell(device, caller, fields):
    """A host tells the time, within bounds."""
    device.timekeeper.tell(fields["time"], caller.number)
    return device.timekeeper.show()


def clock_regain(device, caller, fields):
    """Set an unset clock by two codes in a row; asked again and again until `done` is `total`.

    Both codes are burnt when it is set, and a wrong pair is a wrong code of the user's. `low`, `high`: Unix
    seconds between which the time lies.
    """
    if device.clock.now() is not None:
        raise ClockRefused("the clock is not unset; `clock set` changes it")
    number, user = device.directory.find(fields["user"])
    credential = resyncable(user, fields.get("credential"))
    if credential.kind == HOTP:
        raise BadRequest("credential: a code of a counter tells no time")
    if not (user.enabled and credential.usable):
        raise Disabled()
    state = device.directory.state(number)
    wait = device.throttle.wait(number, state.failures, device.settings, device.board.uptime())
    if wait:
        raise Throttled(seconds=wait)
    search = _search(device, caller, fields, credential)
    search.go_on(device.board.uptime)
    result = {"done": search.done, "total": search.total}
    if not search.is_done:
        return result
    device.search = None
    if not search.hits:
        decision = Decision("rejected", state.failed(), is_guess=True)
        keep(device, caller, number, decision, 0, device.code_of("resync-refused"))
        result["status"] = "rejected"
        return result
    if len(search.hits) > 1:
        raise ClockRefused(
            "these codes are right at %d times in the range; narrow it, or try the next ones"
            % len(search.hits)
        )
    _regain(device, caller, number, credential, search)
    result.update(device.timekeeper.show())
    return result


def _search(device, caller, fields, credential):
    """The search that is on for this request, or a new one."""
    low, high = max(fields["low"], device.clock.floor), fields["high"]
    names = ("user", "code1", "code2", "low", "high")
    key = (caller.public_key, credential.id) + tuple(fields[name] for name in names)
    if device.search is not None and device.search.key == key:
        return device.search
    if not 0 <= high - low <= MAX_SEARCH:
        raise BadRequest("low, high: in order, after the floor, and at most %d s apart" % MAX_SEARCH)
    wanted = [digits_of(fields[name]) for name in ("code1", "code2")]
    if any(len(code) != credential.digits for code in wanted):
        raise MalformedCode()
    interval = credential.interval
    wanted = [int(code) for code in wanted]
    first = max(0, low // interval - 1)  # the first code may have been shown before it
    device.search = Search(key, credential, wanted, first, high // interval, device.board.uptime())
    return device.search


def _regain(device, caller, number, credential, search):
    """Set the clock and burn the codes."""
    clock, interval = device.clock, credential.interval
    state = device.directory.state(number)
    use, step = state.totp(credential), search.hits[0]
    # In the middle of the second code's time, when it was typed; less what its clock is known to be off.
    then = (step - use.drift) * interval + interval // 2
    now = min(max(then + device.board.uptime() - search.began, clock.floor), MAX_TIME)
    moment = Moment(clock)
    moment.now, (moment.ended, moment.ahead) = now, clock.unseen(now)
    if not is_fresh(step, use, interval, moment):
        raise Replayed()
    kept = clock.setting(now)
    moment.run = kept[1]
    state = state.with_use(credential, used(step, use.drift, use, moment).pack())
    event = device.event(
        "clock-regained",
        caller,
        subject=number,
        credential=credential.id,
        detail="unset -> %d" % now,
        secret=True,
    )
    device.audit.write(
        event
    )  # first, or a cut could keep it out; then the codes, or they could be good again
    device.store.journal([(STATE, number, state.pack()), (CLOCK, 0, pack_clock(*kept))])
    clock.set(now, "codes", error=interval)
    device.timekeeper.was_set()
