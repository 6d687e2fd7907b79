"""measures - what people feel of a session: echo, speed, ^C, joining.

Every function takes the world and adds rows to the report.  Systems take turns
within a function, so that what else the machine does meets all of them; only
ratios mean something.
"""
import os
import random
import shutil
import statistics
import subprocess
import time

from benchlab import (Cpu, Failed, Local, Probe, Session, TwoHop, TwoHopRaw,
                      forget_master, mark, named, numbers, private_kib, tool,
                      until)

FULL = os.environ.get('BENCH_FULL') == '1'
MB = 1000000
REAL_S = 1e9
GAP = (10000, 20000)            # microseconds between two keys
SCREEN_INTERVAL = 1.1           # seconds, and a little more

SHARE = ('relay-share', 'tunl-keeper', 'tunl-broker')

median = statistics.median


class World:
    """The systems, all up at the same time, idle but for the one at work."""

    def __init__(self, lab, report):
        self.lab = lab
        self.report = report
        self.ours = Session(lab)
        size = self.ours.pane.size()
        self.memory_alone = relay_memory() if may_see() else None
        self.two_hop = TwoHop(lab, size)
        self.unshared = Local(lab, size, lower_pane=True)
        self.raw = TwoHopRaw(lab, size)
        self.views = {s: s.viewer() for s in
                      (self.ours, self.two_hop, self.unshared, self.raw)}


def rounds(few, full):
    return full if FULL else few


def share_programs():
    """Every process of relay-share, by the names that they give themselves."""
    return [pid for name in SHARE for pid in named(name)]


def may_see():
    """Whether the memory of processes that cannot be dumped is shown to us."""
    return os.getuid() == 0


def relay_memory():
    """Private KiB of relay-share: the sum, and of how many processes."""
    each = [private_kib(pid) for pid in share_programs()]
    return sum(each), len(each)


def per(spent, units, scale, programs=None):
    """CPU by program, over UNITS, in 1/SCALE seconds; not what is nothing."""
    known = ('tmux: server', 'tmux: client', 'linbit-tunl', 'ssh', 'sshd',
             'tunl-broker', 'relay-share', 'socat', 'tunl', 'bench-pane')
    most = max(spent.values(), default=0)
    return {name: ns / REAL_S * scale / units for name, ns in spent.items()
            if name in (programs or known) and ns > most / 100}


# ---- keys -------------------------------------------------------------------

def keys(w):
    """keystroke -> echo"""
    each = rounds(60, 400)
    times = {s: [] for s in w.views}
    cpu = {s: {} for s in w.views}
    turns = rounds(4, 10)
    for _ in range(turns):
        for system, view in w.views.items():
            before = Cpu()
            answer = view.ask('keys', each, *GAP).split()
            add(cpu[system], before.spent())
            times[system] += numbers(' '.join(answer), 'keys')
    ms = {s: [t / 1e6 for t in v] for s, v in times.items()}
    p50 = {s: median(v) for s, v in ms.items()}
    w.report.ratio('keystroke -> echo at the viewer, p50',
                   p50[w.ours], p50[w.two_hop], 'ms', at_most=1.0,
                   samples={s.name: v for s, v in ms.items()})
    w.report.note('keystroke', 'p50 of the parts, ms',
                  {s.name: v for s, v in p50.items()})
    w.report.note('keystroke', 'p95, ms',
                  {s.name: percentile(v, 95) for s, v in ms.items()})
    for s in (w.ours, w.two_hop, w.raw, w.unshared):
        w.report.note('keystroke', f'CPU, us a key: {s.name}',
                      per(cpu[s], each * turns, 1e6))


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * p // 100)]


def add(total, more):
    for key, value in more.items():
        total[key] = total.get(key, 0) + value


# ---- bulk -------------------------------------------------------------------

def seen_flood(system, view, octets):
    """A flood: seconds until its end is visible, octets shown, CPU."""
    word = mark()
    first = view.get('octets')[0]
    before = Cpu()
    view.tell('wait', 300000, word)
    begin, end, stall, done = system.pane.flood(octets, word)
    seen, total = numbers(view.hear(), f'a flood over {system.name}')
    return {'seconds': (seen - begin) / REAL_S, 'cpu': before.spent(),
            'pane': (end - begin) / REAL_S, 'done': done,
            'stall': stall / 1e6, 'shown': total - first}


