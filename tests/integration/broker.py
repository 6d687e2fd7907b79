"""Drive relay-share as its customer and its engineers; see broker.sh.

usage: broker.py [TEST...]
"""
import contextlib
import json
import os
import random
import re
import signal
import socket
import sys
import time

from brokerlib import (BUILD, LIMIT, REPO, STREAM, Late, Leg, check, customer,
                       finish, frame, is_alive, private_memory, pump, run,
                       screen, unread, until, viewer)


# ---- the tests --------------------------------------------------------------

def test_share(relay):
    """From the first frame to the last."""
    s = relay.session()
    c = customer(s)
    check(c.seen[0][:2] == ('HELLO', ['1']), 'first frame %r' % (c.seen[0],))
    info = json.loads([f for f in c.seen if f[0] == 'SESSION_INFO'][0][2])
    check(info['viewers'] == [] and info['link'] == 'up' and
          info['host'] == 'box.example.com' and info['case'] == 'CASE-1',
          'first SESSION_INFO %r' % info)
    check(not os.path.exists(c.auth), 'SSH_USER_AUTH is left')
    until(lambda: relay.record(s.sid).get('status') == 'active',
          'registered')
    check(relay.record(s.sid)['remote_ip'] == '198.51.100.9', 'remote_ip')
    v = viewer(s, c, args='--name Al%20Ice')
    check(os.path.exists(v.auth), "an engineer's SSH_USER_AUTH is gone")
    info = c.info(lambda i: i['viewers'])
    one = info['viewers'][0]
    check(one['n'] == 1 and one['name'] == 'Al Ice' and not one['ro'] and
          one['key'].startswith('alice@support SHA256:') and
          info['customer'] == 'Example Corp', 'viewer %r' % info)
    c.send('OUTPUT', 'hello\r\n')
    check(v.expect('OUTPUT')[2] == b'hello\r\n', 'output')
    v.send('KEYS main', b'l!s\x00\xff')
    check(c.expect('KEYS')[1:] == (['main'], b'l!s\x00\xff'), 'keys')
    v.send('ZOOM')
    c.expect('ZOOM')
    v.send('PING 7')
    v.expect('PONG', lambda a, p: a == ['7'])
    c.send('FUTURE_VERB x', 'whatever')
    c.send('OUTPUT', 'still here')
    v.expect('OUTPUT', lambda a, p: p == b'still here')
    finish(s, c)
    v.expect('CLOSED', lambda a, p: a == ['ended'])
    check(v.status() == 0, 'status of consume')
    log = s.log()
    for what in ('\ttype\t5 octets\n', 'unknown verb FUTURE_VERB dropped',
                 '\tclose\tended\n', 'viewer 1 alice@support "Al Ice"'):
        check(what in log, '%r is not in the log:\n%s' % (what, log))
    check('l!s' not in log, 'what was typed is in the log')
    check(relay.record(s.sid)['status'] == 'closed', 'closed in the API')
    # Whoever comes now is told why it is over.
    c = s.produce(hello=None)
    check([f[:2] for f in c.until_end()] ==
          [('HELLO', ['1']), ('CLOSED', ['ended'])], 'after the end')
    check(c.status() == 0, 'status after the end')
    v = s.consume(hello=None)
    check(v.status() == 1 and 'is over' in v.stderr(),
          'consume after the end: ' + v.stderr())


def refused(leg, words):
    """Closed with an ERROR or CLOSED refused, and one line on stderr."""
    got = leg.until_end()
    status = leg.status()
    check(status == 1, 'status %d' % status)
    text = leg.stderr()
    check(words in text and text.count('\n') == 1, 'stderr %r' % text)
    return got


def test_refused_logins(relay):
    """Who is not of the session never gets a broker."""
    s, other = relay.session(), relay.session()
    before = sorted(os.listdir(relay.path('run')))
    got = refused(s.produce(hello=None, context=s.context(other.sid)),
                  'of another session')
    check([f[:2] for f in got] == [('HELLO', ['1']),
                                   ('CLOSED', ['refused'])], repr(got))
    refused(s.produce(hello=None, context='ls'), 'context line')
    refused(s.produce(hello=None, context=s.context(host='a%20b')),
            "key's form")
    refused(s.produce(hello=None, auth='publickey ' + relay.public('alice')),
            'certificate')
    refused(s.produce(hello=None, auth='publickey ssh-ed25519 AAAA'),
            'certificate')
    refused(s.support('consume nosuch'), 'not a session ID')
    refused(s.support('consume ../../../etc'), 'not a session ID')
    refused(s.support('consume ' + s.sid + ' --nam x'), 'usage')
    refused(s.support('consume ' + s.sid + ' --name a%1Bb'), 'usage')
    refused(s.support('consume ' + s.sid + ' --client ../x'), 'usage')
    refused(s.support('sh -c id'), 'no such command')
    refused(s.support('consume ' + s.sid + '\nid'), 'no such command')
    refused(s.support('consume any-body-sees-nothing'), 'no session')
    leg = s.support('consume ' + s.sid)
    check(leg.status() == 75, 'before the customer: %d' % leg.status())
    check('not connected' in leg.stderr() or 'not come' in leg.stderr(),
          leg.stderr())
    leg = Leg(relay, ['support'], 'publickey ' + s.signed['certificate'],
              'consume ' + s.sid, None)
    refused(leg, "engineer's key")
    check(sorted(os.listdir(relay.path('run'))) == before, 'files are left')
    check(relay.brokers() == [], 'processes are left')


