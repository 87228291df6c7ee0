# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a real FreeRADIUS runs to judge a code, by its module exec:  radius_judge.py FOLDER

The request's attributes are in the environment, each string in quotes. FOLDER/people.json: name to `secret`
(hex), `type` and `pin`. A PIN alone gets a challenge. FOLDER/used keeps the last counter of each user. While
another process holds a lock on FOLDER/gate this waits; FOLDER/asked has a line for each call.
"""

import fcntl
import hmac
import json
import os
import sys
import time
from pathlib import Path

INTERVAL = 120  # seconds; as tests.cli.support
STATE = "0x6f6e65207175657374696f6e"
REJECT = 1


def code(secret: str, counter: int) -> str:
    """RFC 4226 section 5.3."""
    digest = hmac.digest(bytes.fromhex(secret), counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1000000:06d}"


def counters(kind: str, used: int) -> range:
    """Those that count now; of a token by counter so many ahead as a server may have been down for."""
    if kind == "hotp":
        return range(used + 1, used + 500)
    now = int(time.time()) // INTERVAL
    return range(now - 1, now + 2)


def main() -> int:
    folder = Path(sys.argv[1])
    given = {name: os.environ.get(name, "").strip('"') for name in ("USER_NAME", "USER_PASSWORD", "STATE")}
    with open(folder / "asked", "a") as asked:
        asked.write(json.dumps({name: value for name, value in os.environ.items() if name.isupper()}) + "\n")
    with open(folder / "gate") as gate:
        fcntl.flock(gate, fcntl.LOCK_SH)
    one = json.loads((folder / "people.json").read_text()).get(given["USER_NAME"])
    if one is None:
        return REJECT
    if one["pin"] and given["USER_PASSWORD"] == one["pin"]:
        print(f'State := {STATE}, Reply-Message := "please enter otp: "')
        return 0
    if one["pin"] and given["STATE"] != STATE:
        return REJECT
    with open(folder / "used", "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        used = json.loads(file.read() or "{}")
        for counter in counters(one["type"], used.get(given["USER_NAME"], -1)):
            fits = hmac.compare_digest(code(one["secret"], counter), given["USER_PASSWORD"])
            if fits and counter > used.get(given["USER_NAME"], -1):
                file.seek(0)
                file.write(json.dumps({**used, given["USER_NAME"]: counter}))
                file.truncate()
                return 0
    return REJECT


sys.exit(main())
