# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The configuration's parser: what it takes, what it refuses, and how it says so."""

import string
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy import configuration_kinds as kinds
from understudy.configuration import Configuration, Service, parse
from understudy.configuration_kinds import MAX_SOCKET, Key, keys, tables
from understudy.configuration_parser import SERVICE, per_service
from understudy.configuration_text import default_text, markdown, spelled
from understudy_device.errors import ConfigError
from understudy_device.protocol import STATUSES

# The keys of each table, and of a service's overrides; "" is the top level.
KEYS: dict[str, dict[str, Key]] = {
    "": keys(Configuration),
    **{name: keys(of) for name, (of, _) in tables(Configuration).items()},
    f"{SERVICE}.sshd": per_service(Configuration),
}
EACH = [(table, name) for table, known in KEYS.items() for name in known]


def in_table(table: str, line: str) -> str:
    # An upstream is only good with what its kind needs.
    more = 'url = "https://a"\nservers = ["a"]\nkey_file = "/a"\n' if line.startswith("kind = ") else ""
    return f"[{table}]\n{line}\n{more}" if table else f"{line}\n"


def findings(text: str) -> list[str]:
    """What is found wrong; the message has all of it."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "a.toml")
    assert caught.value.status == "config" and "config" in STATUSES
    found: list[str] = caught.value.fields["findings"]
    assert found and all(line in caught.value.message for line in found)
    assert caught.value.message.startswith("a.toml") and all("\n" not in line for line in found)
    return found


def finding(text: str) -> str:
    (found,) = findings(text)
    return found


def value_of(configuration: Configuration, table: str, name: str) -> Any:
    if table.startswith(SERVICE):
        return getattr(configuration.for_service("sshd"), name)
    return getattr(getattr(configuration, table) if table else configuration, name)


def assert_alike(value: object, default: object) -> None:
    """Of the type with which the key is declared."""
    given_or_not = (str, type(Path()), type(None))
    assert type(value) in ((type(default),) if default is not None else given_or_not)


def test_an_empty_file_is_the_safe_default() -> None:
    found = parse("", "a.toml")
    assert found == Configuration() and found.mfa and not found.login.nullok and not found.login.echo
    assert not any(vars(found.cover).values())


def test_the_documented_default_has_every_key_and_changes_nothing() -> None:
    text = default_text()
    assert parse(text, "a.toml") == Configuration()
    given_here = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines())
    document = tomllib.loads(given_here.replace("# [", "["))
    for table, name in EACH:
        if not table.startswith(SERVICE):
            assert name in (document[table] if table else document)
        assert KEYS[table][name].meaning in " ".join(text.replace("\n# ", " ").split())
        assert f" {name}`" in markdown().replace("| `", "| ` ")
    assert max(map(len, text.splitlines())) <= 110
    parse(given_here.replace("# [", "["), "a.toml")  # its examples are good ones


def test_what_a_service_may_override_is_what_holds_there() -> None:
    assert set(per_service(Configuration)) <= {one.name for one in fields(Service)}


# Good values, and values just out of what each key takes, by the key's name or by its table's and its name.
LIMITS: dict[str, tuple[list[Any], list[Any]]] = {
    "mfa": ([True, False], ["yes", 1, 0, []]),
    "port": (["/dev/ttyACM0", "socket://127.0.0.1:7000", "loop://"], ["", "ttyACM0", "/dev/a\u0007", 1]),
    "id": (["0123456789abcdef"], ["0123456789ABCDEF", "0" * 15, "0" * 17, 123]),
    "identity": (["/a"], ["a", "", "~/a", "/a\u0000", "/" + "a" * 4095, 1]),
    "tell_time": (["synced", "always", "never"], ["Never", "", True, ["never"]]),
    "text": (["C", "\u2709" * 128, "Code: "], ["", "x" * 129, "a\tb", "a\nb", "\u0085", "\u2028", 1, None]),
    "echo": ([True, False], ["on", 1]),
    "nullok": ([True, False], ["off", 0]),
    "enrol": ([True, False], ["true", 1.0]),
    "deadline": ([0.5, 1, 60, 59.9], [0.4, 60.1, 0, -1, "10", True, float("nan"), float("inf"), 10**5000]),
    "issuer": (["U", "\u00e9" * 32], ["", "\u00e9" * 33, " U", "U ", "a\u007f", 1]),
    "socket": (["/a", "/" + "a" * (MAX_SOCKET - 1)], ["a", "/" + "a" * MAX_SOCKET, "/" + "\u00e9" * 54, 0]),
    "mode": (["upstream-first", "device-first", "device-only"], ["upstream", "", 1]),
    "kind": (["privacyidea", "radius"], ["RADIUS", "", 1]),
    "url": (
        ["https://a", "http://[::1]:5000/pi", "https://otp.example.net/"],
        ["a", "ftp://a", "https://", "https://u@a", "https://a?b", "https://a b", 1],
    ),
    "servers": (
        [(), ("a",), ("10.0.0.2:1812", "[::1]:18120")],
        ["a", ("",), ("a:b",), ("a b",), ("http://a",), (1,)],
    ),
    "key_file": (["/a"], ["a", 1]),
    "service_id": (["nas"], ["", "\u00e9" * 33, 1]),
    "realm": (["home"], ["", " a", 1]),
    "verify": ([True, False], ["no", 0]),
    "ca_file": (["/a"], ["a", 1]),
    "patience": ([0.1, 30, 1.5], [0, 31, "1", True]),
    "retry": ([0, 3600], [-1, 3601, True]),
    "max_silence": ([0, 31536000], [-1, 31536001, "1d"]),
    "unlocks": ([0, 100], [-1, 101, 1.0, True]),
    "seconds": ([1, 86400], [0, 86401, True]),
    "clients": ([1, 65535], [0, 65536, -1, 1.0, "1", True]),
}
NAMES: tuple[list[Any], list[Any]] = (
    [(), ("alice",), ("SITE\\bob", "bob@site", "a b", "\u00e9"), ("a" * 256,)],
    ["alice", ("",), (1,), (("a",),), ("a" * 257,), ("a\n",), True],
)


def limits(table: str, name: str) -> tuple[list[Any], list[Any]]:
    found = LIMITS.get(f"{table}.{name}", LIMITS.get(name))
    assert found or KEYS[table][name].kind is kinds.NAMES, f"{table}.{name} needs its line in LIMITS"
    return found or NAMES


def toml(value: Any) -> str:
    """Like `spelled`, for what no good value is as well."""
    if isinstance(value, str):
        return (
            '"'
            + "".join(f"\\u{ord(one):04x}" if one < " " or one in '"\\\x7f' else one for one in value)
            + '"'
        )
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, list) or value is None:
        return f"[{', '.join(map(toml, value or ()))}]"
    if isinstance(value, int) and value > 10**30:
        return "0x" + "f" * 4000
    return str(value).lower()


@pytest.mark.parametrize(("table", "name"), EACH)
def test_each_key_takes_what_it_should_and_nothing_else(table: str, name: str) -> None:
    good, bad = limits(table, name)
    for value in good:
        held = value_of(parse(in_table(table, f"{name} = {toml(value)}"), "a"), table, name)
        assert held == (Path(value) if isinstance(held, Path) else value)
        assert_alike(held, value_of(Configuration(), table, name))
    for value in [*bad, {"a": 1}]:
        written = "{a = 1}" if isinstance(value, dict) else toml(value)
        found = finding(in_table(table, f"{name} = {written}"))
        assert f"{name} must be {KEYS[table][name].kind.words}, not " in found, value
        assert found.startswith(f"line {2 if table else 1}: ") and len(found) < 300


@given(st.sampled_from([pair for pair in EACH if "." not in pair[0]]), st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_spelled_is_read_back(pair: tuple[str, str], data: st.DataObject) -> None:
    table, name = pair
    value = data.draw(st.sampled_from(limits(table, name)[0]))
    assert value_of(parse(in_table(table, f"{name} = {spelled(value)}"), "a"), table, name) in (
        value,
        Path(str(value)),
    )


def misspelt(name: str) -> Iterator[str]:
    """Every way to get one letter wrong: left out, doubled, another, one more, two swapped."""
    for i in range(len(name)):
        yield name[:i] + name[i + 1 :]
        yield name[:i] + name[i] + name[i:]
        for letter in string.ascii_lowercase + "_-1":
            yield name[:i] + letter + name[i + 1 :]
            yield name[:i] + letter + name[i:]
        yield name[:i] + name[i].upper() + name[i + 1 :]
        yield name[:i] + name[i + 1 : i + 2] + name[i] + name[i + 2 :]
    yield name.replace("_", "-")
    yield name.upper()


@pytest.mark.parametrize(("table", "name"), EACH)
def test_each_key_misspelt_by_a_letter_names_the_right_one(table: str, name: str) -> None:
    everywhere = {one for known in KEYS.values() for one in known} | set(tables(Configuration)) | {SERVICE}
    tried = {one for one in misspelt(name) if one and one not in everywhere}
    assert len(tried) > 50
    for wrong in tried:
        found = finding(in_table(table, f"{wrong} = true"))
        where = f"[{table}]" if table else "The top level"
        assert found.endswith(f"{where} has no key {wrong}; the nearest is {name}."), found


@pytest.mark.parametrize("table", [*tables(Configuration), SERVICE])
def test_each_table_misspelt_by_a_letter_names_the_right_one(table: str) -> None:
    shown = "[service.NAME]" if table == SERVICE else f"[{table}]"
    others = {one for other in (*tables(Configuration), SERVICE) if other != table for one in misspelt(other)}
    for wrong in set(misspelt(table)) - others - {table}:  # "sevice" may be either
        assert finding(f"[{wrong}]\n") == f"line 1: There is no table [{wrong}]; the nearest is {shown}."


def test_an_upstream_needs_what_its_kind_takes() -> None:
    assert finding('[upstream]\nkind = "privacyidea"\n') == "[upstream] of kind privacyidea needs url."
    assert len(findings('[upstream]\nkind = "radius"\n')) == 2


def test_a_key_in_the_wrong_place_is_sent_to_the_right_one() -> None:
    assert finding('text = "a"') == "line 1: The top level has no key text; text belongs into [login]."
    assert "mfa stands at the top" in finding("[login]\nmfa = true")
    assert "issuer belongs into [login]" in finding('[service.sshd]\nissuer = "a"')
    assert "[service.sshd]" in finding("[service]\nsshd = true\n")
    assert "[cover], and its keys below" in finding("cover = true")
    assert "[cover], and its keys below" in finding("[[cover]]")
    assert "There is no table [sshd]" in finding("[sshd]\n") and "[service.NAME]" in finding("[sshd]\n")


@pytest.mark.parametrize("name", ['"SSHD"', '"a/b"', '""', '"a\\nb"', f'"{"a" * 65}"'])
def test_a_table_of_a_service_that_pam_could_not_name(name: str) -> None:
    assert "no service has that name" in finding(f"[service.{name}]\nmfa = true\n")


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_lines() -> None:
    text = (
        '[login]\ntxt = "a"\necho = "on"\n[cover]\nusers = [\n "a",\n 1,\n]\n[logn]\n[service.su]\nmfa = 1\n'
    )
    found = findings(text)
    assert [line.split(":")[0] for line in found] == ["line 2", "line 3", "line 5", "line 9", "line 11"]


def test_the_line_is_the_one_on_which_a_key_begins() -> None:
    assert findings("\r\n\r\nlogin.echo = 1\r\n")[0].startswith("line 3: ")
    assert findings('\n[login]\ntext = """\n\nx"""\n"echo"\t= 1\n')[1].startswith("line 6: ")
    assert findings("# [login]\nlogin = { echo = 1, deadline = 0 }")[1].startswith("line 2: ")
    assert findings("[service.\"su\"]\n\n'mfa' = 1")[0].startswith("line 3: ")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("mfa = \n", "line 1: this is not TOML: "),
        ("\n\nmfa = true\nmfa = true\n", "line 4: this is not TOML: "),
        ("[login\n", "line 1: this is not TOML: "),
        ("a = 'x", "This is not TOML: "),
        ("mfa = yes", "line 1: this is not TOML: "),
        ("\nx = [", "This is not TOML: "),
        ("a = 1979-13-01", ""),
        (f"a = {'[' * 20000}", "This is nested too deep"),
        (f"a = {'9' * 5000}", "A number or date in it is none."),
        (f"{'a.' * 2000}a = 1", "line 1: There is no table [a]"),
        (f"[{'a.' * 2000}a]", "line 1: There is no table [a]"),
        (f"{'a' * 60000} = 1", "line 1: The top level has no key 'aaa"),
    ],
)
def test_what_is_no_toml_or_a_bad_joke(text: str, start: str) -> None:
    assert finding(text).startswith(start) and len(finding(text)) < 300


TOML_PIECES = st.one_of(
    st.sampled_from(
        ['"', "'", '"""', "[", "]", "[[", "{", "}", "=", ".", ",", "\n", "\r\n", "#", "\\", "\x00", "-"]
    ),
    st.sampled_from([f"\n[{table}]\n" for table in KEYS if table]),
    st.sampled_from([f"\n{name} = " for _, name in EACH]),
    st.sampled_from(
        ["true", "1", "1e999", "nan", "0xff", "07:32:00", "1979-05-27", "[]", "{}", '"a"', "'''\n'''"]
    ),
    st.text(max_size=5),
)
BYTES_OF_THE_DEFAULT = st.tuples(st.integers(0, len(default_text())), st.integers(0, 3), st.text(max_size=3))


