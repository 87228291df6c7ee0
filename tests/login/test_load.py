# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Many at once, while the broker is killed and the device is unplugged at random moments."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.support import SECONDS, Cli, wait_for
from tests.login.broker import Broker
from tests.login.crowd import PATIENT, Crowd, CrowdedSite, Person, Sitting, admit, people
from tests.login.load import UNDECIDED, Books, Stick, asked, load
from tests.login.site import BOOT_SECONDS, Device
from tools.buildlib.paths import BUILD

from understudy.deadline import Deadline

IMAGE = BUILD / "images/rpi_pico/firmware.uf2"
STOPS = 4  # of an emulated Pico, which is slow; its test comes first, so that others go on beside it
PARTS = 8
ROUNDS = 25  # in each part
HANGS = 7  # every fifth round
CLIENTS = 6
RECOVERY = 10.0  # seconds from the device's return to a verdict; it takes one at most, unless all is busy
PICO_WITHIN = 60.0  # seconds, the most that a login may take


@contextmanager
def plugged(crowd: Crowd, folder: Path) -> Iterator[tuple[Broker, Stick]]:
    """A broker, and a device of its own with the crowd."""
    cli = crowd.copy(folder)
    stick, broker = Stick(cli), Broker(cli, str(cli.folder / "port"), PATIENT)
    stick.plug()
    try:
        broker.start()
        yield broker, stick
    finally:
        broker.stop()
        stick.unplug()


def check_lets_in(path: Path, person: Person) -> None:
    """A right code is accepted, however many logins that takes; one that was cut short may have used it."""
    code, end, words = person.fresh(), Deadline(BOOT_SECONDS), list[str]()
    while not end.passed and UNDECIDED.issuperset(words):
        words.append(asked(path, person.name, code, PICO_WITHIN)[0])
    assert words[-1] in ("accepted", "replayed" if words[1:] else "accepted"), words


@contextmanager
def under_load(crowd: Crowd, folder: Path, seed: str) -> Iterator[tuple[Broker, Stick, Books, Person]]:
    """A broker and a device while a dozen people log in all the time, with their books, and somebody who does
    not. In the end all of them still get verdicts, and nothing went wrong inside."""
    *crowded, probe = people(2 * CLIENTS + 1)
    with plugged(crowd, folder) as (broker, stick), load(broker.socket, crowded, seed) as books:
        yield broker, stick, books, probe
        books.wait_for(2 * CLIENTS)
    assert "fault" not in broker.log.read_text()


def test_an_emulated_pico_stopped_under_load(tmp_path: Path) -> None:
    """The Pico's own image. How long it takes to come back is the emulator's affair."""
    chance = random.Random(1)
    *crowded, probe = people(5)
    cli = Cli(tmp_path / "host")
    with Device(cli) as device:
        pico = ("--board", "rpi_pico", "--image", str(IMAGE), "--no-display")
        device.start(*pico)
        admit(cli.folder / "verifier.json", device.port, [*crowded, probe], BOOT_SECONDS)
        broker = Broker(cli, device.port, f"[login]\ndeadline = {PICO_WITHIN}\n")
        broker.start(connected=False)
        try:
            with load(broker.socket, crowded, "pico", PICO_WITHIN) as books:
                for _ in range(STOPS):
                    books.wait_for(chance.randrange(1, 4), BOOT_SECONDS)
                    time.sleep(chance.uniform(0, 0.2))
                    books.cuts += 1
                    device.stop(signal.SIGKILL)
                    device.start(*pico)
                    check_lets_in(broker.socket, probe)
                books.wait_for(4, BOOT_SECONDS)
        finally:
            broker.stop()
    assert books.burnt <= books.cuts
    assert "fault" not in broker.log.read_text()


@pytest.mark.parametrize("part", range(PARTS))
def test_a_broker_killed_under_load(crowd: Crowd, tmp_path: Path, part: int) -> None:
    seed = f"broker {part}"
    chance = random.Random(seed)
    with under_load(crowd, tmp_path / "host", seed) as (broker, _, books, _):
        for _ in range(ROUNDS):
            books.wait_for(chance.randrange(1, 2 * CLIENTS))
            time.sleep(chance.uniform(0, 0.005))  # anywhere in a request
            assert broker.process is not None
            broker.process.kill()
            broker.process.wait(SECONDS)
            broker.start(connected=False)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_device_unplugged_under_load(crowd: Crowd, tmp_path: Path, part: int) -> None:
    """Or without power on a line that does not tell so, such as a UART; or it hangs for a while."""
    seed = f"device {part}"
    chance = random.Random(seed)
    with under_load(crowd, tmp_path / "host", seed) as (broker, stick, books, probe):
        for number in range(ROUNDS + HANGS):
            books.wait_for(chance.randrange(1, 2 * CLIENTS))
            time.sleep(chance.uniform(0, 0.005))
            away = chance.choice((0, 0, chance.uniform(0, 1)))
            if number % 5 == 4:
                stick.hang(away)
            else:
                books.cuts += 1
                chance.choice((stick.unplug, stick.unplug, stick.cut_power))()
                time.sleep(away)
                stick.plug()
            # The first login from here on; a verdict that takes longer is none.
            word, _ = asked(broker.socket, probe.name, probe.fresh(), RECOVERY)
            assert word == "accepted", (seed, number, broker.log.read_text()[-2000:])
    assert books.burnt <= books.cuts


