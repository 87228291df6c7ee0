# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What counts as a server's word, whatever arrives; keys from files, names, and the configuration's part."""

import asyncio
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad.packet import AuthPacket
from tests.login.upstreams import login, run, upstream
from tests.ports import free_port

from understudy.configuration import Upstream
from understudy.upstream import REASONS, Says
from understudy.upstream.build import build
from understudy.upstream.key import read_key, read_line
from understudy.upstream.names import Names
from understudy.upstream.privacyidea import judged
from understudy.upstream.radius_packet import Forged, Request
from understudy.upstream.wording import prompt_text
from understudy_device.errors import ConfigError, Unreachable

SECRET = b"a secret"


def _answer(result: object, detail: object = None) -> bytes:
    return json.dumps({"result": result, "detail": detail}).encode()


def _word(status: int, body: bytes) -> str:
    try:
        return judged(status, body).word
    except Unreachable as error:
        assert error.fields["reason"] in REASONS
        return str(error.fields["reason"])


CHALLENGED = {"transaction_id": "0123", "message": "More?"}


@pytest.mark.parametrize(
    ("result", "detail", "word"),
    [
        ({"status": True, "value": True, "authentication": "ACCEPT"}, None, "accepted"),
        ({"status": True, "value": True}, None, "accepted"),  # privacyIDEA before 3.7
        ({"status": True, "value": True, "authentication": "REJECT"}, None, "malformed"),
        ({"status": True, "value": True, "authentication": "CHALLENGE"}, CHALLENGED, "malformed"),
        ({"status": True, "value": True, "authentication": ["ACCEPT"]}, None, "malformed"),
        ({"status": True, "value": 1, "authentication": "ACCEPT"}, None, "malformed"),
        ({"status": True, "value": "true", "authentication": "ACCEPT"}, None, "malformed"),
        ({"status": True, "authentication": "ACCEPT"}, None, "malformed"),
        ({"status": "true", "value": True, "authentication": "ACCEPT"}, None, "malformed"),
        ({"status": False, "value": True, "authentication": "ACCEPT"}, None, "malformed"),
        ({"value": True, "authentication": "ACCEPT"}, None, "malformed"),
        ({"status": True, "value": False, "authentication": "REJECT"}, None, "rejected"),
        ({"status": True, "value": False, "authentication": "DECLINED"}, None, "rejected"),
        ({"status": True, "value": False}, None, "rejected"),
        ({"status": True, "value": False, "authentication": "ACCEPT"}, None, "malformed"),
        ({"status": True, "value": 0, "authentication": "REJECT"}, None, "malformed"),
        ({"status": True, "value": None}, None, "malformed"),
        ({"status": True, "value": False, "authentication": "CHALLENGE"}, CHALLENGED, "prompt"),
        ({"status": True, "value": False}, CHALLENGED, "prompt"),
        ({"status": True, "value": False, "authentication": "CHALLENGE"}, None, "malformed"),
        ({"status": True, "value": False, "authentication": "CHALLENGE"}, {}, "malformed"),
        (
            {"status": True, "value": False, "authentication": "CHALLENGE"},
            {"transaction_id": "a b\n"},
            "malformed",
        ),
        ({"status": False, "error": {"code": 904}}, None, "malformed"),  # an error under 200
        ([], None, "malformed"),
        (None, None, "malformed"),
    ],
)
def test_the_words_of_privacyidea(result: object, detail: object, word: str) -> None:
    assert _word(200, _answer(result, detail)) == word


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (400, 904, "rejected"),
        (400, 401, "rejected"),
        (400, 905, "rejected"),
        (400, 1007, "rejected"),
        (401, 403, "rejected"),  # its hardening policies say this of an unknown user
        (401, 904, "rejected"),
        (403, 303, "secret"),
        (401, 303, "secret"),
        (401, None, "secret"),
        (400, 907, "status"),  # its directory is away
        (400, 902, "status"),
        (400, True, "status"),
        (400, "904", "status"),
        (400, [904], "status"),
        (400, {}, "status"),
        (400, 10**4000, "status"),
        (500, 904, "status"),
        (503, 303, "status"),
        (302, 904, "status"),
    ],
)
def test_the_errors_of_privacyidea(status: int, code: object, word: str) -> None:
    assert _word(status, _answer({"status": False, "error": {"code": code, "message": "x"}})) == word


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KEYS = st.sampled_from(["status", "value", "authentication", "error", "code"])
VALUES = st.sampled_from(["ACCEPT", "REJECT", "CHALLENGE", True, False, 1, 0, None, 904]) | JSON
RESULT = JSON | st.dictionaries(KEYS, VALUES)


