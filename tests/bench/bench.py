# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`make bench`: what a verify costs on the emulated Pico, in simulated microseconds and bytes: counts, the
same in every run.

The emulator counts instruction cycles at 125 MHz with zero-wait flash, typical flash times (0.7 ms a page, 45
ms a sector) and a USB host that answers at once: a lower bound for a real board. The stages are timed on the
Pico itself, in a second run, for the stopwatches cost time too.
"""

import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "firmware"), *(str(ROOT / "tests" / name) for name in ("unit", "device", "bench"))]

import vault  # noqa: E402
from pico_session import PicoSession  # noqa: E402

import pyotp  # noqa: E402
from parts import NOW, Host  # noqa: E402
from understudy.simulator.raw_repl import RawRepl  # noqa: E402

IMAGES = ROOT / "build" / "images"
SOURCE = Path(__file__).with_name("on_the_pico.py")
SECRET = "GEYTCMJRGEYTCMJRGEYTCMJRGEYTCMJR"
ROUNDS = 15
REST_US = 30000  # between two requests, so that none meets what the device tidies up after the last
GRID_US = 10000  # a request leaves at a multiple of this, so that USB's frames fall alike


class Bench:
    """A claimed device with one user, and the time."""

    def __init__(self, session: PicoSession) -> None:
        self.session, self.host, self.costs = session, Host(), {}
        self.step("hello", lambda: self.host.hello(session))
        self.step("pairing: three messages", lambda: self.host.start_pairing(session))
        self.ask("claim", wrap=self.host.wrap(), entropy="00" * 32)
        self.step("session: handshake", lambda: self.host.open(session))
        self.ask("clock_set", time=NOW)
        self.set_at = session.pico.micros
        self.ask("user_add", user="alice", secret="31" * 20, confirmed=True, entropy="00" * 32)

    def step(self, name: str, act) -> None:
        start = self.session.pico.micros
        act()
        self.costs[name] = self.session.pico.micros - start

    def ask(self, cmd: str, **fields):
        return self.host.ask(self.session, cmd, **fields)

    def verify(self) -> dict[str, object]:
        """One accepted verify on the grid."""
        pico = self.session.pico
        pico.run_us(REST_US)
        pico.jump(30)
        pico.run_us(GRID_US - pico.micros % GRID_US)
        now = NOW + (pico.micros - self.set_at) // 1000000
        pico.meter.take()
        reply = self.ask("verify", user="alice", code=pyotp.TOTP(SECRET).at(now))
        if reply["status"] != "accepted":
            raise SystemExit(f"the bench's code was {reply['status']}")
        sent, received = self.session.bytes
        programs, erases = pico.meter.programs, pico.meter.erases
        return {
            "us": self.session.micros,
            "sent": sent,
            "received": received,
            "programs": programs,
            "erases": erases,
        }


def whole() -> tuple[Bench, list[dict[str, object]]]:
    """The image as it is shipped."""
    bench = Bench(PicoSession(IMAGES / "rpi_pico" / "firmware.uf2"))
    bench.verify()
    return bench, [bench.verify() for _ in range(ROUNDS)]


def by_stage() -> tuple[int, dict[str, float]]:
    """The same modules in an image that starts none of them: plain pyotp's verify, and the stages of ours."""
    session = PicoSession(IMAGES / "rpi_pico-bare" / "firmware.uf2")
    repl = RawRepl(session.pico)
    repl.exec(SOURCE.read_text())
    plain = int(repl.exec("print(plain())"))
    repl.start("serve()")
    bench = Bench(session)
    rounds = []
    for _ in range(ROUNDS):
        took = bench.verify()["us"]
        stages = bench.ask("status")["stages"]
        rounds.append({**stages, "link": took - sum(stages.values())})
    return plain, {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}


def login() -> None:
    """Prints what a login costs, stage by stage."""
    bench, verifies = whole()
    plain, stages = by_stage()
    print("On the emulated Pico at 125 MHz; times in simulated microseconds, medians of %d.\n" % ROUNDS)
    median = {key: statistics.median(v[key] for v in verifies) for key in verifies[0]}
    print("one verify, window 1, accepted, from the first byte in to the last byte out")
    print("  %-22s %7d" % ("all of it", median["us"]))
    print("  %-22s %7d in, %d out" % ("bytes on the wire", median["sent"], median["received"]))
    print("  %-22s %7d programmed, %d sectors erased" % ("flash pages", median["programs"], median["erases"]))
    print("\nits stages, timed on the Pico (the stopwatches included)")
    for name, spent in sorted(stages.items(), key=lambda stage: -stage[1]):
        print("  %-22s %7d" % (name, spent))
    print("\na plain pyotp-style verify: base32, three HOTPs, compare")
    print("  %-22s %7d" % ("all of it", plain))
    print("  %-22s %7.2f" % ("ours to it", median["us"] / plain))
    print("\nbefore that, once")
    for name, spent in bench.costs.items():
        print("  %-22s %7d" % (name, spent))


def main() -> None:
    """All of `make bench`."""
    login()
    vault.run(IMAGES / "rpi_pico" / "firmware.uf2")


if __name__ == "__main__":
    main()
