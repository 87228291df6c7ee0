# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""otpauth URIs, written and read, and the percent-encoding below them."""

import unittest

import pyotp
from pyotp import percent
from pyotp.uri import parse_query, split_uri

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PREFIX = "otpauth://totp/"


def uri(label="alice", **parameters):
    """Return a totp URI with the secret and the given raw parameters."""
    return PREFIX + label + "?secret=" + SECRET + "".join(["&%s=%s" % item for item in parameters.items()])


class ProvisioningTest(unittest.TestCase):
    def test_totp_defaults_are_left_out(self):
        totp = pyotp.TOTP(SECRET)
        self.assertEqual(totp.provisioning_uri(), PREFIX + "Secret?secret=" + SECRET)
        self.assertEqual(totp.provisioning_uri(name="alice"), PREFIX + "alice?secret=" + SECRET)

    def test_order_of_parameters(self):
        totp = pyotp.TOTP(SECRET, digits=8, digest="sha256", interval=60, name="a@b.c", issuer="Foo")
        self.assertEqual(
            totp.provisioning_uri(),
            PREFIX + "Foo:a%40b.c?secret=" + SECRET + "&issuer=Foo&algorithm=SHA256&digits=8&period=60",
        )
        hotp = pyotp.HOTP(SECRET, digits=7, digest="sha512", initial_count=5)
        self.assertEqual(
            hotp.provisioning_uri(name="a", issuer_name="B"),
            "otpauth://hotp/B:a?secret=" + SECRET + "&issuer=B&counter=5&algorithm=SHA512&digits=7",
        )

    def test_hotp_counter_is_always_there(self):
        hotp = pyotp.HOTP(SECRET)
        self.assertEqual(hotp.provisioning_uri(), "otpauth://hotp/Secret?secret=" + SECRET + "&counter=0")
        self.assertTrue(hotp.provisioning_uri(initial_count=7).endswith("&counter=7"))

    def test_quoting(self):
        totp = pyotp.TOTP(SECRET)
        made = totp.provisioning_uri(name="a/b c+d\u00e9~", issuer_name="x:y&z/w v")
        self.assertEqual(
            made,
            PREFIX + "x%3Ay%26z/w%20v:a/b%20c%2Bd%C3%A9~?secret=" + SECRET + "&issuer=x%3Ay%26z%2Fw%20v",
        )

    def test_extra_parameters(self):
        totp = pyotp.TOTP(SECRET)
        made = totp.provisioning_uri(image="https://example.org/a b.png")
        self.assertTrue(made.endswith("&image=https%3A%2F%2Fexample.org%2Fa%20b.png"))
        with self.assertRaises(TypeError):
            totp.provisioning_uri(color=5)
        with self.assertRaises(TypeError):
            totp.provisioning_uri(digits="8")

    def test_images_must_be_https(self):
        for image in (
            "http://a/b",
            "https:/b",
            "https://a",
            "https://a?b",
            "//a/b",
            "a",
            "",
            "https://a\uff0fb/c",
            "https://[a/b",
        ):
            with self.assertRaises(ValueError):
                pyotp.TOTP(SECRET).provisioning_uri(image=image)


