# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The doctor at a whole site: a real broker and device, real PAM; rehearsals change nothing."""

import hashlib
import os
import stat
import sys

import pytest
from tests.cli.support import Done
from tests.login.site import CONFIG, Site, drop_in
from tests.login.sshd import DROP_IN, Sshd

from understudy.doctor.situations import SITUATIONS

COVER = '[cover]\nusers = ["alice", "frank", "erin", "root"]\n[emergency]\nusers = ["erin"]\n'
SERVER = '[upstream]\nkind = "privacyidea"\nurl = "https://127.0.0.1:1"\n'
KEPT = ("etc", "usr/lib/systemd", "var")


def doctor(at: Site, *words: str, **changed: str) -> Done:
    """The command, as root types it, with some of its environment `changed`."""
    env = {**at.cli.env, "UNDERSTUDY_CONFIG": str(CONFIG), **changed}
    env.pop("UNDERSTUDY_PORT")
    return at.machine.run(sys.executable, "-m", "understudy", "doctor", *words, "--json", env=env)


def met(at: Site, situation: str, **changed: str) -> dict[str, tuple[str, str]]:
    """What each user meets at sshd, and who decides; through PAM."""
    done = doctor(at, "--rehearse", situation, **changed)
    assert done.code in (0, 3), done
    logins = done.json["logins"]
    assert {one["through"] for one in logins} == {"pam"} and {one["service"] for one in logins} == {"sshd"}
    assert done.code == (3 if any(one["outcome"] in ("refused", "let-in") for one in logins) else 0)
    return {one["user"]: (one["outcome"], one["by"]) for one in logins}


def tree(at: Site) -> dict[str, str]:
    """The files that are this machine's own, each with what tells whether it was changed. What is the real
    machine's below them may change at any time."""
    own = at.cli.folder.parent / "machine"
    # With what lies beside the broker's identity: its reports for the device.
    found = {one.name: one.read_text() for one in at.identity.parent.iterdir() if one.is_file()}
    for top in ("/run/understudy", *(own / name for name in KEPT)):
        for folder, _, files in os.walk(at.machine.path(top)):
            for name in files:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                words = [str(status.st_mode), str(status.st_mtime_ns), str(status.st_size)]
                if stat.S_ISREG(status.st_mode) and "/var/log/" not in path:
                    with open(path, "rb") as file:
                        words.append(hashlib.sha256(file.read()).hexdigest())
                    found[path] = " ".join(words)
    return found


@pytest.fixture
def site_of_four(at: Site) -> Site:
    """alice is enrolled, frank has still to enrol, erin is an emergency account; nobody knows root."""
    for name in ("frank", "erin"):
        at.machine.add_user(name)
    at.cli.ok("user", "add", "frank", "--at-login")
    return at


def test_the_four_situations_without_a_server(site_of_four: Site) -> None:
    site_of_four.start(COVER)
    before = tree(site_of_four)
    assert met(site_of_four, "server-down") == {
        "root": ("refused", ""),
        "alice": ("code", "device"),
        "frank": ("enrols", "device"),
        "erin": ("refused", ""),
    }
    assert met(site_of_four, "clock-unset")["alice"] == ("recovery-codes", "device")
    for situation in ("device-gone", "everything-gone"):
        assert met(site_of_four, situation) == {
            "root": ("refused", ""),
            "alice": ("refused", ""),
            "frank": ("refused", ""),
            "erin": ("emergency", "emergency"),
        }
    assert tree(site_of_four) == before
    assert "emergency" not in site_of_four.log.read_text()


def test_a_rehearsal_is_no_login_to_the_device(site_of_four: Site) -> None:
    at = site_of_four
    at.start(COVER + SERVER)
    env = {**at.cli.env, "UNDERSTUDY_CONFIG": str(CONFIG)}

    def events() -> str:
        words = ("-m", "understudy", "audit", "--json")
        return at.machine.ok(sys.executable, *words, env=env).out

    before = events()
    found = {situation: met(at, situation) for situation in SITUATIONS}
    assert events() == before
    assert found["device-gone"]["alice"] == ("code", "server")
    assert found["server-down"]["alice"] == ("code", "device")
    assert found["everything-gone"]["alice"][0] == "refused"
    assert found["everything-gone"]["erin"][0] == "emergency"


