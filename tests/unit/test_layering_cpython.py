# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The house keeps its shape: who may import whom, how long files and functions may be, no standard-library
names shadowed."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
CORE = FIRMWARE / "understudy_device"
HOST = ROOT / "host_tools" / "understudy"

LEAVES = {"protocol", "fields", "errors", "compat"}
# Who in the core may import what else of the core; leaves may be imported by everyone.
MAY_IMPORT = {
    "protocol": {"compat", "fields"},
    "fields": {"errors"},
    "errors": set(),
    "hashes": LEAVES,
    "noise": LEAVES | {"hashes"},
    "pairing": LEAVES,
    "wire": LEAVES,
    "entropy": LEAVES,
    "events": LEAVES,
    "sectors": LEAVES,
    "scan": LEAVES,
    "region": LEAVES | {"sectors"},
    "log": LEAVES | {"region", "scan", "sectors"},
    "fileflash": LEAVES | {"sectors"},
    "records": LEAVES,
    "users": LEAVES,
    "index": LEAVES | {"scan"},
    "store": LEAVES | {"index", "log", "records", "scan", "sectors"},
    "vault": LEAVES | {"records", "noise", "pairing"},
    "directory": LEAVES | {"records", "sectors", "users", "vault"},
    "audit": LEAVES | {"events", "records"},
    "clock": LEAVES,
    "ds3231": LEAVES,
    "sntp": LEAVES,
    "timekeeper": LEAVES | {"ds3231", "records", "sntp"},
    "regain": LEAVES | {"otp"},
    "otp": LEAVES,
    "policy": LEAVES | {"otp", "users"},
    "throttle": LEAVES,
    "judged": LEAVES,
    "screens": LEAVES,
    "lights": LEAVES,
    "font": LEAVES,
    "canvas": LEAVES | {"font", "screens"},
    "qrcode": LEAVES,
    "panel": LEAVES | {"canvas", "screens"},
    "convert": LEAVES | {"records", "users"},
    "reset": LEAVES | {"records", "region", "sectors"},
    "device": LEAVES
    | {
        "audit",
        "clock",
        "directory",
        "entropy",
        "judged",
        "lights",
        "pairing",
        "panel",
        "records",
        "reset",
        "screens",
        "store",
        "throttle",
        "timekeeper",
        "vault",
    },
    "commands": LEAVES | {"convert", "events", "pairing", "screens"},
    "clock_commands": LEAVES | {"code_commands", "policy", "records", "regain"},
    "code_commands": LEAVES | {"policy", "records", "throttle", "users"},
    "user_commands": LEAVES | {"otp", "policy", "qrcode", "records", "users"},
    "enrol_commands": LEAVES | {"code_commands", "otp", "policy", "records", "user_commands", "users"},
    "broker_commands": LEAVES | {"code_commands", "policy"},
    "service": LEAVES
    | {"broker_commands", "clock_commands", "code_commands", "commands", "enrol_commands", "user_commands"},
    "session": LEAVES | {"noise", "pairing", "service"},
}
# The primitives stand below everything: each other, the compatibility module's constants and an error.
PRIMITIVES = {
    path.stem
    for pattern in ("chacha20*", "poly1305*", "x25519*", "field25519*", "crypto_library")
    for path in CORE.glob(pattern + ".py")
}
MAY_IMPORT["compat"] = PRIMITIVES
MAY_IMPORT.update({name: PRIMITIVES | {"compat", "errors"} for name in PRIMITIVES})
FROM_OUTSIDE = {
    "binascii",
    "errno",
    "hashlib",
    "hmac",
    "json",
    "struct",
    "micropython",
    "array",
    "sys",
    "cryptography",
    "adafruit_miniqr",
    "pyotp",
    "uctypes",
}
HARDWARE = {"machine", "rp2", "esp32", "termios", "pty", "fcntl", "socket", "serial"}
HOST_MAY_USE = {
    "protocol",
    "wire",
    "noise",
    "errors",
    "events",
    "fields",
    "pairing",
    "compat",
    "screens",
    "canvas",
}

FILE_CAP = 350  # lines
FUNCTION_CAP = 60


def sources(*folders):
    return sorted(
        path for folder in folders for path in folder.rglob("*.py") if "__pycache__" not in path.parts
    )


