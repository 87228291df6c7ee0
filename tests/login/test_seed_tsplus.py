# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What users of TSplus 2FA have, here: by the commands of an admin, and at a real sshd."""

import re
import urllib.parse

from tests.cli.support import code, wait_for
from tests.cli.terminal import Terminal
from tests.demo import read_qr
from tests.login.person import INSIDE, by_password, let_in, tried
from tests.login.phone import enrolled, scan
from tests.login.seeds import admin, administered
from tests.login.site import CONFIG, PASSWORD, Site, drop_in
from tests.login.sshd import Sshd
from tests.reference import load_pyotp

from understudy.statuses import exit_code

DEFAULTS = {"algorithm": "SHA1", "digits": "6", "period": "30"}  # all that Google's app knows, where absent


def switch(at: Site, mfa: str) -> None:
    """Have codes asked for, or not, as an admin does."""
    text = re.sub("mfa = (true|false)", f"mfa = {mfa}", at.machine.path(CONFIG).read_text())
    at.machine.write("/root/new.toml", text)
    seen = at.log.read_text().count("reloaded")
    administered(at, "config", "apply", "/root/new.toml")
    wait_for(lambda: at.log.read_text().count("reloaded") > seen)


def test_tsplus_on_and_off_with_a_visible_status(at: Site) -> None:
    at.start("mfa = true")
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert "asks for codes" in administered(at, "status").out
        assert not let_in(by_password(sshd, "alice", "000000"))
        switch(at, "false")
        assert "asks nobody: mfa is off" in administered(at, "status").out
        assert administered(at, "status", "--json").json["broker"]["mfa"] is False
        assert let_in(tried(sshd, "alice", ("Password: ", PASSWORD)))
        switch(at, "true")
        assert "asks for codes" in administered(at, "status").out
        assert not let_in(by_password(sshd, "alice", "000000"))


def members(at: Site, group: str) -> list[str]:
    """Those of a group on the device."""
    return [one["user"] for one in administered(at, "group", "show", group, "--json").json["users"]]


def test_tsplus_users_and_groups_are_added_and_removed(at: Site) -> None:
    """While the broker has the device."""
    at.machine.add_user("erin", PASSWORD)
    at.start()
    administered(at, "user", "add", "erin", "--at-login")
    known = administered(at, "user", "list", "--json").json["users"]
    assert [one["user"] for one in known] == ["alice", "bob", "carol", "dave", "erin"]
    administered(at, "group", "add", "staff", "alice", "erin")
    assert "staff" in administered(at, "group", "list").out
    assert members(at, "staff") == ["alice", "erin"]
    administered(at, "group", "remove", "staff", "erin")
    assert members(at, "staff") == ["alice"]
    with Sshd(at.machine, drop_in("password")) as sshd:
        with sshd.ssh("erin", "echo", INSIDE) as terminal:
            done, _ = enrolled(terminal, scan(terminal).code())
        assert let_in(done)
        administered(at, "user", "remove", "erin", "--yes")
        done = tried(sshd, "erin", ("Password: ", PASSWORD))
        assert not let_in(done) and "erin has no authenticator on the device" in done.out
    assert admin(at, "user", "show", "erin").code == exit_code("not-found")


def test_tsplus_a_reset_shows_a_new_qr_code_at_the_next_login(at: Site) -> None:
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(by_password(sshd, "alice", code()))
        secrets = []
        for _ in range(2):
            administered(at, "user", "reset", "alice", "--yes")
            with sshd.ssh("alice", "echo", INSIDE) as terminal:
                phone = scan(terminal)
                done, _ = enrolled(terminal, phone.code())
            assert let_in(done)
            secrets.append(phone.totp.secret)
        assert len({*secrets}) == 2
        for old in (code(1), load_pyotp().TOTP(secrets[0]).now()):
            assert not let_in(by_password(sshd, "alice", old))
        assert let_in(by_password(sshd, "alice", phone.code(1)))


def test_tsplus_enrolment_at_login(at: Site) -> None:
    at.machine.add_user("erin", PASSWORD)
    at.cli.ok("user", "add", "erin", "--at-login")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        with sshd.ssh("erin", "echo", INSIDE) as terminal:
            phone = scan(terminal)
            done, recovery = enrolled(terminal, phone.code())
        assert let_in(done) and len(recovery) == 10
        assert let_in(by_password(sshd, "erin", phone.code(1)))


def test_tsplus_uris_that_every_authenticator_app_reads(at: Site) -> None:
    """Key Uri Format, which Google's, Microsoft's and Authy's take; read by a decoder and PyPI's pyotp."""
    with Terminal(at.cli, "user", "add", "erin", "--issuer", "Home NAS") as terminal:
        terminal.read_until("First code: ")
        uri = read_qr(terminal.text)
        terminal.type(load_pyotp().parse_uri(uri).now())
        assert terminal.wait() == 0
    parts = urllib.parse.urlsplit(uri)
    fields = dict(urllib.parse.parse_qsl(parts.query, strict_parsing=True))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert urllib.parse.unquote(parts.path) == "/Home NAS:erin" and fields["issuer"] == "Home NAS"
    assert re.fullmatch("[A-Z2-7]{32}", fields["secret"])
    assert {**DEFAULTS, **fields} == {**fields, **DEFAULTS}
    phone = load_pyotp().parse_uri(uri)
    assert (phone.issuer, phone.name, phone.digits, phone.interval) == ("Home NAS", "erin", 6, 30)
