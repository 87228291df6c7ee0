# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The files of the Debian package, in a folder that stands for the root directory."""

import gzip
import os
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from . import paths, steps

PYTHON = Path("/usr/bin/python3")  # Debian's, whatever stands first on PATH
HOME = Path("usr/lib/understudy")  # a virtual environment: nothing else on the system sees what is in it
DOC = Path("usr/share/doc/understudy")

_UNITS = ("*.service", "*.socket", "*.timer")
_BY_HAND, _PACKAGED = "/usr/local/bin/", "/usr/bin/"  # where a unit's program is
_COMPLETIONS = {
    "bash": Path("usr/share/bash-completion/completions/understudy"),
    "zsh": Path("usr/share/zsh/vendor-completions/_understudy"),
    "fish": Path("usr/share/fish/vendor_completions.d/understudy.fish"),
}
_LICENCES = ("LICEN", "COPYING")  # how the names of files with a licence's text begin
_PROGRAM = """\
#!/{home}/bin/python3 -I
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
import sys

from {module} import {function}

sys.exit({function}())
"""


def stage(root: Path, site: Path, wheel: Path, module: Path) -> None:
    """Lay out under `root`: the wheel over its dependencies in `site`, the programs, the PAM module, what is
    for systemd, udev and PAM, and the completions."""
    library = root / HOME / "lib" / "python{}.{}".format(*python_version()) / "site-packages"
    shutil.copytree(site, library)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(library)
    _environment(root)
    for name, entry in tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"][
        "scripts"
    ].items():
        target, function = entry.split(":")
        text = _PROGRAM.format(home=HOME, module=target, function=function)
        _write(root / "usr/bin" / name, text).chmod(0o755)
    security = root / "usr/lib" / steps.output("dpkg-architecture", "-qDEB_HOST_MULTIARCH") / "security"
    security.mkdir(parents=True)
    shutil.copy(module, security)
    _system_files(root, library / "understudy/_etc")
    _completions(root, library)


def python_version() -> tuple[int, int]:
    """Major and minor version of the system's Python: compiled modules are for just that one."""
    major, minor = steps.output(str(PYTHON), "-c", "import sys; print(*sys.version_info[:2])").split()
    return int(major), int(minor)


def documents(root: Path, pages: Mapping[str, str], changelog: str) -> None:
    """Add the man pages (source by file name), the changelog, and who owns what."""
    for name, text in pages.items():
        _packed(root / "usr/share/man" / f"man{name.rsplit('.', 1)[1]}" / f"{name}.gz", text)
    _packed(root / DOC / "changelog.gz", changelog)
    _write(root / DOC / "copyright", _copyright(root))
    overrides = paths.TOOLS / "deb" / "understudy.lintian-overrides"
    _write(root / "usr/share/lintian/overrides/understudy", overrides.read_text())


def settle(root: Path, moment: int) -> None:
    """Give every file the rights and the time (Unix seconds) that it has in a package."""
    for path in sorted(root.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.parent == root / "usr/bin"
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (moment, moment), follow_symlinks=False)


def _environment(root: Path) -> None:
    """What makes a folder a virtual environment of the system's Python. PEP 405."""
    _write(root / HOME / "pyvenv.cfg", f"home = {PYTHON.parent}\ninclude-system-site-packages = false\n")
    (root / HOME / "bin").mkdir()
    for name in ("python", "python3"):
        link = root / HOME / "bin" / name
        link.symlink_to(os.path.relpath(root / PYTHON.relative_to("/"), link.parent))


def _system_files(root: Path, carried: Path) -> None:
    """Each of host_tools/etc where the system looks for it; where the wheel has it, a link to that one."""
    for pattern, folder in {
        **dict.fromkeys(_UNITS, "usr/lib/systemd/system"),
        "*.sysusers": "usr/lib/sysusers.d",
        "*.rules": "usr/lib/udev/rules.d",
        "pam-configs/*": "usr/share/pam-configs",
    }.items():
        for source in sorted(carried.glob(pattern)):
            name = f"{source.stem}.conf" if pattern == "*.sysusers" else source.name
            text = source.read_text()
            target = _write(
                root / folder / name, text.replace(_BY_HAND, _PACKAGED) if pattern in _UNITS else text
            )
            source.unlink()
            source.symlink_to(os.path.relpath(target, source.parent))
    (root / DOC).mkdir(parents=True)
    (root / DOC / "examples").symlink_to(os.path.relpath(carried, root / DOC))


def _completions(root: Path, library: Path) -> None:
    code = f"""import sys
sys.path.insert(0, {str(library)!r})
from understudy.cli.entry import main
main([])"""
    for shell, target in _COMPLETIONS.items():
        script = subprocess.run(
            [PYTHON, "-I", "-B", "-c", code],
            env={**os.environ, "_UNDERSTUDY_COMPLETE": f"source_{shell}"},
            capture_output=True,
            text=True,
        )
        if script.returncode or "understudy" not in script.stdout:
            raise steps.BuildError(
                f"the package's understudy gives no completions for {shell}: {script.stderr}"
            )
        text = script.stdout.strip() + "\n"
        if shell == "zsh":  # which runs the file at the first TAB, and wants its answer then
            text = text.replace(
                "\ncompdef _understudy_completion understudy\n", '\n_understudy_completion "$@"\n'
            )
        _write(root / target, text)


def _copyright(root: Path) -> str:
    parts = ["Understudy\n", (paths.ROOT / "LICENSE").read_text()]
    parts.append(f"\nIn /{HOME} lie these packages from the Python Package Index.\n")
    parts.append("The Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0, too.\n")
    for info in sorted((root / HOME).rglob("*.dist-info")):
        name, version = info.name.removesuffix(".dist-info").rsplit("-", 1)
        if name != "understudy":
            texts = sorted(file for file in info.rglob("*") if file.is_file())
            texts = [file for file in texts if file.name.upper().startswith(_LICENCES)]
            where = "".join(f"\n    /{file.relative_to(root)}" for file in texts)
            parts.append(f"\n{name} {version}: {_licence(info)}{where}\n")
    return "".join(parts)


def _licence(info: Path) -> str:
    lines = (info / "METADATA").read_text().split("\n\n")[0].splitlines()
    said = dict(line.split(": ", 1) for line in reversed(lines) if ": " in line)
    return said.get("License-Expression") or _classified(lines) or said.get("License", "see its files")


def _classified(lines: list[str]) -> str:
    marks = [line.rsplit(" :: ", 1)[1] for line in lines if line.startswith("Classifier: License :: ")]
    return ", ".join(marks)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _packed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
