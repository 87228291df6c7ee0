# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Parts that the unit tests share: the real flash file in memory, cut at will; a board; a host's end of the
link."""

import io
import json

from understudy_device import pairing, protocol
from understudy_device.compat import sha256
from understudy_device.device import Device
from understudy_device.fileflash import FileFlash
from understudy_device.noise import HandshakeState, KeyPair
from understudy_device.sectors import SECTOR
from understudy_device.service import Service
from understudy_device.session import Session

SECTORS = 12
NOW = 1700000000


class PowerCut(Exception):
    """The power went away."""


class CutFlash(FileFlash):
    """The product's flash file, over memory, with a journal; operation number `cut_at` (0 is the first) is
    torn and the last."""

    def __init__(self, image=None, sectors=SECTORS):
        self.memory = io.BytesIO(image if image is not None else b"\xff" * (sectors * SECTOR))
        super().__init__(self.memory, lambda: None, sectors * SECTOR)
        self.operations = []  # (offset, bytes that came to stand there)
        self.cut_at = None
        self.tear = "none"
        self.dead = False

    def image(self):
        """What is on the flash."""
        return self.memory.getvalue()

    def _write(self, offset, data):
        if self.dead:
            raise PowerCut()
        if self.cut_at is not None and len(self.operations) == self.cut_at:
            self.dead = True
            old = bytearray(len(data))
            self.readinto(offset, old)
            super()._write(offset, torn(self.tear, offset, bytes(old), data))
            raise PowerCut()
        self.operations.append((offset, bytes(data)))
        super()._write(offset, data)


TEARS = ("none", "half", "bits", "all")


def torn(tear, offset, old, new):
    """What a power cut leaves of an operation that was to turn `old` into `new`."""
    half = len(new) // 2
    if tear == "none":
        return old
    if tear == "half":
        return new[:half] + old[half:]
    if tear == "all":
        return new
    # A bit has its old or its new value, by a fixed pattern.
    pattern = int.from_bytes(sha256(b"%d" % offset) * (len(new) // 32 + 1), "big") >> 8 * (32 - len(new) % 32)
    mask = pattern & ((1 << 8 * len(new)) - 1)
    mixed = int.from_bytes(old, "big") & mask | int.from_bytes(new, "big") & ~mask
    return mixed.to_bytes(len(new), "big")


class Randomness:
    """Different bytes at every call, the same in every run."""

    def __init__(self, seed=b"0"):
        self.state = seed

    def __call__(self, count):
        out = b""
        while len(out) < count:
            self.state = sha256(self.state)
            out += self.state
        return out[:count]


class BenchDisplay:
    """A display in memory; with a `fault`, an exception, it does not work."""

    def __init__(self):
        self.buffer = bytearray(1024)
        self.pixels = b""  # as last sent
        self.sent = 0
        self.on = True
        self.fault = None

    def show(self):
        """What is in the buffer is on the display."""
        if self.fault is not None:
            raise self.fault
        self.pixels = bytes(self.buffer)
        self.sent += 1

    def is_on(self):
        """Whether it has kept its settings."""
        if self.fault is not None:
            raise self.fault
        return self.on


class BenchBoard:
    """A board on the bench: what a port gives, in memory, with a clock to turn by hand."""

    info = {"id": "bench", "display": True, "button": True}
    locked = True
    flash_kind = "memory"
    i2c = None
    restarted = None

    def __init__(self, flash=None, seed=b"device", time=NOW):
        self.flash = flash or CutFlash()
        self.random = Randomness(seed)
        self.up = 0
        self.time = time
        self.led = ""
        self.pressed = 0
        self.display = BenchDisplay()

    def uptime(self):
        """Seconds."""
        return self.up

    def memory(self):
        """Enough."""

    def start_clock(self, clock):
        """The given time, if any."""
        if self.time is not None:
            clock.start(self.time, "bench")

    def feed(self):
        """Nothing bites."""

    def nap(self):
        """Time goes by."""
        self.up += 1

    def blink(self, pattern):
        """Keep what the LED plays."""
        self.led = pattern

    def button(self):
        """Whether it is pressed, for as many calls as `pressed` says."""
        is_pressed = self.pressed > 0
        self.pressed -= is_pressed
        return is_pressed

    def open_display(self):
        """The display, if it is plugged in."""
        if self.display.fault is not None:
            raise self.display.fault
        return self.display


class Host:
    """A host's end of the link, against a device in the same process: real handshakes, real requests."""

    def __init__(self, seed=b"host"):
        self.random = Randomness(seed)
        self.keys = KeyPair(self.random(32))
        self.device_key = b""
        self.code = ""
        self.send = self.receive = None

    def hello(self, session):
        """The device's hello."""
        return json.loads(session.handle(protocol.HELLO, self.random(16))[1])

    def start_pairing(self, session):
        """The handshake of a pairing; what the device answers to its last message. Sets `code`."""
        handshake = HandshakeState("XX", True, self.keys, prologue=protocol.PROLOGUE, random=self.random)
        commitment = handshake.read_message(session.handle(protocol.PAIR_1, handshake.write_message())[1])
        kind, payload = session.handle(protocol.PAIR_3, handshake.write_message(self.random(16)))
        self.send, self.receive = handshake.split()
        nonce = self.receive.decrypt_with_ad(b"", payload)
        if kind != protocol.PAIR_4 or pairing.commitment(nonce) != commitment:
            raise ValueError("the device does not keep its commitment")
        self.code = pairing.pairing_code(handshake.handshake_hash, nonce)
        self.device_key = handshake.remote_static

    def open(self, session):
        """A paired host's session; returns what the device answered."""
        handshake = HandshakeState("KK", True, self.keys, self.device_key, protocol.PROLOGUE, self.random)
        kind, payload = session.handle(
            protocol.OPEN_1, pairing.key_id(self.keys.public) + handshake.write_message()
        )
        if kind == protocol.OPEN_2:
            handshake.read_message(payload)
            self.send, self.receive = handshake.split()
        return kind, payload

    def wrap(self):
        """This host's wrap secret for the device, in hex."""
        return pairing.wrap_secret(self.keys.private, pairing.key_id(self.device_key)).hex()

    def ask(self, session, cmd, number=None, **fields):
        """One request; the reply as a dict, or the status of a fault as text."""
        fields.update({"id": number or self.random(8).hex(), "cmd": cmd})
        return self.ask_raw(session, json.dumps(fields, separators=(",", ":")).encode())

    def ask_raw(self, session, data):
        """One request of any bytes."""
        kind, payload = session.handle(protocol.DATA, self.send.encrypt_with_ad(b"", data))
        if kind == protocol.FAULT:
            return payload.decode()
        return json.loads(self.receive.decrypt_with_ad(b"", payload))

    def join(self, session, cmd, name="host"):
        """Pair by `cmd`, claim or pair."""
        self.start_pairing(session)
        return self.ask(session, cmd, name=name, wrap=self.wrap(), entropy="00" * 32)

    def unseal(self, session):
        """Open a session and unseal."""
        self.open(session)
        return self.ask(session, "unseal", wrap=self.wrap(), entropy="00" * 32)


class Bench:
    """A device, its session and an admin who has claimed it."""

    def __init__(self, board=None, claimed=True):
        self.board = board or BenchBoard()
        self.admin = Host()
        self.start()
        if claimed:
            self.admin.join(self.session, "claim", "admin")
            self.admin.open(self.session)

    def start(self):
        """Power up on what the board's flash holds."""
        self.device = Device(self.board)
        self.session = Session(self.device, Service(self.device))

    def restart(self, unseal=True):
        """Power off and on."""
        image = self.board.flash.image()
        self.board = BenchBoard(CutFlash(image, len(image) // SECTOR), b"again", self.board.time)
        self.start()
        if unseal:
            self.admin.unseal(self.session)

    def ask(self, cmd, **fields):
        """The admin asks."""
        return self.admin.ask(self.session, cmd, **fields)

    def enrol(self, user="alice", **fields):
        """A confirmed user with an imported secret."""
        fields = dict({"secret": "31" * 20, "confirmed": True, "entropy": "00" * 32}, **fields)
        return self.ask("user_add", user=user, **fields)
