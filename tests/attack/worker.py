#!/usr/bin/env python3
"""An egress proxy that was taken over: stands where belljar-egress is, and says to the server what
it likes. Each answer becomes a line of DIRECTORY/said, where DIRECTORY is that of the runtime
directory; when all is said, the file `over` is there, and it stays connected.
"""
import os
import socket
import struct
import sys
import time

options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
own, path = options["--id"], options["--server"]
base = os.path.dirname(os.path.dirname(path))


def pack(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xcf" + struct.pack(">Q", value) if value >= 0 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, (str, bytes)):
        data = value.encode() if isinstance(value, str) else value
        return b"\xdb" + struct.pack(">I", len(data)) + data
    if isinstance(value, list):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(pack, value))
    return b"\xdf" + struct.pack(">I", len(value)) + b"".join(pack(k) + pack(v) for k, v in value.items())


class Reader:
    def __init__(self, stream):
        self.stream = stream

    def take(self, size):
        data = self.stream.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def number(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(form)))[0]

    def value(self):
        kind = self.take(1)[0]
        if kind < 0x80:
            return kind
        if kind < 0x90:
            return {self.value(): self.value() for _ in range(kind & 15)}
        if kind < 0xa0:
            return [self.value() for _ in range(kind & 15)]
        if kind < 0xc0:
            return self.take(kind & 31).decode("utf-8", "replace")
        if kind >= 0xe0:
            return kind - 256
        simple = {0xc0: None, 0xc2: False, 0xc3: True}
        if kind in simple:
            return simple[kind]
        numbers = {0xcc: "B", 0xcd: "H", 0xce: "I", 0xcf: "Q", 0xd0: "b", 0xd1: "h", 0xd2: "i", 0xd3: "q", 0xcb: "d"}
        if kind in numbers:
            return self.number(numbers[kind])
        texts = {0xd9: "B", 0xda: "H", 0xdb: "I", 0xc4: "B", 0xc5: "H", 0xc6: "I"}
        if kind in texts:
            return self.take(self.number(texts[kind])).decode("utf-8", "replace")
        lists = {0xdc: "H", 0xdd: "I"}
        if kind in lists:
            return [self.value() for _ in range(self.number(lists[kind]))]
        return {self.value(): self.value() for _ in range(self.number({0xde: "H", 0xdf: "I"}[kind]))}


class Line:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.reader = Reader(self.socket.makefile("rb"))
        self.next = 0

    def tell(self, method, **params):
        self.socket.sendall(pack([2, method, [params]]))

    def ask(self, method, **params):
        self.next += 1
        self.socket.sendall(pack([0, self.next, method, [params]]))
        while True:
            message = self.reader.value()
            if message[0] == 1 and message[1] == self.next:
                return message[2]["message"] if message[2] else message[3]

    def revoked(self, host):
        while True:
            message = self.reader.value()
            if message[0] == 2 and message[1] == "egress.revoke" and message[2][0]["host"] == host:
                return message[2][0]


said = open(base + "/said", "a", encoding="utf-8")


def say(what, answer):
    said.write("%s: %s\n" % (what, answer if isinstance(answer, str) else sorted(answer.items())))
    said.flush()


def closes(what, method, **params):
    line = Line()
    try:
        line.tell(method, **params)
        line.ask("api.info")
        say(what, "still open")
    except (EOFError, OSError):
        say(what, "closed")


others = [name for name in os.listdir(path.rsplit("/", 1)[0]) if len(name) == 8 and name != own]
closes("hello for another", "egress.hello", id=others[0], pid=os.getpid())
closes("hello for nobody", "egress.hello", id="nobodyxx", pid=os.getpid())
line = Line()
say("before hello", line.ask("egress.decide", id=own, host="good.example", port=443))
line.tell("egress.hello", id=own, pid=1)
for name in others + ["", "../..", "x" * 32]:
    say("for " + ("another" if name in others else name[:4]),
        line.ask("egress.decide", id=name, host="good.example", port=443))
    say("secret for " + ("another" if name in others else name[:4]),
        line.ask("egress.credential", id=name, name="model"))
line.tell("egress.hello", id=others[0], pid=os.getpid())  # one line, one sandbox
for host in ["", " ", "a b", "good.example\n", "good.example/", "\x1b[31m", "-", ".", "a" * 253, "[::1", "1.2.3.4.5"]:
    say("host %r" % host[:20], line.ask("egress.decide", id=own, host=host, port=443))
say("port 0", line.ask("egress.decide", id=own, host="good.example", port=0))
say("port 65536", line.ask("egress.decide", id=own, host="good.example", port=65536))
say("no host", line.ask("egress.decide", id=own, port=443))
say("host as number", line.ask("egress.decide", id=own, host=1, port=443))
while "wait_id" in line.ask("egress.decide", id=own, host="good.example", port=443):
    time.sleep(0.1)  # until the presets have been read
say("good", line.ask("egress.decide", id=own, host="GOOD.example", port=443, protocol="connect"))
say("bad", line.ask("egress.decide", id=own, host="bad.example", port=443))
say("upstream", line.ask("egress.decide", id=own, host="model.example", port=443, protocol="credential"))
say("upstream's other port", line.ask("egress.decide", id=own, host="model.example", port=80, protocol="credential"))
say("no such secret", line.ask("egress.credential", id=own, name="none"))
say("no such method", line.ask("egress.verdict", id=own, wait_id="w1", answer="allow"))
for wait in ["w999999", "x", "", "w-1", "w18446744073709551616", "w1; w2"]:
    line.tell("egress.gone", id=own, wait_id=wait)
line.tell("egress.opened", id=own, host="never.decided", port=1)
line.tell("egress.opened", id=own, host=" ", port=1)
line.tell("egress.closed", id=own, host="never.opened", port=1, seconds=-1.0)
for seconds in [float("nan"), float("inf"), 1e300, "1", None]:
    line.tell("egress.closed", id=own, host="never.opened", port=2, seconds=seconds)
line.tell("egress.closed", id=own, host="x", port=70000)
line.tell("egress.refused", id=own, host="\x1b]52;c;ZXZpbA==\x07\u202eevil", reason="\x1b[2J\nall is well")
line.tell("egress.refused", id=own, host="a.example", port=1, reason="r", suppressed=2**64 - 1)
line.tell("egress.refused", id=own)
for hosts in [None, 1, {}, [1, None, [], {}], [{"host": 1, "port": "x"}], [{"host": "y", "port": 0}]]:
    line.tell("egress.traffic", id=own, hosts=hosts)
line.tell("egress.traffic", id=others[0], hosts=[{"host": "blamed.example", "port": 1, "in": 1, "out": 1}])
line.tell("egress.closed", id=others[0], host="blamed.example", port=1)
line.tell("nonsense", id=own)
line.socket.sendall(pack([2, "egress.traffic", []]) + pack([2, "egress.traffic", [1, 2]]))
line.tell("egress.opened", id=own, host="good.example", port=443)
line.tell("egress.traffic", id=own, **{"in": 2**62, "out": 2**62}, hosts=[
    {"host": "good.example", "port": 443, "serial": 1, "in": 2**62, "out": 2**62}])
say("revoked", line.revoked("good.example"))
say("over its quota", line.ask("egress.decide", id=own, host="good.example", port=443))
open(base + "/over", "w").close()
time.sleep(1000)
