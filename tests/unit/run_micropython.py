# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Run one test file under MicroPython, which has no unittest:  micropython run_micropython.py test_x

It gives the file a `unittest` that has what the tests here use, runs every test of every TestCase, shows
what fails, ends with the line "ran N tests, M failed", and exits with 1 when any failed or none ran.
"""

import sys


class SkipTest(Exception):
    """The test does not apply here."""


class _Raises:
    """What assertRaises gives: a context whose `exception` is what was raised."""

    def __init__(self, expected):
        self._expected = expected
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            raise AssertionError("%r was not raised" % (self._expected,))
        self.exception = value
        return issubclass(kind, self._expected)


class _SubTest:
    """Says which case it was when its body fails."""

    def __init__(self, message, named):
        self._label = (message, named)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print("in subTest", self._label)
        return False


def _check(holds, message, *shown):
    if not holds:
        text = " ".join([repr(value)[:400] for value in shown])
        raise AssertionError(text if message is None else "%s: %s" % (message, text))


class TestCase:
    """unittest.TestCase, the part of it that is used."""

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def fail(self, msg=None):
        raise AssertionError(msg)

    def skipTest(self, reason):
        raise SkipTest(reason)

    def subTest(self, msg=None, **named):
        return _SubTest(msg, named)

    def assertRaises(self, expected, function=None, *args, **named):
        context = _Raises(expected)
        if function is None:
            return context
        with context:
            function(*args, **named)

    def assertEqual(self, first, second, msg=None):
        _check(first == second, msg, first, "!=", second)

    def assertNotEqual(self, first, second, msg=None):
        _check(first != second, msg, first, "==", second)

    def assertTrue(self, value, msg=None):
        _check(value, msg, value, "is not true")

    def assertFalse(self, value, msg=None):
        _check(not value, msg, value, "is not false")

    def assertIs(self, first, second, msg=None):
        _check(first is second, msg, first, "is not", second)

    def assertIsNot(self, first, second, msg=None):
        _check(first is not second, msg, first, "is", second)

    def assertIsNone(self, value, msg=None):
        _check(value is None, msg, value, "is not None")

    def assertIsNotNone(self, value, msg=None):
        _check(value is not None, msg, "is None")

    def assertIn(self, member, container, msg=None):
        _check(member in container, msg, member, "not in", container)

    def assertNotIn(self, member, container, msg=None):
        _check(member not in container, msg, member, "in", container)

    def assertIsInstance(self, value, kind, msg=None):
        _check(isinstance(value, kind), msg, value, "is no", kind)

    def assertLess(self, first, second, msg=None):
        _check(first < second, msg, first, ">=", second)

    def assertLessEqual(self, first, second, msg=None):
        _check(first <= second, msg, first, ">", second)

    def assertGreater(self, first, second, msg=None):
        _check(first > second, msg, first, "<=", second)

    def assertGreaterEqual(self, first, second, msg=None):
        _check(first >= second, msg, first, "<", second)


class _Unittest:
    """Stands in for the module `unittest`."""

    TestCase = TestCase
    SkipTest = SkipTest

    @staticmethod
    def main(*_args, **_named):
        """Only called when a test file is run by itself, which this runner does not do."""


def _run_one(case, name):
    """True when the test passed or was skipped."""
    print("%s.%s" % (case.__name__, name))
    instance = case()
    try:
        instance.setUp()
        try:
            getattr(instance, name)()
        finally:
            instance.tearDown()
    except SkipTest as skip:
        print("  skipped:", skip)
    except Exception as error:
        sys.print_exception(error)
        return False
    return True


def _tests_of(module):
    for name in sorted(dir(module)):
        case = getattr(module, name)
        if isinstance(case, type) and issubclass(case, TestCase):
            for method in sorted(dir(case)):
                if method.startswith("test"):
                    yield case, method


def _main():
    sys.modules["unittest"] = _Unittest
    ran = failed = 0
    for case, method in _tests_of(__import__(sys.argv[1])):
        ran += 1
        if not _run_one(case, method):
            failed += 1
    print("ran %d tests, %d failed" % (ran, failed))
    sys.exit(1 if failed or not ran else 0)


if __name__ == "__main__":
    _main()
