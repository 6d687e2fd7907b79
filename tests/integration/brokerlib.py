"""A relay without sshd, and legs that speak the protocol's own words.

For broker.py and its like.
"""
import contextlib
import fcntl
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get('TUNL_BUILD', REPO + '/build')
SHARE = BUILD + '/relay-share'
LIMIT = 15.0            # seconds that anything may take
POLL = 0.01
STREAM = ('OUTPUT', 'HISTORY', 'SCREEN')


class Failure(Exception):
    pass


class Late(Failure):
    pass


def check(good, what):
    if not good:
        raise Failure(what)


def until(cond, what, limit=LIMIT):
    """Poll until COND() is true, and return what it gave."""
    end = time.monotonic() + limit
    while True:
        got = cond()
        if got:
            return got
        if time.monotonic() > end:
            raise Failure('not in time: ' + what)
        time.sleep(POLL)


def frame(header, payload=None):
    if payload is None:
        return header.encode() + b'\n'
    if isinstance(payload, str):
        payload = payload.encode()
    return b'%s +%d\n%s\n' % (header.encode(), len(payload), payload)


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('localhost', timeout=LIMIT)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(LIMIT)
        self.sock.connect(self.path)


class Relay:
    """A relay without sshd: directories, keys, the CA's agent, relay-api."""

    def __init__(self, directory):
        self.dir = directory
        self.procs = []
        self.legs = []
        self.count = 0
        self.api = None

    def up(self):
        for d in ('run', 'log', 'data', 'auth'):
            os.mkdir(self.path(d))
        for k in ('ca', 'host', 'alice', 'bob'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '',
                            '-C', k + '@support', '-f', self.path(k)],
                           check=True)
        with open(self.path('support-keys.pub'), 'w') as f:
            f.write('# engineers\n')
            for k in ('alice', 'bob'):
                f.write('restrict,command="a b" ' + self.public(k))
        me = subprocess.run(['id', '-un'], check=True, text=True,
                            capture_output=True).stdout.strip()
        self.conf = {
            'TUNL_CONF': self.path('none'),
            'TUNL_API_LISTEN': 'unix:' + self.path('run/api.sock'),
            'TUNL_DB': self.path('data/tunl.db'),
            'TUNL_DATA_DIR': self.path('data'),
            'TUNL_LOG_DIR': self.path('log'),
            'TUNL_RUN_DIR': self.path('run'),
            'TUNL_CA_PUB': self.path('ca.pub'),
            'TUNL_CA_AGENT': self.path('agent.sock'),
            'TUNL_HOST_CA_PUB': self.path('host.pub'),
            'TUNL_HOST_KEY_PUB': self.path('host.pub'),
            'TUNL_SUPPORT_KEYS': self.path('support-keys.pub'),
            'TUNL_SECRET_KEY_FILE': self.path('data/secret.key'),
            'TUNL_RELAY_NAME': 'test',
            'TUNL_USER': me, 'TUNL_SUPPORT_USER': me, 'TUNL_API_USER': me,
            'TUNL_INFO_INTERVAL': '10ms',
            'TUNL_SCREEN_INTERVAL': '50ms',
            'TUNL_SCREEN_KEEP': '1ms',
            'TUNL_API_RETRY': '50ms',
            'TUNL_BROKER_LINGER': '60s',
            'TUNL_HEARTBEAT': '200ms',
        }
        open(self.path('none'), 'w').close()
        self.start(['ssh-agent', '-D', '-a', self.path('agent.sock')])
        agent = dict(os.environ, SSH_AUTH_SOCK=self.path('agent.sock'))
        until(lambda: subprocess.run(
            ['ssh-add', '-l'], env=agent, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode < 2, 'ssh-agent')
        subprocess.run(['ssh-add', '-q', self.path('ca')], check=True,
                       env=agent)
        self.start_api()

    def path(self, name):
        return self.dir + '/' + name

    def public(self, key):
        with open(self.path(key + '.pub')) as f:
            return f.read()

    def env(self, **more):
        e = {k: v for k, v in os.environ.items()
             if not k.startswith(('TUNL_', 'SSH_'))}
        e.update(self.conf)
        e.update(more)
        return e

    def start(self, argv):
        p = subprocess.Popen(argv, env=self.env(), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL,
                             stderr=open(self.path('log/daemons'), 'ab'))
        self.procs.append(p)
        return p

    def start_api(self):
        self.api = self.start([BUILD + '/relay-api', '-d'])
        until(self.api_up, 'relay-api')

    def api_up(self):
        try:
            return self.call('GET', '/healthz')[0] == 200
        except OSError:
            return False

    def stop_api(self):
        self.api.terminate()
        self.api.wait(LIMIT)
        self.procs.remove(self.api)

    def call(self, method, target, body=None):
        c = Unix(self.path('run/api.sock'))
        try:
            c.request(method, target,
                      None if body is None else json.dumps(body),
                      {} if body is None else
                      {'Content-Type': 'application/json'})
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def record(self, sid):
        status, body = self.call('GET', '/api/v1/sessions/' + sid)
        return json.loads(body) if status == 200 else {}

    def session(self):
        """A claimed session: its ID and the files of its certificate."""
        status, body = self.call('POST', '/api/v1/pending',
                                 {'customer': 'Example Corp'})
        check(status == 201, 'pending: %d %r' % (status, body))
        sid = json.loads(body)['id']
        return Session(self, sid)

    def close(self):
        for leg in self.legs:
            leg.end()
        for p in self.procs:
            p.terminate()
            p.wait()
        for pid in self.brokers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir)

    def states(self):
        """The files in which brokers keep what the next one has to know."""
        with contextlib.suppress(FileNotFoundError):
            return os.listdir(self.path('data/sessions'))
        return []

    def brokers(self):
        """The processes that have our settings and are no leg of ours."""
        mine = {leg.pid for leg in self.legs}
        return [p for p in processes(self.dir) if p not in mine]


