"""What a broker knows survives it; see brokerdeath.sh.

usage: brokerdeath.py [TEST...]
"""
import contextlib
import os
import sys

from brokerlib import check, customer, finish, run, until, viewer

ALICE = '--client 00000000000000aa --name Alice'
BOB = '--client 00000000000000bb --name Bob'
JUNK = b'linbit-tunl-state 1\nperm CONFIRM\nnext 3\nkey SHA256:'


def gone_with(s, *legs):
    """The broker is killed: the legs say so, and that it may be tried again."""
    s.kill_broker()
    for leg in legs:
        leg.until_end()
        check(leg.status() == 75, 'status %d' % leg.status())
        check(leg.stderr().count('\n') == 1, leg.stderr())


def path(s, name=''):
    return s.relay.path('data/sessions/%s.state%s' % (s.sid, name))


def write(s, text):
    with open(path(s), 'wb') as f:
        f.write(text)


def shut_out(leg):
    leg.expect('CLOSED', lambda a, p: a == ['kicked'])
    check(leg.status() == 1, 'status of one who was put out')


def test_roles(relay):
    """Put out stays out, read-only stays read-only; also if that is all that
    the broker lived for."""
    s = relay.session()
    c = customer(s)
    a = viewer(s, c, args=ALICE)
    b = viewer(s, c, 'bob', key='bob', args=BOB)
    c.info(lambda i: len(i['viewers']) == 2)
    c.send('VIEWER 1 ro')
    c.send('VIEWER 2 kick')
    b.expect('CLOSED', lambda x, p: x == ['kicked'])
    gone_with(s, c, a)
    for _ in range(3):
        check('kicked\n' in s.state() and ' ro\n' in s.state(), s.state())
        c = customer(s)
        shut_out(s.consume('bob', BOB))
        shut_out(s.consume('bob', '--client 00000000000000cc --read-only'))
        a = viewer(s, c, args=ALICE)
        a.send('KEYS main', 'x')
        check(b'read-only' in a.expect('STATUS')[2], 'Alice may type')
        gone_with(s, c, a)
    c = customer(s)
    a = viewer(s, c, args=ALICE)
    c.send('VIEWER 1 rw')
    a.expect('STATUS', lambda x, p: b'lets you type' in p)
    gone_with(s, c, a)
    c = customer(s)
    a = viewer(s, c, args=ALICE)
    a.send('KEYS main', 'at last')
    c.expect('KEYS', lambda x, p: p == b'at last')
    check(not any(f[2] == b'x' for f in c.seen), 'typed read-only')
    # A number that was given out is not another's, not even of one put out.
    c.send('VIEWER 2 rw')
    shut_out(s.consume('bob', BOB))
    check(s.log().count('\tstart\tprocess') == 6, 'brokers')
    check(s.log().count('\tstate\ttaken up') == 5, 'taken up')
    finish(s, c)


def test_before_it_acts(relay):
    """It is on the disk before anybody notices."""
    s = relay.session()
    c = customer(s, settings={'TUNL_STATE_INTERVAL': '1h'})
    a = viewer(s, c, args=ALICE)
    for grade in ('ro', 'rw', 'ro'):
        c.send('VIEWER 1 ' + grade)
        a.expect('STATUS')
        check(' %s\n' % grade in s.state(), s.state())
    c.send('VIEWER 1 kick')
    a.expect('CLOSED')
    check(' kicked\n' in s.state(), s.state())
    log = s.log()
    check(log.index('\tviewer\t1 kick\n') > 0, 'not in the audit log')
    finish(s, c)


