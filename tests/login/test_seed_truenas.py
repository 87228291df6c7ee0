# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What users of TrueNAS 2FA have, here: the settings, the secret's way to the phone, logins, the ways out."""

import re
import signal
import sys
import time
from pathlib import Path

from tests.cli.support import INTERVAL, SECRET, Done, code, wait_for
from tests.cli.terminal import Terminal
from tests.cli.test_cli_screen import on_display
from tests.demo import read_qr
from tests.login.person import INSIDE, answered, by_password, let_in, tried
from tests.login.seeds import administered, at_the_console, broker_of, events
from tests.login.site import CONFIG, PASSWORD, VERIFIER, Device, Site, drop_in
from tests.login.sshd import Sshd
from tests.reference import load_pyotp

from understudy.statuses import exit_code

MIDDLE = 45  # seconds: a code of 5 s, with 10 steps to each side, is good so long before and after this


def test_truenas_digits_interval_and_window_with_the_same_names_and_limits(at: Site) -> None:
    at.cli.ok("settings", "set", "--digits", "8", "--interval", "5", "--window", "10")
    shown = at.cli.json("settings", "show")
    assert (shown["digits"], shown["interval"], shown["window"]) == (8, 5, 10)
    for words in (("--digits", "5"), ("--digits", "9"), ("--interval", "4"), ("--window", "11")):
        refused = at.cli("settings", "set", *words)
        assert refused.code != 0 and words[0].removeprefix("--") in refused.err, refused
    assert at.cli.json("settings", "show") == shown
    at.machine.add_user("erin", PASSWORD)
    at.cli.ok("user", "add", "erin", "--import-secret", "-", "--no-confirm", stdin=SECRET + "\n")
    at.cli.ok("settings", "set", "--window", "1")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        # alice's credential has kept its own digits and interval; the window counts for all that have none.
        assert not let_in(by_password(sshd, "alice", code(-3)))
        assert let_in(by_password(sshd, "alice", code()))
        administered(at, "settings", "set", "--window", "10")
        assert let_in(by_password(sshd, "alice", code(3)))
        phone = load_pyotp().TOTP(SECRET, digits=8, interval=5)
        typed = str(phone.at(int(time.time()) + MIDDLE))
        assert len(typed) == 8 and let_in(by_password(sshd, "erin", typed))


def test_truenas_a_secret_made_on_the_device_and_its_qr_code_in_a_terminal_and_on_the_display(
    at: Site, tmp_path: Path
) -> None:
    pixels = tmp_path / "pixels"
    at.device.stop()
    at.device.start("--screen", str(pixels))
    with Terminal(at.cli, "user", "add", "erin") as terminal:
        terminal.read_until("First code: ")
        first = load_pyotp().parse_uri(read_qr(terminal.text))
        terminal.type(first.now())
        assert terminal.wait() == 0
    with Terminal(at.cli, "user", "add", "frank", "--on-device") as terminal:
        terminal.read_until("First code: ")
        wait_for(lambda: on_display(pixels) != "")
        second = load_pyotp().parse_uri(on_display(pixels))
        terminal.type(second.now())
        assert terminal.wait() == 0
        assert second.secret not in terminal.text and "otpauth" not in terminal.text
    assert first.secret != second.secret and {len(first.secret), len(second.secret)} == {32}
    kept = [path.read_bytes() for path in at.cli.folder.rglob("*") if path.is_file()]
    for phone in (first, second):  # neither on the host nor, in the clear, in the device's flash
        assert not any(phone.secret.encode() in data or phone.byte_secret() in data for data in kept)
    at.machine.add_user("frank", PASSWORD)
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(by_password(sshd, "frank", str(second.at(int(time.time()) + second.interval))))


def test_truenas_ssh_on_or_off(at: Site) -> None:
    at.stack("su")
    at.machine.add_user("bob")
    at.start("service.sshd.mfa = false")
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(tried(sshd, "alice", ("Password: ", PASSWORD)))
        become = at.machine.terminal("su", "alice", "-c", f"echo {INSIDE}", user="bob")
        assert let_in(answered(become, [("Password: ", PASSWORD), ("Code: ", code())]))
        at.reload("service.sshd.mfa = true\nservice.su.mfa = false\n")
        assert not let_in(by_password(sshd, "alice", "000000"))
        become = at.machine.terminal("su", "alice", "-c", f"echo {INSIDE}", user="bob")
        assert let_in(answered(become, [("Password: ", PASSWORD)]))