def test_pending(relay):
    """A session whose customer has not come: later, not never."""
    status, body = relay.call('POST', '/api/v1/pending', {'ad_hoc': True})
    check(status == 201, 'pending %d' % status)
    sid = json.loads(body)['id']
    leg = Leg(relay, ['support'], 'publickey ' + relay.public('bob'),
              'consume ' + sid, None)
    check(leg.status() == 75 and 'has not come yet' in leg.stderr(),
          leg.stderr())


def test_broken_frames(relay):
    """A malformed frame ends its peer alone, with an ERROR."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    bad = [
        (b'OUTPUT +3\nabc\n', 'wrong side'),
        (b'LINBIT_TUNNEL_PORT 1\n', 'wrong side'),
        (b'keys main +1\na\n', 'verb is not'),
        (b'KEYS main +0001\na\n', 'one spelling'),
        (b'KEYS main +70000\n', 'one spelling'),
        (b'KEYS main +1\nab', 'does not end in'),
        (b'KEYS main\n', 'wrong payload'),
        (b'KEYS other +1\na\n', 'wrong arguments'),
        (b'RESIZE 80\n', 'wrong arguments'),
        (b'ACK 99999999\n', 'not sent'),
        (b'HELLO 1\n', 'second time'),
        (b'A B C D E F G H I J\n', 'more than 8'),
        (b'PING ' + b'1' * 300 + b'\n', '255'),
        (b'X' * 2000, 'longer than 1024'),
        (b'PING \x1b]0;x\n', 'argument is not'),
    ]
    for data, words in bad:
        p = s.consume('bob')
        p.expect('HELLO')
        p.raw(data)
        f = p.expect('ERROR')
        check(words in f[2].decode(), '%r: %r' % (data[:40], f))
        p.until_end()
        check(p.status() == 1, '%r: status %d' % (data[:40], p.status()))
    # The chat leg's verbs are no view leg's, and the other way round.
    p = s.consume('bob', '--chat')
    p.expect('HELLO')
    p.send('KEYS main', 'rm')
    check(b'wrong' in p.expect('ERROR')[2], 'role')
    # Before HELLO nothing else may come.
    for data in (b'KEYS main +1\na\n', b'PING 1\n', b'FUTURE\n',
                 b'HELLO 0\n'):
        p = s.consume('bob', hello=None)
        p.raw(data)
        p.expect('ERROR')
        p.until_end()
        check(p.status() == 1, 'before HELLO')
    c.send('OUTPUT', 'unharmed')
    v.expect('OUTPUT', lambda a, p: p == b'unharmed')
    check(sum(f[0] == 'KEYS' for f in c.seen) == 0, 'keys came through')
    # The customer's side of it: the session waits for a better one.
    c.raw(b'SCREEN 80 24 more +1\nx\nOUTPUT +1\ny\n')
    check('inside a set' in c.expect('ERROR')[2].decode(), 'broken set')
    c.until_end()
    check(c.status() == 1, 'status of a broken customer')
    c = customer(s)
    c.expect('SNAPSHOT')
    screen(c, 'healed')
    v.expect('SCREEN', lambda a, p: p == b'healed')
    finish(s, c)


def test_no_hello(relay):
    """Whoever says nothing goes, the rest of the session does not."""
    s = relay.session()
    fast = {'TUNL_HELLO_TIMEOUT': '100ms', 'TUNL_ATTACH_TIMEOUT': '1s'}
    c = customer(s, settings=fast)
    v = s.consume(hello=None)
    check('HELLO' in v.expect('ERROR')[2].decode(), 'no HELLO')
    check(v.status() == 1, 'status')
    # Not even an ATTACH.
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(s.sock())
    sock.settimeout(LIMIT)
    got = sock.recv(1000)
    check(b'ERROR' in got and b'ATTACH' in got, repr(got))
    sock.close()
    for junk in (b'HELLO 1\n', b'ATTACH +5\nrole=\n', b'\0' * 40000,
                 b'ATTACH +12\nrole=viewer\n\n',
                 b'ATTACH +14\nrole=producer\n\n'):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(s.sock())
        sock.settimeout(LIMIT)
        with contextlib.suppress(OSError):
            sock.sendall(junk)
            check(b'ERROR' in sock.recv(1000), repr(junk[:40]))
        sock.close()
    finish(s, c)


def test_ping(relay):
    """A link that is silent is lost in time; one that answers is not."""
    s = relay.session()
    c = customer(s, settings={'TUNL_PING': '200ms', 'TUNL_PING_MISSED': '3'})
    v = s.consume(args='--chat')
    v.expect('HELLO')
    # Both answer for a while.
    until(lambda: pump(c, v) and all(
        sum(f[0] == 'PING' for f in x.seen) > 4 for x in (c, v)), 'PINGs')
    # Now the customer does not: read by nobody, answered by nobody.
    end = time.monotonic() + LIMIT
    while True:
        f = v.read(end - time.monotonic())
        if f[0] == 'SESSION_INFO' and json.loads(f[2])['link'] == 'lost':
            break
    check(c.p.wait(LIMIT) == -signal.SIGTERM, "the customer's sshd lives")
    c.end()
    c = customer(s)
    v.info(lambda i: i['link'] == 'up')
    finish(s, c)


def test_takeover(relay):
    """A second producer of the same session replaces the first at once."""
    s = relay.session()
    old = customer(s)
    v = viewer(s, old)
    new = customer(s)
    old.expect('CLOSED', lambda a, p: a == ['replaced'])
    check(old.status() == -signal.SIGTERM, 'its sshd is not ended')
    new.expect('SNAPSHOT')
    screen(new, 'new')
    v.expect('SCREEN', lambda a, p: p == b'new')
    v.send('KEYS main', 'to the new one')
    new.expect('KEYS', lambda a, p: p == b'to the new one')
    finish(s, new)


def test_lost_link(relay):
    """EOF and kills: the viewers stay and see it come back."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    chat = s.consume('bob', '--chat')
    chat.expect('PERM')
    for how in ('eof', 'half frame', 'leg', 'sshd'):
        if how == 'eof':
            c.p.stdin.close()
        elif how == 'half frame':
            c.raw(b'OUTPUT +100\nabc')
            c.p.stdin.close()
        elif how == 'leg':
            os.kill(c.leg_pid(), signal.SIGKILL)
        else:
            c.end()
        chat.expect('STATUS', lambda a, p: b'link is lost' in p)
        chat.info(lambda i: i['link'] == 'lost')
        if how == 'leg':
            until(lambda: c.p.poll() is not None, how + ': its sshd ends')
        c.end()
        # What is typed now goes nowhere, which is said once.
        v.send('KEYS main', 'lost')
        v.send('KEYS main', 'lost')
        v.expect('STATUS', lambda a, p: b'not connected' in p)
        c = customer(s)
        c.expect('SNAPSHOT')
        screen(c, 'after ' + how)
        v.expect('SCREEN', lambda a, p: p.decode() == 'after ' + how and
                 a[3:] == ['gap'])
        chat.info(lambda i: i['link'] == 'up')
        v.send('KEYS main', 'echo')
        c.expect('KEYS', lambda a, p: p == b'echo')
        check(not any(f[2] == b'lost' for f in c.seen), 'it came through')
    check(sum(f[0] == 'STATUS' and b'not connected' in f[2]
              for f in v.seen) == 4, 'said not once a loss')
    finish(s, c)


