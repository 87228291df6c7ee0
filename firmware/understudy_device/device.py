# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's parts put together from what a board gives, and the little state they share."""

from . import lights, records, reset, screens
from .audit import Audit
from .clock import Clock
from .compat import const
from .directory import Directory
from .entropy import Pool
from .errors import FlashFailed, StoreDamaged, Throttled, UnderstudyError
from .judged import Judged
from .pairing import key_id
from .panel import Panel
from .protocol import (
    DAMAGED,
    DEFAULTS,
    EVENTS,
    FIRMWARE,
    MAX_PAIRINGS,
    NO_ACTOR,
    OPEN,
    REPLIES_KEPT,
    SEALED,
    UNCLAIMED,
    VERDICT_EVENT,
    VERSION,
)
from .store import Store
from .throttle import Ration, Refusals, Throttle
from .timekeeper import Timekeeper
from .vault import Vault

_MINUTE = const(60)  # seconds
_HELD = const(5)  # seconds
_ENROLMENTS = const(100)  # that logins may begin in a row, and then one each
_ENROLMENT_SECONDS = const(10)
_REPORTS = const(30)  # logins without a code that hosts tell of in a row, and then one in ..
_REPORT_SECONDS = const(60)
_NOBODY_SECRET = const(20)  # bytes, as SHA-1's
_CODES = {name: code for code, name in EVENTS.items() if code < VERDICT_EVENT}