def test_truenas_the_time_must_be_right_and_the_clock_tells(at: Site) -> None:
    at.device.stop()
    at.device.start("--clock", "unset")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert administered(at, "clock", "--json").json["state"] == "unset"
        refused = by_password(sshd, "alice", code())
        assert not let_in(refused) and "The clock is not set" in refused.out
        administered(at, "clock", "set", "--from-host")
        shown = administered(at, "clock", "--json").json
        assert shown["state"] == "synced" and shown["error"] is not None
        assert let_in(by_password(sshd, "alice", code()))


def test_truenas_a_second_credential_as_backup(at: Site) -> None:
    other = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    words = ("user", "add", "alice", "--credential", "tablet", "--interval", str(INTERVAL))
    at.cli.ok(*words, "--import-secret", "-", "--no-confirm", stdin=other + "\n")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(by_password(sshd, "alice", code()))
        assert let_in(by_password(sshd, "alice", code(secret=other)))
        administered(at, "credential", "remove", "alice", "phone", "--yes")
        assert not let_in(by_password(sshd, "alice", code(1)))
        assert let_in(by_password(sshd, "alice", code(1, secret=other)))


def test_truenas_a_second_device_as_backup(at: Site) -> None:
    """Plugged in where the first one was, with the same secret in it: one entry in the phone for both."""
    at.device.stop()
    with Device(at.cli, "state/backup") as backup:
        backup.start()
        at.cli.ok("claim", "--yes")
        at.cli.add("alice")
        at.cli.ok("pair", "--new-identity", VERIFIER, "--role", "verifier", "--yes")
        backup.stop()
        at.device.start()
        at.start()
        with Sshd(at.machine, drop_in("password")) as sshd:
            assert let_in(by_password(sshd, "alice", code()))
            first = administered(at, "status", "--json").json["device"]
            at.device.stop(signal.SIGKILL)
            backup.start()
            wait_for(lambda: len(re.findall("^device ", at.log.read_text(), re.MULTILINE)) > 1)
            assert let_in(by_password(sshd, "alice", code(1))), at.log.read_text()
            assert administered(at, "status", "--json").json["device"] != first


def test_truenas_recovery_codes(at: Site) -> None:
    at.start()
    codes = administered(at, "user", "recovery", "alice", "--json", "--yes").json["codes"]
    assert len(set(codes)) == 10
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(by_password(sshd, "alice", codes[0]))
        assert not let_in(by_password(sshd, "alice", codes[0]))
        assert let_in(by_password(sshd, "alice", codes[9].replace("-", "")))


def bypass(at: Site, duration: str, *, user: str = "root", is_console: bool = True) -> Done:
    """`understudy local-bypass`, typed at the console, or at another terminal."""
    env = {**at.cli.env, "UNDERSTUDY_CONFIG": str(CONFIG)}
    become = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")
    given = ("env", *(f"{name}={value}" for name, value in env.items()))
    words = (*become, *given, sys.executable, "-m", "understudy", "local-bypass", "--for", duration)
    return answered(at_the_console(at, *words) if is_console else at.machine.terminal(*words), [])


def test_truenas_a_way_out_from_the_console_for_root_only_which_is_audited(at: Site) -> None:
    at.stack("login")
    at.start()
    for refused in (bypass(at, "15m", is_console=False), bypass(at, "15m", user="alice")):
        assert refused.code == exit_code("denied") and "Only root" in refused.out, refused
    at.device.stop(signal.SIGKILL)
    wait_for(lambda: "status=no-device" in at.log.read_text())
    inside = ("$ ", "exec printf 'I am %s\\n' in")
    with at_the_console(at, "login", "alice") as terminal:
        terminal.read_until("Password: ")
        terminal.type(PASSWORD)
        terminal.read_until("There is no port")
    done = bypass(at, "15m")
    assert done.code == 0 and "need no code for 15 min" in done.out
    assert let_in(answered(at_the_console(at, "login", "alice"), [("Password: ", PASSWORD), inside]))
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert not let_in(tried(sshd, "alice", ("Password: ", PASSWORD)))
    at.device.start()
    wait_for(lambda: broker_of(at)["unreported"] == 0)
    assert "local bypass" in administered(at, "status").out
    assert events(at).count("local-bypass") == 2  # it was opened, and used
    assert re.search("^local-bypass user=alice tty=(/dev/)?tty1$", at.log.read_text(), re.MULTILINE)
    assert bypass(at, "0s").code == 0 and "local bypass" not in administered(at, "status").out
    again = [("Password: ", PASSWORD), ("Code: ", code()), inside]
    assert let_in(answered(at_the_console(at, "login", "alice"), again))
