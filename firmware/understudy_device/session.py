# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's end of the secure channel: frames in, frames out.

The hello, the handshakes, and the session they lead to.
"""

from . import protocol
from .compat import dump_json, micropython
from .errors import AuthenticationFailed, NoSession, StoreDamaged, Unclaimed, UnderstudyError
from .noise import HandshakeState
from .pairing import commitment, pairing_code
from .service import Caller


class Session:
    """One port has one session at a time: a new handshake ends the old one."""

    def __init__(self, device, service):
        self._device = device
        self._service = service
        self._handshake = None
        self._nonce = b""
        self._caller = None
        self._send = None
        self._receive = None
        self._pairings = 0
        self._steps = {
            protocol.HELLO: self._hello,
            protocol.PAIR_1: self._pair_1,
            protocol.PAIR_3: self._pair_3,
            protocol.OPEN_1: self._open_1,
            protocol.DATA: self._data,
        }

    @micropython.native
    def handle(self, kind, payload):
        """The answer to one frame, as (kind, payload), or None for a frame that only a host would be sent."""
        step = self._steps.get(kind)
        if step is None or self._device.is_leaving:
            return None
        try:
            if self._device.damage is not None and kind != protocol.HELLO:
                raise StoreDamaged()
            return step(payload)
        except UnderstudyError as error:
            # The edge of the link: nothing but the status may be said in the clear.
            self._end()
            return protocol.FAULT, error.status.encode()
        except Exception as error:  # a fault of ours must not take the device away from everybody
            self._device.fault(error)
            self._end()
            return protocol.FAULT, b"internal"

    def tidy(self):
        """The answer has left: do what it need not have waited for."""
        self._service.tidy()

    def _end(self):
        if self._caller is not None and self._caller.host is None:
            self._device.panel.end_pairing()
        self._handshake = self._caller = self._send = self._receive = None

    def _hello(self, payload):
        self._device.pool.mix(payload)
        return protocol.HELLO, dump_json(self._device.hello())

    def _start(self, pattern, remote=b""):
        self._end()
        device = self._device
        self._handshake = HandshakeState(
            pattern,
            False,
            device.vault.identity(),
            remote,
            prologue=protocol.PROLOGUE,
            random=device.pool.take,
        )

    # Pairing: Noise XX with a commitment, see `pairing`.

    def _pair_1(self, payload):
        self._device.count_pairing()
        self._start("XX")
        self._handshake.read_message(payload)
        self._nonce = self._device.pool.take(protocol.NONCE)
        return protocol.PAIR_2, self._handshake.write_message(commitment(self._nonce))

    def _pair_3(self, payload):
        handshake = self._handshake
        if handshake is None:
            raise NoSession()
        host_nonce = handshake.read_message(payload)
        if len(host_nonce) != protocol.NONCE:
            raise AuthenticationFailed()
        self._establish(Caller(handshake.remote_static))
        if self._device.may_pair:
            self._device.panel.pairing(pairing_code(handshake.handshake_hash, self._nonce))
        return protocol.PAIR_4, self._send.encrypt_with_ad(b"", self._nonce)

    # A paired host's session: Noise KK.

    def _open_1(self, payload):
        if not self._device.vault.claimed:
            raise Unclaimed()
        _, host = self._device.vault.find_host(payload[: protocol.KEY_ID])
        self._start("KK", host.public_key)
        self._handshake.read_message(payload[protocol.KEY_ID :])
        reply = self._handshake.write_message(b"")
        self._establish(Caller(host.public_key, host))
        return protocol.OPEN_2, reply

    def _establish(self, caller):
        self._send, self._receive = self._handshake.split()
        self._handshake = None
        self._caller = caller
        self._pairings = self._device.vault.pairings

    @micropython.native
    def _data(self, payload):
        if self._caller is None or (
            self._caller.host is not None and self._pairings != self._device.vault.pairings
        ):
            raise NoSession()
        try:
            request = self._receive.decrypt_with_ad(b"", payload)
        except AuthenticationFailed:
            # Altered, replayed or out of order: the two ends no longer agree, so the session is over.
            raise NoSession()
        reply = self._service.call(self._caller, request)
        return protocol.DATA, self._send.encrypt_with_ad(b"", reply)
