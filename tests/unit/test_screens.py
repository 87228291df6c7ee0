# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What each screen looks like, pixel by pixel; that nothing secret is told; that nothing is cut off."""

import unittest

from golden_screens import examples, golden, update, wants_update
from understudy_device import canvas, font, protocol, qrcode, screens


def drawn(screen):
    buffer = bytearray(b"\xa5" * canvas.SIZE)
    canvas.draw(screen, buffer)
    return bytes(buffer)


class Pictures(unittest.TestCase):
    def test_each_is_as_reviewed(self):
        for name, screen in examples().items():
            with self.subTest(name):
                pixels = drawn(screen)
                if wants_update():
                    update(name, pixels)
                self.assertTrue(pixels == golden(name), name)

    def test_the_letters_are_as_reviewed(self):
        buffer = bytearray(canvas.SIZE)
        for row in range(5):
            letters = "".join([chr(32 + 20 * row + i) for i in range(20)])
            canvas._draw_text(buffer, 0, 2 + 12 * row, 1, letters)
        if wants_update():
            update("letters", bytes(buffer))
        self.assertTrue(bytes(buffer) == golden("letters"))

    def test_no_two_look_the_same(self):
        pictures = [drawn(screen) for screen in examples().values()]
        self.assertEqual(len(set(pictures)), len(pictures))


class Layout(unittest.TestCase):
    def test_no_line_reaches_into_another_or_over_the_edge(self):
        for name, screen in examples().items():
            ends = 0
            for top, scale, _text in screens.layout(screen):
                self.assertGreaterEqual(top, ends, name)
                ends = top + font.HEIGHT * scale
            self.assertLessEqual(ends - 1, canvas.HEIGHT, name)

    def test_only_names_are_cut(self):
        for name, screen in examples().items():
            if name in ("enrolment", "enrolment-long"):
                continue
            for _, scale, text in screens.layout(screen):
                if text not in screen[1]:
                    self.assertEqual(canvas.fitted(text, scale, canvas.WIDTH), (text, scale), name)

    def test_every_verdict_is_in_large_letters(self):
        for status in protocol.VERDICTS:
            if status != "throttled":
                _, scale, text = screens.layout(screens.verdict(status, "alice"))[0]
                self.assertEqual(canvas.fitted(text, scale, canvas.WIDTH - 4), (text, scale))

    def test_texts_get_smaller_and_then_shorter(self):
        self.assertEqual(canvas.fitted("1234567", 3, 128), ("1234567", 3))
        self.assertEqual(canvas.fitted("12345678", 3, 128), ("12345678", 2))
        self.assertEqual(canvas.fitted("x" * 21, 2, 128), ("x" * 21, 1))
        self.assertEqual(canvas.fitted("x" * 22, 2, 128), ("x" * 20 + font.ELLIPSIS, 1))

    def test_letters_that_there_are_not_are_boxes(self):
        self.assertEqual(font.glyph("\u00fc"), font.glyph("\n"))
        self.assertEqual(len({font.glyph(chr(code)) for code in range(32, 127)}), 95)
        self.assertEqual(font.glyph("\u00fc") + font.WIDTH, len(font.COLUMNS))


class Telling(unittest.TestCase):
    def test_what_is_secret_is_not_told(self):
        for screen in examples().values():
            name, values = screens.public(screen)
            self.assertEqual(name, screen[0])
            self.assertEqual(values, () if name in ("pairing", "enrolment") else screen[1])

    def test_what_a_host_knows(self):
        for screen in examples().values():
            self.assertTrue(screens.is_known(screen))
        for screen in (("news", ()), ("ready", ()), ("pairing", ("1", "2")), ("sealed", (1,))):
            self.assertFalse(screens.is_known(screen))

    def test_idle(self):
        expected = {
            ("damaged", "unset"): "damaged",
            ("unclaimed", "unset"): "unclaimed",
            ("sealed", "unset"): "sealed",
            ("open", "unset"): "clock-unset",
            ("open", "holdover"): "ready",
        }
        for state, name in expected.items():
            self.assertEqual(screens.idle(state[0], state[1], 3, "id")[0], name)


class QrCode(unittest.TestCase):
    def test_the_smallest_that_holds_it(self):
        for length, side in ((17, 21), (18, 25), (53, 29), (78, 33), (79, 37), (106, 37), (230, 53)):
            size, modules = qrcode.modules("x" * length)
            self.assertEqual((size, len(modules)), (side, side * ((side + 7) // 8)))

    def test_too_much(self):
        with self.assertRaises(ValueError):
            qrcode.modules("x" * 231)
        with self.assertRaises(ValueError):
            qrcode.modules("\u00fc" * 116)


if __name__ == "__main__":
    unittest.main()
