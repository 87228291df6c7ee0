# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is on the display over time, and the display's coming and going.

What happens is only noted here; `tick`, after the answer has left, draws it. Whatever is wrong with a display
ends here: it never changes an answer.
"""

from . import canvas, screens
from .compat import const
from .protocol import MAX_PAIRING_SECONDS, PRESENCE_SECONDS

ENROLMENT_SECONDS = const(300)
_VERDICT_SECONDS = const(4)
_COUNTDOWN_SECONDS = const(60)  # then the wait is still on, but the display is for others again
_CHECK_SECONDS = const(10)  # from one look at the display, or for it, to the next
_SEARCH_SECONDS = const(60)  # where none was ever there


class Panel:
    """`open_display()`: see ports/__init__.py. `uptime()`: seconds since power-up."""

    def __init__(self, open_display, uptime):
        self._open = open_display
        self._uptime = uptime
        self._display = None
        self._was_there = False
        self._checked = 0  # uptime
        self._shown = None
        self._verdict = None  # (status, user, seconds to wait or None, uptime of the end)
        self._pairing = None  # (code, uptime of the end)
        self._enrolment = None  # (user, credential, screen, uptime of the end)
        self._button = None  # (what it is to confirm, uptime of the end)
        self._held = None  # a screen that stays
        self._reopen()

    @property
    def is_there(self):
        """Whether a display answered when it was last asked."""
        return self._display is not None

    @property
    def has_pixels(self):
        """Whether it can show a QR code."""
        return self._display is not None and self._display.buffer is not None

    # What happens.

    def verdict(self, status, user, seconds=None):
        """A request was answered; `seconds`: to wait, of a throttled one."""
        shown = _VERDICT_SECONDS if seconds is None else min(seconds, _COUNTDOWN_SECONDS)
        now = self._uptime()
        self._verdict = (status, user, None if seconds is None else now + seconds, now + shown)

    def pairing(self, code):
        """The digits of a pairing are known."""
        self._pairing = (code, self._uptime() + MAX_PAIRING_SECONDS)

    def end_pairing(self):
        """It came to its end, well or not."""
        self._pairing = None

    def enrolment(self, user, credential, size, modules):
        """A secret that nobody else gets to see."""
        screen = screens.enrolment(user, size, modules)
        self._enrolment = (user, credential, screen, self._uptime() + ENROLMENT_SECONDS)

    def end_enrolment(self, user, credential=None):
        """The credential (or every one) of a user was confirmed or removed."""
        shown = self._enrolment
        if shown is not None and shown[0] == user and credential in (None, shown[1]):
            self._enrolment = None

    def ask_button(self, purpose):
        """The button is to confirm `purpose`."""
        self._button = (purpose, self._uptime() + PRESENCE_SECONDS)

    def pressed(self):
        """It was pressed."""
        self._button = None

    def hold(self, screen):
        """Show `screen`, whatever else happens, until `hold(None)`."""
        self._held = screen

    def show(self, screen):
        """Hold `screen`, and draw it now: nothing else will for a while."""
        self.hold(screen)
        self.tick(None)

    # What is shown.

    def current(self, idle):
        """The screen for now, where `idle()` is the one for when nothing is going on."""
        now = self._uptime()
        if self._held is not None:
            return self._held
        if self._button is not None:
            if now < self._button[1]:
                return screens.button(self._button[0])
            self._button = None
        if self._pairing is not None:
            if now < self._pairing[1]:
                return screens.pairing(self._pairing[0])
            self._pairing = None
        if self._enrolment is not None:
            if now < self._enrolment[3]:
                return self._enrolment[2]
            self._enrolment = None
        if self._verdict is not None:
            status, user, wait, end = self._verdict
            if now < end:
                return screens.verdict(status, user) if wait is None else screens.throttled(user, wait - now)
            self._verdict = None
        return idle()

    def tick(self, idle):
        """Draw, if there is something new. Returns the exception if the display failed just now, or None."""
        try:
            self._check()
            if self._display is None:
                return None
            screen = self.current(idle)
            if screen == self._shown:
                return None
            self._draw(screen)
            self._shown = screen
        except Exception as error:  # a driver's, of a bus that is stuck: whatever it is, the device goes on
            self._display = self._shown = None
            return error
        return None

    def _check(self):
        now = self._uptime()
        if now - self._checked >= (_CHECK_SECONDS if self._was_there else _SEARCH_SECONDS):
            self._checked = now
            # One that lost its power between two pictures is back, but dark.
            if self._display is None or not self._display.is_on():
                self._reopen()

    def _reopen(self):
        self._shown = None
        try:
            self._display = self._open()
            self._was_there = self._was_there or self._display is not None
        except Exception:  # none there, or no driver for it
            self._display = None

    def _draw(self, screen):
        display = self._display
        if display.buffer is None:
            display.show_lines(
                screens.lines(screens.public(screen) if screen[0] == screens.ENROLMENT else screen)
            )
        else:
            canvas.draw(screen, display.buffer)
            display.show()
