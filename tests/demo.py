# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`make demo` and `make pico`: the main job, on a simulated device in a process of its own, by the commands a
person types.

Everything is real but the board: the firmware, the encrypted link, the QR code read back from the terminal by
a decoder, the codes made by an authenticator that shares no line with us (PyPI's pyotp).
"""

import argparse
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import zxingcpp
from PIL import Image
from tests.cli.support import SECONDS, Cli, first_line
from tests.cli.terminal import Terminal
from tests.reference import load_pyotp

INTERVAL = 30  # seconds a step
# A command's time on the emulated Pico is the handshake's: 5 s on an idle machine. A code must not run out
# meanwhile.
STEP_LEFT = {"linux": 5, "rpi_pico": 18}
MODULE = 8  # pixels
LIGHT = {
    " ": (0, 0),
    "\N{UPPER HALF BLOCK}": (1, 0),
    "\N{LOWER HALF BLOCK}": (0, 1),
    "\N{FULL BLOCK}": (1, 1),
}


def read_qr(screen: str) -> str:
    """The text of the QR code drawn in half blocks on a screen (light modules inked), read by zxing."""
    lines = [
        line for line in screen.splitlines() if len(line) > 20 and set(line) <= set(LIGHT) and line.strip()
    ]
    rows = [[LIGHT[char][half] for char in line] for line in lines for half in (0, 1)]
    width = max(len(row) for row in rows)
    image = Image.new("L", (width, len(rows)), 0)
    image.putdata([255 * value for row in rows for value in row + [0] * (width - len(row))])
    # A quiet zone of four modules, which the terminal's surroundings are to an eye.
    page = Image.new("L", ((width + 8) * MODULE, (len(rows) + 8) * MODULE), 255)
    page.paste(
        image.resize((width * MODULE, len(rows) * MODULE), Image.Resampling.NEAREST), (4 * MODULE, 4 * MODULE)
    )
    found = zxingcpp.read_barcodes(page)
    if len(found) != 1:
        raise SystemExit("The QR code on the screen can't be read back.")
    return str(found[0].text)


class Demo:
    """A story told in commands."""

    def __init__(self, folder: Path, board: str) -> None:
        self.board = board
        self.cli = Cli(folder)
        self.port = folder / "port"
        self.cli.env["UNDERSTUDY_PORT"] = str(self.port)
        self.device: subprocess.Popen[str] | None = None

    def say(self, text: str) -> None:
        """A line between the commands."""
        print(f"\n# {text}", flush=True)

    def show(self, words: tuple[str, ...]) -> None:
        """The command, as it is typed."""
        print(f"\n$ understudy {shlex.join(words)}", flush=True)

    def ended(self, words: tuple[str, ...], code: int, expected: int) -> None:
        """The exit code; the demo ends where it is not the one that was promised."""
        print(f"exit {code}", flush=True)
        if code != expected:
            raise SystemExit(f"`understudy {shlex.join(words)}` should have ended with {expected}.")

    def run(self, *words: str, expected: int = 0) -> None:
        """Run a command and show what it says."""
        self.show(words)
        done = self.cli(*words)
        print((done.out + done.err).rstrip("\n"))
        self.ended(words, done.code, expected)

    def power_up(self, *options: str) -> None:
        """Start the device's process."""
        words = ("simulate", "--board", self.board, "--state", "state", "--link", str(self.port), *options)
        self.show((*words, "&"))
        self.device = self.cli.start(*words, stdin=subprocess.DEVNULL)
        print(first_line(self.device), flush=True)

    def power_down(self) -> None:
        """Stop it."""
        if self.device is not None:
            self.device.send_signal(signal.SIGTERM)
            self.device.communicate(timeout=SECONDS)
            self.device = None

    def enrol(self, name: str) -> str:
        """Add a user on a terminal: read the QR code there, type the first code. Returns the secret."""
        words = ("user", "add", name)
        self.show(words)
        with Terminal(self.cli, *words) as terminal:
            terminal.read_until("First code: ")
            uri = read_qr(terminal.text)
            secret = str(load_pyotp().parse_uri(uri).secret)
            # The code of the step before, as from someone who types slowly: the present one is for later.
            typed = self.code(secret, -1)
            terminal.type(typed)
            code = terminal.wait()
        print(terminal.text.replace("First code: ", f"First code: {typed} (typed)\n").rstrip("\n"))
        self.ended(words, code, 0)
        self.say("The QR code, read back from the screen by a decoder, says " + uri.replace(secret, "..."))
        return secret

    def code(self, secret: str, steps: int = 0) -> str:
        """The code of a step, made by PyPI's pyotp; waits for a new step when this one is nearly over."""
        left = INTERVAL - time.time() % INTERVAL
        if left < STEP_LEFT[self.board]:
            time.sleep(left)
        return str(load_pyotp().TOTP(secret).at(int(time.time()) + steps * INTERVAL))

    def tell(self) -> None:
        """The story."""
        self.say("A device powers up, new, and is claimed: this host's key becomes its admin.")
        self.power_up()
        self.run("claim", "--yes")
        if self.board != "linux":
            self.say("A Pico does not know the time at power-up.")
            self.run("clock", "set", "--from-host")
        self.say("A user is added. The secret is made on the device and shown once.")
        secret = self.enrol("alice")
        self.say(
            "Codes, from an independent authenticator: right, wrong, right but used, right ten minutes ago."
        )
        good = self.code(secret)
        self.run("verify", "alice", good)
        self.run("verify", "alice", f"{(int(good) + 1) % 10**6:06d}", expected=10)
        self.run("verify", "alice", good, expected=11)
        self.run("verify", "alice", self.code(secret, -20), expected=10)
        self.say("The power goes and comes back. The device unseals for its host, but it has lost the time.")
        self.power_down()
        self.power_up(*(("--clock", "unset") if self.board == "linux" else ()))
        self.run("verify", "alice", self.code(secret, 1), expected=13)
        self.run("clock", "set", "--from-host")
        if self.board == "linux":  # on the emulated Pico that code has run out by now
            self.run("verify", "alice", good, expected=11)
        self.run("verify", "alice", self.code(secret, 1))


def main() -> None:
    """Tell the story; exit code 0 when every command ended as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", choices=sorted(STEP_LEFT), default="linux")
    board = parser.parse_args().board
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="understudy-demo-") as folder:
        demo = Demo(Path(folder), board)
        try:
            demo.tell()
        finally:
            demo.power_down()
    print(
        f"\nThat took {time.monotonic() - start:.0f} s. To go on by hand:\n\n"
        "  . build/venv/bin/activate\n"
        f"  understudy simulate --board {board} --link /tmp/understudy-port\n\n"
        "and in another terminal, after the same first line:\n\n"
        "  export UNDERSTUDY_PORT=/tmp/understudy-port\n"
        "  understudy claim && understudy user add YOURSELF && understudy verify YOURSELF\n"
    )


if __name__ == "__main__":
    sys.exit(main())