def test_viewer_ends(relay):
    """A viewer that goes, however it goes, leaves the list."""
    s = relay.session()
    c = customer(s)
    for how in ('eof', 'kill', 'close all'):
        v = viewer(s, c)
        c.info(lambda i: len(i['viewers']) == 1)
        if how == 'eof':
            v.p.stdin.close()
            v.until_end()
            check(v.status() == 75, 'status %d' % v.status())
        elif how == 'kill':
            os.kill(v.pid, signal.SIGKILL)
        else:
            v.end()
        c.info(lambda i: not i['viewers'])
        v.end()
    finish(s, c)


def test_broker_killed(relay):
    """Its legs say so with 75, nothing is left, a new one takes over."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    chat = s.consume('bob', '--chat')
    chat.expect('PERM')
    chat.send('KEYS chat 00000001.1', 'before')
    chat.expect('CHAT_ACK')
    os.kill(s.broker(), signal.SIGKILL)
    for leg in (c, v, chat):
        leg.until_end()
        check(leg.status() == 75, 'status %d' % leg.status())
        check(leg.stderr().count('\n') == 1, leg.stderr())
    until(lambda: s.files() == [], 'no files of the session')
    check('ended by signal 9' in s.log(), 'not noted')
    v = s.consume(hello=None)
    check(v.status() == 75, 'status while there is none')
    c = customer(s)
    chat = s.consume('bob', '--chat')
    f = chat.expect('SUPPORT_CHAT')     # the chat is as it was
    check(f[1][0] == '00000001.1' and f[2] == b'before', repr(f))
    finish(s, c)


def test_keeper_killed(relay):
    """Without its keeper the broker clears up itself."""
    s = relay.session()
    c = customer(s)
    broker = s.broker()
    with open('/proc/%d/stat' % broker) as f:
        keeper = int(f.read().rpartition(') ')[2].split()[1])
    os.kill(keeper, signal.SIGKILL)
    c.send('BYE')
    c.expect('CLOSED')
    until(lambda: not os.path.exists(s.sock()), 'no socket')
    until(lambda: not is_alive(broker), 'no broker')
    os.unlink(s.relay.path('run/%s.lock' % s.sid))


def test_one_broker(relay):
    """Many customers at once: one broker, one of them in the end."""
    s = relay.session()
    legs = [s.produce() for _ in range(6)]
    for leg in legs:
        leg.expect('HELLO')
    until(lambda: s.log().count('\tconnect\t') == 6, 'all of them come')
    check(s.log().count('\tstart\t') == 1, 'more than one broker')
    check(len(s.files()) == 2, repr(s.files()))

    def closed():
        return sum(leg.p.poll() is not None for leg in legs) == 5
    until(closed, 'all but one are replaced')
    last = [leg for leg in legs if leg.p.poll() is None][0]
    finish(s, last)


def test_two_viewers(relay):
    """Both see all of it; the one who may only look types nothing."""
    s = relay.session()
    c = customer(s)
    a = viewer(s, c, args='--name Alice')
    b = viewer(s, c, key='bob', args='--name Bob --read-only')
    info = c.info(lambda i: len(i['viewers']) == 2)
    check([(v['name'], v['ro']) for v in info['viewers']] ==
          [('Alice', False), ('Bob', True)], repr(info))
    text = b''.join(b'line %d\r\n' % i for i in range(2000))
    for i in range(0, len(text), 900):
        c.send('OUTPUT', text[i:i + 900])
    for v in (a, b):
        got = b''
        while len(got) < len(text):
            f = v.expect('OUTPUT')
            got += f[2]
        check(got == text, 'not the same text')
    a.send('KEYS main', 'A')
    c.expect('KEYS', lambda a, p: p == b'A')
    b.send('KEYS main', 'B')
    b.send('ZOOM')
    b.send('KEYS main', 'B')
    f = b.expect('STATUS')
    check(b'read-only' in f[2], repr(f))
    b.send('PING 1')
    b.expect('PONG')
    check(sum(f[0] == 'STATUS' for f in b.seen) == 1, 'told twice')
    # Alice is made read-only, and may type again.
    c.send('VIEWER 1 ro')
    a.expect('STATUS', lambda x, p: b'read-only' in p)
    c.info(lambda i: i['viewers'][0]['ro'])
    a.send('KEYS main', 'no')
    a.expect('STATUS', lambda x, p: b'dropped' in p)
    c.send('VIEWER 1 rw')
    a.expect('STATUS', lambda x, p: b'type' in p)
    a.send('KEYS main', 'yes')
    c.expect('KEYS')
    typed = b''.join(f[2] for f in c.seen if f[0] == 'KEYS')
    check(typed == b'Ayes', repr(typed))
    # Bob did not lose what he chose himself.
    c.send('VIEWER 2 rw')
    b.send('KEYS main', 'B')
    b.expect('STATUS', lambda x, p: b'dropped' in p)
    # Bob is put out, and his key stays out.
    c.send('VIEWER 2 kick')
    b.expect('CLOSED', lambda x, p: x == ['kicked'])
    check(b.status() == 0, 'status of the kicked')
    b = s.consume('bob')
    b.expect('CLOSED', lambda x, p: x == ['kicked'])
    check(b.status() == 1, 'status of the kicked who comes back')
    c.info(lambda i: len(i['viewers']) == 1)
    finish(s, c)


def test_policy(relay):
    """A restricted session may be looked at and chatted in."""
    s = relay.session()
    c = customer(s, context=s.context(mode='restricted', perm='BLOCKED'))
    c.send('PERM BLOCKED')
    until(lambda: relay.record(s.sid).get('mode') == 'restricted', 'mode')
    v = viewer(s, c)
    v.send('KEYS main', 'x')
    v.send('ZOOM')
    check(b'restricted' in v.expect('STATUS')[2], 'told')
    v.send('RESIZE 70 20')
    c.expect('RESIZE', lambda a, p: a == ['70', '20'])
    chat = s.consume('bob', '--chat')
    chat.expect('PERM', lambda a, p: a == ['BLOCKED'])
    chat.send('KEYS chat 00000000.0', 'still heard')
    c.expect('SUPPORT_CHAT')
    chat.send('UPGRADE')
    check(b'restricted' in chat.expect('TUNNEL_REJECTED')[2], 'UPGRADE')
    check(not any(f[0] in ('KEYS', 'ZOOM') for f in c.seen), 'it typed')
    finish(s, c)
    s = relay.session()
    c = customer(s)
    chat = s.consume('bob', '--chat')
    chat.expect('PERM', lambda a, p: a == ['CONFIRM'])
    chat.send('UPGRADE')
    check(b'does not make tunnels' in chat.expect('TUNNEL_REJECTED')[2],
          'UPGRADE')
    c.send('PERM AUTO_REJECT')
    chat.expect('PERM', lambda a, p: a == ['AUTO_REJECT'])
    chat.info(lambda i: i['mode'] == 'no-tunnel')
    until(lambda: relay.record(s.sid).get('mode') == 'no-tunnel', 'mode')
    finish(s, c)


def test_sizes(relay):
    """The smallest wish wins; an override lasts as long as its viewer."""
    s = relay.session()
    c = customer(s)
    c.expect('RESIZE', lambda a, p: a == ['0', '0'])
    a = viewer(s, c)
    b = viewer(s, c, key='bob')
    a.send('RESIZE 100 30')
    c.expect('RESIZE', lambda x, p: x == ['100', '30'])
    b.send('RESIZE 80 50')
    c.expect('RESIZE', lambda x, p: x == ['80', '30'])
    a.send('RESIZE 200 60 override')
    c.expect('RESIZE', lambda x, p: x == ['200', '60'])
    a.end()
    c.expect('RESIZE', lambda x, p: x == ['80', '50'])
    b.send('RESIZE 0 0')
    c.expect('RESIZE', lambda x, p: x == ['0', '0'])
    finish(s, c)


def test_join(relay):
    """History if wanted, then a screen, then what followed: no octet twice."""
    s = relay.session()
    c = customer(s)
    v = s.consume(hello='HELLO 1 history=100')
    v.expect('HELLO')
    c.expect('SNAPSHOT', lambda a, p: a == ['100'])
    c.send('OUTPUT', 'before')
    # One that comes without a wish to be a skip is not for it.
    screen(c, 'unasked', gap=True)
    c.send('OUTPUT', 'between')
    c.send('HISTORY more', 'old ')
    c.send('HISTORY end', 'lines')
    c.send('SCREEN 80 24 more', 'sc')
    c.send('SCREEN 80 24 end', 'reen')
    c.send('OUTPUT', 'after')
    v.expect('OUTPUT', lambda a, p: p == b'after')
    got = [(f[0], f[2]) for f in v.seen if f[0] in STREAM]
    check(got == [('HISTORY', b'old lines'), ('SCREEN', b'screen'),
                  ('OUTPUT', b'after')], repr(got))
    # Another joins: that screen is for it alone.
    w = viewer(s, c, text='for bob', key='bob')
    c.send('OUTPUT', 'both')
    v.expect('OUTPUT', lambda a, p: p == b'both')
    check(not any(f[2] == b'for bob' for f in v.seen), 'it got that too')
    # A new size is for all.
    c.send('SIZE 100 30')
    screen(c, 'larger', 100, 30, gap=True)
    for x in (v, w):
        f = x.expect('SIZE')
        check(f[1] == ['100', '30'], repr(f))
        f = x.read()
        check(f == ('SCREEN', ['100', '30', 'end', 'gap'], b'larger'),
              repr(f))
    # An empty screen and an empty history are a screen and a history.
    z = s.consume(hello='HELLO 1 history=99999')
    z.expect('HELLO')
    c.expect('SNAPSHOT', lambda a, p: a == ['2000'])
    c.send('HISTORY end', '')
    screen(c, '')
    check(z.expect('HISTORY')[2] == b'', 'empty history')
    check(z.expect('SCREEN')[2] == b'', 'empty screen')
    finish(s, c)


def test_acks(relay):
    """What the customer sends is acknowledged; large frames are split."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c, text='x' * 10)
    total = 10
    for n in (1, 20000, 65536, 0, 3):
        c.send('OUTPUT', b'y' * n)
        total += n
    c.expect('ACK', lambda a, p: a == [str(total)])
    got = 0
    while got < total - 10:
        f = v.expect('OUTPUT')
        check(0 < len(f[2]) <= 32768, 'frame of %d' % len(f[2]))
        got += len(f[2])
    finish(s, c)


