"""The stream of a session, exactly; see exact.sh.

An octet of OUTPUT is the low octet of its own position times an odd number; a
SCREEN says at which position it was taken, and so does a HISTORY.

usage: exact.py [TEST...]
"""
import contextlib
import os
import random
import select
import sys
import time

from brokerlib import (BUILD, Late, check, customer, finish, private_memory,
                       run, until)

PERIOD = bytes(i * 167 % 256 for i in range(256)) * 1025
MEMORY = 4 << 20


def octets(at, n):
    """N octets of the stream from the position AT on."""
    return PERIOD[at % 256:at % 256 + n]


class Source:
    """The customer: sends the stream as its credit allows, and screens."""

    def __init__(self, leg, window=200000):
        self.leg, self.window = leg, window
        self.at = 0             # position in the stream
        self.sent = 0           # octets that count for the credit
        self.rest = b''
        self.asked = 0          # SNAPSHOTs
        os.set_blocking(leg.p.stdin.fileno(), False)

    def put(self, header, payload):
        self.rest += b'%s +%d\n%s\n' % (header.encode(), len(payload),
                                        payload)
        self.sent += len(payload)

    def output(self, n):
        self.put('OUTPUT', octets(self.at, n))
        self.at += n

    def screen(self, gap=False, size=100, lines=0):
        if lines:
            self.put('HISTORY end', b'%d history' % self.at)
        text = b'%d screen ' % self.at
        self.put('SCREEN 80 24 end' + (' gap' if gap else ''),
                 text + b'.' * (size - len(text)))

    def skip(self, n):
        """Octets that never leave the customer: a screen for all replaces
        them."""
        self.at += n
        self.screen(gap=True)

    def room(self):
        acked = [int(f[1][0]) for f in self.leg.seen if f[0] == 'ACK']
        if acked:
            self.acked = acked[-1]
        return self.window - (self.sent - getattr(self, 'acked', 0))

    def turn(self):
        """Write what can be written, read what there is, answer."""
        with contextlib.suppress(BlockingIOError):
            n = os.write(self.leg.p.stdin.fileno(), self.rest)
            self.rest = self.rest[n:]
        self.room()
        self.leg.seen.clear()
        with contextlib.suppress(Late):
            while True:
                f = self.leg.read(0)
                check(f is not None, 'the customer was hung up on')
                if f[0] == 'SNAPSHOT':
                    self.asked += 1
                    self.screen(lines=int(f[1][0]) if f[1] else 0)

    def flush(self):
        until(lambda: self.turn() or not self.rest, 'all written')
        os.set_blocking(self.leg.p.stdin.fileno(), True)


class Viewer:
    """Checks every octet of what it gets."""

    def __init__(self, s, history):
        self.leg = s.consume('bob', hello='HELLO 1' + (
            ' history=%d' % history if history else ''))
        self.history = history
        self.leg.auto_ack = False
        self.at = None          # position; None: no screen yet
        self.got = self.screens = 0     # octets; screens
        self.set = b''

    def turn(self, frames):
        """Read some of what is there, and say so."""
        n = self.got
        with contextlib.suppress(Late):
            for _ in range(frames):
                f = self.leg.read(0)
                check(f is not None, 'a viewer was hung up on: ' +
                      self.leg.stderr())
                self.take(*f)
        if self.got > n:
            self.leg.send('ACK %d' % self.got)
        self.leg.seen.clear()

    def take(self, verb, args, payload):
        if verb not in ('OUTPUT', 'SCREEN', 'HISTORY'):
            check(verb in ('HELLO', 'PING', 'STATUS'), verb)
            return
        self.got += len(payload)
        if verb == 'OUTPUT':
            check(self.at is not None and not self.set, 'before a screen')
            check(payload == octets(self.at, len(payload)),
                  'not what follows %d' % self.at)
            self.at += len(payload)
            return
        self.set += payload
        if 'more' in args:
            return
        at, word = self.set.split(b' ')[:2]
        self.set = b''
        if verb == 'HISTORY':
            check(self.history and not self.screens and
                  word == b'history', 'a history')
            self.with_history = int(at)
            return
        if self.history and not self.screens:
            check(self.with_history == int(at), 'history of another screen')
        if self.at is not None and int(at) != self.at:
            check(int(at) > self.at and 'gap' in args,
                  'from %d to %s without a word' % (self.at, at))
        self.at = int(at)
        self.screens += 1


def small(s):
    if 'san' not in BUILD:
        n = private_memory(s.broker())
        check(n <= MEMORY, 'the broker has %d octets' % n)


def both_end(source, viewers):
    """Everybody gets to the last octet."""
    def there():
        source.turn()
        for v in viewers:
            v.turn(50)
        return not source.rest and all(v.at == source.at for v in viewers)
    until(there, 'all at the end: %r of %d' % (
        [v.at for v in viewers], source.at))


