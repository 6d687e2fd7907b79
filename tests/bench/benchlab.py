"""benchlab - the relay, the terminals and the sessions that are measured.

Everything is real: a lab of tests/lab, its sshd, the system's ssh and tmux.
Times are nanoseconds of CLOCK_MONOTONIC, in every process.
"""
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get('TUNL_BUILD',
                                       os.path.join(REPO, 'build')))
WINDOW = '100x34'               # the customer's terminal
POLL = 0.02
PROGRAMS = ('relay-api', 'relay-share', 'relay-principals', 'validate-token',
            'linbit-tunl', 'tunl')


class Failed(Exception):
    """A measurement could not be made."""


def tool(name):
    return os.path.join(BUILD, 'bench', 'bench-' + name)


def mark():
    """A word that is nowhere else on any screen."""
    return 'END%012dOF' % random.randrange(10 ** 12)


def until(seconds, what, condition):
    """Poll until CONDITION() is true, and return what it says."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f'not within {seconds} s: {what}')
        time.sleep(POLL)


def numbers(answer, what):
    """An answer's words as numbers; words like `late` are failures."""
    try:
        return [int(word) for word in answer.split()]
    except ValueError:
        raise Failed(f'{what}: {answer}') from None


# ---- processes --------------------------------------------------------------

def pids():
    return [int(name) for name in os.listdir('/proc') if name.isdigit()]


def parent_and_name(pid):
    with open(f'/proc/{pid}/stat', errors='replace') as f:
        head, _, tail = f.read().rpartition(')')
    return int(tail.split()[1]), head.partition('(')[2]


def below(root):
    """The pids below ROOT."""
    parents = {}
    for pid in pids():
        try:
            parents[pid] = parent_and_name(pid)[0]
        except OSError:
            continue
    found = []
    for pid in parents:
        up = parents[pid]
        while up in parents and up != root:
            up = parents[up]
        if up == root:
            found.append(pid)
    return found


def named(name):
    """The pids of our uid that run a program of that name."""
    found = []
    for pid in pids():
        try:
            if (parent_and_name(pid)[1] == name
                    and os.stat(f'/proc/{pid}').st_uid == os.getuid()):
                found.append(pid)
        except OSError:
            continue
    return found


def cpu_ns(pid):
    """The CPU time of a process so far (its clock_getcpuclockid(3))."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def private_kib(pid):
    """Private memory, clean and dirty; 0 of a process that is gone."""
    kib = 0
    try:
        with open(f'/proc/{pid}/smaps_rollup') as f:
            for line in f:
                if line.startswith(('Private_Clean:', 'Private_Dirty:')):
                    kib += int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return kib


class Cpu:
    """CPU time by program between two moments, in nanoseconds."""

    def __init__(self):
        self.before = self.now()

    @staticmethod
    def now():
        seen = {}
        for pid in pids():
            try:
                if os.stat(f'/proc/{pid}').st_uid == os.getuid():
                    seen[pid] = (parent_and_name(pid)[1], cpu_ns(pid))
            except OSError:
                continue
        return seen

    def spent(self):
        total = {}
        for pid, (name, ns) in self.now().items():
            was = self.before.get(pid, (name, 0))
            total[name] = total.get(name, 0) + ns - was[1]
        return {name: ns for name, ns in total.items() if ns > 0}


# ---- terminals --------------------------------------------------------------

class Probe:
    """A program on a terminal, with bench-probe's stopwatch."""

    def __init__(self, size, *argv, env=None):
        self.proc = subprocess.Popen(
            [tool('probe'), size, *argv], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1, env=env,
            start_new_session=True)     # a ^C is for the bench alone
        self.started = int(self.hear())

    def tell(self, *words):
        self.proc.stdin.write(' '.join(map(str, words)) + '\n')
        self.proc.stdin.flush()

    def hear(self):
        return self.proc.stdout.readline().strip()

    def ask(self, *words):
        self.tell(*words)
        return self.hear()

    def get(self, *words):
        return numbers(self.ask(*words), words[0])

    def type(self, text):
        return self.get('type', text.encode().hex())[0]

    def quiet(self, ms=300, limit=15000):
        self.get('quiet', limit, ms)

    def close(self):
        try:
            self.proc.stdin.close()
        except OSError:
            pass
        self.proc.wait()


