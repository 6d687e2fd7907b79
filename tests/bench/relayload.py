"""relayload - what the relay bears: memory, slow viewers, many sessions, calls.

As in measures.py, which this goes on from.
"""
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time

from benchlab import (Cpu, Failed, below, cpu_ns, mark, named, numbers,
                      private_kib, stop, tool)
from measures import (MB, REAL_S, add, may_see, median, per, relay_memory,
                      rounds, seen_flood, share_programs)

HERE = os.path.dirname(os.path.abspath(__file__))
STALL = 10              # seconds that the stalled viewer reads nothing


# ---- memory -----------------------------------------------------------------

def memory(w):
    """private memory on the relay of a session and its viewers"""
    if not may_see():
        raise Failed('only root can see it')
    kib, count = w.memory_alone
    w.report.value('idle session: private memory on the relay',
                   kib / 1024, 'MiB', at_most=1,
                   note=f'{count} processes: keeper, broker, produce')
    kib, count = relay_memory()
    w.report.value('the same with one viewer', kib / 1024, 'MiB', at_most=1,
                   anchor=sum(map(private_kib, named('socat'))) / 2 / 1024,
                   anchor_name='two socats', note=f'{count} processes')
    sshd = below(w.lab.sshd)
    w.report.note('memory', 'private MiB beside ours', {
        'sshd of the customer and one viewer': sum(
            private_kib(pid) for pid in sshd
            if pid in named('sshd')) / 1024,
        'relay-api, for all sessions': sum(
            map(private_kib, named('relay-api'))) / 1024})


def memory_after(w):
    """private memory when the floods are over"""
    if not may_see():
        raise Failed('only root can see it')
    kib, count = relay_memory()
    w.report.value('the same after all floods', kib / 1024, 'MiB', at_most=1,
                   note=f'{count} processes')


# ---- a viewer that reads nothing --------------------------------------------

def stalled(w):
    """one viewer stops reading while the pane is flooded"""
    for system in (w.ours, w.two_hop):
        first, second = w.views[system], system.viewer()
        alone, beside = [], []
        for _ in range(rounds(2 if system is w.ours else 1, 4)):
            got = seen_flood(system, first, rounds(10, 100) * MB)
            alone.append(got)
            first.quiet()
            second.quiet()
            beside.append(stall_once(system, first, second))
            first.quiet()
            second.quiet()
        second.close()
        show_stalled(w, system, alone, beside)