def test_random(relay):
    """Any order of output, screens, joining, stalling and leaving."""
    seed = int(os.environ.get('TUNL_TEST_SEED', random.randrange(1 << 30)))
    rnd = random.Random(seed)
    for conf in ({'TUNL_SCREEN_INTERVAL': '20ms', 'TUNL_SCREEN_KEEP': '50ms'},
                 {'TUNL_SCREEN_INTERVAL': '1s', 'TUNL_SCREEN_KEEP': '5s'}):
        try:
            randomly(relay.session(), rnd, conf)
        except Exception as e:
            e.args = ('%s (TUNL_TEST_SEED=%d)' % (e, seed),)
            raise


def randomly(s, rnd, conf):
    source = Source(customer(s, settings=conf))
    viewers = []
    for step in range(4000):
        what = rnd.random()
        if what < .5 and source.room() > 70000:
            source.output(rnd.choice((1, 30, 1000, 10000, 65536)))
        elif what < .55 and len(viewers) < 8:
            viewers.append(Viewer(s, rnd.choice((0, 0, 100, 2000))))
        elif what < .57 and viewers:
            v = viewers.pop(rnd.randrange(len(viewers)))
            v.leg.end()
            s.relay.legs.remove(v.leg)
        elif what < .58:
            source.skip(rnd.randrange(100000))
        elif what < .60:
            source.screen(gap=True, size=rnd.choice((20, 5000, 60000)))
        elif what < .601:
            select.select([source.leg.p.stdout], [], [], .06)
        source.turn()
        # Each reads as much as it likes; some stall for long.
        for i, v in enumerate(viewers):
            if rnd.random() < (1, .5, .1, .01, 1, .3, .05, 1)[i]:
                v.turn(rnd.choice((1, 3, 100)))
        if step % 200 == 0:
            small(s)
    both_end(source, viewers)
    check(sum(v.screens for v in viewers) > 0, 'no screens')
    source.flush()
    finish(s, source.leg)


def test_joiners_share(relay):
    """Who joins soon after another, or while others look, is not a question to
    the customer, and waits for nothing."""
    s = relay.session()
    source = Source(customer(s, settings={'TUNL_SCREEN_INTERVAL': '1h',
                                          'TUNL_SCREEN_KEEP': '1h'}))
    viewers = []
    for i in range(12):
        v = Viewer(s, (2000, 100, 0)[i % 3])
        viewers.append(v)
        both_end(source, viewers)
        # Its terminal's size: a screen for all, without a history.
        source.screen(gap=True)
        source.output(1000)
        if i % 4 == 3:          # nobody is there for a while
            both_end(source, viewers)
            for v in viewers:
                v.leg.end()
            viewers.clear()
            source.output(500)
            source.turn()
    check(source.asked == 1, 'asked %d times' % source.asked)
    # Until so much has followed that a new one is less.
    last = [Viewer(s, 0)]
    both_end(source, last)
    for _ in range(20):
        source.output(10000)
        both_end(source, last)
    late = Viewer(s, 0)
    for _ in range(20):
        source.turn()
        late.turn(10)
        select.select([late.leg.p.stdout], [], [], .005)
    check(late.at is None and source.asked == 1, 'it got an old one')
    source.screen()             # one that the customer sends by itself
    both_end(source, last + [late])
    source.flush()
    finish(s, source.leg)


def test_idle_memory(relay):
    """What is kept for joiners goes, and its memory with it."""
    s = relay.session()
    source = Source(customer(s, settings={'TUNL_SCREEN_KEEP': '200ms',
                                          'TUNL_HEARTBEAT': '100ms'}))
    v = Viewer(s, 2000)
    both_end(source, [v])
    for _ in range(2):
        source.screen(size=60000)
        source.screen(gap=True, size=60000)
        for _ in range(6):
            source.output(10000)
        both_end(source, [v])
        if 'san' not in BUILD:
            until(lambda: private_memory(s.broker()) <= 300 << 10,
                  'memory is given back')
    source.flush()
    finish(s, source.leg)


def test_stalled(relay):
    """One viewer reads nothing while 100 MB go by."""
    s = relay.session()
    source = Source(customer(s, settings={'TUNL_SCREEN_INTERVAL': '1s'}),
                    window=262144)
    good, stalled = Viewer(s, 0), Viewer(s, 0)
    both_end(source, [good, stalled])
    total, asked = 100 << 20, source.asked
    screens, looked = good.screens, time.monotonic()
    while source.at < total:
        # (what two Pythons can follow)
        while source.room() > 32768 and source.at - good.at < 160000:
            source.output(32768)
        source.turn()
        good.turn(50)
        if time.monotonic() > looked + .2:
            looked = time.monotonic()
            small(s)
        select.select([good.leg.p.stdout], [], [], 0 if source.rest else .01)
    both_end(source, [good])
    check(good.screens == screens, 'the one who reads was skipped')
    check(source.asked == asked, 'screens for one who reads nothing')
    before = stalled.got
    both_end(source, [good, stalled])
    small(s)
    check(stalled.screens == 2, 'it got %d screens' % stalled.screens)
    check(stalled.got < 1 << 20, 'it got %d octets' % stalled.got)
    check(stalled.got - before < 200000, '%d octets to catch up' % (
        stalled.got - before))
    source.flush()
    finish(s, source.leg)


if __name__ == '__main__':
    sys.exit(run(globals()))