def test_a_server_that_stays_away_for_longer_than_max_silence(site_of_four: Site) -> None:
    at = site_of_four
    at.cli.add("erin")
    at.start(COVER + SERVER + "max_silence = 3600\n")
    met_now = met(at, "server-down")
    assert (met_now["alice"], met_now["frank"]) == (("code", "device"), ("enrols", "device"))
    done = doctor(at, "--rehearse", "server-down")
    later = done.json["later"]
    assert later["seconds"] == 3600 and {one["through"] for one in later["logins"]} == {"pam"}
    assert {one["user"]: (one["outcome"], one["by"]) for one in later["logins"]} == {
        "root": ("refused", ""),
        "alice": ("refused", ""),
        "frank": ("refused", ""),
        "erin": ("recovery-codes", "device"),
    }
    assert "has not answered for too long" in done.out
    assert "later" not in doctor(at, "--rehearse", "device-gone").json
    assert findings(at)["max-silence"]["severity"] == "hint"


def test_what_the_stack_makes_of_a_refusal(site_of_four: Site) -> None:
    at = site_of_four
    account = "account required pam_permit.so\n"
    at.machine.write("/etc/pam.d/half", "auth required pam_unix.so\nauth required pam_permit.so\n" + account)
    ours = "auth {} pam_understudy.so enrol\n" + account
    at.machine.write("/etc/pam.d/sshd", "auth substack half\n" + ours.format("optional"))
    at.machine.write("/etc/pam.d/cron", "auth substack half\n" + ours.format("required"))
    at.start(COVER)
    assert met(at, "device-gone")["alice"] == ("let-in", "")
    assert met(at, "server-down")["alice"] == ("code", "device")
    at.machine.write(
        "/etc/pam.d/sshd", "auth requisite pam_deny.so\nauth substack half\n" + ours.format("required")
    )
    assert met(at, "server-down")["alice"] == ("refused", "pam")


def findings(at: Site, **changed: str) -> dict[str, dict[str, str]]:
    """What the doctor finds, by id."""
    done = doctor(at, **changed)
    found = {one["id"]: one for one in done.json["findings"]}
    assert len(found) == len(done.json["findings"])
    assert done.code == (3 if any(one["severity"] == "problem" for one in found.values()) else 0), done
    return found


def severities(at: Site) -> dict[str, str]:
    """How bad each thing is."""
    return {name: one["severity"] for name, one in findings(at).items()}


def test_a_site_that_is_well_and_one_that_is_not(site_of_four: Site) -> None:
    at = site_of_four
    at.machine.ok("ssh-keygen", "-A")
    Sshd(at.machine, drop_in("password"))  # its files; it needs not run
    at.start('[cover]\nusers = ["alice"]\n')
    before = tree(at)
    found = severities(at)
    assert {name: one for name, one in found.items() if one != "ok"} == {"port": "hint"}, findings(at)
    assert {"clock", "role", "broker", "holder", "pam-order", "sshd", "users-enrolled"} <= set(found)
    assert tree(at) == before

    at.reload('[cover]\nusers = ["alice", "erin"]\n')
    at.machine.write(DROP_IN, "UsePAM no\nKbdInteractiveAuthentication no\n")
    at.machine.write("/etc/pam.d/sshd", "auth sufficient pam_unix.so\nauth required pam_understudy.so\n")
    found = severities(at)
    wrong = {name for name, one in found.items() if one == "problem"}
    assert wrong == {"users-unknown", "sshd-pam", "sshd-kbdint", "pam-order", "pam-alone"}

    at.stop()
    assert severities(at)["broker"] == "problem"
    at.device.stop()
    found = severities(at)
    assert (found["port"], found["device"]) == ("problem", "problem")