def bulk(w):
    """pane output until its end is visible; relay CPU"""
    octets = rounds(10, 100) * MB
    systems = (w.ours, w.two_hop)
    rate, relay = {s: [] for s in systems}, {s: [] for s in systems}
    busy = {s: {} for s in systems}
    wall = {s: 0 for s in systems}
    shown = {s: 0 for s in systems}
    for _ in range(rounds(3, 5)):
        for s in systems:
            got = seen_flood(s, w.views[s], octets)
            shown[s] += got['shown']
            rate[s].append(octets / MB / got['seconds'])
            relay[s].append(sum(got['cpu'].get(name, 0) for name in
                                s.relay_programs) / 1e6 / (octets / MB))
            add(busy[s], got['cpu'])
            wall[s] += got['seconds']
            w.views[s].quiet()
    w.report.ratio('bulk, pane output until its end is visible',
                   median(rate[w.ours]), median(rate[w.two_hop]), 'MB/s',
                   at_least=1.0, samples={s.name: rate[s] for s in systems})
    w.report.value('bulk, relay CPU', median(relay[w.ours]), 'ms/MB',
                   anchor=median(relay[w.two_hop]), at_most=12,
                   samples={s.name: relay[s] for s in systems})
    n = rounds(3, 5) * octets / MB
    w.report.note('bulk', 'octets that reach the viewer, for each one printed',
                  {s.name: shown[s] / MB / n for s in systems})
    for s in systems:
        w.report.note('bulk', f'CPU, ms a MB: {s.name}',
                      per(busy[s], n, 1e3))
        w.report.note('bulk', f'CPU, share of the time: {s.name}',
                      per(busy[s], wall[s], 1))


# ---- the customer's own pane ------------------------------------------------

def own_pane(w):
    """the customer's pane, shared and not"""
    octets = rounds(25, 50) * MB
    systems = (w.ours, w.unshared, w.two_hop)
    rate = {s: [] for s in systems}
    busy = {s: {} for s in systems}
    wall = {s: 0 for s in systems}
    w.views.pop(w.unshared).close()     # its user's terminal alone
    for _ in range(rounds(2, 5)):
        for s in systems:
            before = Cpu()
            begin, end, _, done = s.pane.flood(octets, mark())
            rate[s].append(done / MB / ((end - begin) / REAL_S))
            add(busy[s], before.spent())
            wall[s] += (end - begin) / REAL_S
            s.customer.quiet()
            if s in w.views:
                w.views[s].quiet()
    w.report.ratio("customer's own pane: a flood of "
                   f'{octets // MB} MB shared, over unshared',
                   median(rate[w.ours]), median(rate[w.unshared]), 'MB/s',
                   at_least=0.9, samples={s.name: rate[s] for s in systems},
                   anchor_name='the same tmux, unshared')
    w.report.note("customer's own pane", 'MB/s',
                  {s.name: median(rate[s]) for s in systems})
    n = rounds(2, 5) * octets / MB
    for s in systems:
        w.report.note("customer's own pane", f'CPU, ms a MB: {s.name}',
                      per(busy[s], n, 1e3))
        w.report.note("customer's own pane",
                      f'CPU, share of the time: {s.name}',
                      per(busy[s], wall[s], 1))


# ---- ^C ---------------------------------------------------------------------

def interrupt_once(system, view):
    word = mark()
    answer = system.pane.start('torrent', word)
    time.sleep(random.uniform(1.0, 1.5))
    sent, seen, _ = view.get('poke', 20000, '03', word)
    with answer:
        reached = numbers(answer.readline(), 'torrent')[1]
    view.quiet()
    return (reached - sent) / 1e6, (seen - sent) / 1e6


def interrupt(w):
    """^C in a flood"""
    systems = (w.ours, w.two_hop)
    got = {s: [] for s in systems}
    for _ in range(rounds(7, 25)):
        for s in systems:
            got[s].append(interrupt_once(s, w.views[s]))
    for i, (what, limit) in enumerate((('reaches the pane', 5),
                                       ('visible at the viewer', 100))):
        ms = {s: [pair[i] for pair in got[s]] for s in systems}
        w.report.value(f'^C during a flood: {what}', median(ms[w.ours]), 'ms',
                       anchor=median(ms[w.two_hop]), at_most=limit,
                       samples={s.name: v for s, v in ms.items()})


# ---- a slow uplink ----------------------------------------------------------

SLOW = 64000                    # bit/s
SLOW_LIMIT = 30                 # seconds that a key may take
SLOW_TARGET = 2


def slow_echoes(system, view, keys):
    """Seconds until each key's effect is seen; no more after one too late."""
    word = mark()
    answer = system.pane.start('yes', word)
    view.get('wait', SLOW_LIMIT * 1000, 'K=0.')
    seconds = []
    for i in range(keys):
        time.sleep(random.uniform(0.5, 1.5))
        try:
            sent, seen, _ = view.get('poke', SLOW_LIMIT * 1000, '78',
                                     f'K={i + 1}.')
        except Failed:
            seconds.append(SLOW_LIMIT)
            break
        seconds.append((seen - sent) / REAL_S)
    view.type('\3')
    with answer:
        numbers(answer.readline(), 'yes')
    return seconds


