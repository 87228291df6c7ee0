# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the system knows of its users."""

import grp
import os
import pwd
from collections.abc import Collection
from contextlib import suppress


def groups_of(user: str) -> Collection[str]:
    """The names of the groups that the system has a user in. KeyError for a user it does not know."""
    entry = pwd.getpwnam(user)
    names = set()
    for number in os.getgrouplist(user, entry.pw_gid):
        with suppress(KeyError):  # a group without a name can't be meant
            names.add(grp.getgrgid(number).gr_name)
    return names
