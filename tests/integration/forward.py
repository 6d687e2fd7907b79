#!/usr/bin/env python3
"""forward.py - see forward.sh.  What is asserted of time is a lower bound."""
import os
import random
import select
import socket
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get('TUNL_BUILD', os.path.join(HERE, '../../build'))
FORWARD = os.path.join(BUILD, 'unit/forward')
LIMIT = 20              # seconds


class Link:
    """A forwarder, and the server behind it."""

    def __init__(self, *commands):
        self.server = socket.create_server(('127.0.0.1', 0))
        self.server.settimeout(LIMIT)
        self.proc = subprocess.Popen(
            [FORWARD, '-s', '7', '127.0.0.1',
             str(self.server.getsockname()[1]), *commands],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.proc.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.proc.stdin.close()
        assert self.proc.wait(LIMIT) == 0
        self.proc.stdout.close()
        self.server.close()

    def connect(self):
        client = socket.create_connection(('127.0.0.1', self.port), LIMIT)
        server = self.server.accept()[0]
        server.settimeout(LIMIT)
        return client, server

    def ask(self, line):
        self.proc.stdin.write(line + '\n')
        self.proc.stdin.flush()
        return self.proc.stdout.readline().strip()

    def tell(self, line):
        answer = self.ask(line)
        assert answer == 'ok', (line, answer)

    def stats(self):
        words = self.ask('stats').split()
        return dict(zip(words[::2], map(int, words[1::2])))


def take(sock, count):
    data = b''
    while len(data) < count:
        more = sock.recv(65536)
        assert more, f'the end after {len(data)} of {count}'
        data += more
    return data


def is_silent(sock, seconds=0.3):
    return not select.select([sock], [], [], seconds)[0]


def carries_everything():
    """Both ways at once, through every setting, and each end by itself."""
    rng = random.Random(1)
    with Link('jitter 20', 'loss 20', 'delay up 5', 'rate 8000000') as link:
        client, server = link.connect()
        sent = [rng.randbytes(200000), rng.randbytes(300000)]
        for sock, data in ((client, sent[0]), (server, sent[1])):
            def send(sock=sock, data=data):
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
            threading.Thread(target=send, daemon=True).start()
        assert take(server, len(sent[0])) == sent[0]
        assert take(client, len(sent[1])) == sent[1]
        assert client.recv(1) == b'' and server.recv(1) == b''
        stats = link.stats()
        assert stats['up'] == 200000 and stats['down'] == 300000, stats
        assert stats['open'] == 0, stats


def keeps_rate_and_delay():
    with Link('rate up 80000', 'delay down 200', 'queue up 1000') as link:
        client, server = link.connect()
        begin = time.monotonic()
        server.sendall(b'x')
        take(client, 1)
        assert time.monotonic() - begin >= 0.199
        begin = time.monotonic()
        client.sendall(bytes(10000))
        take(server, 10000)
        assert time.monotonic() - begin >= 0.9, 'faster than its rate'


def is_felt_by_the_sender():
    """What is not carried waits at the sender, not in the forwarder."""
    with Link('rate up 8000') as link:
        client, server = link.connect()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client.setblocking(False)
        sent = 0
        while select.select([], [client], [], 0.3)[1]:
            try:
                sent += client.send(bytes(1024))
            except BlockingIOError:
                pass
        assert sent < 40000, sent


def cut_and_healed():
    with Link() as link:
        client, server = link.connect()
        link.tell('cut')
        client.sendall(b'late')
        server.sendall(b'late')
        assert is_silent(server) and is_silent(client)
        link.tell('heal up')
        assert take(server, 4) == b'late'
        assert is_silent(client)
        link.tell('heal')
        assert take(client, 4) == b'late'
        client.close()
        assert server.recv(1) == b''


def dropped():
    with Link() as link:
        pairs = [link.connect() for _ in range(3)]
        assert link.stats()['open'] == 3
        link.tell('drop')
        for sock in [s for pair in pairs for s in pair]:
            try:
                assert sock.recv(1), 'an end, not a reset'
            except ConnectionResetError:
                pass
        assert link.stats()['open'] == 0
        client, server = link.connect()         # and goes on
        client.sendall(b'x')
        assert take(server, 1) == b'x'


def refused_words():
    with Link() as link:
        for line in ('', 'rate', 'rate x', 'rate up', 'rate up 1 2', 'loss 91',
                     'cut sideways', 'queue 0', 'delay -1', 'drop up',
                     'stats up', 'rate up down 1'):
            assert link.ask(line) == 'no such command', line


for test in (carries_everything, keeps_rate_and_delay, is_felt_by_the_sender,
             cut_and_healed, dropped, refused_words):
    try:
        test()
    except (AssertionError, OSError) as e:
        raise SystemExit(f'forward.py: {test.__name__}: {e!r}') from e
