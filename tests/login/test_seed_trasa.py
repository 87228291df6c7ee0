# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What users of the TRASA Windows agent have, here: over a real sshd, with a real privacyIDEA."""

import signal

from tests.cli.support import code, wait_for
from tests.login.person import by_password, let_in
from tests.login.seeds import add_erin, admin, administered, asking, broker_of, events
from tests.login.servers import PrivacyIdea
from tests.login.site import CONFIG, PASSWORD, Site, drop_in
from tests.login.sshd import Sshd
from tests.login.test_doctor import findings, met
from tests.login.test_server_down import told

from understudy.configuration_file import last_good_path
from understudy.statuses import exit_code


def by_whom(at: Site, user: str = "erin") -> tuple[str, str]:
    """The last verdict on a code of the user's, and who gave it."""
    return told(at.log.read_text(), user)[-1]


def test_trasa_service_id_and_key(at: Site, privacyidea: PrivacyIdea) -> None:
    """The server hears who asks. Of carol it wants the key to be shown that it has given to this host."""
    at.machine.add_user("carol", PASSWORD)
    at.start(asking(privacyidea, service_id="nas", key_file=str(privacyidea.api_key)))
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(by_password(sshd, "carol", code())), at.log.read_text()
        assert by_whom(at, "carol") == ("accepted", "server") and privacyidea.asked[-1].startswith("nas/")
        # To another key it has nothing to say, and the device is asked.
        wrong = at.cli.folder / "key"
        wrong.write_text(privacyidea.api_key.read_text().strip()[:-4] + "AAAA")
        wrong.chmod(0o600)
        at.reload(asking(privacyidea, service_id="nas", key_file=str(wrong)))
        assert let_in(by_password(sshd, "carol", code(1)))
        assert by_whom(at, "carol") == ("accepted", "device")


def test_trasa_server_address_and_its_certificate(at: Site, privacyidea: PrivacyIdea) -> None:
    """A bad certificate is no answer: the server does not even see the code."""
    add_erin(at, privacyidea)
    at.start(asking(privacyidea))
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(by_password(sshd, "erin", privacyidea.fresh())), at.log.read_text()
        assert by_whom(at) == ("accepted", "server")
        asked = len(privacyidea.asked)
        for certificate in ("expired", "wrong-name", "self-signed"):
            at.reload(asking(privacyidea, certificate))
            assert let_in(by_password(sshd, "erin", privacyidea.fresh()))
            assert by_whom(at) == ("accepted", "device")
        assert len(privacyidea.asked) == asked
        assert at.log.read_text().count("upstream state=down") == 3


def test_trasa_a_configuration_is_verified_before_it_is_saved(at: Site) -> None:
    at.start("mfa = true")
    in_force = at.machine.path(CONFIG)
    before = in_force.read_text()
    new = at.machine.write("/root/new.toml", before.replace("mfa = true", "mfa = maybe"))
    for word in ("check", "apply"):
        refused = admin(at, "config", word, "/root/new.toml")
        assert refused.code == exit_code("config") and "line" in refused.err, refused
    assert in_force.read_text() == before and "reloaded" not in at.log.read_text()
    assert findings(at)["configuration"]["severity"] == "ok"
    new.write_text(before.replace("mfa = true", "mfa = false"))
    administered(at, "config", "check", "/root/new.toml")
    assert in_force.read_text() == before
    administered(at, "config", "apply", "/root/new.toml")
    wait_for(lambda: "reloaded" in at.log.read_text())
    assert "mfa = false" in in_force.read_text() and last_good_path(in_force).read_text() == before
    assert broker_of(at)["mfa"] is False
    # What breaks a file that is in force already, the doctor tells before somebody restarts the broker.
    in_force.write_text("mfa = maybe\n")
    found = findings(at)["configuration"]
    assert found["severity"] == "problem" and found["command"] == "understudy config check"


def test_trasa_emergency_accounts_with_a_code_and_all_others_blocked(
    at: Site, privacyidea: PrivacyIdea
) -> None:
    recovery = at.cli.json("user", "recovery", "alice", "--yes")["codes"]
    add_erin(at, privacyidea)
    at.device.stop()
    at.device.start("--clock", "unset")
    at.start(asking(privacyidea) + '[emergency]\nusers = ["alice"]\n')
    privacyidea.kill()
    with Sshd(at.machine, drop_in("password")) as sshd:
        # The device can judge recovery codes, so one there has to be.
        assert not let_in(by_password(sshd, "alice", "000000"))
        assert let_in(by_password(sshd, "alice", recovery[0])), at.log.read_text()
        assert by_whom(at, "alice") == ("accepted", "device")
        at.device.stop(signal.SIGKILL)
        wait_for(lambda: "status=no-device" in at.log.read_text())
        assert not let_in(by_password(sshd, "erin", privacyidea.fresh()))  # she is no such account
        done = by_password(sshd, "alice", recovery[1])
        assert let_in(done) and "Emergency login" in done.out
        assert by_whom(at, "alice") == ("emergency", "emergency")
        at.device.start()
        wait_for(lambda: broker_of(at)["unreported"] == 0)
    assert "emergency" in events(at)


def test_trasa_doctor_tells_before_anybody_is_locked_out(at: Site, privacyidea: PrivacyIdea) -> None:
    add_erin(at, privacyidea)
    at.machine.add_user("frank", PASSWORD)
    cover = '[cover]\nusers = ["alice", "erin", "frank"]\n'
    at.start(asking(privacyidea) + cover)
    privacyidea.kill()
    with Sshd(at.machine, drop_in("password")) as sshd:
        by_password(sshd, "erin", privacyidea.fresh())
    found = findings(at)
    assert found["upstream"]["severity"] == "warning" and "can't be reached" in found["upstream"]["what"]
    assert found["users-unknown"]["what"].startswith("frank is covered") and found["users-unknown"]["command"]
    assert met(at, "server-down") == {
        "alice": ("code", "device"),
        "erin": ("code", "device"),
        "frank": ("refused", ""),
    }
    assert met(at, "everything-gone")["erin"] == ("refused", "")
    shown = administered(at, "doctor").out
    assert "WARNING frank is covered, and not on the device." in shown
    assert "$ understudy user add frank --at-login" in shown
