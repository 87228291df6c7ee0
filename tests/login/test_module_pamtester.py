# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The hardened module under pamtester: every status to its PAM code, in the stacks that people write.

libpam_wrapper gives PAM a folder of services, so the machine's own stay as they are.
"""

import ctypes
import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from tests.login.fake_broker import FakeBroker, answers, message, prompt, says
from tests.login.module_support import MODULE, PAM, Login, built_fixture, short_folder  # noqa: F401

from understudy_device.protocol import STATUSES

_libpam = ctypes.CDLL("libpam.so.0")
_libpam.pam_strerror.restype = ctypes.c_char_p


def text_of(code: int) -> str:
    """What pamtester says to a PAM code."""
    return str(_libpam.pam_strerror(None, code).decode())


class Pamtester(Login):
    """Runs pamtester with a stack of several lines."""

    def lines(self, *lines: str, service: str = "test") -> None:
        """Write the stack; MODULE stands for the module with its arguments."""
        text = "".join(line.replace("MODULE", f"{MODULE} socket={self.socket}") + "\n" for line in lines)
        (self.folder / "pam.d" / service).write_text(text)

    def tested(
        self, *operations: str, typed: str = "", under: tuple[str, ...] = (), service: str = "test"
    ) -> "subprocess.CompletedProcess[str]":
        """pamtester SERVICE alice OPERATION.., with a program before it."""
        return subprocess.run(
            [*under, "pamtester", service, "alice", *operations],
            input=typed,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "LD_PRELOAD": "libpam_wrapper.so",
                "PAM_WRAPPER": "1",
                "PAM_WRAPPER_SERVICE_DIR": str(self.folder / "pam.d"),
                "PAM_WRAPPER_DEBUGLEVEL": "0",
            },
        )


@pytest.fixture
def tester(built: None) -> Iterator[Pamtester]:
    """pamtester, and a folder for a broker's socket."""
    with short_folder() as folder:
        yield Pamtester(folder, MODULE)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status(tester: Pamtester, status: str) -> None:
    tester.lines("auth [default=die success=done ignore=done] MODULE", "account required MODULE")
    with FakeBroker(tester.socket, answers(message(status, f"error told {status}"))) as broker:
        ended = tester.tested("authenticate", typed="123456\n")
    assert [request.fields.get("answer") for request in broker.requests] == [None, "123456"]
    assert (ended.returncode == 0) == (status == "accepted")
    assert f"told {status}\n" in ended.stderr and "Code: " in ended.stderr
    if status != "accepted":
        assert text_of(PAM[STATUSES[status][2]]) in ended.stderr


@pytest.mark.parametrize(
    "control",
    [
        "required",
        "requisite",
        "sufficient",
        "[success=ok ignore=ignore default=die]",
        "[success=1 default=bad]",
    ],
)
@pytest.mark.parametrize("way", ["auth", "account"])
def test_only_one_status_passes_in_any_stack(tester: Pamtester, control: str, way: str) -> None:
    last = "pam_deny.so" if control == "sufficient" or "=1" in control else "pam_permit.so"
    after = [f"{way} required {last}", f"{way} required pam_permit.so"]
    tester.lines(f"{way} {control} MODULE", *(after if "=1" in control else after[:1]))
    # Where nothing else has to agree, what is not required is passed over.
    passing = {"accepted"} | ({"not-required"} if last == "pam_permit.so" else set())
    operation = "authenticate" if way == "auth" else "acct_mgmt"
    passed = set()
    for status in (*STATUSES, "prompt", "other"):
        with FakeBroker(tester.socket, says(message(status))):
            if tester.tested(operation).returncode == 0:
                passed.add(status)
    assert passed == passing


def test_a_login_from_its_beginning_to_its_end(tester: Pamtester) -> None:
    """pam_permit for the password, then the code; account; credentials; several rounds, with echo."""
    tester.lines(
        *("auth required pam_permit.so", "auth required MODULE enrol"),
        "account required MODULE",
    )
    picture = ["info " + "\u2588\u2580 " * 13] * 20
    with FakeBroker(
        tester.socket,
        says(prompt("First code: ", "on", "enrol", *picture, "error Scan it.")),
        says(prompt("Again: ", "off", "enrol", "error The code is wrong.")),
        says(message("accepted", "info keep these", "info 1234-5678")),
        says(message("accepted")),
    ) as broker:
        ended = tester.tested("authenticate", "acct_mgmt", "setcred", typed="000000\n123456\n")
    assert ended.returncode == 0, ended
    assert ended.stdout.startswith("\n".join(line.removeprefix("info ") for line in picture) + "\n")
    assert "keep these\n1234-5678\n" in ended.stdout
    assert "Scan it.\nFirst code: The code is wrong.\nAgain: " in ended.stderr
    assert [(request.word, request.fields.get("answer")) for request in broker.requests] == [
        *(("login", None), ("login", "000000"), ("login", "123456"), ("account", None)),
    ]
    assert {request.fields.get("enrol") for request in broker.requests[:3]} == {"yes"}
    assert "enrol" not in broker.requests[3].fields