def test_credit(relay):
    """A viewer that acknowledges nothing gets its credit and no more."""
    s = relay.session()
    c = customer(s)
    v = s.consume()
    v.expect('HELLO')
    v.auto_ack = False
    c.expect('SNAPSHOT')
    screen(c, 's' * 1000)
    for _ in range(10):
        c.send('OUTPUT', b'z' * 10000)
    c.expect('ACK', lambda a, p: int(a[0]) == 101000)
    v.send('PING 1')
    v.expect('PONG')
    while True:
        try:
            v.read(0.2)
        except Late:
            break
    check(15000 < v.acked <= 16384, '%d octets without ACK' % v.acked)
    # Everything else passes.
    v.send('PING 2')
    v.expect('PONG', lambda a, p: a == ['2'])
    v.auto_ack = True
    v.send('ACK %d' % v.acked)
    while v.acked < 101000:
        v.read()
    finish(s, c)


def test_slow_viewer(relay):
    """It is skipped ahead; the other one and the memory do not notice."""
    s = relay.session()
    c = customer(s)
    slow = viewer(s, c)
    slow.auto_ack = False
    fast = viewer(s, c, key='bob')
    chunk = b''.join(b'%07d ' % i for i in range(1000))
    sent = screens = 0      # octets: of OUTPUT; of SCREEN, for the slow one
    while sent < 20 << 20:
        c.raw(b''.join([b'OUTPUT +%d\n%s\n' % (len(chunk), chunk)] * 8))
        sent += 8 * len(chunk)
        # The customer's credit: B has taken it all before more goes out.
        c.expect('ACK', lambda a, p: int(a[0]) >= sent + screens)
        while fast.acked < len('first') + sent:
            check(fast.read()[0] != 'SCREEN', 'the fast one was skipped')
        while any(x[0] == 'SNAPSHOT' for x in c.seen):
            c.seen = [x for x in c.seen if x[0] != 'SNAPSHOT']
            screen(c, 'skipped')
            screens += len('skipped')
        fast.seen.clear()
    memory = private_memory(s.broker())
    if 'san' not in BUILD:
        check(memory < 4 << 20, 'broker has %d octets' % memory)
    # It reads again: what it has is old, then a new screen, and what follows.
    slow.auto_ack = True
    slow.send('ACK %d' % slow.acked)
    slow.seen.clear()

    def caught_up():
        pump(slow, c)
        if any(x[0] == 'SNAPSHOT' for x in c.seen):
            c.seen.clear()
            screen(c, 'newer')
            c.send('OUTPUT', 'the newest')
        return any(x[2] == b'the newest' for x in slow.seen)
    until(caught_up, 'caught up')
    got = [x for x in slow.seen if x[0] in STREAM]
    check(got[-2] == ('SCREEN', ['80', '24', 'end', 'gap'], b'newer'),
          repr(got[-3:]))
    check(slow.acked < 1 << 20, 'it got %d octets' % slow.acked)
    finish(s, c)


