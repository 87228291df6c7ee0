# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who is asked for a code: users and groups, exclusion, and a name service that is away."""

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.configuration import Configuration, parse
from understudy.configuration_text import spelled


def never_asked(user: str) -> Collection[str]:
    raise AssertionError("no group decides here")


def cover(**lists: list[str]) -> Configuration:
    lines = "\n".join(f"{name} = {spelled(tuple(names))}" for name, names in lists.items())
    return parse(f"[cover]\n{lines}\n", "a.toml")


def groups(*names: str) -> Any:
    return lambda user: set(names)


@pytest.mark.parametrize(
    ("lists", "user", "member_of", "covered"),
    [
        ({}, "alice", None, True),
        ({"users": ["alice"]}, "alice", None, True),
        ({"users": ["alice"]}, "bob", None, False),
        ({"users": ["alice"]}, "Alice", None, False),
        ({"users": ["alice"]}, "alice ", None, False),
        ({"users": ["alice"], "except_users": ["alice"]}, "alice", None, False),
        ({"except_users": ["alice"]}, "alice", None, False),
        ({"except_users": ["alice"]}, "bob", None, True),
        ({"users": ["SITE\\bob"]}, "SITE\\bob", None, True),
        ({"users": ["SITE\\bob"]}, "site\\bob", None, False),
        ({"users": ["SITE\\bob"]}, "bob", None, False),
        ({"users": ["bob"]}, "SITE\\bob", None, False),
        ({"users": ["bob"]}, "bob@site.example", None, False),
        ({"users": ["bob@site.example"]}, "bob@site.example", None, True),
        ({"except_users": ["bob"]}, "SITE\\bob", None, True),
        ({"except_users": ["bob"]}, "bob@site.example", None, True),
        ({"groups": ["staff"]}, "alice", ("staff", "users"), True),
        ({"groups": ["staff"]}, "alice", ("users", "Staff"), False),
        ({"groups": ["staff"]}, "alice", (), False),
        ({"groups": ["SITE\\domain users"]}, "alice", ("SITE\\domain users",), True),
        ({"users": ["alice"], "groups": ["staff"]}, "alice", None, True),
        ({"users": ["alice"], "groups": ["staff"]}, "bob", ("staff",), True),
        ({"users": ["alice"], "groups": ["staff"]}, "bob", (), False),
        ({"except_groups": ["robots"]}, "alice", ("staff",), True),
        ({"except_groups": ["robots"]}, "alice", ("staff", "robots"), False),
        ({"groups": ["staff"], "except_groups": ["robots"]}, "alice", ("staff", "robots"), False),
        ({"groups": ["staff"], "except_users": ["alice"]}, "alice", None, False),
        ({"users": ["alice"], "except_groups": ["robots"]}, "alice", ("robots",), False),
        ({"users": ["alice"], "except_groups": ["robots"]}, "alice", (), True),
        ({"users": ["alice"], "except_groups": ["robots"]}, "bob", None, False),
    ],
)
def test_who_is_covered(
    lists: dict[str, list[str]], user: str, member_of: tuple[str, ...] | None, covered: bool
) -> None:
    """`member_of` None: the groups must not even be asked for."""
    asked = never_asked if member_of is None else groups(*member_of)
    assert cover(**lists).is_covered(user, asked) is covered


@pytest.mark.parametrize(
    "error", [KeyError("alice"), OSError(5, "sssd is away"), ValueError("nul")], ids=repr
)
@pytest.mark.parametrize("lists", [{"groups": ["staff"]}, {"except_groups": ["robots"]}], ids=repr)
def test_a_name_service_that_cannot_tell_opens_no_door(error: Exception, lists: dict[str, list[str]]) -> None:
    def away(user: str) -> Collection[str]:
        raise error

    assert cover(**lists).is_covered("alice", away)
    assert not cover(**lists, except_users=["alice"]).is_covered("alice", away)


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=3), min_size=5, max_size=5), st.sampled_from("abc"))
@settings(deadline=None)
def test_covered_is_named_and_not_excepted(drawn: list[list[str]], user: str) -> None:
    users, of_groups, except_users, except_groups, member_of = drawn
    found = cover(users=users, groups=of_groups, except_users=except_users, except_groups=except_groups)
    excepted = user in except_users or bool(set(except_groups) & set(member_of))
    named = not (users or of_groups) or user in users or bool(set(of_groups) & set(member_of))
    assert found.is_covered(user, groups(*member_of)) is (named and not excepted)