@given(st.lists(TOML_PIECES, max_size=30).map("".join))
@settings(max_examples=600, deadline=None)
def test_no_text_raises_anything_else(text: str) -> None:
    reads_or_refuses(text)


@given(st.lists(BYTES_OF_THE_DEFAULT, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_no_change_to_the_default_raises_anything_else(changes: list[tuple[int, int, str]]) -> None:
    text = default_text()
    for start, length, instead in changes:
        text = text[:start] + instead + text[start + length :]
    reads_or_refuses(text)


def reads_or_refuses(text: str) -> None:
    try:
        configuration = parse(text, "a.toml")
    except ConfigError as error:
        assert error.fields["findings"] and error.message.startswith("a.toml")
    else:
        # What was taken is whole, and of the types it is declared with.
        for table, name in EACH:
            assert_alike(value_of(configuration, table, name), value_of(Configuration(), table, name))
        tomllib.loads(text)


def test_a_service_has_its_own_and_the_rest_from_login() -> None:
    found = parse(
        'mfa = false\n[login]\ntext = "A"\ndeadline = 5\n[service.sudo]\nmfa = true\ntext = "B"\n', "a.toml"
    )
    sudo, sshd = found.for_service("sudo"), found.for_service("sshd")
    assert (sudo.mfa, sudo.text, sudo.deadline, sudo.issuer) == (True, "B", 5.0, "Understudy")
    assert (sshd.mfa, sshd.text, sshd.deadline) == (False, "A", 5.0)
    assert found.for_service("SUDO") == sshd  # as it stands