@given(st.sampled_from([200, 201, 400, 401, 403, 404, 500]), RESULT, JSON | st.just(CHALLENGED))
def test_nothing_else_is_taken_for_an_acceptance(status: int, result: Any, detail: Any) -> None:
    word = _word(status, _answer(result, detail))
    if word == "accepted":
        assert status == 200 and result["status"] is True and result["value"] is True
        assert result.get("authentication") in ("ACCEPT", None)


@given(st.binary())
def test_garbage_is_no_word_of_privacyidea(body: bytes) -> None:
    assert _word(200, body) == "malformed"


def _request() -> Request:
    return Request(login("alice", "123456"), None, SECRET, "nas")


def test_what_an_answer_has_to_fit_is_drawn_anew_for_each_request() -> None:
    requests = [_request().data for _ in range(100)]
    assert len({data[1] for data in requests}) > 50 and len({data[4:20] for data in requests}) == 100


@given(st.binary(max_size=5000))
def test_garbage_is_no_word_of_radius(data: bytes) -> None:
    with pytest.raises(Forged):
        _request().says(data)


ATTRIBUTES = st.lists(
    st.tuples(
        st.sampled_from([1, 18, 24, 26, 33, 79, 80, 241, 255]), st.integers(0, 40), st.binary(max_size=40)
    )
)


@given(st.sampled_from([2, 3, 11]), ATTRIBUTES, st.integers(-2, 2))
def test_attributes_that_do_not_fit_are_no_word_of_radius(
    code: int, attributes: list[tuple[int, int, bytes]], off: int
) -> None:
    request = _request()
    body = b"".join(bytes([kind, length]) + value for kind, length, value in attributes)
    header = bytes([code, request.data[1]]) + max(0, 20 + len(body) + off).to_bytes(2, "big") + bytes(16)
    with pytest.raises(Forged):
        request.says(header + body)


@given(st.integers(0, 255), st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=253)), max_size=8))
def test_an_answer_by_whoever_has_the_secret(code: int, attributes: list[tuple[int, bytes]]) -> None:
    """It is read whatever it holds; and only its code says yes."""
    request = _request()
    reply = AuthPacket(packet=request.data, secret=SECRET).CreateReply()
    reply.code = code
    for number, value in attributes:
        if number not in (26, 33, 80):  # Vendor-Specific, Proxy-State and Message-Authenticator
            reply.setdefault(number, []).append(value)
    try:
        says = request.says(reply.ReplyPacket())
    except Forged:
        assert code not in (2, 3, 11)
    else:
        assert (says.word, code) in {("accepted", 2), ("rejected", 3), ("prompt", 11)}


@given(st.data())
def test_no_byte_of_an_answer_can_be_another(data: st.DataObject) -> None:
    request = _request()
    reply = AuthPacket(packet=request.data, secret=SECRET).CreateReply()
    reply[18] = [b"a text"]
    good = reply.ReplyPacket()
    assert request.says(good) == Says("accepted")
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[at]))
    with pytest.raises(Forged):
        request.says(good[:at] + bytes([other]) + good[at + 1 :])


@given(st.text())
def test_a_prompt_is_one_line_that_can_be_shown(text: str) -> None:
    shown = prompt_text(text)
    assert shown.isprintable() and len(shown.encode()) < 1000
    assert shown.strip() and shown.endswith(" ") and not shown.startswith(" ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("please enter otp: ", "please enter otp: "),
        ("Which?", "Which? "),
        ("Type it", "Type it: "),
        ("a\nb\x1b[31m\u202ec", "a b [31m c: "),
        ("", "Answer: "),
        ("x" * 1000, "x" * 240 + ": "),
    ],
)
def test_the_text_of_a_prompt(text: str, shown: str) -> None:
    assert prompt_text(text) == shown


