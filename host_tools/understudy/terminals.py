# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Terminals, by their names."""

import re

_OF_THE_MACHINE = re.compile(r"(/dev/)?(tty[0-9]+|ttyS[0-9]+|ttyAMA[0-9]+|console|hvc[0-9]+)\Z")


def is_of_the_machine(name: str) -> bool:
    """Whether somebody at the machine itself sits there: a virtual console, the serial one.

    `name`: as ttyname(3) or PAM_TTY has it, with or without /dev/.
    """
    return _OF_THE_MACHINE.match(name) is not None
