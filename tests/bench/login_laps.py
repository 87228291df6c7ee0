# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Runs inside the machine for logins, and times programs from spawn to exit: nothing else is in between.

A line of JSON in: {"words": [..], "typed": text}; one out: [exit code, nanoseconds]. What is typed lies in
the program's standard input before it starts; what it says is dropped.
"""

import gc
import json
import os
import shutil
import sys
import time


def lap(words: list[str], typed: str) -> tuple[int, int]:
    """One program from its beginning to its end."""
    near, far = os.pipe()
    os.write(far, typed.encode())
    os.close(far)
    silence = os.open("/dev/null", os.O_WRONLY)
    files = [
        (os.POSIX_SPAWN_DUP2, near, 0),
        (os.POSIX_SPAWN_DUP2, silence, 1),
        (os.POSIX_SPAWN_DUP2, silence, 2),
    ]
    path = shutil.which(words[0]) or words[0]
    start = time.perf_counter_ns()
    pid = os.posix_spawn(path, words, os.environ, file_actions=files, setsid=True)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter_ns() - start
    os.close(near)
    os.close(silence)
    return os.waitstatus_to_exitcode(status), took


def main() -> None:
    """Until the standard input ends."""
    gc.disable()
    for line in sys.stdin:
        print(json.dumps(lap(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
