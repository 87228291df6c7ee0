# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Thousands of damaged replies over a real socket, each read a second time by the tests' own rules."""

import random
from collections import Counter

import pytest
from tests.login.fake_broker import END, Call, FakeBroker
from tests.login.module_replies import mutated, read_reply
from tests.login.module_support import PAM, Login, built_fixture, login_fixture  # noqa: F401

CASES = 4000


def case(chance: random.Random) -> bytes:
    """One that ends, so that the module has to decide. What comes with its end comes in one piece."""
    while True:
        data = mutated(chance)
        if END not in data:
            data += END
        if data.endswith(END) or len(data) < 2000:
            return data


def expected(data: bytes) -> tuple[int, list[tuple[str, str]]]:
    """The PAM code of an account request that is answered so, and what is shown."""
    result = read_reply(data)
    if result == ["bad"]:
        told = [("error", "The code can't be checked: The broker's reply is not understood.")]
        return PAM["SYSTEM_ERR"], told
    code = PAM["SYSTEM_ERR"] if result[0] == "prompt" else int(result[1])
    texts = result[5:]
    told = [
        (kind, bytes.fromhex(text.replace("-", "")).decode().replace("\n", "\\n"))
        for kind, text in zip(texts[::2], texts[1::2], strict=True)
    ]
    return code, told


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_replies_over_the_socket(login: Login, seed: int) -> None:
    chance = random.Random(seed)
    sent: list[bytes] = []

    def damaged(call: Call) -> None:
        call.read()
        sent.append(case(chance))
        call.connection.sendall(sent[-1])

    with FakeBroker(login.socket, damaged):
        ended = login("user=alice", "account", f"times={CASES}")
    assert len(sent) == CASES
    seen: list[tuple[str, str]] = []
    logins = []
    for kind, text in ended.lines:
        if kind == "result":
            logins.append((int(text), seen))
            seen = []
        elif not kind.startswith("syslog"):
            seen.append((kind, text))
    assert logins == [expected(data) for data in sent]
    codes = Counter(code for code, _ in logins)
    assert codes[PAM["SYSTEM_ERR"]] > CASES / 2 and codes[PAM["SUCCESS"]] and codes[PAM["AUTHINFO_UNAVAIL"]]
