# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Golden transcripts: what a person sees, command by command, of a device whose clock starts at a fixed time.

`transcripts/*.txt` hold a line of explanation, then commands (`$`), what is typed (`<`), and what came out:
stdout, then stderr (`!`), then the exit code if it is not 0. UPDATE_TRANSCRIPTS=1 writes them anew; read the
difference.
"""

import os
import re
import shlex
from pathlib import Path

import pytest
from tests.cli.support import INTERVAL, SECRET, Cli, Done, code, hotp

FOLDER = Path(__file__).parent / "transcripts"
START = 1_900_000_080  # a boundary of INTERVAL; a run may take that long
WRONG = next(f"{n:06d}" for n in range(10) if f"{n:06d}" not in {code(s, START) for s in range(-2, 4)})

VARYING = [
    (re.compile(r"/dev/pts/\d+"), "PORT"),
    (re.compile(r"PORT +"), "PORT "),
    (re.compile(r"\b\d{3} \d{3}\b"), "123 456"),
    (re.compile(r"\b(?!0000)[0-9a-f]{16}\b"), "0123456789abcdef"),
    (re.compile(r"secret=[A-Z2-7]+"), "secret=SECRET"),
    (re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2030-01-01T00:00:00Z"),
    (re.compile(r'"(time|floor|last_used|uptime|used|error|size|free|memory)": (\d+|null)'), r'"\1": 0'),
    (re.compile(r"within \d+ s"), "within 0 s"),
    (re.compile(r"(the device is .*|the same time), \+-\d+\.\d s"), "the device is 9 d ahead, +-0.5 s"),
    (re.compile(r'"(seconds|uncertainty)": -?\d+\.\d'), r'"\1": 0.5'),
    (re.compile(r"up for +.*"), "up for     0 s"),
    (re.compile(r"(again in|to wait) \d+ s"), r"\1 0 s"),
    (re.compile(r'"(wait|until)": \d+'), r'"\1": 0'),
    (re.compile(r"clock is \d+ steps"), "clock is 9 steps"),
    (re.compile(r'(again in 0 s\.", )"seconds": \d+'), r'\1"seconds": 0'),
    (re.compile(r"\b\d{5}-\d{5}\b"), "12345-67890"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r'"data": "[0-9a-f]+"'), '"data": "BYTES"'),
]


def test_the_clock_of_the_transcripts() -> None:
    assert START % INTERVAL == 0


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(cli: Cli, path: Path) -> None:
    (cli.folder / "secret.txt").write_text(SECRET + "\n")
    title, *steps = commands(path.read_text())
    with cli.simulator("--clock", str(START)):
        text = "\n".join([title, *(played(cli, *step.split("\n")) for step in steps)]) + "\n"
    if os.environ.get("UPDATE_TRANSCRIPTS"):
        path.write_text(text)
    assert text == path.read_text()


def commands(text: str) -> list[str]:
    """The title, then the commands, each with the lines that are typed."""
    lines = [line for i, line in enumerate(text.split("\n")) if i == 0 or line.startswith(("$ ", "< "))]
    return "\n".join(lines).replace("\n$ ", "\0$ ").split("\0")


def played(cli: Cli, command: str, *typed: str) -> str:
    """Run one command; return its part of the transcript."""
    words = shlex.split(filled(command))[2:]
    stdin = "".join(filled(line[2:]) + "\n" for line in typed)
    return "\n".join([command, *typed, *shown(cli, cli(*words, stdin=stdin))])


def filled(line: str) -> str:
    line = re.sub(r"CODE\((-?\d+)\)", lambda match: code(int(match[1]), START), line)
    line = re.sub(r"HOTP\((\d+)\)", lambda match: hotp(int(match[1])), line)
    return line.replace("WRONG", WRONG)


def shown(cli: Cli, done: Done) -> list[str]:
    lines = [*done.out.splitlines(), *(f"! {line}".rstrip() for line in done.err.splitlines())]
    lines += [f"exit {done.code}"] if done.code else []
    return [normal(line.replace(str(cli.folder), "~")) for line in lines]


def normal(line: str) -> str:
    for pattern, replacement in VARYING:
        line = pattern.sub(replacement, line)
    return line.rstrip()
