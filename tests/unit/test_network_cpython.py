# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Names of time servers, found late; and time servers over Wi-Fi.

`network`, MicroPython's module, is on boards only: neither CPython nor the Unix MicroPython has it, and the
emulated Pico has no radio. So a stand-in for its WLAN plays here; the datagrams are real, on loopback.
"""

import socket
import threading

import pytest

from parts import NOW, Randomness
from ports import _network
from ports._network import Network
from ports.linux_clock import kernel_error
from ports.micropython_wifi import Wifi
from test_sntp import answer
from understudy_device.sntp import Sntp


class Names:
    """A name service that is not up yet; how often it was asked."""

    def __init__(self, monkeypatch):
        self.is_up, self.asked, self.real = False, [], socket.getaddrinfo
        monkeypatch.setattr(_network.socket, "getaddrinfo", self.look_up)

    def look_up(self, name, *more):
        self.asked.append(name)
        if not self.is_up or name == "nobody":
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return self.real("127.0.0.1", *more)


@pytest.fixture
def names(monkeypatch):
    return Names(monkeypatch)


@pytest.fixture
def make():
    """Makes Networks, and closes them."""
    made = []

    def make(*words):
        made.append(Network(*words))
        return made[-1]

    yield make
    for one in made:
        one._socket.close()


@pytest.fixture
def server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.settimeout(10)
        yield one


def test_names_that_are_found_later(names, server, make):
    port = server.getsockname()[1]
    network = make([f"nobody:{port}", f"a:{port}", "b"])
    assert names.asked == []
    for _ in range(2):
        for name in network.servers:
            with pytest.raises(OSError):
                network.send(name, b"x")
    assert names.asked == ["nobody", "a"]  # one failure a round is enough, and another name has its turn
    names.is_up = True
    for _ in range(4):
        refused = []
        for name in network.servers:
            try:
                network.send(name, b"x")
            except OSError:
                refused.append(name)
    assert refused == [f"nobody:{port}"]
    assert server.recv(10) == b"x"
    assert names.asked.count("a") == 2 and names.asked.count("b") == 1


def test_nobody_waits_for_a_look_up(names, make):
    held, threads = threading.Event(), []

    def beside(work):
        threads.append(threading.Thread(target=lambda: (held.wait(10), work())))
        threads[-1].start()

    names.is_up = True
    network = make(["a"], beside)
    for _ in range(3):
        with pytest.raises(OSError):
            network.send("a", b"x")
    assert len(threads) == 1 and names.asked == []
    held.set()
    threads[0].join(10)
    network.send("a", b"x")


@pytest.mark.parametrize("hosts", [[], [""], ["a:b"], ["a:0"], ["a:65536"], [":123"], ["a", ""], ["a:1:2"]])
def test_what_is_no_server(hosts):
    with pytest.raises(ValueError):
        Network(hosts)


class Wlan:
    """network.WLAN, as far as it is used."""

    def __init__(self):
        self.calls, self.is_connected = [], False

    def active(self, on):
        self.calls.append(("active", on))

    def connect(self, ssid, password):
        self.calls.append(("connect", ssid, password))
        if len(self.calls) == 4:
            raise OSError("Wifi Internal State Error")  # an ESP32 that is at it already

    def isconnected(self):
        return self.is_connected


def test_time_over_wifi(server, make):
    name = "127.0.0.1:%d" % server.getsockname()[1]
    wlan, up = Wlan(), [0]
    wifi = Wifi({"ssid": "home", "password": "secret word", "servers": [name]}, wlan, make)
    assert wlan.calls == [] and wifi.receive() is None
    sntp = Sntp(wifi, Randomness(b"wifi"), lambda: up[0])
    for up[0] in range(60):  # no Wi-Fi there: it is tried again and again
        assert sntp.tick() is None
    joins = [call for call in wlan.calls if call[0] == "connect"]
    assert sntp.state == "no-answer" and 2 <= len(joins) <= 4
    assert set(joins) == {("connect", "home", "secret word")}
    wlan.is_connected = True
    found = None
    while not found:
        up[0] += 1
        found = sntp.tick()
        if sntp._asked == up[0]:
            data, address = server.recvfrom(512)
            server.sendto(answer(data, NOW), address)
        assert up[0] < 1000
    assert found[0] == NOW + 1 and len(joins) == sum(call[0] == "connect" for call in wlan.calls)


@pytest.mark.parametrize(
    "settings", [{}, [], {"ssid": "x", "servers": ["a"]}, {"ssid": "x", "password": "", "servers": ["a:b"]}]
)
def test_a_file_that_is_unfit(settings):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Wifi(settings, Wlan())


def test_the_kernels_word_is_a_number_or_none():
    error = kernel_error()
    assert error is None or 0 <= error < 16000000