def imports(path):
    """(module, level) of every import anywhere in the file, with what is imported from a package by name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, 0
        elif isinstance(node, ast.ImportFrom):
            if node.level and not node.module:
                for alias in node.names:
                    yield alias.name, node.level
            elif node.module == "understudy_device":
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", 0
            else:
                yield node.module or "", node.level


@pytest.mark.parametrize("path", sources(CORE), ids=lambda p: p.stem)
def test_the_core_imports_only_what_its_layer_may(path):
    if path.stem == "__init__":
        return
    for module, level in imports(path):
        if level:
            assert module in MAY_IMPORT[path.stem], f"{path.stem} may not import {module}"
        else:
            assert module.split(".")[0] in FROM_OUTSIDE, f"{path.stem} may not import {module}"


def test_only_otp_imports_pyotp():
    users = {path.stem for path in sources(CORE) for module, _ in imports(path) if module.startswith("pyotp")}
    assert users == {"otp"}


def test_no_hardware_outside_the_ports():
    for path in sources(FIRMWARE / "pyotp", CORE):
        assert not {module for module, level in imports(path) if not level} & HARDWARE, path


def test_machine_is_imported_in_one_place():
    users = {
        path.name for path in sources(FIRMWARE) for module, _ in imports(path) if module in ("machine", "rp2")
    }
    assert users == {"micropython.py"}


def test_pyotp_stands_alone():
    for path in sources(FIRMWARE / "pyotp"):
        for module, _level in imports(path):
            assert not module.startswith(("understudy", "ports")), path


def test_ports_import_little_of_the_core():
    for path in sources(FIRMWARE / "ports"):
        used = {module for module, _ in imports(path) if module.startswith("understudy_device")}
        allowed = {f"understudy_device.{name}" for name in ("fileflash", "lights", "sectors", "errors")}
        assert used <= allowed, path


def test_the_host_shares_only_the_link():
    for path in sources(HOST):
        for module, level in imports(path):
            parts = module.split(".")
            if not level and parts[0] == "understudy_device":
                assert len(parts) == 2 and parts[1] in HOST_MAY_USE, f"{path} imports {module}"
            assert parts[0] not in ("ports",), path


def test_nothing_of_the_host_stands_on_its_command_line():
    for path in sources(HOST):
        if "cli" not in path.parts and path.name != "__main__.py":
            assert not [one for one, _ in imports(path) if one.split(".")[:2] == ["understudy", "cli"]], path


def test_only_compat_asks_which_interpreter_this_is():
    for path in sources(CORE):
        handlers = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ExceptHandler)]
        names = {
            name.id for n in handlers if n.type for name in ast.walk(n.type) if isinstance(name, ast.Name)
        }
        assert "ImportError" not in names or path.stem == "compat", path


def test_no_cycle_in_the_core():
    graph = {p.stem: {m for m, level in imports(p) if level} for p in sources(CORE)}
    done: set[str] = set()

    def visit(name, trail):
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for other in graph.get(name, ()):
                # The back end imports compat's const; compat picks the back end at its very end.
                if not (name in PRIMITIVES and other == "compat"):
                    visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def machine_code(function):
    """Whether MicroPython compiles it to machine code, where straight lines are the point: a call costs more
    than a round."""
    return any(
        isinstance(d, ast.Attribute) and d.attr in ("asm_thumb", "viper") for d in function.decorator_list
    )


@pytest.mark.parametrize("path", sources(FIRMWARE, HOST, ROOT / "tools", ROOT / "tests"), ids=str)
def test_sizes_and_manners(path):
    text = path.read_text()
    lines = text.splitlines()
    assert len(lines) <= FILE_CAP or path.is_relative_to(ROOT / "tests"), f"{len(lines)} lines"
    assert lines[:2] == ["# SPDX-License-Identifier: MIT", "# Copyright (c) 2026 The Understudy authors"]
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not machine_code(node):
            assert node.end_lineno - node.lineno + 1 <= FUNCTION_CAP, node.name
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), "a bare except"
        if not path.is_relative_to(ROOT / "tests"):
            assert not isinstance(node, ast.Assert), "assert is for tests"


def test_no_name_of_the_standard_library_is_shadowed():
    shadowed = [
        path
        for path in sources(FIRMWARE, HOST, ROOT / "tools")
        if path.stem in sys.stdlib_module_names and path.stem not in ("__main__", "__init__")
    ]
    assert shadowed == []


def test_sizes_stay_small_on_the_whole():
    sizes = sorted(len(path.read_text().splitlines()) for path in sources(FIRMWARE, HOST))
    assert sizes[len(sizes) // 2] <= 120
    functions = sorted(
        node.end_lineno - node.lineno + 1
        for path in sources(FIRMWARE, HOST)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    )
    assert functions[len(functions) * 9 // 10] <= 30
    main = (FIRMWARE / "main.py").read_text().splitlines()
    assert len(main) <= 60