def test_chat(relay):
    """Each line exactly once, acknowledged when it is kept, in order."""
    s = relay.session()
    c = customer(s)
    a = s.consume('alice', '--chat --name Alice')
    a.expect('PERM')
    b = s.consume('bob', '--chat --name Bob')
    b.expect('PERM')
    a.send('KEYS chat 0a0b0c0d.1', 'hello \u00fc\u6f22 \x1b]0;evil\x07 \\o/')
    a.expect('CHAT_ACK', lambda x, p: x == ['0a0b0c0d.1'])
    line = s.chat()
    check(line.count('\n') == 1 and '\t0a0b0c0d.1\tviewer 1 Alice\thello '
          '\u00fc\u6f22 \\033]0;evil\\007 \\134o/\n' in line, repr(line))
    for x in (b, c):
        f = x.expect('SUPPORT_CHAT')
        check(f[1][0] == '0a0b0c0d.1' and f[1][2:] == ['1', 'Alice'] and
              abs(int(f[1][1]) - time.time()) < 60, repr(f))
    a.send('KEYS chat 0a0b0c0d.1', 'hello again')   # never got the ACK
    a.expect('CHAT_ACK', lambda x, p: x == ['0a0b0c0d.1'])
    c.send('CUSTOMER_CHAT 11111111.7', 'from the customer')
    c.expect('CHAT_ACK', lambda x, p: x == ['11111111.7'])
    for x in (a, b):
        x.expect('CUSTOMER_CHAT', lambda y, p: p == b'from the customer')
    c.send('CUSTOMER_CHAT 11111111.7', 'from the customer')
    c.expect('CHAT_ACK')
    # The customer acknowledges one; the other is sent again.
    a.send('KEYS chat 0a0b0c0d.2', 'second')
    a.expect('CHAT_ACK', lambda x, p: x == ['0a0b0c0d.2'])
    c.expect('SUPPORT_CHAT', lambda x, p: p == b'second')
    c.send('CHAT_ACK 0a0b0c0d.1')
    c.send('PING 5')
    c.expect('PONG')
    c.end()
    a.info(lambda i: i['link'] == 'lost')
    a.send('KEYS chat 0a0b0c0d.3', 'while away')
    a.expect('CHAT_ACK', lambda x, p: x == ['0a0b0c0d.3'])
    c = s.produce()
    ids = []
    while len(ids) < 2:
        ids.append(c.expect('SUPPORT_CHAT')[1][0])
    check(ids == ['0a0b0c0d.2', '0a0b0c0d.3'], repr(ids))
    c.send('CHAT_ACK 0a0b0c0d.2')
    c.send('CHAT_ACK 0a0b0c0d.3')
    # Who comes late gets the end of the chat, once each, in order.
    late = s.consume('bob', '--chat')
    tail = []
    while len(tail) < 4:
        f = late.read()
        if 'CHAT' in f[0]:
            tail.append(f[1][0])
    check(tail == ['0a0b0c0d.1', '11111111.7', '0a0b0c0d.2', '0a0b0c0d.3'],
          repr(tail))
    check(s.chat().count('\n') == 4, s.chat())
    check(sum(f[0] == 'SUPPORT_CHAT' for f in a.seen) == 0, 'its own echo')
    # More than the customer's machine can be owed is refused, not lost.
    c.end()
    a.info(lambda i: i['link'] == 'lost')
    for i in range(100, 170):
        a.send('KEYS chat 0a0b0c0d.%d' % i, 'many')
    a.expect('STATUS', lambda x, p: b'not sent' in p)
    c = customer(s)
    until(lambda: sum(f[0] == 'SUPPORT_CHAT' for f in c.seen) or
          c.expect('SUPPORT_CHAT'), 'chat')
    finish(s, c)
    acked = {f[1][0] for f in a.seen if f[0] == 'CHAT_ACK'}
    kept = {line.split('\t')[1] for line in s.chat().splitlines()}
    check(acked <= kept, 'acknowledged but not kept: %r' % (acked - kept))


