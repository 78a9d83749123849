#!/usr/bin/env python3
"""Attempts through the proxy of the sandbox it runs in: dial.py FORMS FILE

Each line of FILE is a place, in Python's escapes ("good.example:80", "a\\x00b:80"); FORMS says how
it is asked for, separated by commas: connect, get, socks, or raw, when a line is all that is sent.
Prints every attempt that was not refused, and at the end how many were.

dial.py slow COUNT holds so many connections with an unfinished head, and adds to it for ever.
"""
import socket
import sys
import time

PROXY = ("127.0.0.1", 3128)
REFUSALS = {400, 403, 408, 431}
SOCKS_REFUSALS = {1, 2, 7, 8}


def text(line):
    return line.encode("ascii").decode("unicode_escape").encode("latin-1")


def receive(connection, size):
    got = b""
    while len(got) < size:
        part = connection.recv(size - len(got))
        if not part:
            break
        got += part
    return got


def http(connection, head):
    try:
        connection.sendall(head)
    except OSError:
        pass  # refused before it was whole; the answer may still be there
    got = b""
    while b"\r\n" not in got:
        part = connection.recv(4096)
        if not part:
            return "closed", True
        got += part
    line = got.split(b"\r\n")[0].decode("latin-1")
    words = line.split()
    return line, len(words) > 1 and words[1].isdigit() and int(words[1]) in REFUSALS


def connect(connection, place):
    return http(connection, b"CONNECT " + place + b" HTTP/1.1\r\nHost: " + place + b"\r\n\r\n")


def get(connection, place):
    head = b"GET http://" + place + b"/x HTTP/1.1\r\nHost: " + place + b"\r\n\r\n"
    return http(connection, head)


def socks_address(host):
    for family, kind in ((socket.AF_INET, 1), (socket.AF_INET6, 4)):
        try:
            packed = socket.inet_pton(family, host.strip(b"[]").decode("latin-1"))
        except (OSError, ValueError):
            continue
        yield bytes([kind]) + packed
    if len(host) < 256:
        yield bytes([3, len(host)]) + host


def socks_one(connection, address, port):
    connection.sendall(b"\x05\x01\x00")
    if receive(connection, 2) != b"\x05\x00":
        return "no method", True
    connection.sendall(b"\x05\x01\x00" + address + port)
    reply = receive(connection, 10)
    if len(reply) < 2:
        return "closed", True
    return f"reply {reply[1]}", reply[1] in SOCKS_REFUSALS


def socks(connection, place):
    host, _, port = place.rpartition(b":")
    if not host or not port.isdigit() or int(port) > 65535 or port[:1] == b"0":
        return "not to be said in SOCKS", True
    result = ("not to be said in SOCKS", True)
    for address in socks_address(host):
        with socket.create_connection(PROXY, timeout=30) as another:
            said, refused = socks_one(another, address, int(port).to_bytes(2, "big"))
        if not refused or result[1]:
            result = said, refused
    return result


FORMS = {"connect": connect, "get": get, "socks": socks, "raw": http}


def attempt(form, place):
    with socket.create_connection(PROXY, timeout=30) as connection:
        try:
            return FORMS[form](connection, place)
        except ConnectionError as error:
            return str(error), True
        except TimeoutError:
            return "no answer", False


def try_all(forms, path):
    with open(path, encoding="ascii") as file:
        places = file.read().splitlines()
    refused = 0
    for form in forms.split(","):
        for place in places:
            said, is_refused = attempt(form, text(place))
            refused += is_refused
            if not is_refused:
                print("PASSED", form, place[:60], said[:60], flush=True)
    print("over,", refused, "refused", flush=True)


def slow(count):
    held = []
    for _ in range(count):
        connection = socket.create_connection(PROXY, timeout=30)
        connection.sendall(b"GET http://good.example/ HTTP/1.1\r\nHost: good.exa")
        held.append(connection)
    print("holds", len(held), flush=True)
    while held:
        time.sleep(0.2)
        for connection in list(held):
            try:
                connection.sendall(b"m")
            except OSError:
                held.remove(connection)
    print("all were closed", flush=True)


if sys.argv[1] == "slow":
    slow(int(sys.argv[2]))
else:
    try_all(sys.argv[1], sys.argv[2])