def test_a_device_that_was_long_gone(crowd: Crowd, tmp_path: Path) -> None:
    """Logins do not wait for it any more; the first one after its return gets in."""
    with under_load(crowd, tmp_path / "host", "long gone") as (broker, stick, books, probe):
        books.wait_for(CLIENTS)
        books.cuts += 1
        stick.unplug()
        gone = books.words["no-device"]
        wait_for(lambda: books.words["no-device"] >= gone + 200)
        stick.plug()
        assert asked(broker.socket, probe.name, probe.fresh(), RECOVERY)[0] == "accepted"


# With the module.


@pytest.mark.parametrize("part", range(4))
def test_the_module_while_the_broker_is_killed(busy: CrowdedSite, part: int) -> None:
    """Four people log in by pamtester all the time; each one gets the verdict on each code."""
    seed = f"module {part}"
    chance, over, words = random.Random(seed), threading.Event(), Counter[str]()

    def log_in(person: Person) -> None:
        while not over.is_set():
            words[busy.login(person.name, person.fresh())] += 1

    threads = [threading.Thread(target=log_in, args=(person,), daemon=True) for person in people(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(ROUNDS // 2):
            wanted = words.total() + chance.randrange(1, 8)
            wait_for(lambda wanted=wanted: words.total() >= wanted)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.02))
            assert busy.process is not None
            busy.process.kill()
            busy.restart()
    finally:
        over.set()
        for thread in threads:
            thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads) and set(words) == {"accepted"}, (seed, words)


# All at once.


def test_200_clients_at_once(busy: CrowdedSite) -> None:
    """All of them are at the prompt before any code is typed; every fifth has one that is used or wrong, or
    the one of whoever sits next to him."""
    crowd = people()
    wanted, codes = [], []
    for number, (person, next_one) in enumerate(zip(crowd, crowd[1:] + crowd[:1], strict=True)):
        code, word = person.code(0), "accepted"
        if number % 5 == 4:
            code, word = [
                (person.code(0), "replayed"),
                (person.wrong(), "rejected"),
                (next_one.code(0), "rejected"),
            ][number // 5 % 3]
        if word == "replayed":
            assert busy.ask(person.name, code).word == "accepted"
        wanted.append(word)
        codes.append(code)
    waiting = [Sitting(busy, person.name) for person in crowd]
    for one in waiting:
        one.wait_for_prompt()
    for one, code in zip(waiting, codes, strict=True):
        one.type(code)
    assert [one.verdict() for one in waiting] == wanted
    assert Counter(wanted) == {"accepted": 160, "rejected": 26, "replayed": 14}
    for person, word in zip(crowd, wanted, strict=True):  # nobody's code was used up by somebody else
        assert busy.ask(person.name, person.code(0)).word == (
            "accepted" if word == "rejected" else "replayed"
        )
        assert busy.ask(person.name, person.code(1)).word == "accepted"


def test_200_clients_at_once_without_a_prompt(crowd: Crowd, tmp_path: Path) -> None:
    """As many connections at one instant as the backlog has to hold, each with its code; three times over."""
    everybody = people()
    with plugged(crowd, tmp_path / "host") as (broker, _):
        for turn in range(3):
            start, words = threading.Barrier(len(everybody)), dict[str, str]()

            def log_in(person: Person, turn: int, start: threading.Barrier, words: dict[str, str]) -> None:
                code = person.wrong() if person.name.endswith(str(turn)) else person.fresh()
                start.wait(SECONDS)
                words[person.name] = asked(broker.socket, person.name, code)[0]

            threads = [
                threading.Thread(target=log_in, args=(person, turn, start, words)) for person in everybody
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(SECONDS)
            rejected = {person.name for person in everybody if person.name.endswith(str(turn))}
            assert words == {
                person.name: "rejected" if person.name in rejected else "accepted" for person in everybody
            }
