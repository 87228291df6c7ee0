# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The host's end of the bulk OUT pipe: packets when there is data, NAK when there is none.

Without it rp2040py answers every OUT transfer the guest arms at once, with an empty packet when the host has
nothing to send; the guest arms the next one, and so on for ever: an idle guest never sleeps, a request takes
1.5 times the simulated and 3 times the wall time. The package's own path also goes through a 512-byte queue
that drops what does not fit; here nothing is lost, and bytes are moved by the packet.
"""

from rp2040py.usb.cdc import USBCDC

from .hooks import AnyCallable, after, wrap


class BulkOut:
    """Bytes on their way to the guest's USB serial port."""

    def __init__(self, cdc: USBCDC, *, nak: bool = True) -> None:
        """:param nak: False leaves the fault in, to show what it does"""
        self._cdc, self._usb, self._nak = cdc, cdc.usb, nak
        self._queue = bytearray()
        self._armed: int | None = None  # size of a transfer the guest has armed and we keep NAKing
        wrap(self._usb, "on_endpoint_read", self._make_on_read)
        after(self._usb, "on_reset", self._forget)

    @property
    def pending(self) -> int:
        """How many bytes the guest has not taken yet."""
        return len(self._queue)

    def send(self, data: bytes) -> None:
        """Queue bytes for the guest; they go out as it asks for them."""
        self._queue += data
        if self._armed is not None and self._queue:
            size, self._armed = self._armed, None
            self._deliver(size)

    def _make_on_read(self, original: AnyCallable) -> AnyCallable:
        def on_read(endpoint: int, size: int) -> None:
            if endpoint != self._cdc._out_endpoint:
                original(endpoint, size)
            elif self._queue or not self._nak:
                self._deliver(size)
            else:
                self._armed = size

        return on_read

    def _deliver(self, size: int) -> None:
        packet = bytes(self._queue[:size])
        del self._queue[:size]
        self._usb.endpoint_read_done(self._cdc._out_endpoint, packet)

    def _forget(self) -> None:
        """The device fell off the bus: what was on its way to it is gone."""
        self._queue.clear()
        self._armed = None