def stall_once(system, first, second):
    """A torrent, of which the second viewer does not read the beginning."""
    word = mark()
    watched = {'relay': share_programs(), 'tmux': named('tmux: server'),
               'socat': named('socat')}
    start = {name: kib_of(pids) for name, pids in watched.items()}
    most = dict(start)
    second.get('pause')
    first.tell('wait', 120000, word)
    answer = system.pane.start('torrent', word)
    end = time.monotonic() + STALL
    while time.monotonic() < end:
        for name, pids in watched.items():
            most[name] = max(most[name], kib_of(pids))
        time.sleep(STALL / 50)
    resumed = second.get('resume')[0]
    caught = second.ask('stamp', 10000, resumed // 1000)
    system.customer.type('\3')
    with answer:
        begin, _, stall, done = numbers(answer.readline(), 'torrent')
    seen = numbers(first.hear(), 'the other viewer')[0]
    return {'stall': stall / 1e6, 'octets': done,
            'rate': done / ((seen - begin) / REAL_S),
            'caught': (numbers(caught, 'the stalled viewer')[0] - resumed)
            / REAL_S, 'most': most,
            'grown': {name: (most[name] - start[name]) / 1024
                      for name in most}}


def kib_of(pids):
    return sum(map(private_kib, pids)) if may_see() else 0


def show_stalled(w, system, alone, beside):
    ours = system is w.ours
    head = f'a viewer that reads nothing for {STALL} s' + (
        ': ' if ours else ' (two-hop tmux): ')
    rates = [one['rate'] for one in beside]
    before = [one['done'] / one['seconds'] for one in alone]

    def worst(key):
        return max(one[key] for one in beside)
    w.report.value(head + 'longest stall of the pane', worst('stall'), 'ms',
                   at_most=20 if ours else None,
                   note=f'{worst("octets") / MB:.0f} MB, 4 kB a write')
    w.report.value(head + 'slowdown of another viewer',
                   median(before) / median(rates), 'x',
                   at_most=1.05 if ours else None, samples={
                       'alone, MB/s': [rate / MB for rate in before],
                       'beside it, MB/s': [rate / MB for rate in rates]})
    if ours and may_see():
        w.report.value(head + 'memory of the broker', max(
            one['most']['relay'] for one in beside) / 1024, 'MiB', at_most=4,
            note='with keeper and legs')
    w.report.value(head + 'catch-up', worst('caught'), 's',
                   at_most=0.2 if ours else None)
    w.report.note('a viewer that reads nothing', f'{system.name}: longest '
                  'stall of the pane, ms', {
                      'with it': worst('stall'),
                      'all read': max(one['stall'] for one in alone)})
    w.report.note('a viewer that reads nothing', f'{system.name}: private '
                  'memory grew by, MiB', {name: max(
                      one['grown'][name] for one in beside)
                      for name in beside[0]['grown']})


# ---- many sessions ----------------------------------------------------------

def many(w):
    """idle sessions with a viewer each, legs without sshd"""
    count, seconds = rounds(50, 500), rounds(30, 60)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (min(hard, max(soft, 8 * count)), hard))
    others = set(share_programs())
    with open(w.lab.path('legs.log'), 'w+') as log:
        proc = subprocess.Popen(
            [sys.executable, os.path.join(HERE, 'legs.py'), str(count),
             w.lab.lab, os.environ['TUNL_API_URL']], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            if proc.stdout.readline().strip() != 'ready':
                log.seek(0)
                raise Failed('legs.py: ' + (log.readlines() or ['?'])[-1])
            time.sleep(rounds(2, 5))    # what joining has set going
            show_many(w, count, seconds,
                      [p for p in share_programs() if p not in others])
        finally:
            proc.stdin.close()
            try:
                proc.wait(30)
            except subprocess.TimeoutExpired:
                proc.kill()


def show_many(w, count, seconds, ours):
    api = named('relay-api')
    before = [sum(map(cpu_ns, pids)) for pids in (ours, api)]
    begin = time.monotonic()
    time.sleep(seconds)
    wall = time.monotonic() - begin
    used = [(sum(map(cpu_ns, pids)) - was) / REAL_S / wall * 100
            for pids, was in zip((ours, api), before)]
    if len(share_programs()) < len(ours):
        raise Failed('some of the idle sessions ended')
    w.report.value(f'{count} idle sessions with a viewer each: CPU', used[0],
                   '% of a core', at_most=2 * count / 500,
                   note=f'target 2 % at 500; {len(ours)} processes,'
                   f' {seconds} s')
    w.report.note('many sessions', f'{count} of them', {
        'CPU of relay-api, % of a core': used[1],
        'CPU of ours, us a session and second':
            used[0] / 100 * 1e6 / count,
        'private KiB a session (broker, keeper, two legs)':
            sum(map(private_kib, ours)) / count if may_see() else None})


# ---- the API ----------------------------------------------------------------

def load(port, conns, seconds, *request):
    out = subprocess.run([tool('load'), str(port), str(conns), str(seconds),
                          *request], capture_output=True, text=True)
    if out.returncode != 0:
        raise Failed('bench-load: ' + out.stderr.strip())
    done, ns = numbers(out.stdout, 'bench-load')
    return done / (ns / REAL_S)


def stock_api(w):
    """The anchor on a copy of the database; its process and port."""
    db = w.lab.path('stock.db')
    for suffix in ('', '-wal'):
        if os.path.exists(f'{w.lab.lab}/data/tunl.db{suffix}'):
            shutil.copy(f'{w.lab.lab}/data/tunl.db{suffix}', db + suffix)
    # As sqlite3 makes them by itself.
    sqlite3.connect(db).execute('PRAGMA journal_mode = DELETE')
    proc = subprocess.Popen(
        [sys.executable, os.path.join(HERE, 'stockapi.py'), db],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    w.lab.closers.append(lambda: stop(proc))
    return int(proc.stdout.readline())


def sync_ms(directory):
    """What one write to the disk under the database takes, p50."""
    times = []
    with open(os.path.join(directory, 'sync'), 'wb', buffering=0) as f:
        for _ in range(100):
            begin = time.monotonic_ns()
            f.write(bytes(4096))
            os.fdatasync(f.fileno())
            times.append((time.monotonic_ns() - begin) / 1e6)
    return median(times)


def api(w):
    """reads and durable writes, over http.server and sqlite3"""
    for _ in range(20):
        w.lab.create()
    conns, seconds = 16, rounds(2, 10)
    ports = {'relay-api': int(os.environ['TUNL_API_PORT']),
             'http.server': stock_api(w)}
    requests = {
        'reads, one session': ('GET', '/api/v1/sessions/' + w.ours.sid),
        'reads, a list of 20': ('GET', '/api/v1/pending?limit=20'),
        'durable writes': ('POST', '/api/v1/pending', '{"ad_hoc":true}'),
    }
    for what, request in requests.items():
        got = {name: [] for name in ports}
        cpu = {}
        for _ in range(2):
            for name, port in ports.items():
                before = Cpu()
                rate = load(port, conns, seconds, *request)
                got[name].append(rate)
                add(cpu, per(before.spent(), rate * seconds * 2, 1e6,
                             ('relay-api', 'python3')))
        w.report.note('API', f'CPU of the server, us a request: {what}',
                      {'http.server' if name == 'python3' else name: us
                       for name, us in cpu.items()})
        w.report.note('API', f'requests/s of relay-api: {what}', {
            '16 connections': median(got['relay-api']),
            '1 connection': load(ports['relay-api'], 1, seconds, *request)})
        w.report.ratio(f'API: {what}', median(got['relay-api']),
                       median(got['http.server']), '/s',
                       at_least=10 if what == 'durable writes' else 50,
                       anchor_name='http.server + sqlite3', samples=got)
    w.report.note('API', 'one 4 KiB write and fdatasync, ms', {
        'p50': sync_ms(w.lab.dir)})


# ---- uploads ----------------------------------------------------------------

def upload(w):
    """an upload, over cp and fsync; the API's memory"""
    mib = rounds(256, 2048)
    port = int(os.environ['TUNL_API_PORT'])
    file, copy = w.lab.path('upload'), w.lab.path('copy')
    with open(file, 'wb') as f:
        for _ in range(mib):
            f.write(os.urandom(1 << 20))
        os.fsync(f.fileno())
    begin = time.monotonic_ns()
    shutil.copyfile(file, copy)
    with open(copy, 'rb') as f:
        os.fsync(f.fileno())
    anchor = (time.monotonic_ns() - begin) / REAL_S
    os.unlink(copy)
    url = f'http://127.0.0.1:{port}/api/v1/uploads'
    begin = time.monotonic_ns()
    record = curl_json('-d', json.dumps({'name': 'bench', 'size': mib << 20}),
                       url)
    curl_json('-T', file, f'{url}/{record["id"]}/data')
    record = curl_json('-d', '{}', f'{url}/{record["id"]}/complete')
    ours = (time.monotonic_ns() - begin) / REAL_S
    os.unlink(file)
    if record['status'] != 'complete':
        raise Failed('the upload is not complete')
    w.report.ratio(f'upload of {mib} MiB', ours, anchor, 's', at_most=3,
                   anchor_name='cp + fsync')
    pid = named('relay-api')[0]
    with open(f'/proc/{pid}/status') as f:
        peak = next(int(line.split()[1]) for line in f
                    if line.startswith('VmHWM:'))
    w.report.value('relay-api: memory at most, after it', peak / 1024, 'MiB',
                   at_most=20)


def curl_json(*args):
    out = subprocess.run(['curl', '-sf', '-H', 'Content-Type: application/json',
                          *args], capture_output=True, text=True)
    if out.returncode != 0:
        raise Failed(f'curl: {out.returncode} {out.stderr}')
    return json.loads(out.stdout)