class Pane:
    """bench-pane, told what to print through its socket."""

    def __init__(self, path):
        self.path = path

    def start(self, *words):
        """Begin a command; the file that is returned has its answer."""
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.path)
        s.sendall((' '.join(map(str, words)) + '\n').encode())
        answer = s.makefile('r')
        s.close()
        return answer

    def do(self, *words):
        with self.start(*words) as answer:
            return answer.readline().strip()

    def flood(self, octets, word):
        return numbers(self.do('flood', octets, word), 'flood')

    def size(self):
        return self.do('size').replace(' ', 'x')


# ---- the relay --------------------------------------------------------------

class Lab:
    """A lab, and beside its sshd another one that runs any command."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='tunl-bench-', dir='/var/tmp')
        self.closers = []
        os.chmod(self.dir, 0o700)
        self.lab = os.path.join(self.dir, 'lab')
        subprocess.run([os.path.join(REPO, 'tests/lab'), 'up', self.lab,
                        'TUNL_PORTS=30000-39999'], check=True,
                       stdout=subprocess.DEVNULL,
                       env=dict(os.environ, TUNL_BUILD=self.copy_programs()))
        self.take_env()
        self.ssh = shutil.which('ssh', path=os.environ['PATH'].replace(
            self.lab + '/bin:', ''))
        self.sshd = self.service('sshd')
        self.open_sshd()

    def path(self, name):
        return os.path.join(self.dir, name)

    def copy_programs(self):
        """Whoever builds meanwhile does not change what is measured."""
        path = self.path('programs')
        os.mkdir(path)
        for name in PROGRAMS:
            shutil.copy(os.path.join(BUILD, name), path)
        return path

    def take_env(self):
        out = subprocess.run(['bash', '-c', '. "$1"/env && env -0', '-',
                              self.lab], check=True, capture_output=True)
        for pair in out.stdout.decode().split('\0'):
            key, _, value = pair.partition('=')
            if key.startswith(('TUNL_', 'XDG_', 'TMUX_')) or key == 'PATH':
                os.environ[key] = value
        os.environ.update(HOME=self.path('home'), SHELL='/bin/bash',
                          LC_ALL='C.UTF-8', TERM='xterm-256color')
        for key in ('TMUX', 'TMUX_PANE', 'ENV', 'TUNL_DISPLAY_NAME'):
            os.environ.pop(key, None)
        os.mkdir(os.environ['HOME'], 0o700)

    def service(self, name):
        with open(f'{self.lab}/pid/{name}') as f:
            return int(f.read().split()[0])

    def open_sshd(self):
        """The lab's sshd once more, without its forced command."""
        drop = ('ListenAddress', 'PidFile', 'ForceCommand', 'PermitTTY')
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        with open(f'{self.lab}/sshd_config') as f:
            lines = [line for line in f if line.split()[0] not in drop]
        with open(f'{self.lab}/keys/support.pub') as f:
            key = f.read()
        keys, conf = self.path('anchor-keys'), self.path('anchor-sshd')
        lines.append(f'ListenAddress 127.0.0.1:{self.port}\n'
                     f'PidFile {conf}.pid\n')
        with open(keys, 'w') as f:
            f.write('restrict ' + key)
        with open(conf, 'w') as f:
            f.writelines(f'AuthorizedKeysFile {keys}\n'
                         if line.startswith('AuthorizedKeysFile') else line
                         for line in lines)
        argv = [shutil.which('sshd', path='/usr/sbin:/sbin:'
                             + os.environ['PATH']), '-D', '-e', '-f', conf]
        if self.sshd_is_apart():
            argv[:0] = ['nsenter', f'--mount=/proc/{self.sshd}/ns/mnt']
        log = open(self.path('anchor-sshd.log'), 'w')
        proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log)
        self.closers.append(lambda: stop(proc))
        until(10, "the anchor's sshd", lambda: os.path.exists(conf + '.pid'))
        with open(conf + '.pid') as f:
            self.anchor_sshd = int(f.read())

    def sshd_is_apart(self):
        ns = [os.readlink(f'/proc/{pid}/ns/mnt')
              for pid in (self.sshd, 'self')]
        return ns[0] != ns[1]

    def anchor_ssh(self, *words, port=None):
        """The argv of an ssh to that sshd, or to what is before it."""
        return [self.ssh, '-F', os.environ['TUNL_SSH_CONFIG'], '-T', '-p',
                str(port or self.port), *words]

    def link(self, port, *commands):
        """A bad link to a port here (tests/link/forward.c): its port."""
        proc = subprocess.Popen([tool('forward'), '127.0.0.1', str(port),
                                 *commands], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        self.closers.append(lambda: stop(proc))
        return int(proc.stdout.readline())

    def create(self):
        """Create a session; its ID."""
        out = subprocess.run(['tunl', 'create-session', '--ad-hoc', '--json'],
                             capture_output=True, text=True)
        if out.returncode != 0:
            raise Failed('create-session: ' + out.stderr.strip())
        return json.loads(out.stdout)['id']

    def close(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for closer in reversed(self.closers):
            try:
                closer()
            except (Failed, OSError) as e:
                print(f'bench: {e}', file=sys.stderr)
        subprocess.run([os.path.join(REPO, 'tests/lab'), 'down', self.lab],
                       check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


def stop(proc):
    """End a child, its output still being taken."""
    if proc.poll() is None:
        proc.send_signal(signal.SIGTERM)
    try:
        proc.wait(5)
    except subprocess.TimeoutExpired:
        proc.kill()
        proc.wait()


def forget_master(lab, runtime):
    """End tunl's private ssh master there, as if a minute had passed."""

    def sockets():
        return [os.path.join(runtime, n) for n in os.listdir(runtime)
                if n.endswith('.ctl')]
    for path in sockets():
        subprocess.run([lab.ssh, '-F', os.environ['TUNL_SSH_CONFIG'], '-S',
                        path, '-O', 'exit', '127.0.0.1'],
                       stderr=subprocess.DEVNULL, check=False)
    until(5, "the end of tunl's ssh master", lambda: not sockets())


# ---- systems ----------------------------------------------------------------

class Session:
    """The product: a customer with bench-pane in the shared pane."""

    name = 'linbit-tunl'
    relay_programs = ('sshd', 'tunl-broker', 'relay-share')

    def __init__(self, lab, port=None):
        """PORT is where the customer finds the relay."""
        self.lab = lab
        self.sid = lab.create()
        self.viewers = 0
        self.pane = Pane(lab.path(f'pane-{self.sid}'))
        env = dict(os.environ, TUNL_RELAY_PORT=str(port)) if port else None
        self.customer = Probe(WINDOW, 'linbit-tunl', self.sid, env=env)
        lab.closers.append(self.close)
        self.customer.quiet(500)
        self.customer.type(f'exec {tool("pane")} {self.pane.path}\r')
        until(10, 'bench-pane in the shared pane',
              lambda: os.path.exists(self.pane.path))
        self.customer.quiet()

    def viewer(self):
        self.viewers += 1
        probe = Probe(self.pane.size(), 'tunl', 'view', '--client',
                      '%016x' % self.viewers, '--name',
                      f'viewer{self.viewers}', self.sid)
        word = mark()
        self.pane.do('paint', word)
        until(15, 'the first screen', lambda: word in self.look(probe))
        probe.quiet()
        return probe

    @staticmethod
    def look(probe):
        probe.ask('quiet', 200, 50)
        return probe.ask('tail')

    def close(self):
        subprocess.run(['tunl', 'close', self.sid], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.customer.proc.poll() is None:
            self.customer.tell('end', 10000)
        self.customer.close()


class Local:
    """A tmux with bench-pane in it, and its user attached to it."""

    name = 'local tmux attach'
    relay_programs = ()
    count = 0

    def __init__(self, lab, size, lower_pane=False):
        Local.count += 1
        self.lab = lab
        self.size = size
        self.socket = lab.path(f'tmux-{Local.count}')
        self.pane = Pane(lab.path(f'pane-{Local.count}'))
        window = WINDOW if lower_pane else size
        self.tmux('new-session', '-d', '-x', window.split('x')[0], '-y',
                  window.split('x')[1],
                  f'exec {tool("pane")} {self.pane.path}')
        self.tmux('set-option', '-g', 'status', 'off')
        if lower_pane:
            self.tmux('split-window', '-d', '-v', '-l', '9',
                      'exec tail -f /dev/null')
        lab.closers.append(self.close)
        until(10, 'bench-pane in a local tmux',
              lambda: os.path.exists(self.pane.path))
        self.customer = Probe(window, *self.attach())
        self.customer.quiet()

    def tmux(self, *words):
        subprocess.run(['tmux', '-S', self.socket, '-f', '/dev/null', *words],
                       check=True)

    def attach(self):
        return ['tmux', '-S', self.socket, 'attach-session']

    def viewer(self):
        probe = Probe(self.size, *self.attach())
        probe.quiet()
        return probe

    def close(self):
        subprocess.run(['tmux', '-S', self.socket, 'kill-server'],
                       stderr=subprocess.DEVNULL, check=False)
        self.customer.close()


class TwoHop(Local):
    """The anchor: that tmux, attached to over two ssh legs.

    The legs meet in two socats on the relay.  On the customer's machine ssh
    holds the terminal of `tmux attach` itself, so that nothing is in between.
    """

    name = 'two-hop tmux'
    relay_programs = ('sshd', 'socat')
    port = None                 # where the customer finds the relay

    def __init__(self, lab, size, port=None):
        self.legs = 0
        self.port = port
        super().__init__(lab, size)

    def shown(self):
        return self.attach()

    def viewer(self):
        self.legs += 1
        meet = f'{self.socket}.meet{self.legs}'
        outer, inner = os.openpty()
        cols, rows = map(int, self.size.split('x'))
        fcntl.ioctl(inner, termios.TIOCSWINSZ,
                    struct.pack('HHHH', rows, cols, 0, 0))
        ssh = subprocess.Popen(
            self.lab.anchor_ssh('127.0.0.1', 'exec socat - UNIX-LISTEN:'
                                + meet, port=self.port),
            stdin=outer, stdout=outer)
        self.lab.closers.append(lambda: stop(ssh))
        until(10, 'the first leg', lambda: os.path.exists(meet))
        probe = Probe(self.size, *self.lab.anchor_ssh(
            '127.0.0.1', 'exec socat - UNIX-CONNECT:' + meet))
        shown = subprocess.Popen(['setsid', '-c', *self.shown()], stdin=inner,
                                 stdout=inner, stderr=inner)
        self.lab.closers.append(lambda: stop(shown))
        os.close(outer)
        os.close(inner)
        probe.quiet(600)
        return probe


class TwoHopRaw(TwoHop):
    """The same legs with the pane's own terminal, and no tmux."""

    name = 'two ssh legs, no tmux'

    def __init__(self, lab, size):
        Local.count += 1
        self.legs = 0
        self.lab = lab
        self.size = size
        self.socket = lab.path(f'raw-{Local.count}')
        self.pane = Pane(self.socket + '.pane')

    def shown(self):
        return [tool('pane'), self.pane.path]