def test_same_client(relay):
    """The two legs of one join are one viewer, also when they come back."""
    s = relay.session()
    c = customer(s)
    args = '--client 0123456789abcdef --name A'
    v = viewer(s, c, args=args)
    chat = s.consume(args=args + ' --chat')
    chat.expect('PERM')
    other = s.consume('bob', args + ' --chat')  # another key: another viewer
    other.expect('PERM')
    info = other.info(lambda i: len(i['viewers']) == 2)
    check([x['n'] for x in info['viewers']] == [1, 2], repr(info))
    v.end()
    chat.end()
    other.info(lambda i: [x['n'] for x in i['viewers']] == [2])
    v = viewer(s, c, args=args)
    other.info(lambda i: [x['n'] for x in i['viewers']] == [1, 2])
    finish(s, c)


def test_terminate(relay):
    """`close` ends it: through the customer, or without if need be."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    leg = s.support('relay-share close ' + s.sid)
    c.expect('TERMINATE')
    c.send('BYE')
    for x in (c, v):
        x.expect('CLOSED', lambda a, p: a == ['terminated'])
        check(x.status() == 0, 'status %d' % x.status())
    check(leg.status() == 0, 'close: ' + leg.stderr())
    s.gone()
    # The customer's machine does not do it.
    s = relay.session()
    c = customer(s, settings={'TUNL_HELLO_TIMEOUT': '200ms'})
    leg = s.support('close ' + s.sid)
    c.expect('CLOSED', lambda a, p: a == ['terminated'])
    check(c.status() == -signal.SIGTERM, 'its sshd is not ended')
    check(leg.status() == 0, 'close: ' + leg.stderr())
    s.gone()
    # It is away.
    s = relay.session()
    c = customer(s)
    chat = s.consume('bob', '--chat')
    chat.expect('PERM')
    c.end()
    chat.info(lambda i: i['link'] == 'lost')
    leg = s.support('close ' + s.sid)
    chat.expect('CLOSED', lambda a, p: a == ['terminated'])
    check(leg.status() == 0, 'close: ' + leg.stderr())
    s.gone()
    c = s.produce(hello=None)
    check(c.until_end()[1][1] == ['terminated'], 'when it comes back')
    # Who was made read-only may not.
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    c.send('VIEWER 1 ro')
    v.expect('STATUS')
    leg = s.support('close ' + s.sid)
    check(leg.status() == 1 and 'read-only' in leg.stderr(), leg.stderr())
    finish(s, c)


def test_status(relay):
    """One line of JSON, and the customer sees no viewer for it."""
    s = relay.session()
    leg = s.support('status ' + s.sid)
    check(leg.status() == 75, 'before the customer')
    c = customer(s)
    v = viewer(s, c, args='--name A')
    leg = s.support('relay-share status ' + s.sid, 'bob')
    check(leg.status() == 0, leg.stderr())
    out = leg.p.stdout.read().decode()
    info = json.loads(out)
    check(out.count('\n') == 1 and len(info['viewers']) == 1 and
          info['link'] == 'up' and info['age_ms'] >= 0, out)
    finish(s, c)


def test_away(relay):
    """BYE away: the viewers stay, and so does the session for a while."""
    s = relay.session()
    c = customer(s)
    chat = s.consume('bob', '--chat')
    chat.expect('PERM')
    c.send('BYE away')
    c.until_end()
    check(c.status() == 0, 'status %d' % c.status())
    chat.info(lambda i: i['link'] == 'lost')
    c = customer(s)
    chat.info(lambda i: i['link'] == 'up')
    finish(s, c)


def test_linger(relay):
    """Away for too long: lost, and everybody is told."""
    s = relay.session()
    c = customer(s, settings={'TUNL_BROKER_LINGER': '200ms'})
    v = viewer(s, c)
    c.end()
    v.expect('CLOSED', lambda a, p: a == ['lost'])
    check(v.status() == 0, 'status')
    s.gone()
    check(relay.record(s.sid)['status'] == 'closed', 'in the API')


def test_cancelled(relay):
    """Cancelling leaves a customer alone who is there; not one who is not."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    until(lambda: relay.record(s.sid).get('status') == 'active', 'active')
    relay.call('DELETE', '/api/v1/sessions/' + s.sid)
    until(lambda: 'not registered any more' in s.log(), 'noticed')
    c.send('OUTPUT', 'goes on')
    v.expect('OUTPUT', lambda a, p: p == b'goes on')
    c.end()
    v.expect('CLOSED', lambda a, p: a == ['cancelled'])
    s.gone()
    # And one that is cancelled while its customer is away.
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    until(lambda: relay.record(s.sid).get('status') == 'active', 'active')
    c.end()
    v.expect('STATUS')
    relay.call('DELETE', '/api/v1/sessions/' + s.sid)
    v.expect('CLOSED', lambda a, p: a == ['cancelled'])
    s.gone()