def test_numbers(relay):
    """Both legs of a join get their number back, whoever comes first."""
    s = relay.session()
    c = customer(s)
    a = viewer(s, c, args=ALICE)
    chat = s.consume('bob', BOB + ' --chat')
    chat.info(lambda i: len(i['viewers']) == 2)
    until(lambda: 'viewer 2 ' in s.state(), 'written down')
    gone_with(s, c, a, chat)
    c = customer(s)
    new = s.consume(args='--chat --name New')
    new.info(lambda i: [v['n'] for v in i['viewers']] == [3])
    chat = s.consume('bob', BOB + ' --chat')
    b = viewer(s, c, key='bob', args=BOB)
    a = viewer(s, c, args=ALICE)
    info = new.info(lambda i: len(i['viewers']) == 3)
    check({v['name']: v['n'] for v in info['viewers']} ==
          {'Alice': 1, 'Bob': 2, 'New': 3}, repr(info))
    check(b.p.poll() is None and a.p.poll() is None, 'they are there')
    # One who is just coming back can be put out by that number.
    gone_with(s, c, a, b, chat, new)
    c = customer(s)
    c.send('VIEWER 2 kick')
    c.send('PING 9')
    c.expect('PONG')
    shut_out(s.consume('bob', BOB))
    finish(s, c)


def test_chat(relay):
    """No line is lost, and none is told twice that was acknowledged."""
    s = relay.session()
    c = customer(s)
    chat = s.consume(args=ALICE + ' --chat')
    chat.expect('PERM')
    for i in range(1, 5):
        chat.send('KEYS chat 0000000a.%d' % i, 'line %d' % i)
        c.expect('SUPPORT_CHAT')
        if i in (1, 3):
            c.send('CHAT_ACK 0000000a.%d' % i)
    until(lambda: 'owed 0000000a.2\nowed 0000000a.4\nend' in s.state(),
          'written down')
    # What it writes after that is in SID.chat alone.
    chat.send('KEYS chat 0000000a.5', 'line 5')
    chat.expect('CHAT_ACK', lambda a, p: a == ['0000000a.5'])
    gone_with(s, c, chat)
    c = s.produce()
    ids = [c.expect('SUPPORT_CHAT')[1][0] for _ in range(3)]
    check(ids == ['0000000a.2', '0000000a.4', '0000000a.5'], repr(ids))
    for i in ids:
        c.send('CHAT_ACK ' + i)
    until(lambda: 'owed' not in s.state(), 'written down')
    gone_with(s, c)
    c = customer(s)
    c.send('PING 1')
    c.expect('PONG')
    check(not any(f[0] == 'SUPPORT_CHAT' for f in c.seen), 'told again')
    late = s.consume('bob', '--chat')
    for i in range(1, 6):
        late.expect('SUPPORT_CHAT', lambda a, p: a[0] == '0000000a.%d' % i)
    finish(s, c)


def test_ending(relay):
    """An end that was asked for, or had come, is not forgotten."""
    s = relay.session()
    c = customer(s)
    leg = s.support('close ' + s.sid)
    c.expect('TERMINATE')
    until(lambda: 'terminating\n' in s.state(), 'written down')
    gone_with(s, c, leg)
    c = customer(s)
    c.expect('TERMINATE')
    c.send('BYE')
    c.expect('CLOSED', lambda a, p: a == ['terminated'])
    c.until_end()
    s.gone()
    # Over, but the API does not know: the next one tells it.
    s = relay.session()
    c = customer(s)
    until(lambda: relay.record(s.sid).get('status') == 'active', 'active')
    relay.stop_api()
    c.send('BYE')
    c.expect('CLOSED')
    until(lambda: 'over ended\n' in s.state(), 'written down')
    s.kill_broker()
    c = s.produce(hello=None)
    c.expect('CLOSED', lambda a, p: a == ['ended'])
    relay.start_api()
    until(lambda: relay.record(s.sid).get('status') == 'closed', 'closed')
    until(lambda: s.files() == [] and not os.path.exists(path(s)),
          'nothing is left')