def uplink(w):
    """a keystroke's echo during `yes`, on a slow uplink"""
    lab, size = w.lab, w.ours.pane.size()
    slow = f'rate up {SLOW}'
    systems = (
        Session(lab, lab.link(os.environ['TUNL_RELAY_PORT'], slow)),
        TwoHop(lab, size, lab.link(lab.port, slow)))
    got = {}
    for s in systems:
        view = s.viewer()
        got[s.name] = slow_echoes(s, view, rounds(10, 30))
        view.close()
        s.close()
    ours, anchor = (got[s.name] for s in systems)
    late = SLOW_LIMIT in anchor
    for what, of in (('p50', median), ('most', max)):
        w.report.value(
            f"a {SLOW // 1000} kbit/s uplink during `yes`: a keystroke's "
            f'echo, {what}', of(ours), 's', at_most=SLOW_TARGET,
            anchor=of(anchor), samples=got if what == 'p50' else None,
            note=f'the anchor took longer than {SLOW_LIMIT} s for key '
            f'{len(anchor)}, and was given no more' if late else '')


# ---- start ------------------------------------------------------------------

def spawn_ms(*argv, runs=1, env=None, status=0):
    out = subprocess.run([tool('spawn'), str(runs), *argv], env=env,
                         capture_output=True, text=True)
    lines = out.stdout.splitlines()
    if out.returncode != 0 or len(lines) != 2 or lines[1] != str(status):
        raise Failed(f'{" ".join(argv[:2])}: {out.stdout}{out.stderr}')
    return [int(ns) / 1e6 for ns in lines[0].split()]


class Engineer:
    """Somebody with a runtime directory, an ssh master and a tmux of his own.

    What is `cold` has no ssh master; a tmux server is there, as for everybody
    who lives in tmux.
    """

    def __init__(self, w):
        self.w = w
        self.dir = w.lab.path('engineer')
        self.env = dict(os.environ, XDG_RUNTIME_DIR=self.dir,
                        TMUX_TMPDIR=self.dir, TUNL_DISPLAY_NAME='engineer')
        os.mkdir(self.dir, 0o700)
        self.tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'work',
                  'exec tail -f /dev/null')
        w.lab.closers.append(lambda: self.tmux('kill-server'))

    def tmux(self, *words):
        subprocess.run(['tmux', *words], env=self.env, check=False)

    def spawn(self, *argv):
        return spawn_ms(*argv, env=self.env)

    def forget_master(self):
        forget_master(self.w.lab, self.dir)

    def first_screen(self, *argv):
        """Milliseconds from the start of a command to the full screen.

        The relay asks for a screen once a second at most; a join is seldom so
        soon after another.
        """
        time.sleep(SCREEN_INTERVAL)
        word = mark()
        self.w.ours.pane.do('paint', word)
        probe = Probe('120x40', *argv, env=self.env)
        try:
            seen = probe.get('wait', 20000, word)[0]
        except Failed as e:
            raise Failed(f'{argv[1]}: {e}; it shows: {probe.ask("tail")}')\
                from None
        return [(seen - probe.started) / 1e6], probe

    def join(self):
        before = len(share_programs())
        ms, probe = self.first_screen('tunl', 'join', self.w.ours.sid)
        self.tmux('kill-session', '-t', 'tunl-join-' + self.w.ours.sid)
        probe.ask('end', 5000)
        probe.close()
        until(10, 'the end of a join',
              lambda: len(share_programs()) <= before)
        return ms

    def view(self):
        ms, probe = self.first_screen('tunl', 'view', '--client', 'f' * 16,
                                      '--name', 'bench', self.w.ours.sid)
        probe.close()
        return ms


def programs_of_a_join(w, eva):
    """How many programs one warm join starts, by name."""
    bin_dir, log = w.lab.path('counted'), w.lab.path('counted.log')
    os.mkdir(bin_dir)
    for name in ('tmux', 'ssh'):
        path = os.path.join(bin_dir, name)
        with open(path, 'w') as f:
            f.write(f'#!/bin/sh\necho {name} >>{log}\n'
                    f'exec {shutil.which(name)} "$@"\n')
        os.chmod(path, 0o700)
    path = eva.env['PATH']
    eva.env['PATH'] = bin_dir + ':' + path
    eva.join()
    eva.env['PATH'] = path
    with open(log) as f:
        names = f.read().split()
    # one tmux is ours, which ends the session
    return {'tmux': names.count('tmux') - 1, 'ssh': names.count('ssh')}