# Keys.


def _key_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_key_is_what_the_file_holds_without_its_line_end(tmp_path: Path) -> None:
    assert read_key(_key_file(tmp_path, b" s\xff x \r\n")) == b" s\xff x "
    assert read_line(_key_file(tmp_path, b"abc.def\n")) == b"abc.def"


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 5000])
def test_what_is_no_key(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError):
        read_key(_key_file(tmp_path, content))


@pytest.mark.parametrize("content", [b"two words", b"a\nb", b"\xc3\xbc", b"a\r\nX: y"])
def test_what_fits_into_no_header(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        read_line(_key_file(tmp_path, content))
    assert content.decode() not in caught.value.message


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o777])
def test_a_key_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="chmod 600"):
        read_key(_key_file(tmp_path, b"x", mode))


def test_a_key_that_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, tmp_path / "none", Path("/dev/zero")):
        with pytest.raises(ConfigError):
            read_key(path)


# From the configuration.


def test_without_a_kind_there_is_none() -> None:
    assert build(Upstream(), lambda: 0.0, lambda *change: None) is None


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("privacyidea", {"url": "http://otp.example.net"}),  # who answers would be anybody's guess
        ("privacyidea", {"url": "https://otp.example.net:99999"}),
        ("privacyidea", {"url": "https://otp.example.net", "ca_file": "/dev/null"}),
        ("privacyidea", {"url": "https://otp.example.net", "ca_file": "/nowhere"}),
        ("privacyidea", {"url": "https://otp.example.net", "key_file": "/nowhere"}),
        ("radius", {"servers": ["127.0.0.1"], "key_file": "/nowhere"}),
        ("radius", {"servers": ["127.0.0.1:0"], "key_file": "KEY"}),
        ("radius", {"servers": ["127.0.0.1:65536"], "key_file": "KEY"}),
    ],
)
def test_what_the_configuration_can_not_mean(tmp_path: Path, kind: str, keys: dict[str, Any]) -> None:
    key = str(_key_file(tmp_path, b"a secret"))
    with pytest.raises(ConfigError):
        upstream(kind, **{name: key if value == "KEY" else value for name, value in keys.items()})


def test_its_name_for_the_log(tmp_path: Path) -> None:
    key = _key_file(tmp_path, b"a secret")
    made = upstream("radius", servers=["10.0.0.2", "[::1]:1", "radius.example.net:1812"], key_file=key)
    assert made.state()["name"] == "radius 10.0.0.2:1812, [::1]:1, radius.example.net:1812"
    made = upstream("privacyidea", url="https://otp.example.net/pi/")
    assert made.state()["name"] == "privacyidea otp.example.net:443"


# Names.


def test_a_name_server_that_is_silent_takes_one_thread() -> None:
    silent = threading.Event()

    def lookup(host: str, port: int) -> list[Any]:
        silent.wait()
        return [(None, None, None, "", ("192.0.2.1", port))]

    async def work() -> list[list[str]]:
        names, before = Names(lookup), threading.active_count()
        waiting = [asyncio.create_task(names.addresses("otp.example", 443)) for _ in range(50)]
        await asyncio.sleep(0)
        waiting.pop().cancel()  # who gives up takes nothing from the others
        await asyncio.sleep(0)
        assert threading.active_count() == before + 1
        silent.set()
        return await asyncio.gather(*waiting)

    assert run(work()) == [["192.0.2.1"]] * 49


def test_a_name_is_looked_up_anew_for_each_login_and_an_address_never() -> None:
    asked = []

    def lookup(host: str, port: int) -> list[Any]:
        asked.append(host)
        raise OSError(0, "no such name")

    async def work() -> None:
        names = Names(lookup)
        for _ in range(2):
            with pytest.raises(Unreachable) as caught:
                await names.addresses("otp.example", 443)
            assert caught.value.fields["reason"] == "dns"
        assert await names.addresses("127.0.0.1", free_port(socket.SOCK_DGRAM)) == ["127.0.0.1"]
        assert await names.addresses("::1", 1) == ["::1"]

    run(work())
    assert asked == ["otp.example"] * 2
