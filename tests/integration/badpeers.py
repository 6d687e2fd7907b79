"""What slow and hostile peers do to a session; see badpeers.sh.

usage: badpeers.py [TEST...]
"""
import contextlib
import os
import select
import sys
import threading
import time

from brokerlib import (BUILD, STREAM, Late, check, customer, finish, frame,
                       private_memory, run, screen, unread, until, viewer)

MEMORY = 4 << 20
SHORT = {'TUNL_HELLO_TIMEOUT': '500ms'}    # to read the last words
ACTS = 256              # lines that one peer may have logged in 250 ms


class Flood:
    """Writes to a leg, from a thread of its own, DATA again and again: TIMES
    times, or until it is stopped or the leg hangs up.  It ends at the end of
    DATA, if that is taken soon."""

    def __init__(self, leg, data, times=1 << 40):
        self.leg, self.data, self.times = leg, data, times
        self.done = 0
        self.over = False
        os.set_blocking(leg.p.stdin.fileno(), False)
        self.thread = threading.Thread(target=self.run)

    def run(self):
        fd, rest = self.leg.p.stdin.fileno(), b''
        with contextlib.suppress(OSError, ValueError):
            while (rest or self.times) and (
                    not self.over or rest and time.monotonic() < self.over):
                if not rest:
                    rest = self.data
                    self.times -= 1
                try:
                    n = os.write(fd, rest)
                    self.done += n
                    rest = rest[n:]
                except BlockingIOError:
                    select.select([], [fd], [], .02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = time.monotonic() + .2
        self.thread.join()
        os.set_blocking(self.leg.p.stdin.fileno(), True)


def times(data, size=65536):
    """DATA as often as it fits into SIZE octets."""
    return data * (size // len(data))


def small(s):
    if 'san' not in BUILD:
        n = private_memory(s.broker())
        check(n <= MEMORY, 'the broker has %d octets' % n)


def served(s, v, rounds=20, **_):
    """The loop goes on serving V, and the broker is small."""
    v.count = getattr(v, 'count', 0)
    for _ in range(rounds):
        v.count += 1
        v.send('PING %d' % v.count)
        v.expect('PONG', lambda a, p: a == [str(v.count)])
        small(s)


def typed(v, c, text):
    """What V types arrives."""
    v.send('KEYS main', text)
    c.expect('KEYS', lambda a, p: p.decode() == text)


def answer(c, text, *viewers):
    """The customer answers what it is asked until VIEWERS have that screen."""
    def there():
        pump_all(c, *viewers)
        if any(f[0] == 'SNAPSHOT' for f in c.seen):
            c.seen[:] = [f for f in c.seen if f[0] != 'SNAPSHOT']
            screen(c, text or 'asked')
        return all(any(f[0] == 'SCREEN' and f[1][2] == 'end' and
                       text in (None, f[2].decode())
                       for f in v.seen) for v in viewers)
    until(there, 'a screen')


def join(s, c):
    """A viewer that has a screen, be it one that others were sent."""
    v = s.consume('bob')
    v.expect('HELLO')
    answer(c, None, v)
    return v


def healed(s, *viewers):
    """A new customer's leg; the viewers are there."""
    c = customer(s)
    answer(c, 'healed', *viewers)
    for v in viewers:
        v.seen.clear()
    return c


def swallow(leg, limit=.05):
    with contextlib.suppress(Late):
        while leg.read(limit) is not None:
            pass


def still_well(s, c, v, text):
    """The stream goes on to its end for a good viewer."""
    c.send('OUTPUT', text)
    v.expect('OUTPUT', lambda a, p: p.decode().endswith(text))
    served(s, v)
    typed(v, c, text)


# ---- viewers ----------------------------------------------------------------

def test_lying_acks(relay):
    """An ACK that cannot be true ends that viewer, and nobody else."""
    s = relay.session()
    c = customer(s)
    good = viewer(s, c)
    for lie in ('1000000', '9223372036854775807', '6', '4', '0'):
        bad = viewer(s, c, 'hello', key='bob')
        bad.send('PING 1')
        bad.expect('PONG')      # its true ACK of 5 octets has been taken
        bad.send('ACK ' + lie)
        f = bad.expect('ERROR')
        check(b'ACK' in f[2], repr(f))
        bad.until_end()
        check(bad.status() == 1, 'status')
        still_well(s, c, good, 'after ' + lie)
    for lie in ('18446744073709551616', '-1', '05', 'x'):
        bad = viewer(s, c, 'hello', key='bob')
        bad.send('ACK ' + lie)
        bad.expect('ERROR')
        bad.until_end()
    # The same again and again is no lie.
    bad = viewer(s, c, 'hello', key='bob')
    with Flood(bad, times(b'ACK 5\n'), 100):
        served(s, good)
        until(lambda: not threading.active_count() > 1, 'all of them taken')
    served(s, bad)
    still_well(s, c, good, 'after all')
    finish(s, c)


def test_reads_little(relay):
    """One who reads nothing, one who reads an octet now and then."""
    s = relay.session()
    c = customer(s, settings=SHORT)
    good = viewer(s, c)
    none = viewer(s, c, key='bob')
    few = viewer(s, c, key='bob')
    few.auto_ack = False
    text = times(b'0123456789abcdef')
    for i in range(50):
        c.send('OUTPUT', text)
        good.seen.clear()
        n = good.acked + len(text)
        while good.acked < n:
            good.read()
        os.read(few.p.stdout.fileno(), 1)
        small(s)
    check(not any(f[0] == 'SCREEN' for f in good.seen), 'it was skipped')
    # Nor does it harm to be asked, in vain, for answers.
    with Flood(none, times(b'PING 7\n')) as flood:
        until(lambda: flood.done > 2 << 20 or stuck(flood), 'stuck')
        served(s, good)
        still_well(s, c, good, 'beside it')
    few.send('PING 1')
    still_well(s, c, good, 'to the end')
    # When it reads again it has all its answers.
    swallow(none)
    check(none.p.poll() is None, 'it was put out')
    check(sum(f[0] == 'PONG' for f in none.seen) > 10000, 'few answers')
    finish(s, c)


def stuck(flood):
    """Nothing is taken of it any more."""
    return not select.select([], [flood.leg.p.stdin], [], .1)[1]


def test_viewer_floods(relay):
    """Whatever a viewer repeats without end, the others are served; what is
    written down of it is bounded."""
    s = relay.session()
    c = customer(s)
    good = viewer(s, c)
    floods = [b'PING 1\n', b'PONG 1\n', b'ACK 5\n', frame('KEYS main', b''),
              frame('KEYS main', b'x'), b'RESIZE 80 24\n', b'ZOOM\n',
              b'RESIZE 80 24\nRESIZE 90 30\n', b'RESIZE 100 50 override\n',
              b'NO_SUCH_VERB\n', frame('STATUS', b'hello'),
              b'SNAPSHOT\n'.replace(b'SNAPSHOT', b'FUTURE')]
    for data in floods:
        bad = viewer(s, c, 'hello', key='bob')
        lines, began = s.log().count('\n'), time.monotonic()
        c.seen.clear()
        with Flood(bad, times(data)) as flood:
            until(lambda: flood.done > 3 << 20 or
                  time.monotonic() > began + .25, 'a lot of it')
            for i in range(3):
                c.send('OUTPUT', 'beside %r %d' % (data, i))
                good.expect('OUTPUT', lambda a, p: p.decode().endswith(
                    'beside %r %d' % (data, i)))
                served(s, good, 5)
                typed(good, c, 'k%d' % i)
        lines = s.log().count('\n') - lines
        most = ((time.monotonic() - began) * 4 + 3) * ACTS + 200
        check(lines < most, '%r: %d lines in the log' % (data, lines))
        bad.end()
        relay.legs.remove(bad)
        swallow(c, .01)
    still_well(s, c, good, 'at last')
    finish(s, c)


def test_chat_floods(relay):
    """The same for the chat legs."""
    s = relay.session()
    c = customer(s, settings=SHORT)
    good = viewer(s, c)
    idle = s.consume('bob', '--chat')      # never read
    bad = s.consume('bob', '--chat')
    bad.expect('PERM')
    lines = b''.join(frame('KEYS chat 0000000b.%d' % i, 'x' * 4000)
                     for i in range(200))
    with Flood(bad, lines, 1), Flood(idle, times(b'PING 1\n')):
        for i in range(20):
            swallow(c, .01)
            for f in c.seen:
                if f[0] == 'SUPPORT_CHAT':
                    c.send('CHAT_ACK ' + f[1][0])
            c.seen.clear()
            served(s, good, 5)
    still_well(s, c, good, 'beside it')
    finish(s, c)


def test_storm(relay):
    """Viewers that come and go all the time cause few questions."""
    s = relay.session()
    c = customer(s, settings={'TUNL_SCREEN_INTERVAL': '500ms',
                              'TUNL_SCREEN_KEEP': '5s'})
    good = viewer(s, c)
    began = time.monotonic()
    asked = 0
    for i in range(60):
        with contextlib.suppress(Late):
            while True:
                f = c.read(0)
                if f[0] == 'SNAPSHOT':
                    asked += 1
                    screen(c, 'storm')
        leg = s.consume('bob', hello='HELLO 1 history=%d' % (i * 10))
        if i % 3:
            leg.expect('HELLO')
        leg.end()
        relay.legs.remove(leg)
    most = (time.monotonic() - began) / .5 + 2
    check(asked <= most, 'asked for %d screens' % asked)
    still_well(s, c, good, 'after it')
    finish(s, c)


# ---- customers --------------------------------------------------------------

def test_sizes(relay):
    """Sizes out of bounds end that leg; the session waits for a better one."""
    s = relay.session()
    c = customer(s)
    good = viewer(s, c)
    for bad in ('SIZE 0 0', 'SIZE 0 24', 'SIZE 10000 24', 'SIZE 80 65536',
                'SIZE 80 18446744073709551616', 'SCREEN 0 24 end +0\n',
                'SCREEN 80 10000 end +0\n', 'SIZE 80'):
        c.send(bad)
        c.expect('ERROR')
        c.until_end()
        c = customer(s)
        c.expect('SNAPSHOT')
        screen(c, 'anew')
        good.expect('SCREEN', lambda a, p: p == b'anew')
        served(s, good, 2)
    c.send('SIZE 9999 9999')
    screen(c, 'vast', 9999, 9999, gap=True)
    good.expect('SCREEN', lambda a, p: a[:2] == ['9999', '9999'])
    still_well(s, c, good, 'after it')
    finish(s, c)


def test_endless_sets(relay):
    """Sets that never end, and sets without a question."""
    s = relay.session()
    for data in (frame('SCREEN 80 24 more', b'x' * 16384),
                 frame('HISTORY more', b'x' * 16384)):
        c = customer(s)
        good = viewer(s, c)
        with Flood(c, data, 200):
            c.expect('ERROR', lambda a, p: b'more than 1 MiB' in p)
            served(s, good)
        good.end()
        c.until_end()
    c = customer(s)
    good = viewer(s, c)
    # Without a payload it grows by nothing, but holds up what follows.
    with Flood(c, times(b'SCREEN 80 24 more +0\n\n'), 200):
        served(s, good)
    c.send('SCREEN 80 24 end gap')
    c.expect('ERROR')
    c.until_end()
    c = customer(s)
    c.expect('SNAPSHOT')
    screen(c, 'first')
    # Nobody asked for these.
    with Flood(c, frame('HISTORY end', b'h' * 65536) +
               frame('OUTPUT', b'o'), 100):
        served(s, good)
    good.seen.clear()
    still_well(s, c, good, 'beside it')
    check(not any(f[0] == 'HISTORY' for f in good.seen), 'history unasked')
    finish(s, c)


def test_screens_without_end(relay):
    """Screen after screen, as fast as it goes, for viewers who take them and
    viewers who stopped in the middle of one."""
    s = relay.session()
    c = customer(s)
    good = viewer(s, c)
    chat = s.consume(args='--chat')
    slow = []
    for i in range(12):
        v = join(s, c)
        v.auto_ack = False
        slow.append(v)
        # Each holds another one, and has half of it.
        c.send('SCREEN 80 24 more gap', b'%02d' % i * 32768)
        for _ in range(5):
            c.send('SCREEN 80 24 more gap', b'%02d' % i * 32768)
        c.send('SCREEN 80 24 end gap', 'end %d' % i)
        good.expect('SCREEN', lambda a, p:
                    p.decode().endswith('end %d' % i))
        served(s, chat, 2)
    check(any(v.p.poll() is not None for v in slow), 'nobody had to go')
    for data in (times(b'SCREEN 80 24 end gap +0\n\n'),
                 times(b'SCREEN 80 24 end +0\n\n'),
                 times(frame('SCREEN 80 24 end gap', b'x' * 100)),
                 frame('SCREEN 80 24 end gap', b'y' * 65536),
                 frame('SCREEN 80 24 end', b'z' * 65536)):
        with Flood(c, data) as flood:
            until(lambda: flood.done > 4 << 20 and pump_all(good, chat),
                  'much of it')
            served(s, chat, 5)
            good.send('KEYS main', 'now')
            c.expect('KEYS', lambda a, p: p == b'now')
        good.seen.clear()
        c.send('OUTPUT', 'whole')
        end(c)
        c = healed(s, good)
    still_well(s, c, good, 'at last')
    finish(s, c)


def pump_all(*legs):
    for leg in legs:
        for _ in range(200):
            try:
                leg.read(0)
            except Late:
                break
        del leg.seen[:-50]
    return True


def end(c):
    """What is still in its pipe is of no use any more."""
    c.end()


def test_empty_frames(relay):
    """Frames of nothing by the million."""
    s = relay.session()
    c = customer(s)
    good = viewer(s, c)
    more = [viewer(s, c, key='bob') for _ in range(5)]
    for data in (b'OUTPUT +0\n\n', b'PONG 1\n', b'PING 1\n', b'SIZE 80 24\n',
                 b'PERM CONFIRM\n', b'VIEWER 77 ro\n', b'FUTURE\n',
                 b'VIEWER 2 ro\nVIEWER 2 rw\n',
                 b'CHAT_ACK 00000000.1\n', b'RENEW +1\nx\n',
                 frame('STATUS', b'n' * 300),
                 frame('CUSTOMER_CHAT 00000001.1', b'again')):
        lines, began = s.log().count('\n'), time.monotonic()
        with Flood(c, times(data)) as flood:
            until(lambda: (flood.done > 11 << 20 or
                           time.monotonic() > began + .3) and
                  pump_all(c, good, *more), 'a million of them')
            served(s, good, 5)
        lines = s.log().count('\n') - lines
        most = ((time.monotonic() - began) * 4 + 3) * ACTS + 200
        check(lines < most, '%r: %d lines in the log' % (data, lines))
        end(c)
        c = healed(s, good, *more)
    still_well(s, c, good, 'at last')
    finish(s, c)


def test_every_split(relay):
    """Frames that arrive octet by octet, and in any two pieces."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    data = (frame('OUTPUT', b'one') + b'SIZE 90 30\n' +
            frame('SCREEN 90 30 more gap', b'sc') +
            frame('SCREEN 90 30 end gap', b'reen') + frame('OUTPUT', b'') +
            frame('OUTPUT', b'\n+3\nOUTPUT +3\n') + b'PING 5\n')
    want = ['one', '', 'screen', '\n+3\nOUTPUT +3\n']

    def arrives():
        c.expect('PONG')
        got = []
        while len(got) < len(want):
            f = v.read()
            if f[0] == 'SIZE':
                got.append('')
            elif f[0] in STREAM:
                got.append(f[2].decode())
        check(got == want, repr(got))
    for i in range(1, len(data)):
        c.raw(data[:i])
        until(lambda: unread(c.p.stdin) == 0, 'it has been read')
        c.raw(data[i:])
        arrives()
    for octet in data:
        c.raw(bytes([octet]))
    arrives()
    finish(s, c)


# ---- order ------------------------------------------------------------------

def test_keys_first(relay):
    """Keystrokes, PING, STATUS and chat do not wait for output, however much
    of it is queued for a viewer without credit, and however fast it comes."""
    s = relay.session()
    c = customer(s)
    slow = viewer(s, c, args='--client 00000000000000aa')
    chat = s.consume(args='--client 00000000000000aa --chat')
    chat.expect('PERM')
    slow.auto_ack = False
    with Flood(c, frame('OUTPUT', b'o' * 16000)) as flood:
        until(lambda: flood.done > 4 << 20, 'a flood')
        for i in range(30):
            before = slow.acked
            typed(slow, c, 'key %d' % i)
            slow.send('PING %d' % (100 + i))
            slow.expect('PONG', lambda a, p: a == [str(100 + i)])
            check(slow.acked - before <= 2 * 32768, 'much came before PONG')
            chat.send('KEYS chat 0000000c.%d' % i, 'hello')
            chat.expect('CHAT_ACK')
            c.expect('SUPPORT_CHAT', lambda a, p:
                     a[0] == '0000000c.%d' % i)
            c.seen.clear()
        at = flood.done
        until(lambda: flood.done > at, 'it goes on')
        check(slow.acked <= 16384 + 10, 'more than its credit')
    end(c)
    # Its notice comes before what is still owed to it of the stream.
    f = slow.expect('STATUS', lambda a, p: b'link is lost' in p)
    check(f is not None, 'a notice')
    c = customer(s)
    finish(s, c)


def test_small_bites(relay):
    """A customer that reads a paste in small bites gets it whole."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    c.piece = 4096
    text = bytes(os.urandom(1 << 20))
    data = b''.join(frame('KEYS main', text[i:i + 4000])
                    for i in range(0, len(text), 4000))
    got = bytearray()
    with Flood(v, data, 1):
        while len(got) < len(text):
            got += c.expect('KEYS')[2]
            c.seen.clear()
            if len(got) % 40000 == 0:
                small(s)
    check(bytes(got) == text, 'not what was pasted')
    finish(s, c)


def test_many_keys(relay):
    """Two who type, one of them without end: the other's keys come through."""
    s = relay.session()
    c = customer(s)
    good = viewer(s, c)
    bad = viewer(s, c, key='bob')
    with Flood(bad, times(frame('KEYS main', b'y' * 500))):
        for i in range(5):
            typed(good, c, 'mine %d' % i)
            c.seen.clear()
    finish(s, c)


if __name__ == '__main__':
    sys.exit(run(globals()))
