# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What MicroPython's compiler takes for orders to make machine code, and on CPython stand-ins that do
nothing."""

try:
    import micropython
except ImportError:

    class micropython:  # noqa: N801 (in the place of the module)
        """Decorators that return the function as it is."""

        @staticmethod
        def native(function):
            """Return `function`."""
            return function

        viper = native


def ptr8(buffer):
    """Return `buffer`; in viper code the compiler takes this name for its own cast."""
    return buffer