def test_api_down(relay):
    """The session does not wait for the API, which is told later."""
    s = relay.session()
    relay.stop_api()
    c = customer(s)
    v = viewer(s, c)
    c.send('OUTPUT', 'without')
    v.expect('OUTPUT')
    relay.start_api()
    until(lambda: relay.record(s.sid).get('status') == 'active',
          'registered later')
    relay.stop_api()
    c.send('BYE')
    c.expect('CLOSED')
    check(c.status() == 0, 'status')
    # Who comes now is told, though no grant file says it yet.
    c = s.produce(hello=None)
    c.expect('CLOSED', lambda a, p: a == ['ended'])
    relay.start_api()
    s.gone()
    check(relay.record(s.sid)['status'] == 'closed', 'closed later')


def test_paste(relay):
    """A large paste to a slow customer arrives whole, in bounded memory."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    text = os.urandom(3 << 20)
    pid = os.fork()
    if pid == 0:
        try:
            for i in range(0, len(text), 4096):
                v.send('KEYS main', text[i:i + 4096])
        finally:
            os._exit(0)
    # It is not read until all is full on the way.
    until(lambda: unread(c.p.stdout) > 30000, 'a full pipe')
    got, memory = bytearray(), 0
    while len(got) < len(text):
        if len(c.seen) % 50 == 0:
            memory = max(memory, private_memory(s.broker()))
        got += c.expect('KEYS')[2]
    os.waitpid(pid, 0)
    check(bytes(got) == text, 'not what was pasted')
    if 'san' not in BUILD:
        check(memory < 2 << 20, 'broker has %d octets' % memory)
    finish(s, c)


def test_noise(relay):
    """Frames of every verb in any order, and garbage: the broker stays."""
    s = relay.session()
    seed = int(os.environ.get('TUNL_TEST_SEED', '4711'))
    rnd = random.Random(seed)
    with open(REPO + '/common/proto.h') as f:
        verbs = sorted(set(re.findall(r'^X\(\w+, "(\w+)"', f.read(), re.M)))
    words = ['1', '0', '80', '24', 'main', 'chat', 'more', 'end', 'gap', 'ro',
             'rw', 'kick', 'away', 'CONFIRM', 'BLOCKED', 'override', '-',
             '0a0b0c0d.1', '99999999999999999999', 'x' * 200]
    quick = {'TUNL_SCREEN_INTERVAL': '1ms'}
    c = customer(s, settings=quick)
    broker = s.broker()

    def noise():
        header = ' '.join([rnd.choice(verbs)] +
                          rnd.choices(words, k=rnd.randrange(5)))
        if rnd.random() < .02:
            return bytes(rnd.randrange(256) for _ in range(50))
        if rnd.random() < .5:
            return frame(header)
        return frame(header, bytes(rnd.randrange(256) for _ in
                                   range(rnd.choice((0, 3, 300)))))
    for _ in range(150):
        if rnd.random() < .3:
            leg = s.produce(settings=quick)
        else:
            leg = s.consume(rnd.choice(('alice', 'bob')), rnd.choice(
                ('', '--chat', '--read-only')))
        with contextlib.suppress(BrokenPipeError):
            for _ in range(rnd.randrange(1, 20)):
                data = noise()
                # The customer would end it all, rightly.
                if not (leg.nested and data == b'BYE\n'):
                    leg.raw(data)
        if rnd.random() < .8:
            leg.end()
            relay.legs.remove(leg)
    for leg in relay.legs:
        if leg is not c:
            leg.end()
    c.end()
    c = customer(s)
    check(s.broker() == broker, 'not the same broker, seed %d' % seed)
    finish(s, c)


def test_no_argv(relay):
    """No command line shows the session ID."""
    s = relay.session()
    c = customer(s)
    v = viewer(s, c)
    needle = s.sid.encode()
    for d in os.listdir('/proc'):
        if not d.isdigit():
            continue
        with contextlib.suppress(OSError):
            with open('/proc/%s/cmdline' % d, 'rb') as f:
                check(needle not in f.read(), 'in the argv of ' + d)
    with open('/proc/%d/status' % s.broker()) as f:
        check('NoNewPrivs:\t1\n' in f.read(), 'new privileges')
    with open('/proc/%d/limits' % s.broker()) as f:
        check(re.search(r'^Max core file size +0 +0 ', f.read(), re.M),
              'core files')
    # An idle session is small: broker, keeper and both legs.
    if 'san' not in BUILD:
        with open('/proc/%d/stat' % s.broker()) as f:
            keeper = int(f.read().rpartition(') ')[2].split()[1])
        pids = [s.broker(), keeper, c.leg_pid(), v.pid]
        memory = sum(private_memory(p) for p in pids)
        check(memory <= 1 << 20, 'idle: %d octets' % memory)
    finish(s, c)


if __name__ == '__main__':
    sys.exit(run(globals()))