def joins(w):
    """join and list, warm and cold, over ssh warm and cold"""
    lab, eva = w.lab, Engineer(w)
    ctl = lab.path('anchor-ctl')
    cold_true = lab.anchor_ssh('127.0.0.1', 'true')
    warm_true = lab.anchor_ssh('-S', ctl, '127.0.0.1', 'true')
    subprocess.run(lab.anchor_ssh('-S', ctl, '-M', '-f', '-N', '127.0.0.1'),
                   check=True, stderr=subprocess.DEVNULL)
    got = {what: [] for what in (
        'ssh cold', 'ssh warm', 'join cold', 'join warm', 'list cold',
        'list warm', 'view warm', 'view cold', 'tmux')}
    for _ in range(rounds(7, 25)):
        eva.forget_master()
        got['ssh cold'] += spawn_ms(*cold_true)
        got['list cold'] += eva.spawn('tunl', 'list')
        got['ssh warm'] += spawn_ms(*warm_true)
        got['list warm'] += eva.spawn('tunl', 'list')
        got['join warm'] += eva.join()
        got['view warm'] += eva.view()
        got['tmux'] += eva.spawn('tmux', 'has-session', '-t', 'work')
        eva.forget_master()
        got['join cold'] += eva.join()
        eva.forget_master()
        got['view cold'] += eva.view()
    subprocess.run(lab.anchor_ssh('-S', ctl, '-O', 'exit', '127.0.0.1'),
                   check=False, stderr=subprocess.DEVNULL)
    show_joins(w, got)
    w.report.note('join and list', 'programs that one warm join starts, its '
                  'windows included', programs_of_a_join(w, eva))


def show_joins(w, got):
    m = {what: median(v) for what, v in got.items()}
    for what, over, limit in (
            ('join warm', 'ssh cold', 0.2), ('join cold', 'ssh cold', 1.1),
            ('list warm', 'ssh warm', 1.3), ('list cold', 'ssh cold', 1.3)):
        name, how = what.split()
        to = ' -> first full screen' if name == 'join' else ''
        w.report.ratio(f'`tunl {name}`{to}, {how}', m[what], m[over], 'ms',
                       at_most=limit,
                       anchor_name=f'`ssh relay true`, {over.split()[1]}',
                       samples={what: got[what], over: got[over]})
    w.report.note('join and list', 'ms', {
        '`ssh relay true` cold': m['ssh cold'],
        '`ssh relay true` warm': m['ssh warm'],
        '`tunl view` alone, cold': m['view cold'],
        '`tunl view` alone, warm': m['view warm'],
        '`tunl list` (one API call), cold': m['list cold'],
        '`tunl list` (one API call), warm': m['list warm'],
        'one tmux command': m['tmux']})


def auth_file(lab):
    """What sshd would tell relay-share of an engineer's login."""
    path = lab.path('auth')
    with open(lab.lab + '/keys/support.pub') as f:
        key = ' '.join(f.read().split()[:2])
    with open(path, 'w') as f:
        f.write(f'publickey {key}\n')
    return path


def start_up(w):
    """what a program takes from its start to its end"""
    lab, runs = w.lab, rounds(40, 200)
    env = dict(os.environ, TUNL_CONF=lab.lab + '/relay.conf',
               SSH_USER_AUTH=auth_file(lab),
               SSH_CONNECTION='127.0.0.1 1 127.0.0.1 22')

    def share(command):
        return dict(env, SSH_ORIGINAL_COMMAND=command)
    gone = 'no-such-session-here'
    rows = (
        ('`tunl help`', ['tunl', 'help'], None, 0),
        ('`relay-share`: status of a session', ['relay-share', 'support'],
         share('status ' + w.ours.sid), 0),
        ('`relay-share`: consume, no such session', ['relay-share', 'support'],
         share('consume ' + gone), 1),
        ('`relay-share`: close, no such session', ['relay-share', 'support'],
         share('close ' + gone), 1),
        ('`relay-principals`', ['relay-principals', '1'],
         dict(env, TUNL_RUN_DIR=lab.lab + '/run'), 0),
    )
    for name, argv, environ, status in rows:
        ms, floor = [], []
        for _ in range(4):
            floor += spawn_ms('/bin/true', runs=runs // 4)
            ms += spawn_ms(*argv, runs=runs // 4, env=environ, status=status)
        w.report.value(f'start to end of {name}', median(ms), 'ms', at_most=5,
                       anchor=median(floor), anchor_name='/bin/true',
                       samples={name: ms, '/bin/true': floor})
