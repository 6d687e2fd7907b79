#!/usr/bin/env python3
"""legs - many sessions with a viewer each, without ssh.

usage: legs.py COUNT LAB API-URL

Runs `relay-share produce` and `relay-share consume` for each session as sshd
would, with a signed certificate and an engineer's key, and plays the customer
and the engineer: says hello, answers PING and SNAPSHOT, is idle otherwise.
Prints `ready` when all viewers have a screen, then one line a session that is
lost; at the end of file on stdin it ends the sessions and itself.
"""
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

LIMIT = 30              # seconds that anything may take
SCREEN = b'SCREEN 80 24 end +5\nhello\n'


class Leg:
    """One end of a leg of relay-share, and the frames it says."""

    def __init__(self, verb, env):
        here, there = os.pipe(), os.pipe()
        self.proc = subprocess.Popen(
            ['relay-share', verb], stdin=here[0], stdout=there[1],
            env=env)
        os.close(here[0])
        os.close(there[1])
        self.out, self.fd = here[1], there[0]
        self.buf = b''
        self.payload = 0        # octets of SCREEN, HISTORY and OUTPUT
        self.settled = False

    def say(self, frame):
        os.write(self.out, frame)

    def frames(self):
        """What was read, taken apart; None at the end of file."""
        data = os.read(self.fd, 65536)
        if not data:
            return None
        self.buf += data
        found = []
        while b'\n' in self.buf:
            header, _, rest = self.buf.partition(b'\n')
            words = header.decode().split()
            size = 0
            if words[-1].startswith('+'):
                size = int(words.pop()[1:])
                if len(rest) <= size:
                    break
                rest = rest[size + 1:]
            found.append((words, size))
            self.buf = rest
        return found

    def answer(self, words, size):
        if words[0] == 'PING':
            self.say(f'PONG {words[1]}\n'.encode())
        elif words[0] == 'SNAPSHOT':
            self.say(SCREEN)
        elif words[0] in ('SCREEN', 'HISTORY', 'OUTPUT'):
            self.payload += size
            self.say(f'ACK {self.payload}\n'.encode())
            self.settled = True


def call(url, method, path, body):
    request = urllib.request.Request(
        url + path, json.dumps(body).encode(), method=method,
        headers={'Content-Type': 'application/json'})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def environment(lab, auth, command):
    """What sshd would give to the forced command."""
    fd, path = tempfile.mkstemp(prefix='auth-', dir=lab + '/run')
    with open(fd, 'w') as f:
        f.write(f'publickey {auth}\n')
    return {'PATH': os.environ['PATH'], 'TUNL_CONF': lab + '/relay.conf',
            'SSH_USER_AUTH': path, 'SSH_ORIGINAL_COMMAND': command,
            'SSH_CONNECTION': '127.0.0.1 1 127.0.0.1 22'}


def open_session(lab, url, key):
    sid = call(url, 'POST', '/api/v1/pending', {'ad_hoc': True})['id']
    cert = call(url, 'POST', '/api/v1/sign',
                {'public_key': key, 'session_id': sid})['certificate']
    customer = Leg('produce', environment(
        lab, ' '.join(cert.split()[:2]),
        f'linbit-tunl/1 id={sid} host=bench ips=10.0.0.1 nets=10.0.0.0/8 '
        'dns=10.0.0.2 mode=share perm=CONFIRM'))
    customer.say(b'HELLO 1 tmux=3.3a\nSIZE 80 24\nPERM CONFIRM\n')
    return sid, customer


def join(lab, key, sid):
    viewer = Leg('support', environment(lab, key, f'consume {sid}'))
    viewer.say(b'HELLO 1\n')
    return viewer


def serve(sel, seconds, awaited=None):
    """Answer what comes for a while, or until AWAITED was heard.

    Returns false if stdin is at its end.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in sel.select(end - time.monotonic()):
            if key.data is None:
                return False
            found = key.data.frames()
            if found is None:
                sel.unregister(key.fd)
                print('a session was lost', flush=True)
                continue
            for words, size in found:
                key.data.answer(words, size)
            if found and key.data is awaited:
                return True
    return True


def main():
    count, lab, url = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    # relay-share signals its parent to end a connection
    signal.signal(signal.SIGTERM, lambda signo, frame: None)
    with open(lab + '/keys/support.pub') as f:
        key = ' '.join(f.read().split()[:2])
    sel = selectors.DefaultSelector()
    customers, viewers = [], []
    for _ in range(count):
        sid, customer = open_session(lab, url, key)
        customers.append(customer)
        sel.register(customer.fd, selectors.EVENT_READ, customer)
        serve(sel, LIMIT, customer)     # the broker is there
        viewer = join(lab, key, sid)
        viewers.append(viewer)
        sel.register(viewer.fd, selectors.EVENT_READ, viewer)
    end = time.monotonic() + LIMIT
    while not all(viewer.settled for viewer in viewers):
        serve(sel, 1)
        if time.monotonic() > end:
            sys.exit('a viewer gets no screen')
    print('ready', flush=True)
    sel.register(0, selectors.EVENT_READ, None)
    while serve(sel, LIMIT):
        pass
    for customer in customers:
        customer.say(b'BYE\n')
    for leg in customers + viewers:
        leg.proc.wait()


main()