def test_a_configuration_that_the_broker_has_not_read(at: Site) -> None:
    at.start('[cover]\nusers = ["alice"]\n')
    assert findings(at)["configuration-in-force"]["severity"] == "ok"
    at.configure('[cover]\nusers = ["alice", "root"]\n')
    found = findings(at)["configuration-in-force"]
    assert found["severity"] == "warning" and "is not in force" in found["what"]
    at.configure('[cover]\nusers = ["alice"]\n')  # as it was, however new the file is
    assert findings(at)["configuration-in-force"]["severity"] == "ok"
    at.reload('[cover]\nusers = ["alice", "root"]\n')
    assert findings(at)["configuration-in-force"]["severity"] == "ok"


MATCHES = """
Match User robot
    AuthenticationMethods publickey
Match Group guests
    KbdInteractiveAuthentication no
Match Address 10.0.0.0/8,192.168.1.*
    AuthenticationMethods publickey keyboard-interactive:pam
"""


def test_match_blocks_of_sshd_that_let_covered_users_round_the_code(at: Site) -> None:
    at.machine.ok("ssh-keygen", "-A")
    at.machine.add_user("robot")
    at.machine.add_user("grace", groups=("guests",))
    Sshd(at.machine, drop_in("password") + MATCHES)
    at.start('[cover]\nusers = ["alice", "robot", "grace"]\n')
    found = findings(at)
    assert "sshd" not in found and "sshd-methods" not in found
    round_it = found["sshd-methods-match"]
    assert round_it["severity"] == "problem"
    assert ", robot, " in round_it["what"] and "publickey alone" in round_it["what"]
    assert "alice from 10.0.0.1, alice from 192.168.1.1" in round_it["what"]
    assert "robot from" not in round_it["what"] and "alice," not in round_it["what"]
    assert found["sshd-kbdint-match"]["what"].startswith("For grace, ")
    at.reload('[cover]\nusers = ["alice"]\n')
    assert findings(at)["sshd-methods-match"]["severity"] == "warning"  # from some addresses only
    Sshd(at.machine, drop_in("password") + MATCHES.split("Match Address", maxsplit=1)[0])
    assert findings(at)["sshd"]["severity"] == "ok"  # robot and grace are not covered


def test_users_of_a_directory_are_looked_at(at: Site) -> None:
    """nss_wrapper gives the name service users whom /etc/passwd does not have, as a directory does."""
    passwd, group = (at.machine.path(f"/etc/{name}").read_text() for name in ("passwd", "group"))
    for name, number in (("grace", 5001), ("heidi", 5002), ("ivan", 5003)):
        passwd += f"{name}:x:{number}:{number}::/nowhere:/bin/bash\n"
    at.machine.write("/var/lib/directory/passwd", passwd + "service:x:5004:5004::/:/usr/sbin/nologin\n")
    at.machine.write("/var/lib/directory/group", group + "crew:x:5000:heidi,service\n")
    at.machine.write("/etc/nsswitch.conf", "passwd: files [SUCCESS=return] sss # ldap\ngroup: files sss\n")
    directory = {
        "LD_PRELOAD": "libnss_wrapper.so",
        "NSS_WRAPPER_PASSWD": "/var/lib/directory/passwd",
        "NSS_WRAPPER_GROUP": "/var/lib/directory/group",
    }
    at.cli.add("grace")
    at.start('[cover]\nusers = ["alice", "grace", "grcae"]\ngroups = ["crew"]\n')
    found = findings(at, **directory)
    assert found["users-enrolled"]["what"] == "alice, grace are covered and enrolled."
    assert found["users-unknown"]["what"] == "heidi is covered, and not on the device."
    assert "names user grcae," in found["cover-unknown"]["what"]
    assert "come from sss can't be listed" in found["users-unlisted"]["what"]
    assert met(at, "server-down", **directory) == {
        "alice": ("code", "device"),
        "grace": ("code", "device"),
        "heidi": ("refused", ""),
    }
    at.reload('[cover]\nusers = ["alice", "grace"]\n')
    assert not {"cover-unknown", "users-unlisted"} & set(findings(at, **directory))
    assert "users grace" not in str(findings(at)) and "user grace" in findings(at)["cover-unknown"]["what"]
