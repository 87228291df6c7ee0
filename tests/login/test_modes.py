# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Each mode at a real sshd, with a real FreeRADIUS and the device: who decides, and who without that one."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.support import SECRET, Done, wait_for
from tests.login.person import by_password, let_in, tried
from tests.login.seeds import administered, broker_of
from tests.login.servers import FreeRadius
from tests.login.site import PASSWORD, Site, drop_in
from tests.login.sshd import Sshd
from tests.login.test_server_down import told


class Scene:
    """A site whose erin has the same secret on the device and at the server."""

    def __init__(self, at: Site, server: FreeRadius, sshd: Sshd) -> None:
        self.at, self.server, self.sshd = at, server, sshd

    def start(self, mode: str) -> None:
        """Start the broker in that mode."""
        keys = (
            f'kind = "radius"\nservers = ["{self.server.address}"]\nkey_file = "{self.server.secret_file}"\n'
        )
        self.at.start(f'mode = "{mode}"\n[upstream]\n{keys}patience = 20\nretry = 0\n')
        assert broker_of(self.at)["mode"] == mode
        assert f", {mode}: " in administered(self.at, "status").out

    def login(self, code: str | None = None) -> Done:
        """One with erin's next code, unless another is given."""
        return by_password(self.sshd, "erin", self.server.fresh() if code is None else code)

    def by(self) -> str:
        """Lets erin in; who did."""
        assert let_in(self.login()), self.at.log.read_text()
        word, by = told(self.at.log.read_text(), "erin")[-1]
        assert word == "accepted"
        return by

    def lose_the_device(self) -> None:
        """Pull it out."""
        self.at.device.stop(signal.SIGKILL)
        wait_for(lambda: "status=no-device" in self.at.log.read_text())


@pytest.fixture
def scene(at: Site, tmp_path: Path) -> Iterator[Scene]:
    at.machine.add_user("erin", PASSWORD)
    words = ("user", "add", "erin", "--kind", "hotp", "--import-secret", "-", "--no-confirm")
    at.cli.ok(*words, stdin=SECRET + "\n")
    with FreeRadius(tmp_path / "radius") as server, Sshd(at.machine, drop_in("password")) as sshd:
        yield Scene(at, server, sshd)


def test_mode_upstream_first(scene: Scene) -> None:
    scene.start("upstream-first")
    assert scene.by() == "server"
    scene.server.kill()
    assert scene.by() == "device"
    scene.server.start()
    assert scene.by() == "server"
    refused = scene.login("000000")
    assert not let_in(refused) and told(scene.at.log.read_text(), "erin")[-1] == ("rejected", "server")
    scene.lose_the_device()
    assert scene.by() == "server"


def test_mode_device_first(scene: Scene) -> None:
    scene.start("device-first")
    assert scene.by() == "device"
    assert not let_in(scene.login("000000"))
    assert told(scene.at.log.read_text(), "erin")[-1] == ("rejected", "device")
    assert scene.server.asked == []
    scene.lose_the_device()
    assert scene.by() == "server"
    scene.at.device.start()
    wait_for(lambda: broker_of(scene.at)["connected"])
    assert scene.by() == "device"


def test_mode_device_only(scene: Scene) -> None:
    scene.start("device-only")
    assert scene.by() == "device"
    scene.server.kill()
    assert scene.by() == "device"
    scene.server.start()
    scene.lose_the_device()
    assert not let_in(tried(scene.sshd, "erin", ("Password: ", PASSWORD)))
    assert scene.server.asked == [] and "verdict=no-device" in scene.at.log.read_text()
