# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The Linux port as a process over its flash file: killed at random moments, on a full disk, on a read-only
one. Nothing that was answered is lost, and nothing is said that is not so."""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.power.belief import Belief
from tests.power.checks import audited, opened, shown, used_codes
from tests.power.process_device import SECTORS, SIZE, Gone, ProcessDevice
from tests.power.requests import ADMIN, VERIFIER, Request, ask, code
from tests.power.world import START

KILLS = int(os.environ.get("UNDERSTUDY_POWER_KILLS", "40"))
ASPECTS = frozenset({"settings", "hosts", "users"})  # not what depends on the second that it is
INTERVAL = 300  # seconds: a step lasts longer than the process
BLOCK = 4096
NAMES = ("ann", "bob", "cat")


def secret_of(name: str) -> bytes:
    return name.encode().rjust(20, b"-")


def enrol(name: str) -> Request:
    secret = secret_of(name).hex()
    return ask("user_add", user=name, secret=secret, confirmed=True, interval=INTERVAL, window=10)


def typed(name: str, step: int, who: str = VERIFIER) -> Request:
    return ask("verify", who=who, user=name, code=code(secret_of(name), START // INTERVAL + step))


def told(device: ProcessDevice, belief: Belief, requests: list[Request]) -> None:
    for request in requests:
        (reply,) = device.ask([request])
        belief.tell(request, reply)


FIRST = [
    ask("hello"),
    ask("claim", name="admin"),
    ask("pair_open", role="verifier", seconds=60),
    ask("pair", who=VERIFIER, name="verifier"),
    ask("unseal", who=ADMIN),
    ask("settings_set", attempts=20, device_attempts=1000),
    enrol("ann"),
    enrol("bob"),
]


@pytest.fixture
def flash(tmp_path: Path) -> Path:
    return tmp_path / "flash.bin"


@pytest.fixture
def device(flash: Path) -> Iterator[ProcessDevice]:
    with ProcessDevice(flash) as device:
        yield device


@pytest.fixture
def belief(device: ProcessDevice) -> Belief:
    """The device in use, and what it has to be like."""
    belief = Belief()
    told(device, belief, FIRST)
    return belief


def restarted(device: ProcessDevice, belief: Belief) -> None:
    """Start the process again, and look at everything."""
    device.off()
    belief.restart()
    device.start()
    told(device, belief, opened(belief))
    told(device, belief, [*shown(belief, ASPECTS), *used_codes(belief)])
    audited(device, belief)


def something(chance: random.Random) -> Request:
    """A request, more often one for a code than not."""
    name = chance.choice(NAMES)
    return chance.choice(
        [
            lambda: typed(name, chance.randrange(-10, 11)),
            lambda: typed(name, chance.randrange(-10, 11)),
            lambda: ask("verify", who=VERIFIER, user=name, code="000000"),
            lambda: replace(typed(name, chance.randrange(-10, 11)), cmd="burn"),
            lambda: ask("report", who=VERIFIER, user=name, event="emergency", time=START),
            lambda: enrol(name),
            lambda: ask("user_remove", user=name),
            lambda: ask("user_reset", user=name),
            lambda: ask("user_set", user=name, enabled=chance.random() < 0.8),
            lambda: ask("recovery_make", user=name),
            lambda: ask("settings_set", window=chance.randrange(11)),
        ]
    )()


def test_killed_at_random_moments(device: ProcessDevice, belief: Belief) -> None:
    chance = random.Random(os.environ.get("UNDERSTUDY_POWER_SEED", "1"))
    begun = time.monotonic()
    told(device, belief, [ask("settings_set", window=10)])
    latency = time.monotonic() - begun
    answered = 0
    for _ in range(KILLS):
        for _ in range(chance.randrange(4)):
            told(device, belief, [something(chance)])
        request = something(chance)
        told(device, belief, [ask("settings_show", who=request.who)])  # the session is there
        reply = device.ask_and_kill(request, chance.uniform(0, 1.5 * latency))
        if reply is None:
            belief.unsure(request)
        else:
            belief.tell(request, reply)
            answered += 1
        restarted(device, belief)
    print(f"{KILLS} kills, {answered} of them after the answer")


# A disk that can't be written.

CHANGES = [typed("ann", 0), ask("verify", who=VERIFIER, user="ann", code="000000"), enrol("cat")]
CHANGES += [ask("user_remove", user="bob"), ask("settings_set", window=5), ask("clock_set", time=START + 60)]


def refused(device: ProcessDevice, request: Request) -> None:
    (reply,) = device.ask([request])
    assert reply["status"] == "flash-failed" and reply["message"], f"{request} was answered {reply}"


@pytest.mark.parametrize("request_", CHANGES, ids=lambda request: request.cmd)
def test_a_disk_that_refuses_every_write(
    device: ProcessDevice, belief: Belief, flash: Path, request_: Request
) -> None:
    before = flash.read_bytes()
    device.process.limit_file_size(0)
    for _ in range(3):
        refused(device, request_)
    told(device, belief, shown(belief, ASPECTS))
    assert flash.read_bytes() == before
    device.process.limit_file_size(-1)
    told(device, belief, [typed("ann", 0), typed("ann", 0), enrol("cat"), typed("cat", 1)])
    restarted(device, belief)


def test_a_disk_that_refuses_for_long(device: ProcessDevice, belief: Belief) -> None:
    device.process.limit_file_size(0)
    for _ in range(2 * SECTORS):
        refused(device, CHANGES[0])
    device.process.limit_file_size(-1)
    told(device, belief, [typed("ann", 0), typed("ann", 0), enrol("cat"), typed("cat", 1)])


@pytest.mark.parametrize("seed", range(8))
def test_a_disk_that_takes_a_part(device: ProcessDevice, belief: Belief, flash: Path, seed: int) -> None:
    """A write that crosses the limit is cut short, as when the last block of a disk is given away."""
    chance = random.Random(seed)
    for _ in range(6):
        device.process.limit_file_size(chance.randrange(SIZE))
        for _ in range(3):
            request = something(chance)
            (reply,) = device.ask([request])
            if reply["status"] == "flash-failed":
                belief.failed(request)
            else:
                belief.tell(request, reply)
        device.process.limit_file_size(-1)
        told(device, belief, [something(chance)])
        restarted(device, belief)


def ended(device: Callable[[], ProcessDevice]) -> str:
    """What a process says that can't begin."""
    with device() as running, pytest.raises(Gone) as gone:
        running.ask([ask("hello")])
    assert running.process.process.returncode not in (0, None)
    return str(gone.value)


