# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""How the patches take hold of rp2040py: by wrapping methods of one instance, never of a class."""

from collections.abc import Callable
from typing import Any

from ..errors import EmulatorMismatch

AnyCallable = Callable[..., Any]


def wrap(target: object, name: str, make: Callable[[AnyCallable], AnyCallable]) -> None:
    """Replace `target.name` by `make(target.name)` on this instance only.

    :raises EmulatorMismatch: there is no such method; better said here than as a patch that silently does
        nothing
    """
    original = getattr(target, name, None)
    if not callable(original):
        raise EmulatorMismatch(f"rp2040py: {type(target).__name__} has no method {name!r}")
    setattr(target, name, make(original))


def after(target: object, name: str, then: Callable[[], None]) -> None:
    """Call `then()` whenever `target.name(...)` has run."""

    def make(original: AnyCallable) -> AnyCallable:
        def wrapped(*args: Any) -> Any:
            result = original(*args)
            then()
            return result

        return wrapped

    wrap(target, name, make)
