# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Where things are: the firmware's files, the user's configuration, state and run-time directories."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent


def _resource(name: str, marker: str, carried: str = "") -> Path:
    """A directory of the checkout when this package lies in one, else the copy that the wheel carries."""
    checkout = _CHECKOUT / name
    return checkout if (checkout / marker).exists() else _PACKAGE / (carried or f"_{name}")


def firmware_dir() -> Path:
    """The directory with the firmware's `main.py`."""
    return _resource("firmware", "main.py")


def packages_dir() -> Path:
    """The directory with what the firmware takes from PyPI; `make setup` makes the checkout's."""
    carried = _PACKAGE / "_packages"
    return carried if carried.exists() else build_dir() / "firmware-packages"


def board_dir(board: str) -> Path:
    """The directory of a board's data, `boards/<id>`; it need not exist."""
    return _resource("boards", "linux/board.json") / board


def etc_dir() -> Path:
    """The directory of what belongs into /etc: systemd units, udev rules."""
    return _resource("host_tools/etc", "60-understudy.rules", "_etc")


def build_dir() -> Path:
    """The checkout's `build` directory; it need not exist."""
    return _CHECKOUT / "build"


def _xdg(variable: str, fallback: str) -> Path:
    # The XDG rules: a relative path in the variable is as good as none.
    value = os.environ.get(variable, "")
    return (Path(value) if os.path.isabs(value) else Path.home() / fallback) / "understudy"


def default_identity() -> Path:
    """The identity file used when neither --identity nor UNDERSTUDY_IDENTITY names one."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "identity.json"


def state_dir() -> Path:
    """For what outlives a run: the simulators' flash images."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def simulators_dir() -> Path:
    """For the notes of running simulators, by which they are found without --port."""
    if os.path.isabs(os.environ.get("XDG_RUNTIME_DIR", "")):
        return _xdg("XDG_RUNTIME_DIR", "") / "simulators"
    return state_dir() / "simulators"