def in_namespace(script: str, folder: Path) -> list[str]:
    """A command before another: in user and mount namespaces of its own, after `script`."""
    return ["env", f"FOLDER={folder}", "unshare", "-Urm", "sh", "-ec", f'{script}\nexec "$@"', "sh"]


@pytest.fixture(scope="session")
def namespaces() -> None:
    """What these need of the machine. Not root: mounting is done in a user namespace."""
    if shutil.which("unshare") is None or subprocess.run([*in_namespace(":", Path("/")), "true"]).returncode:
        pytest.skip("this machine gives no user namespaces, and nothing else makes a disk full without root")


@pytest.mark.usefixtures("namespaces")
def test_no_room_for_a_new_flash_file(flash: Path) -> None:
    # The file with its errors is in the same folder, and stays outside.
    prefix = in_namespace('mount -t tmpfs -o size=16k none "$FOLDER"', flash.parent)
    message = ended(lambda: ProcessDevice(flash, prefix=prefix))
    assert "No space left on device" in message


@pytest.mark.usefixtures("namespaces")
def test_a_read_only_disk(device: ProcessDevice, belief: Belief, flash: Path) -> None:
    device.off()
    before = flash.read_bytes()
    prefix = in_namespace(
        'mount --bind "$FOLDER" "$FOLDER"; mount -o remount,bind,ro "$FOLDER"', flash.parent
    )
    message = ended(lambda: ProcessDevice(flash, prefix=prefix))
    assert "Read-only file system" in message
    assert flash.read_bytes() == before
    restarted(device, belief)


@pytest.mark.usefixtures("namespaces")
def test_a_disk_that_fills_up(device: ProcessDevice, belief: Belief, flash: Path, tmp_path: Path) -> None:
    """The flash file is sparse, as a copy may be, and the disk has no room for a hole of it."""
    device.off()
    image = flash.read_bytes()
    used = max(at for at in range(0, SIZE, BLOCK) if image[at : at + BLOCK] != b"\xff" * BLOCK) + BLOCK
    (tmp_path / "used.bin").write_bytes(image[:used])
    # The blocks in use, and one more.
    script = f"""
    mount -t tmpfs -o size={used + BLOCK} none "$FOLDER"/disk
    cp "$FOLDER"/used.bin "$FOLDER"/disk/flash.bin
    truncate -s {SIZE} "$FOLDER"/disk/flash.bin
    """
    (tmp_path / "disk").mkdir()
    with ProcessDevice(tmp_path / "disk" / "flash.bin", prefix=in_namespace(script, tmp_path)) as full:
        belief.restart()
        full.know(device)
        told(full, belief, opened(belief))
        failures = 0
        for number in range(400):
            request = ask("settings_set", window=number % 11)
            (reply,) = full.ask([request])
            if reply["status"] == "flash-failed":
                assert "28" in reply["message"], reply  # ENOSPC
                belief.failed(request)
                failures += 1
                if failures == 3:
                    break
            else:
                belief.tell(request, reply)
        assert failures == 3
        told(full, belief, shown(belief, ASPECTS))
