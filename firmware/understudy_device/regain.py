# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The search for the time by two codes of an authenticator whose secret is known: in slices, for a month of
steps takes longer than any request may."""

from .compat import const
from .otp import codes, matching

_BATCH = const(64)  # steps between two looks at the time; little RAM
_BATCHES = const(32)  # in a slice at most
_SECONDS = const(2)  # that a slice may take, a quarter of the hardware watchdog's longest


class Search:
    """Where in the steps `first` to `last` the codes (integers) of two in a row are `wanted`.

    `key`: what was asked for; `began`: the uptime at which the codes were known to be fresh.
    """

    def __init__(self, key, credential, wanted, first, last, began):
        self.key = key
        self.began = began
        self.first = self._next = first
        self.last = last
        self.hits = []  # the steps of the second codes
        self._credential = credential
        self._wanted = (wanted[0] << 40) + wanted[1]

    @property
    def is_done(self):
        """Whether all was looked through."""
        return self._next >= self.last

    @property
    def done(self):
        """Steps that were looked at."""
        return self._next - self.first

    @property
    def total(self):
        """Steps to look at."""
        return max(0, self.last - self.first)

    def go_on(self, uptime):
        """One slice; `uptime()`: seconds."""
        start = uptime()
        one = self._credential
        for _ in range(_BATCHES):
            if self.is_done or uptime() - start >= _SECONDS:
                return
            # Each pair once: the last step of a batch is the first of the next.
            steps = range(self._next, min(self._next + _BATCH, self.last) + 1)
            made = codes(one.secret, one.algorithm, one.digits, steps)
            pairs = [(made[i] << 40) + made[i + 1] for i in range(len(made) - 1)]
            self.hits += [steps[hit + 1] for hit in matching(pairs, self._wanted)]
            self._next = steps[-1]
