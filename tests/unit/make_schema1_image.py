# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Make schema1_image.py again, with the last firmware whose store had schema 1:

git worktree add /tmp/schema1 b11c2e9
build/venv/bin/python tests/unit/make_schema1_image.py /tmp/schema1 > tests/unit/schema1_image.py

All randomness is fixed (the checkout's tests/unit/parts.py), so that the same comes out every time.
"""

import base64
import sys

HEAD = '''# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Flash of two devices with schema 1, written by our own firmware of then (commit b11c2e9): made by
make_schema1_image.py, which says how, and what was done to them. Sectors that are not here are blank."""
'''
SECTORS = 8
DAY = 86400


def _script(parts, rounds):
    """What is done to a device; returns its bench, when the last codes were used before its clock was set
    back, and the flash operations that it took."""
    bench = parts.Bench(parts.BenchBoard(parts.CutFlash(sectors=SECTORS), time=None))
    ask = bench.ask
    operations = 0

    def verify(user, wanted="accepted"):
        answer = ask("verify", user=user, code=code(user, bench.device.clock.now()))
        if answer["status"] != wanted:
            raise SystemExit(f"{user}: {answer}")

    ask("pair_open", role="verifier", seconds=60)
    parts.Host(b"door").join(bench.session, "pair", "door")
    bench.admin.open(bench.session)
    ask("clock_set", time=parts.NOW)
    ask("settings_set", window=2, digits=8)
    bench.enrol("alice", secret="31" * 20)
    bench.enrol("bob", secret="32" * 32, digits=6, interval=60, algorithm="SHA256", window=0)
    bench.enrol("eve", secret="33" * 20)
    bench.enrol("carol", secret="34" * 64, algorithm="SHA512", issuer="Site", label="carol at site")
    bench.enrol("dave", secret="35" * 20, confirmed=False)
    ask("user_remove", user="eve")
    bench.enrol("frank.with.a.long.name", secret="36" * 10, digits=7)
    verify("alice")
    verify("alice", "replayed")
    verify("bob")
    for turn in range(rounds):
        bench.board.up += 60
        verify("alice")
        verify("frank.with.a.long.name")
        if turn % 50 == 0:
            verify("carol")
        if turn % 400 == 100:
            now = bench.device.clock.now()
            operations += len(bench.board.flash.operations)
            bench.restart()
            ask("clock_set", time=now + 60)
    last = bench.device.clock.now()
    # The clock is set back: what is used from here on lies before what was used up to now.
    ask("clock_set", time=parts.NOW - 10 * DAY, back=True)
    bench.board.up += 90
    verify("carol")
    verify("bob")
    return bench, last, operations + len(bench.board.flash.operations)


SECRETS = {  # user: secret, digits, interval, algorithm
    "alice": ("31" * 20, 8, 30, "sha1"),
    "bob": ("32" * 32, 6, 60, "sha256"),
    "carol": ("34" * 64, 8, 30, "sha512"),
    "dave": ("35" * 20, 8, 30, "sha1"),
    "frank.with.a.long.name": ("36" * 10, 7, 30, "sha1"),
}


def code(user, time):
    """RFC 6238, worked out here."""
    import hashlib
    import hmac

    secret, digits, interval, digest = SECRETS[user]
    message = (time // interval).to_bytes(8, "big")
    mac = hmac.new(bytes.fromhex(secret), message, getattr(hashlib, digest)).digest()
    start = mac[-1] & 15
    return str((int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF) % 10**digits).zfill(digits)


def _main():
    checkout = sys.argv[1]
    sys.path[:0] = [checkout + "/firmware", checkout + "/tests/unit"]
    import parts

    print(HEAD)
    print(f"SECTORS = {SECTORS}")
    for name, rounds in (("YOUNG", 3), ("OLD", 1500)):
        bench, last, operations = _script(parts, rounds)
        image = bench.board.flash.image()
        now = bench.device.clock.now()
        print(f"# after {operations} flash operations")
        print(f"{name}_NOW = {now}  # its clock, after it was set back")
        print(f"{name}_LAST = {last}  # when alice and frank used a code before that")
        print(f"{name}_KEY = {bench.admin.device_key.hex()!r}".replace("'", '"'))
        print(f"{name} = {{")
        for sector in range(SECTORS):
            data = image[sector * 4096 : sector * 4096 + 4096]
            if data.strip(b"\xff"):
                print(f"    {sector}: (")
                text = base64.b64encode(data.rstrip(b"\xff")).decode()
                for start in range(0, len(text), 96):
                    print(f'        "{text[start : start + 96]}"')
                print("    ),")
        print("}")


if __name__ == "__main__":
    _main()