def processes(mark):
    """relay-share's keepers and brokers of the run directory MARK."""
    found = []
    for d in os.listdir('/proc'):
        if not d.isdigit():
            continue
        try:
            with open('/proc/%s/cmdline' % d, 'rb') as f:
                argv = f.read().split(b'\0')
            if argv[:2] != [b'relay-share', b'keeper']:
                continue
            with open('/proc/%s/environ' % d, 'rb') as f:
                if mark.encode() in f.read():
                    found.append(int(d))
        except OSError:
            pass
    return found


def is_alive(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rpartition(') ')[2][0] != 'Z'
    except OSError:
        return False


def pump(*legs):
    """Read a frame of each that has one."""
    for leg in legs:
        with contextlib.suppress(Late):
            leg.read(0)
    return True


class Session:
    def __init__(self, relay, sid):
        self.relay = relay
        self.sid = sid
        self.base = relay.path('auth/' + sid)
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f',
                        self.base], check=True)
        with open(self.base + '.pub') as f:
            status, body = relay.call('POST', '/api/v1/sign', {
                'public_key': f.read().strip(), 'session_id': sid})
        check(status == 200, 'sign: %d %r' % (status, body))
        self.signed = json.loads(body)

    def context(self, sid=None, **more):
        words = {'id': sid or self.sid, 'host': 'box.example.com',
                 'ips': '192.0.2.7,2001:db8::1', 'mode': 'share',
                 'user': 'root', 'case': 'CASE-1'}
        words.update(more)
        return 'linbit-tunl/1 ' + ' '.join(
            '%s=%s' % (k, v) for k, v in words.items() if v)

    def log(self):
        with open(self.relay.path('log/%s.log' % self.sid)) as f:
            return f.read()

    def chat(self):
        with open(self.relay.path('log/%s.chat' % self.sid)) as f:
            return f.read()

    def sock(self):
        return self.relay.path('run/%s.sock' % self.sid)

    def state(self):
        """What its broker has written down for the next one."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.relay.path('data/sessions/%s.state' %
                                      self.sid)) as f:
                return f.read()
        return ''

    def kill_broker(self):
        """SIGKILL; and until nothing of it is left."""
        os.kill(self.broker(), signal.SIGKILL)
        until(lambda: self.files() == [], 'no files of the session')

    def files(self):
        return sorted(f for f in os.listdir(self.relay.path('run'))
                      if f.startswith(self.sid))

    def gone(self):
        """Its broker and keeper are no more and have left nothing."""
        until(lambda: self.files() == [], 'no files of the session')
        log = self.log()
        check('\tended with status 0\n' in log, 'how the broker ended:\n' +
              log[-300:])

    def broker(self):
        """The pid that listens: the last `start` in the audit log."""
        found = re.findall(r'\tstart\tprocess (\d+)\n', self.log())
        return int(found[-1])

    def produce(self, hello='HELLO 1 tmux=3.3a', context=None, settings=None,
                auth=None):
        auth = auth or 'publickey ' + self.signed['certificate']
        return Leg(self.relay, ['produce'], auth,
                   context or self.context(), hello, settings, nested=True)

    def consume(self, key='alice', args='', hello='HELLO 1', settings=None):
        return Leg(self.relay, ['support'],
                   'publickey ' + self.relay.public(key),
                   'relay-share consume %s %s' % (self.sid, args), hello,
                   settings)

    def support(self, command, key='alice'):
        return Leg(self.relay, ['support'],
                   'publickey ' + self.relay.public(key), command, None)


class Leg:
    """A leg with its pipes; speaks the protocol.

    A producer ends its parent when it is told to hang up, so that it gets one
    of its own (NESTED), as sshd would be.
    """

    def __init__(self, relay, verb, auth, command, hello, settings=None,
                 nested=False):
        relay.count += 1
        self.auth = relay.path('auth/%d' % relay.count)
        with open(self.auth, 'w') as f:     # sshd writes no comment
            f.write(' '.join(auth.split()[:3]) + '\n')
        argv = [SHARE] + verb
        if nested:
            argv = ['/bin/sh', '-c', '"$0" "$1" 3<&- 4>&-; exit $?',
                    *argv]
        # Open our ends only here: what is handed over must end with us.
        self.p = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=relay.env(
                SSH_USER_AUTH=self.auth, SSH_ORIGINAL_COMMAND=command,
                SSH_CONNECTION='198.51.100.9 4711 203.0.113.1 22',
                **(settings or {})))
        self.pid = self.p.pid
        self.nested = nested
        self.buf = b''
        self.rest = b''
        self.acked = 0
        self.auto_ack = True
        self.piece = 65536      # octets read at a time
        self.seen = []
        relay.legs.append(self)
        if hello:
            with contextlib.suppress(BrokenPipeError):  # refused already
                self.send(hello)

    def leg_pid(self):
        """The pid of the leg itself."""
        if not self.nested:
            return self.pid
        with open('/proc/%d/task/%d/children' % (self.pid, self.pid)) as f:
            return int(f.read().split()[0])

    def raw(self, data):
        self.p.stdin.write(data)
        self.p.stdin.flush()

    def send(self, header, payload=None):
        self.raw(frame(header, payload))

    def _parse(self):
        lf = self.buf.find(b'\n')
        if lf < 0:
            return None
        words = self.buf[:lf].decode().split(' ')
        end, payload = lf + 1, None
        if words[-1].startswith('+'):
            n = int(words.pop()[1:])
            if len(self.buf) < end + n + 1:
                return None
            payload = self.buf[end:end + n]
            check(self.buf[end + n:end + n + 1] == b'\n', 'payload end')
            end += n + 1
        self.buf = self.buf[end:]
        return words[0], words[1:], payload

    def read(self, limit=LIMIT):
        """The next frame, or None at the end of the stream."""
        end = time.monotonic() + limit
        fd = self.p.stdout.fileno()
        while True:
            f = self._parse()
            if f is not None:
                break
            left = max(0, end - time.monotonic())
            if not select.select([fd], [], [], left)[0]:
                raise Late('no frame in time')
            data = os.read(fd, self.piece)
            if not data:
                check(not self.buf, 'half a frame: %r' % self.buf[:200])
                return None
            self.buf += data
        self.seen.append(f)
        if f[0] == 'PING':
            with contextlib.suppress(BrokenPipeError):
                self.send('PONG ' + f[1][0])
        if f[0] in STREAM:
            self.acked += len(f[2])
            if self.auto_ack:
                with contextlib.suppress(BrokenPipeError):
                    self.send('ACK %d' % self.acked)
        return f

    def expect(self, verb, cond=lambda args, payload: True, limit=LIMIT):
        """Read up to the frame VERB that fits."""
        end = time.monotonic() + limit
        skipped = []
        while True:
            try:
                f = self.read(max(0.01, end - time.monotonic()))
            except Late as e:
                raise Failure('%s: waiting for %s, got %r' % (
                    e, verb, skipped[-8:])) from None
            if f is None:
                raise Failure('end, waiting for %s, got %r, stderr %r' % (
                    verb, skipped[-8:], self.stderr()))
            if f[0] == verb and cond(f[1], f[2]):
                return f
            skipped.append((f[0], f[1], (f[2] or b'')[:60]))

    def until_end(self):
        """Everything up to the end of the stream."""
        got = []
        while True:
            f = self.read()
            if f is None:
                return got
            got.append(f)

    def info(self, cond):
        """Read up to a SESSION_INFO for which COND is true, if the last one
        does not say so already."""
        for f in reversed(self.seen):
            if f[0] == 'SESSION_INFO':
                if cond(json.loads(f[2])):
                    return json.loads(f[2])
                break
        _, _, p = self.expect('SESSION_INFO',
                              lambda a, p: cond(json.loads(p)))
        return json.loads(p)

    def stderr(self):
        fd = self.p.stderr.fileno()
        os.set_blocking(fd, False)
        with contextlib.suppress(OSError, TypeError):
            self.rest += os.read(fd, 65536)
        return self.rest.decode()

    def status(self):
        """Its exit status; of a nested one that of its parent."""
        try:
            rv = self.p.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise Failure('does not end') from None
        return rv

    def end(self):
        for f in (self.p.stdin, self.p.stdout):
            with contextlib.suppress(OSError):
                f.close()
        if self.p.poll() is None:
            with contextlib.suppress(OSError, IndexError):
                os.kill(self.leg_pid(), signal.SIGKILL)
            with contextlib.suppress(OSError):
                self.p.kill()
        self.p.wait()
        self.p.stderr.close()


def screen(leg, text, cols=80, rows=24, gap=False):
    leg.send('SCREEN %d %d end%s' % (cols, rows, ' gap' if gap else ''), text)


def customer(s, **kw):
    """A customer that is up and has told its size and policy."""
    c = s.produce(**kw)
    c.expect('HELLO')
    c.send('SIZE 80 24')
    c.send('PERM CONFIRM')
    c.expect('SESSION_INFO')
    return c


def viewer(s, c, text='first', **kw):
    """A viewer that has its first screen."""
    v = s.consume(**kw)
    v.expect('HELLO')
    c.expect('SNAPSHOT')
    screen(c, text)
    f = v.expect('SCREEN')
    check(f[2].decode() == text, 'first screen %r' % (f,))
    return v


def finish(s, c):
    """The customer ends it; nothing may be left."""
    c.send('BYE')
    c.expect('CLOSED', lambda a, p: a == ['ended'])
    c.until_end()
    check(c.status() == 0, 'status of produce %d: %s' % (
        c.status(), c.stderr()))
    s.gone()


def private_memory(pid):
    """Octets that this process alone uses; 0 if it keeps that to itself,
    as a broker does before everybody but root."""
    try:
        with open('/proc/%d/smaps_rollup' % pid) as f:
            return sum(int(n) * 1024 for n in re.findall(
                r'^Private_\w+: +(\d+) kB', f.read(), re.M))
    except PermissionError:
        return 0


def unread(pipe):
    """Octets that wait in it, whichever end it is."""
    return struct.unpack('i', fcntl.ioctl(pipe, termios.FIONREAD,
                                          b'\0' * 4))[0]


def run(tests):
    """Run the functions test_* of TESTS, or those that argv names without
    that, each with the same relay.  Returns the exit status."""
    tests = {k: v for k, v in tests.items() if k.startswith('test_')}
    chosen = ['test_' + a for a in sys.argv[1:]] or list(tests)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    relay = Relay(tempfile.mkdtemp(prefix='tunl-broker-'))
    failed = 0
    try:
        relay.up()
        before = os.listdir(relay.path('run'))
        for name in chosen:
            began = time.monotonic()
            failed += not passes(relay, name, tests[name])
            if 'TUNL_TEST_TIMES' in os.environ:
                print('%-24s %.2f s' % (name, time.monotonic() - began))
        if not failed:
            until(lambda: relay.brokers() == [], 'no brokers are left')
            left = [f for f in os.listdir(relay.path('run'))
                    if f not in before] + relay.states()
            if left:
                failed += 1
                print('left behind: %r' % left)
        elif 'TUNL_TEST_KEEP' in os.environ:
            shutil.copytree(relay.dir, os.environ['TUNL_TEST_KEEP'],
                            ignore=shutil.ignore_patterns('*.sock'))
    finally:
        relay.close()
    return 1 if failed else 0


def passes(relay, name, test):
    try:
        test(relay)
        return True
    except Exception as e:
        where = [f for f in traceback.extract_tb(e.__traceback__)
                 if f.name.startswith('test_')]
        print('%s: line %d: %s: %s' % (
            name, where[-1].lineno if where else 0, type(e).__name__, e))
        return False
    finally:
        for leg in relay.legs:
            leg.end()
        relay.legs.clear()
