# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`make deb`: build/dist/understudy_VERSION_ARCH.deb from build/dist's wheel and build/pam's module.

make_deb.py [--version VERSION] [--into FOLDER] [--level 0..9, how hard to compress]

The package brings what requirements.lock pins of pyproject's dependencies, in a virtual environment of
the system's python3. The same sources give the same package: files have the time of the last commit, or of
SOURCE_DATE_EPOCH.
"""

import argparse
import hashlib
import os
import shutil
import tempfile
import time
import tomllib
from email.utils import formatdate
from pathlib import Path

from buildlib import deb_tree, paths, runtime_lock, steps
from man_pages import Pages

_SITE = paths.BUILD / "deb" / "site"
_STAMP = paths.BUILD / "deb" / "understudy.stamp"
_SCRIPTS = paths.TOOLS / "deb"
_MODULE = paths.BUILD / "pam" / "pam_understudy.so"
_MAINTAINER = "The Understudy authors <understudy@localhost>"  # nobody has an address for it yet
_OTHERS = (  # procps has /bin/kill, by which systemd has the broker read its configuration again
    "libpam-runtime",
    "procps",
    "systemd | systemd-standalone-sysusers | systemd-sysusers",
)
_STRAY = ("bin", "docs", "example", "share")  # not modules: what some wheels put beside theirs
_CONTROL = """\
Package: understudy
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: {depends}
Suggests: openssh-server
Section: admin
Priority: optional
Description: one-time passwords that go on working when the server is down
 A small device in a USB port holds the one-time-password secrets, keeps its own
 time, and says whether a code is right. This package has the command to manage
 it, the broker that owns it, and the PAM module that asks the broker at logins.
 .
 Installing it switches nothing on; `understudy setup` does.
"""


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--version")
    parser.add_argument("--level", type=int, default=6)
    parser.add_argument("--into", type=Path, default=paths.BUILD / "dist")
    given = parser.parse_args()
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    moment = int(
        os.environ.get("SOURCE_DATE_EPOCH")
        or steps.output("git", "log", "-1", "--format=%ct", cwd=paths.ROOT)
    )
    with steps.locked("deb"):
        wheel = paths.BUILD / "dist" / f"understudy-{project['version']}-py3-none-any.whl"
        for needed, target in ((wheel, "wheel"), (_MODULE, "pam")):
            if not needed.exists():
                raise steps.BuildError(f"there is no {needed}: run `make {target}`")
        _site()
        with tempfile.TemporaryDirectory(prefix="deb-", dir=paths.BUILD / "deb") as folder:
            root = Path(folder) / "root"
            version = given.version or project["version"]
            _stage(root, wheel, version, moment)
            _pack(root, version, moment, given)


def _site() -> None:
    """Make build/deb/site: the dependencies, for Debian's Python."""
    wanted = runtime_lock.requirements()
    python = steps.output(str(deb_tree.PYTHON), "-c", "import sys; print(sys.version)")
    content = steps.digest([Path(__file__)], wanted, python)
    if steps.up_to_date(_STAMP, content, _SITE):
        return
    shutil.rmtree(_SITE, ignore_errors=True)
    _SITE.parent.mkdir(parents=True, exist_ok=True)
    listed = _SITE.with_name("requirements.txt")
    listed.write_text(wanted)
    pip: list[str | Path] = [paths.VENV / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    pip += ["--python", deb_tree.PYTHON, "install", "--target", _SITE, "--ignore-installed", "--no-compile"]
    steps.run("pip-deb", [*pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", listed])
    for name in _STRAY:
        shutil.rmtree(_SITE / name, ignore_errors=True)
    for name in ("RECORD", "INSTALLER", "REQUESTED"):  # pip's notes; here dpkg keeps them
        for note in _SITE.glob(f"*.dist-info/{name}"):
            note.unlink()
    for path in _compiled(_SITE):
        steps.run(f"strip-{path.name.split('.')[0]}", ["strip", "--strip-unneeded", path])
    _STAMP.write_text(content)


def _compiled(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.so"))


def _stage(root: Path, wheel: Path, version: str, moment: int) -> None:
    """All that is in the package, below `root`."""
    deb_tree.stage(root, _SITE, wheel, _MODULE)
    module = next(root.glob(f"usr/lib/*/security/{_MODULE.name}"))
    steps.run("strip-module", ["strip", "--strip-unneeded", module])
    pages = Pages(version, time.strftime("%Y-%m-%d", time.gmtime(moment))).all()
    deb_tree.documents(root, pages, _changelog(version, moment))
    deb_tree.settle(root, moment)


def _pack(root: Path, version: str, moment: int, given: argparse.Namespace) -> None:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    architecture = steps.output("dpkg", "--print-architecture")
    control = root / "DEBIAN"
    control.mkdir()
    (control / "control").write_text(
        _CONTROL.format(
            version=version,
            architecture=architecture,
            maintainer=_MAINTAINER,
            size=sum(path.stat().st_size for path in files) // 1024,
            depends=", ".join([*_python(), *_libraries(root), *_OTHERS]),
        )
    )
    sums = [f"{_md5(path)}  {path.relative_to(root)}\n" for path in files]
    (control / "md5sums").write_text("".join(sums))
    for name in ("postinst", "prerm", "postrm"):
        shutil.copy(_SCRIPTS / name, control)
        (control / name).chmod(0o755)
    built = root.with_name(f"understudy_{version}_{architecture}.deb")
    packer: list[str | Path] = ["dpkg-deb", "--root-owner-group", "--uniform-compression", "-Zxz"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(moment)}
    steps.run("dpkg-deb", [*packer, f"-z{given.level}", "--build", root, built], env=environment)
    steps.put(built, given.into / built.name)
    print(given.into / built.name)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _python() -> list[str]:
    """Compiled modules are for one minor version of Python."""
    major, minor = deb_tree.python_version()
    return [f"python3 (>= {major}.{minor})", f"python3 (<< {major}.{minor + 1})"]


def _libraries(root: Path) -> list[str]:
    """The packages that have the compiled files' libraries, with versions, as dpkg-shlibdeps has them."""
    folder = root.with_name("libraries")
    (folder / "debian").mkdir(parents=True)
    (folder / "debian" / "control").write_text(
        "Source: understudy\n\nPackage: understudy\nArchitecture: any\n"
    )
    shown = steps.output("dpkg-shlibdeps", "-O", *(f"-e{path}" for path in _compiled(root)), cwd=folder)
    return shown.removeprefix("shlibs:Depends=").split(", ")


def _changelog(version: str, moment: int) -> str:
    return (
        f"understudy ({version}) unstable; urgency=medium\n\n"
        "  * Built from the project's sources; their history says what is new.\n\n"
        f" -- {_MAINTAINER}  {formatdate(moment)}\n"
    )


if __name__ == "__main__":
    steps.main(_main)
