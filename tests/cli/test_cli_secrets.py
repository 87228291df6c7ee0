# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""No secret and no code stays anywhere on the host."""

import base64
from pathlib import Path

from PIL import Image
from tests.cli.support import SECRET, Cli, code
from tests.cli.test_cli_qr import decoded


def forms(secret: str) -> dict[str, bytes]:
    """What a base32 secret could be found as."""
    raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return {
        "raw": raw,
        "base32": secret.encode(),
        "base32, small": secret.lower().encode(),
        "hex": raw.hex().encode(),
        "hex, capital": raw.hex().upper().encode(),
        "base64": base64.b64encode(raw).rstrip(b"="),
        "URL": base64.urlsafe_b64encode(raw).rstrip(b"="),
    }


def found(folder: Path, secrets: list[str]) -> list[tuple[Path, str]]:
    return [
        (path, form)
        for path in folder.rglob("*")
        if path.is_file()
        for secret in secrets
        for form, needle in forms(secret).items()
        if needle in path.read_bytes()
    ]


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    for form, needle in forms(SECRET).items():
        (tmp_path / "file").write_bytes(b"..." + needle + b"...")
        assert (tmp_path / "file", form) in found(tmp_path, [SECRET])


def test_no_file_holds_a_secret_after_all_commands(cli: Cli) -> None:
    outside = cli.folder / "tmp" / "code.png"
    with cli.simulator():
        cli.ok("claim", "--yes")
        cli.add("alice")
        uri = cli.ok("user", "add", "bob", "--show-uri", "--no-confirm").out.split("\n")[0]
        cli.ok("user", "add", "carol", "--qr-file", str(outside), "--no-confirm", "--algorithm", "sha512")
        shown = decoded(Image.open(outside).convert("L"), margin=255)
        secrets = [SECRET, *(text.split("secret=")[1].split("&")[0] for text in (uri, shown))]
        outputs = [
            cli("verify", "alice", code()),
            cli("verify", "alice", code(), "--json", "--debug"),
            cli("verify", "bob", "000000", "--debug"),
            cli(
                "user",
                "add",
                "dave",
                "--import-secret",
                "-",
                "--debug",
                "--json",
                stdin=f"{SECRET}\n{code()}\n{code()}\n{code()}\n",
            ),
            cli(
                "user", "add", "alice", "--import-secret", "-", "--no-confirm", "--debug", stdin=SECRET + "\n"
            ),
            *(
                cli(*words, "--debug")
                for words in (
                    ("user", "list"),
                    ("user", "show", "alice"),
                    ("status",),
                    ("hosts",),
                    ("devices",),
                )
            ),
            cli("pair", "--new-identity", str(cli.folder / "verifier.json"), "--yes", "--debug"),
            cli("user", "remove", "bob", "--yes"),
        ]
    said = "\n".join(text for done in outputs for text in (done.out, done.err)).encode()
    assert not [form for secret in secrets for form, needle in forms(secret).items() if needle in said]
    assert found(cli.folder, secrets) == []
    assert not [path for path in cli.folder.rglob("*.json") if b"secret" in path.read_bytes()]


def test_made_codes_are_nowhere_but_where_they_were_asked_for(cli: Cli) -> None:
    asked = cli.folder / "asked" / "codes.txt"
    asked.parent.mkdir()
    with cli.simulator():
        cli.ok("claim", "--yes")
        cli.add("alice")
        codes = cli.ok("user", "recovery", "alice", "--debug").out.split()
        codes += [cli.ok("user", "bypass", "alice", "--for", "1h", "--debug").out.strip()]
        cli.ok("user", "recovery", "alice", "--file", str(asked), "--yes")
        codes += asked.read_text().split()
        codes += cli.json("user", "add", "bob", "--show-uri", "--no-confirm", "--recovery")["recovery_codes"]
        assert len(set(codes)) == 31
        used = cli.ok("verify", "alice", codes[-11])
        outputs = [
            used,
            cli("verify", "alice", codes[-11], "--debug"),
            cli("verify", "alice", codes[0], "--json", "--debug"),
            cli("user", "resync", "alice", codes[-12], codes[-13], "--debug"),
            cli("user", "show", "alice"),
            cli("credential", "show", "alice", "recovery"),
            cli("audit", "--json", "--count", "0"),
            cli("audit", "verify"),
        ]
    said = "\n".join(text for done in outputs for text in (done.out, done.err))
    spellings = [form for one in codes for form in (one, one.replace("-", ""))]
    assert not [one for one in spellings if one in said]
    asked.unlink()
    holding = [
        path
        for path in cli.folder.rglob("*")
        if path.is_file() and any(one.encode() in path.read_bytes() for one in spellings)
    ]
    assert holding == []


def test_import_takes_what_people_have(cli: Cli, device: str) -> None:
    spelled = " ".join(SECRET[i : i + 4] for i in range(0, 32, 4)).lower().replace(" ", "-", 3)
    path = cli.folder / "secret.txt"
    path.write_text(spelled + "\n")
    cli.ok("user", "add", "alice", "--import-secret", str(path), "--no-confirm", "--interval", "120")
    path.unlink()
    cli.ok("verify", "alice", code())
    first = cli(
        "user", "add", "bob", "--import-secret", "-", "--interval", "120", stdin=f"{spelled}\n{code()}\n"
    )
    assert (first.code, first.out) == (0, "Added bob.\n")
    assert cli("verify", "bob", code()).out.startswith("replayed")