class ParseTest(unittest.TestCase):
    def test_round_trip(self):
        totp = pyotp.TOTP(
            SECRET, digits=8, digest="sha512", interval=60, name="a:b/c d%", issuer="X:\u00fc&=+"
        )
        again = pyotp.parse_uri(totp.provisioning_uri())
        self.assertEqual(
            (again.name, again.issuer, again.digits, again.interval), (totp.name, totp.issuer, 8, 60)
        )
        self.assertEqual(again.at(59), totp.at(59))
        self.assertEqual(again.provisioning_uri(), totp.provisioning_uri())
        hotp = pyotp.HOTP(SECRET, digits=7, digest="sha256", initial_count=9)
        again = pyotp.parse_uri(hotp.provisioning_uri())
        self.assertEqual(again.at(1), hotp.at(1))
        self.assertEqual(again.initial_count, 9)
        self.assertIsNone(again.issuer)

    def test_labels(self):
        for label, issuer, name in (
            ("alice", None, "alice"),
            ("", None, "Secret"),
            ("Foo:alice", "Foo", "alice"),
            ("Foo%3Aalice", None, "Foo:alice"),
            ("a%3Ab:c:d", "a:b", "c:d"),
            (":x", "", "x"),
            ("F%20o:%20a", "F o", " a"),
            ("+", None, "+"),
        ):
            got = pyotp.parse_uri(uri(label))
            self.assertEqual((got.issuer, got.name), (issuer, name))

    def test_leniency(self):
        self.assertEqual(pyotp.parse_uri(" \n" + uri().replace("otpauth", "OtpAuth")).at(59), "287082")
        self.assertEqual(pyotp.parse_uri(uri().replace("secret", "sec\tret")).at(59), "287082")
        self.assertEqual(pyotp.parse_uri(uri(digits="", issuer="", unknown="1") + "&&x#&digits=8").digits, 6)
        self.assertEqual(pyotp.parse_uri(uri(digits="%2b7")).digits, 7)

    def check(self, error, *uris):
        for text in uris:
            with self.assertRaises(error) as caught:
                pyotp.parse_uri(text)
            self.assertFalse(SECRET in str(caught.exception))

    def test_not_otpauth(self):
        self.check(
            ValueError, "", None, "x", "http://totp/a?secret=" + SECRET, uri()[3:], uri().encode(), "otpauth"
        )

    def test_kind(self):
        self.check(
            ValueError,
            uri().replace("totp", "TOTP"),
            uri().replace("totp", "xotp"),
            uri().replace("totp", ""),
        )
        self.check(ValueError, uri(encoder="steam"))

    def test_secret(self):
        self.check(
            ValueError,
            PREFIX + "a",
            PREFIX + "a?secret=",
            PREFIX + "a?secret=AAAA",
            PREFIX + "a?secret=1" + SECRET,
        )

    def test_twice(self):
        self.check(
            ValueError,
            uri() + "&secret=" + SECRET,
            uri(digits="") + "&digits=6",
            uri(digits="6") + "&digits=",
            uri(issuer="a") + "&issuer=a",
        )

    def test_contradicting_issuers(self):
        self.check(ValueError, uri("A:b", issuer="C"), uri(":b", issuer="C"))

    def test_values(self):
        self.check(ValueError, uri(algorithm="MD5"), uri(algorithm="sha1"))
        self.check(ValueError, uri(digits="5"), uri(digits="9"), uri(digits="x"), uri(digits="6.0"))
        self.check(ValueError, uri(period="0"), uri(period="121"), uri(period="-30"))

    def test_the_other_kinds_parameter(self):
        self.check(TypeError, uri(counter="1"), uri(period="30", counter="0").replace("totp", "hotp"))


class PercentTest(unittest.TestCase):
    def test_quote(self):
        self.assertEqual(percent.quote("aZ09-._~ /+\u00fc\U0001f600"), "aZ09-._~%20%2F%2B%C3%BC%F0%9F%98%80")
        self.assertEqual(percent.quote("a/b", b"/"), "a/b")
        self.assertEqual(percent.quote(b"\x00\xff"), "%00%FF")
        with self.assertRaises(TypeError):
            percent.quote(5)

    def test_unquote(self):
        for text, plain in (
            ("a%20b", "a b"),
            ("%C3%BCx%c3%bc", "\u00fcx\u00fc"),
            ("%F0%9F%98%80", "\U0001f600"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%%41", "%A"),
            ("%+1%1_%\u0661\u0661", "%+1%1_%\u0661\u0661"),
            ("\u00fc%C3\u00fc", "\u00fc\ufffd\u00fc"),
        ):
            self.assertEqual(percent.unquote(text), plain)

    def test_ill_formed_utf8(self):
        # Unicode 15, section 3.9, tables 3-8 to 3-11
        for data, shown in (
            (b"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82A", "????????" + "A"),
            (b"\xed\xa0\x80\xed\xbf\xbf\xed\xafA", "????????" + "A"),
            (b"\xf4\x91\x92\x93\xffA\x80\xbfB", "?????A??B"),
            (b"\xe1\x80\xe2\xf0\x91\x92\xf1\xbfA", "????A"),
        ):
            self.assertEqual(percent.decode_lossy(data).replace("\ufffd", "?"), shown)


class SplitTest(unittest.TestCase):
    def test_parts(self):
        self.assertEqual(split_uri("A+b-c.1://h:1/p;q?x=1?2#f"), ("a+b-c.1", "h:1", "/p;q", "x=1?2"))
        self.assertEqual(split_uri("1a://h/p"), ("", "", "1a://h/p", ""))
        self.assertEqual(split_uri("a:b"), ("a", "", "b", ""))
        self.assertEqual(split_uri("//h#?x"), ("", "h", "", ""))
        with self.assertRaises(ValueError):
            split_uri("a://h]/p")

    def test_query(self):
        self.assertEqual(parse_query("a=1&b&&c=+%2B=&=d"), [("a", "1"), ("b", ""), ("c", " +="), ("", "d")])


if __name__ == "__main__":
    unittest.main()