def test_no_broker_lets_nobody_in(tester: Pamtester) -> None:
    tester.lines("auth required MODULE timeout=1", "account required MODULE timeout=1")
    for operation in ("authenticate", "acct_mgmt"):
        ended = tester.tested(operation)
        assert ended.returncode != 0 and text_of(PAM["AUTHINFO_UNAVAIL"]) in ended.stderr
        assert "The code can't be checked: The broker does not run." in ended.stderr


def test_an_unknown_argument_lets_nobody_in(tester: Pamtester) -> None:
    tester.lines("auth required MODULE use_first_pass")
    with FakeBroker(tester.socket, says(message("accepted"))) as broker:
        ended = tester.tested("authenticate")
    assert ended.returncode != 0 and text_of(PAM["SERVICE_ERR"]) in ended.stderr and not broker.connections


# pam_oath and pam_google_authenticator take some 150,000 more than pam_permit, with one user.
INSTRUCTIONS = 100000


def test_a_login_takes_few_instructions(tester: Pamtester) -> None:
    under = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={tester.folder / 'out'}")
    tester.lines("auth required pam_permit.so", service="permit")
    tester.lines("auth required MODULE")
    count = {}
    with FakeBroker(tester.socket, answers(message("accepted"))) as broker:
        for service in ("permit", "test"):
            ended = tester.tested("authenticate", typed="123456\n", under=under, service=service)
            assert ended.returncode == 0, ended
            (count[service],) = re.findall(r"Collected : (\d+)", ended.stderr)
    assert len(broker.requests) == 2
    assert int(count["test"]) - int(count["permit"]) < INSTRUCTIONS


def test_a_login_opens_and_writes_no_file(tester: Pamtester) -> None:
    """Beside the module itself; the code goes out over the socket."""
    trace = tester.folder / "trace"
    under = ("strace", "-f", "-o", str(trace), "-e", "trace=%file,%desc,%network,fork,clone,clone3,vfork")
    tester.lines("auth required MODULE")
    with FakeBroker(tester.socket, answers(message("accepted"))):
        assert tester.tested("authenticate", typed="123456\n", under=under).returncode == 0
    lines = trace.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if "socket(AF_UNIX" in line)
    last = max(number for number, line in enumerate(lines) if "recvfrom(" in line)
    names = {re.sub(r"^\d+ +", "", line).split("(")[0] for line in lines[first:last]}
    assert names <= {
        *("socket", "connect", "getsockopt", "lstat", "newfstatat", "sendto", "poll", "recvfrom", "close"),
        *("write", "read", "fstat", "ioctl", "newfstatat"),  # pamtester's own prompt
    }
    assert not any("fsync" in line or "O_WRONLY" in line for line in lines[first:last])
    own = [line for line in lines[first:last] if re.match(r"\d+ +write\(", line)]
    assert all(re.match(r"\d+ +write\([12], ", line) for line in own)


@pytest.mark.parametrize(
    ("arguments", "reply", "code"),
    [
        ("", message("accepted", "info a", "info b"), 0),
        ("", b"understudy/1 accepted\nx\n\n", 1),
        ("timeout=1", b"understudy/1 accepted\n", 1),
    ],
)
def test_nothing_depends_on_memory_that_was_never_written(
    tester: Pamtester, arguments: str, reply: bytes, code: int
) -> None:
    """Which the sanitizers don't see; valgrind does, in what is decided on and in what is sent."""
    tester.lines(f"auth required MODULE {arguments}")
    with FakeBroker(tester.socket, answers(reply)):
        ended = tester.tested("authenticate", typed="1\n", under=("valgrind", "-q", "--error-exitcode=99"))
    assert ended.returncode == code and "==" not in ended.stderr
