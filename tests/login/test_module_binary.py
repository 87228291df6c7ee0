# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The built module: what it exports, what it needs, how it is hardened; and its table of statuses."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.login.module_support import MODULE, PAM, built_fixture  # noqa: F401
from tools.buildlib.paths import ROOT

from understudy_device.protocol import STATUSES

pytestmark = pytest.mark.usefixtures("built")

ENTRY_POINTS = {"pam_sm_authenticate", "pam_sm_acct_mgmt", "pam_sm_setcred"}


def said(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_only_the_entry_points_are_exported() -> None:
    defined = [line.split() for line in said("nm", "-D", "--defined-only", MODULE).splitlines()]
    assert {words[-1] for words in defined} == ENTRY_POINTS
    assert all(words[1] == "T" for words in defined)


def test_it_needs_libpam_and_libc_and_little_of_them() -> None:
    assert set(re.findall(r"NEEDED.*\[(.*)\]", said("readelf", "-d", MODULE))) == {"libpam.so.0", "libc.so.6"}
    undefined = said("nm", "-D", "--undefined-only", MODULE)
    used = {line.split()[-1].split("@")[0] for line in undefined.splitlines() if line.split()[0] == "U"}
    assert {"explicit_bzero", "__explicit_bzero_chk"} & used
    # Nothing is allocated, so nothing leaks and no allocation fails; no locale, no name service, no files.
    ours = {re.sub("^__(.*)_chk$", r"\1", name) for name in used if name != "__stack_chk_fail"}
    assert ours == {
        *("__errno_location", "clock_gettime", "close", "connect", "explicit_bzero", "free", "getrandom"),
        *("getsockopt", "lstat", "memchr", "memcpy", "memmem", "memmove", "pam_get_item", "pam_get_user"),
        *("pam_strerror", "pam_syslog", "poll", "recv", "send", "socket"),
        *("strchr", "strcmp", "strcpy", "strerror", "strlen", "strncmp", "strnlen", "strrchr"),
    }


def test_it_keeps_nothing_between_two_logins() -> None:
    """No variable of ours outlives a call, so threads and forks can't meet in one."""
    symbols = [line.split() for line in said("nm", MODULE).splitlines()]
    variables = {words[-1] for words in symbols if words[-2] in "bBdDC"}
    assert variables <= {
        "__dso_handle",
        "__TMC_END__",
        "completed.0",
        "_DYNAMIC",
        "_GLOBAL_OFFSET_TABLE_",
    } | {name for name in variables if name.startswith("__") and name.endswith("_array_entry")}


def test_it_is_hardened() -> None:
    dynamic, segments = said("readelf", "-d", MODULE), said("readelf", "-lW", MODULE)
    assert "BIND_NOW" in dynamic and "GNU_RELRO" in segments and "TEXTREL" not in dynamic
    assert re.search(r"GNU_STACK.* RW ", segments)
    assert "__stack_chk_fail" in said("nm", "-D", MODULE)


def test_the_statuses_are_those_of_the_protocol() -> None:
    command = [sys.executable, ROOT / "tools/pam_statuses.py", "--check"]
    assert subprocess.run(command).returncode == 0


def statuses_tool(tmp_path: Path, change: str) -> "subprocess.CompletedProcess[str]":
    """Run the tool's check with the table changed."""
    script = tmp_path / "changed.py"
    script.write_text(
        f"import runpy, sys\nfrom understudy_device import protocol\n{change}\n"
        f"sys.argv = ['pam_statuses.py', '--check']\nsys.path.insert(0, {str(ROOT / 'tools')!r})\n"
        f"runpy.run_path({str(ROOT / 'tools/pam_statuses.py')!r}, run_name='__main__')\n"
    )
    return subprocess.run([sys.executable, script], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("protocol.STATUSES['rejected'] = (10, 'x', 'MAXTRIES')", "has old PAM codes"),
        ("protocol.STATUSES['new'] = (99, 'x', 'AUTH_ERR')", "has old PAM codes"),
        ("protocol.STATUSES['rejected'] = (10, 'x', 'SUCCESS')", "may not have the PAM code SUCCESS"),
        ("protocol.STATUSES['ok'] = (0, 'x', 'IGNORE')", "may not have the PAM code IGNORE"),
        ("protocol.STATUSES['pending'] = (0, 'x', 'NEW_AUTHTOK_REQD')", "may not have the PAM code NEW_"),
        ("protocol.STATUSES['pending'] = (0, 'x', 'TYPO')", "may not have the PAM code TYPO"),
        ("protocol.STATUSES['malformed'] = (17, 'a \"b\"', 'CRED_ERR')", "not plain enough for C"),
    ],
)
def test_the_check_of_the_statuses_fails_when_it_should(tmp_path: Path, change: str, said: str) -> None:
    ended = statuses_tool(tmp_path, change)
    assert ended.returncode == 1 and said in ended.stderr, ended


def test_the_check_passes_on_the_table_unchanged(tmp_path: Path) -> None:
    assert statuses_tool(tmp_path, "").returncode == 0


def test_one_status_lets_in_and_one_is_passed_over() -> None:
    assert [name for name, (_, _, code) in STATUSES.items() if code == "SUCCESS"] == ["accepted"]
    assert [name for name, (_, _, code) in STATUSES.items() if code == "IGNORE"] == ["not-required"]
    assert {code for _, _, code in STATUSES.values()} <= PAM.keys()
