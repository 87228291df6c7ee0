# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The locked image under attack over USB: no keys at any moment open a prompt or bring a secret out."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest
from conftest import find_image
from pico_session import PicoSession, chip

import large
from parts import NOW, Bench
from understudy.simulator.pico import Pico
from understudy_device import protocol, wire

# What MicroPython's prompts take: interrupt, raw mode, friendly mode, soft reset, paste mode, raw paste.
KEYS = (
    b"\x03",
    b"\x01",
    b"\x02",
    b"\x04",
    b"\x05",
    b"\x03\x03",
    b"\r\x03\x03\x01",
    b"\x03\x04",
    b"\x05A\x01",
    b"\x01print(1)\x04",
    b"\x05print(1)\r\n\x04",
    b"\x03\r\nhelp()\r\n",
)
FLOODS = (b"\x03" * 400, b"\x03\x01\x02\x04\x05" * 80, b"\r\x03\x03\x01\x04" * 80, b"\x05A\x01\x03" * 100)
PROMPTS = (b">>>", b"raw REPL", b"MicroPython v", b"paste mode", b"Traceback")
MOMENTS = 500
BOOTS = 4
IN_A_BOOT = 120
READY_US = 800_000  # simulated, from power-up to the first answer (714 ms), and then some
USER = 0


@dataclass
class Attack:
    """Keys sent to a device, and what came back."""

    pico: Pico
    keys: Iterator[bytes] = field(default_factory=lambda: cycle(KEYS))
    answers: bytearray = field(default_factory=bytearray)
    moments: int = 0

    def __post_init__(self) -> None:
        self.pico.on_data = self.answers.extend

    @property
    def found(self) -> list[bytes]:
        """The prompts seen so far."""
        return [prompt for prompt in PROMPTS if prompt in self.answers]

    def strike(self, keys: bytes | None = None, rest_us: int = 1000) -> None:
        """At this moment; it counts once USB is up, for then the device takes the keys as soon as it can."""
        self.pico.send(next(self.keys) if keys is None else keys)
        self.pico.run_us(rest_us)
        self.moments += self.pico.connections > 0

    def boot(self, first_us: int, step_us: int) -> None:
        """From the first instruction on, until it is ready."""
        self.pico.run_us(first_us)
        while self.pico.micros < READY_US and not self.found:
            self.strike(rest_us=step_us)

    def quiet(self) -> bool:
        """Ends what was begun, and whether nothing but refusals came back."""
        self.pico.send(b"\n")
        while self.pico.unsent:
            self.pico.run_us(1000)
        self.pico.run_us(100_000)
        lines = bytes(self.pico.received).splitlines(keepends=True)
        self.pico.received.clear()
        return all((wire.decode(line) or (None,))[0] == protocol.FAULT for line in lines)


class Victim:
    """A claimed device with a user, enrolled in memory, and everything of it that must stay there."""

    def __init__(self) -> None:
        self.bench: Bench = large.enrolled(1)
        vault = self.bench.device.vault
        secrets = [large.secret(USER), vault.identity().private, vault._data_key, vault._tag_key]
        secrets.append(bytes.fromhex(self.bench.admin.wrap()))
        self.forbidden = [form(secret) for secret in secrets for form in (bytes, bytes.hex, base64.b32encode)]

    def power_up(self, image: Path) -> PicoSession:
        """It has power; nothing has run yet."""
        device = PicoSession.__new__(PicoSession)
        device.pico = Pico(image, flash=chip(self.bench.board.flash.image()), seed=1)
        return device

    def leaked(self, answers: bytes) -> list[bytes]:
        """What the answers hold that they must not."""
        forbidden = [item.encode() if isinstance(item, str) else item for item in self.forbidden]
        return [item for item in forbidden if item in answers or item.upper() in answers.upper()]


@pytest.fixture(scope="module")
def victim() -> Victim:
    return Victim()


def boot(victim: Victim, image: Path, number: int) -> tuple[PicoSession, Attack]:
    """One start under attack; each number has its own moments between those of the others."""
    device = victim.power_up(image)
    attack = Attack(device.pico)
    for _ in range(number):
        next(attack.keys)
    step = READY_US // IN_A_BOOT
    attack.boot(step * number // BOOTS, step)
    return device, attack


def between_and_inside_frames(attack: Attack, frame: bytes, count: int) -> None:
    """Every other time with half a frame before the keys and the rest of it behind them."""
    for number in range(count):
        cut = len(frame) * number // count if number % 2 else 0
        attack.pico.send(frame[:cut])
        attack.pico.run_us(500)
        attack.strike()
        attack.pico.send(frame[cut:] if cut else b"")


def log_in(victim: Victim, device: PicoSession, attack: Attack) -> str:
    """The verdict on a right code; its request is spoilt by keys a few times first."""
    host = victim.bench.admin
    host.unseal(device)
    host.ask(device, "clock_set", time=NOW + 3600)
    request = b'{"id":"0123456789abcdef","cmd":"verify","user":"%s","code":"%s"}' % (
        large.name(USER).encode(),
        large.code(USER, NOW + 3600).encode(),
    )
    frame = wire.encode(protocol.DATA, host.send.encrypt_with_ad(b"", request))
    between_and_inside_frames(attack, frame, 2 * len(KEYS))
    assert attack.quiet()
    return str(host.receive.decrypt_with_ad(b"", device.handle(*wire.decode(frame))[1]))


@pytest.mark.timeout(1800)
def test_no_keys_at_any_moment_open_a_prompt_or_bring_a_secret_out(
    device_image: Path, victim: Victim
) -> None:
    moments = 0
    for number in range(BOOTS):
        device, attack = boot(victim, device_image, number)
        assert attack.quiet()
        for flood in FLOODS if number == BOOTS - 1 else ():
            attack.strike(flood, rest_us=20_000)
        assert attack.quiet()
        hello = victim.bench.admin.hello(device)
        assert (hello["state"], hello["locked"]) == ("sealed", True)
        between_and_inside_frames(attack, wire.encode(protocol.HELLO, bytes(16)), 2 * len(KEYS))
        assert attack.quiet()
        if number == BOOTS - 1:
            assert '"accepted"' in log_in(victim, device, attack)
        assert attack.found == [] and victim.leaked(attack.answers) == []
        assert device.pico.connections == 1, "it has restarted"
        moments += attack.moments
    assert moments >= MOMENTS


@pytest.mark.timeout(1800)
def test_floods_while_it_starts(device_image: Path, victim: Victim) -> None:
    """Four hundred keys at once, after which its buffer is full, at a few moments."""
    for number, flood in enumerate(FLOODS[:2]):
        device = victim.power_up(device_image)
        attack = Attack(device.pico)
        device.pico.boot()
        device.pico.run_us(number * READY_US // 4)
        attack.strike(flood, rest_us=READY_US)
        assert attack.moments == 1
        assert attack.quiet()
        assert victim.bench.admin.hello(device)["state"] == "sealed"
        assert attack.found == [] and victim.leaked(attack.answers) == []


def test_the_same_attack_finds_the_prompt_of_a_development_image(victim: Victim) -> None:
    device, attack = boot(victim, find_image("rpi_pico-dev"), 0)
    assert attack.found