class Device:
    """`board` is a port's Board: see ports/__init__.py for what it gives."""

    def __init__(self, board):
        self.board = board
        self.store = Store(board.flash)
        self.pool = Pool(
            board.random,
            lambda: self.store.get(records.SEED),
            lambda seed: self.store.put(records.SEED, 0, seed),
        )
        self.vault = Vault(self.store, self.pool)
        self.directory = Directory(self.store, self.vault)
        self.damage = None  # the message of what is wrong with the whole store
        self._pairings = (0, 0)  # (minute of uptime, handshakes in it)
        self._settings = None
        self.pairing_window = None  # (role, uptime at which it closes)
        self.answered = []  # before the restart: (mark of the request, verdict), oldest first
        self.judged = Judged()  # since then
        self.is_ready = False  # whether all that unsealing brings about was done
        self.faults = 0  # errors of our own that were survived since power-up
        self._unlogged = [("restarted", board.restarted)] if board.restarted else []
        self._faults_logged = Refusals()
        self.verdict = None  # the last one since power-up: (status, uptime)
        self.pressed_at = None  # uptime at which the button was last pressed
        self.panel = Panel(board.open_display, board.uptime)
        self.is_leaving = False  # everything is erased, and only a restart makes sense
        reset_by = None
        try:
            reset_by = reset.resume(board.flash, board.feed)
            self.store.open(board.feed)
            self._check_whole()
        except (StoreDamaged, FlashFailed) as error:
            self.damage = error.message
        self.clock = self._make_clock()
        spent = self.store.get(records.LIMIT)
        self.throttle = Throttle(int.from_bytes(spent, "big") if spent else 0)
        self.refusals = Refusals()
        self.enrolments = Ration(_ENROLMENTS, _ENROLMENT_SECONDS)
        self.reports = Ration(_REPORTS, _REPORT_SECONDS)
        self.audit = Audit(self.store, self.clock, self._seal_detail)
        self.timekeeper = Timekeeper(self.clock, board, self.store, self._log_clock, self._report)
        self.search = None  # regain.Search that is going on
        if self.damage is None:
            self.timekeeper.start()
        if reset_by is not None and self.damage is None:
            self._begin_anew(reset_by)

    def _begin_anew(self, who):
        """The first start after a factory reset."""
        try:
            self.audit.write(self.audit.event(_CODES["factory-reset"], detail=who.decode()))
            self.store.delete(records.RESET)
        except FlashFailed as error:
            self.damage = error.message

    def erase(self, who):
        """Factory reset, asked for by `who` (text for the audit log): erase everything.

        From here on the device answers nothing; its caller restarts it. Possible on a damaged store, too.
        Raises FlashFailed if it could not begin.
        """
        flash, keys = self.board.flash, self.store.sectors_of(records.HOST, records.IDENTITY)
        kept = reset.mark(flash, who.encode(), keys)
        self.is_leaving = True
        self.panel.show(screens.factory_reset(screens.ERASING))
        try:
            reset.erase(flash, kept, keys, self.board.feed)
            self.panel.show(screens.factory_reset(screens.DONE))
        except FlashFailed:  # too late to say that nothing was changed: the next start goes on with it
            self.faults += 1

    def reset_if_held(self):
        """At power-up: erase everything if the button is held down for so long that it is no accident.

        Not at any other start, or one that is stuck would have it erased and started without end.
        """
        if self.board.restarted:
            return
        start = self.board.uptime()
        while self.board.button():
            self.panel.show(screens.factory_reset(screens.ASKED))
            self.board.blink(lights.ON)
            self.board.feed()
            if self.board.uptime() - start >= _HELD:
                self.erase("button")
                return
            self.board.nap()
        self.panel.hold(None)

    def _check_whole(self):
        """A store that has lost its identity or its hosts must not pass for a new device."""
        claimed = self.store.has(records.SETTING, records.USER, records.OLD_CREDENTIAL, records.OLD_USE)
        if (claimed and not self.store.has(records.HOST)) or (
            self.store.has(records.HOST) and not self.store.has(records.IDENTITY)
        ):
            raise StoreDamaged("the store has lost the device's identity or its hosts")

    def _make_clock(self):
        saved = self.store.get(records.CLOCK)
        clock = Clock(self.board.uptime, *(records.unpack_clock(saved) if saved else ()))
        self.board.start_clock(clock)
        return clock

    def clock_record(self, floor=None):
        """What is kept of the clock, for the journal; with a new `floor`, if one is given."""
        clock = self.clock
        floor = clock.floor if floor is None else floor
        return (records.CLOCK, 0, records.pack_clock(floor, clock.run, clock.began, clock.spans))

    def set_clock(self, time, source, back, event):
        """Set the clock, on flash first, and before that the `event` that tells of it."""
        kept = records.pack_clock(*self.clock.setting(time, back))
        self.audit.write(event)
        self.store.journal([(records.CLOCK, 0, kept)])
        self.clock.set(time, source, back)
        self.timekeeper.was_set()

    def _log_clock(self, name, detail, actor):
        """What a source did to the clock; `actor`: a host's number, None where there was none."""
        actor = NO_ACTOR if actor is None else actor
        self.audit.write(self.audit.event(_CODES[name], actor=actor, detail=detail))

    def _report(self, detail):
        """A fault of a part: counted, and in the audit log at the next `tidy`."""
        self.faults += 1
        self._unlogged.append(("fault", detail))

    # The audit log.

    @staticmethod
    def code_of(name):
        """The number of an event of protocol.EVENTS that is no verdict."""
        return _CODES[name]

    def event(self, name, caller, **fields):
        """The event `name` of protocol.EVENTS that `caller` brought about, see `Audit.event`."""
        return self.audit.event(_CODES[name], actor=caller.number, **fields)

    def log(self, name, caller, entries=(), **fields):
        """Write such an event, behind `entries` of the journal."""
        self.audit.write(self.event(name, caller, **fields), entries)

    def _seal_detail(self, number, data):
        return self.vault.seal(b"event%d" % number, data)

    def open_detail(self, number, event):
        """An Event's detail as text, or None."""
        data = event.detail
        if event.sealed:
            try:
                data = self.vault.open(b"event%d" % number, data)
            except UnderstudyError:
                return None
        return data.decode() if data else None

    def opened(self):
        """The data key is there, for the first time since power-up."""
        if not self.store.get(records.USER, self.directory.nobody):
            self.directory.make_nobody(self.pool.take(_NOBODY_SECRET), DEFAULTS)
        events = self.audit.last(REPLIES_KEPT)
        self.answered = [(0, "")] * (REPLIES_KEPT - len(events))
        for event in events:
            self.answered.append((event.request, event.name))

    def fault(self, error):
        """An error of ours: count it, and have it in the audit log at the next `tidy`.

        By its type only: the text may hold what it choked on.
        """
        self.faults += 1
        if self._faults_logged.may_log(self.board.uptime()):
            self._unlogged.append(("fault", type(error).__name__))

    def tidy(self):
        """Between requests: what need not have been done before, and what makes the next one quicker."""
        if self.damage is None and not self.is_leaving:
            try:
                while self._unlogged and self.vault.claimed:
                    name, detail = self._unlogged.pop(0)
                    self.audit.write(self.audit.event(_CODES[name], detail=detail))
                self.audit.catch_up()
                self.store.tidy()
            except UnderstudyError:
                self.faults += 1

    def tick(self):
        """After each request, and about once a second: what goes by the time."""
        now = self.board.uptime()
        if self.board.button():
            self.pressed_at = now
            self.panel.pressed()
        verdict, given_at = self.verdict or (None, 0)
        self.board.blink(lights.pattern(self.state, verdict, now - given_at))
        if self.damage is None and not self.is_leaving:
            try:
                self.timekeeper.tick()
            except UnderstudyError as error:  # the store's
                self.fault(error)
        failure = self.panel.tick(self._idle_screen)
        if failure is not None:
            self.fault(failure)

    def _idle_screen(self):
        state = self.state
        # Not made for this: when the first host asks for it, the host's randomness goes into it.
        has_id = state == UNCLAIMED and self.store.has(records.IDENTITY)
        device = self.id().hex() if has_id else ""
        return screens.idle(state, self.clock.state, len(self.directory), device)

    @property
    def screen(self):
        """What the display shows, or would: see `screens`."""
        return self.panel.current(self._idle_screen)

    @property
    def may_pair(self):
        """Whether a host that is not paired may become so now."""
        window = self.pairing_window
        return not self.vault.claimed or (window is not None and self.board.uptime() < window[1])

    def count_pairing(self):
        """Raise Throttled when there were too many pairing handshakes in this minute."""
        minute = self.board.uptime() // _MINUTE
        if minute != self._pairings[0]:
            self._pairings = (minute, 0)
        if self._pairings[1] >= MAX_PAIRINGS:
            raise Throttled()
        self._pairings = (minute, self._pairings[1] + 1)

    @property
    def settings(self):
        """The device's settings, every key of protocol.SETTINGS."""
        if self._settings is None:
            saved = self.store.get(records.SETTING)
            self._settings = records.unpack_settings(saved) if saved else dict(DEFAULTS)
        return self._settings

    def change_settings(self, settings):
        """Put new ones on flash and into use."""
        self.store.put(records.SETTING, 0, records.pack_settings(settings))
        self._settings = settings

    @property
    def state(self):
        """One word for the hello, the status and the screen."""
        if self.damage is not None:
            return DAMAGED
        if not self.vault.claimed:
            return UNCLAIMED
        return OPEN if self.vault.is_open else SEALED

    def id(self):
        """8 bytes that name this device; they come from its static key, which is made when first asked
        for."""
        return key_id(self.vault.identity().public)

    def hello(self):
        """What anyone may know."""
        return {
            "protocol": VERSION,
            "oldest": VERSION,
            "device": self.id().hex() if self.damage is None else "",
            "board": self.board.info["id"],
            "firmware": FIRMWARE,
            "state": self.state,
            "locked": self.board.locked,
            "display": self.panel.is_there,
        }
