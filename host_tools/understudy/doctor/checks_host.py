# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The port: is it there, who may open it, who holds it, does ModemManager keep off it."""

import stat

from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING, Finding, Host, names

_PICO = "2e8a"  # USB vendor
_BOOT_LOADERS = {"0003": "RP2040", "000f": "RP2350"}
_MODEM_MANAGER = "ModemManager"
_IGNORE = ("E:ID_MM_DEVICE_IGNORE=1", "E:ID_MM_PORT_IGNORE=1")
_RULES = "60-understudy.rules"
_RULE_FOLDERS = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")
_INSTALL_RULES = (
    'sudo install -m644 "$(understudy boards --etc)/60-understudy.rules" /etc/udev/rules.d/ '
    "&& sudo udevadm control --reload && sudo udevadm trigger"
)


def check_port(
    host: Host, port: str | None, broker_pid: int | None, own_pid: int, is_root: bool
) -> list[Finding]:
    """All about `port`, a path or an URL; None: none was named or found. `is_root`: who looks."""
    if port is None:
        return [_absent(host)]
    if "://" in port:
        return [Finding("port", OK, f"The device is reached by {port}.")]
    path = host.path(port)
    if not path.exists():
        return [_absent(host, f"{port} is not there. ")]
    real = "/" + str(path.resolve().relative_to(host.root.resolve()))
    simulated = real.startswith("/dev/pts/")
    found = [_driver(host, port, real, simulated), *_modem_manager(host, real, simulated)]
    if not simulated:
        found.append(_permissions(host, real))
    return [*found, _holders(host, real, (broker_pid, own_pid), is_root)]


def _absent(host: Host, before: str = "") -> Finding:
    for chip in _usb_products(host):
        if chip in _BOOT_LOADERS:
            return Finding(
                "port",
                PROBLEM,
                f"{before}A board ({_BOOT_LOADERS[chip]}) waits in its boot loader for an image.",
                "Without firmware it has no port.",
                "understudy install --board rpi_pico" + ("2" if chip == "000f" else ""),
            )
        return Finding(
            "port",
            PROBLEM,
            f"{before}A board of the right maker is on the USB, and has no port.",
            "The kernel's driver for it, cdc_acm, is not loaded, or the firmware does not run.",
            "sudo modprobe cdc_acm",
        )
    why = "No code can be checked by a device that is not there."
    return Finding("port", PROBLEM, f"{before}No device is plugged in.", why, "understudy devices")


def _usb_products(host: Host) -> list[str]:
    found = []
    for one in sorted(host.path("/sys/bus/usb/devices").glob("*/idVendor")):
        below = "/sys/bus/usb/devices/" + one.parent.name
        if (host.text(f"{below}/idVendor") or "").strip() == _PICO:
            found.append((host.text(f"{below}/idProduct") or "").strip())
    return found


def _driver(host: Host, port: str, real: str, simulated: bool) -> Finding:
    if simulated:
        return Finding(
            "port", HINT, f"{port} is a simulated device.", "Its secrets are files of this machine."
        )
    driver = host.path(f"/sys/class/tty/{real.rpartition('/')[2]}/device/driver")
    by = f", driver {driver.resolve().name}" if driver.exists() else ""
    return Finding("port", OK, f"{port} is there{by}.")


def _modem_manager(host: Host, real: str, simulated: bool) -> list[Finding]:
    if simulated or all(name != _MODEM_MANAGER for _, name in host.processes()):
        return [Finding("modem-manager", OK, "ModemManager does not touch the port.")]
    number = (host.text(f"/sys/class/tty/{real.rpartition('/')[2]}/dev") or "").strip()
    known = (host.text(f"/run/udev/data/c{number}") or "").splitlines()
    if any(line in _IGNORE for line in known):
        return [Finding("modem-manager", OK, "ModemManager runs, and leaves the port alone.")]
    if any(host.path(f"{folder}/{_RULES}").exists() for folder in _RULE_FOLDERS):
        what, mend = (
            "The rule that keeps ModemManager off is there, but not in force.",
            "sudo udevadm trigger",
        )
    else:
        what, mend = "ModemManager runs, and nothing keeps it off the port.", _INSTALL_RULES
    why = (
        "It talks to the device as to a modem for half a minute after each plugging-in: logins wait or fail."
    )
    return [Finding("modem-manager", WARNING, what, why, mend)]


def _permissions(host: Host, real: str) -> Finding:
    status = host.path(real).stat()
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o006:
        why = "Whoever is logged in can take the port away from the broker, and so keep everybody out."
        return Finding(
            "permissions", WARNING, f"Everybody may open {real} (mode {mode:o}).", why, _INSTALL_RULES
        )
    group = _group(host, status.st_gid)
    if not mode & 0o060 or group in ("root", ""):
        why = "The broker does not run as root, and can't open it."
        return Finding("permissions", WARNING, f"Only root may open {real}.", why, _INSTALL_RULES)
    return Finding("permissions", OK, f"{real} is for root and the group {group}.")


def _group(host: Host, number: int) -> str:
    for line in (host.text("/etc/group") or "").splitlines():
        parts = line.split(":")
        if len(parts) > 2 and parts[2] == str(number):
            return parts[0]
    return ""


def _holders(host: Host, real: str, ours: tuple[int | None, int], is_root: bool) -> Finding:
    holders = [
        (pid, name)
        for pid, name in host.processes()
        # Who has a pseudo-terminal's other end is the simulated device itself.
        if pid not in ours
        and real in (files := host.opened(pid))
        and not any(file.endswith("/ptmx") for file in files)
    ]
    if holders:
        listed = names([f"{name} ({pid})" for pid, name in holders])
        why = "Two programs at one port take each other's answers."
        return Finding("holder", PROBLEM, f"{real} is held by {listed}.", why, f"sudo kill {holders[0][0]}")
    if not is_root:
        why = "Other users' processes do not show what they have open."
        return Finding(
            "holder", HINT, "Who holds the port, only root can see.", why, "sudo understudy doctor"
        )
    return Finding("holder", OK, f"Nobody but the broker holds {real}.")