def test_broken(relay):
    """A state that cannot be read: moved aside, said, nobody may type."""
    for junk in (b'', JUNK, b'\0' * 20000, b'x' * 100000, None):
        s = relay.session()
        c = customer(s)
        a = viewer(s, c, args=ALICE)
        until(lambda: os.path.exists(path(s)), 'written')
        c.send('VIEWER 1 kick')
        a.expect('CLOSED')
        gone_with(s, c)
        if junk is None:
            os.unlink(path(s))
            os.mkdir(path(s))
        else:
            write(s, junk)
        with contextlib.suppress(FileExistsError):
            # (what a broker killed while it wrote has left)
            os.mkdir(relay.path('data/sessions/.other.state.1'))
        with open(relay.path('data/sessions/.%s.state.99999' % s.sid),
                  'w') as f:
            f.write('half')
        c = customer(s)
        c.expect('STATUS', lambda x, p: b'lost its notes' in p)
        check('\tstate\tlost (' in s.log(), 'not in the log')
        check(os.path.exists(path(s, '.broken')), 'not moved aside')
        check('wary\n' in s.state(), s.state())
        # She is back, as nobody knows; but she may not type, nor may others.
        a = viewer(s, c, args=ALICE)
        a.send('KEYS main', 'x')
        a.expect('STATUS', lambda x, p: b'read-only' in p)
        gone_with(s, c, a)
        c = customer(s)
        a = viewer(s, c, args=ALICE)
        a.send('KEYS main', 'x')
        a.expect('STATUS', lambda x, p: b'read-only' in p)
        c.send('VIEWER 1 rw')
        a.expect('STATUS', lambda x, p: b'lets you type' in p)
        a.send('KEYS main', 'y')
        c.expect('KEYS', lambda x, p: p == b'y')
        check(sum(f[0] == 'STATUS' and b'lost its notes' in f[2]
                  for f in c.seen) == 0, 'told again')
        finish(s, c)
        check(not os.path.exists(relay.path(
            'data/sessions/.%s.state.99999' % s.sid)), 'a rest is left')
        if junk is None:
            os.rmdir(path(s, '.broken'))
        else:
            os.unlink(path(s, '.broken'))
    os.rmdir(relay.path('data/sessions/.other.state.1'))


def test_cannot_write(relay):
    """Said once; what the customer decides counts all the same."""
    s = relay.session()
    c = customer(s, settings={'TUNL_DATA_DIR': '/proc'})
    a = viewer(s, c, args=ALICE)
    c.expect('STATUS', lambda x, p: b'cannot write down' in p)
    c.send('VIEWER 1 ro')
    a.expect('STATUS', lambda x, p: b'made you read-only' in p)
    c.send('VIEWER 1 kick')
    a.expect('CLOSED', lambda x, p: x == ['kicked'])
    shut_out(s.consume(args=ALICE))
    c.send('PING 1')
    c.expect('PONG')
    check(sum(f[0] == 'STATUS' and b'cannot write down' in f[2]
              for f in c.seen) == 1, 'said once')
    finish(s, c)


def test_few_writes(relay):
    """However much happens, the file is written once an interval."""
    s = relay.session()
    c = customer(s, settings={'TUNL_STATE_INTERVAL': '300ms'})
    until(lambda: s.files(), 'it is there')
    seen = set()

    def look():
        with contextlib.suppress(FileNotFoundError):
            seen.add(os.stat(path(s)).st_ino)
    chat = s.consume(args=ALICE + ' --chat')
    chat.expect('PERM')
    for i in range(200):
        chat.send('KEYS chat 0000000a.%d' % i, 'x')
        c.expect('SUPPORT_CHAT')
        c.send('CHAT_ACK 0000000a.%d' % i)
        look()
    until(lambda: 'chat 0000000a.199\n' in s.state(), 'the last one')
    check('owed' not in s.state(), s.state())
    look()
    check(len(seen) < 20, 'written %d times' % len(seen))
    finish(s, c)


if __name__ == '__main__':
    sys.exit(run(globals()))
