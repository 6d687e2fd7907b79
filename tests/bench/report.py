"""report - the rows of a run, as Markdown for people and JSON for programs."""
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess


def number(v):
    if v is None:
        return '-'
    if v == 0 or abs(v) >= 100:
        return f'{v:.0f}'
    return f'{v:.3g}'


def first_line(*argv):
    try:
        out = subprocess.run(argv, capture_output=True, text=True,
                             check=False)
    except OSError:
        return 'not installed'
    return ((out.stdout or out.stderr).splitlines() or ['?'])[0]


class Report:
    def __init__(self):
        self.rows, self.notes, self.failures = [], [], []
        self.began = datetime.datetime.now(datetime.timezone.utc)

    # ---- what measures.py adds ----------------------------------------------

    def value(self, what, value, unit, *, at_most=None, at_least=None,
              anchor=None, anchor_name='two-hop tmux', samples=None, note=''):
        """A measure with a target of its own; ANCHOR is for comparison."""
        self.rows.append({
            'measure': what, 'value': value, 'unit': unit,
            'anchor': anchor, 'anchor_name': anchor_name if anchor else None,
            'ratio': value / anchor if value and anchor else None,
            'target': target(at_most, at_least, unit),
            'hit': hit(value, at_most, at_least), 'note': note,
            'samples': samples or {}})

    def ratio(self, what, value, anchor, unit, *, at_most=None, at_least=None,
              anchor_name='two-hop tmux', samples=None, note=''):
        """A measure whose target is a ratio to its anchor."""
        r = value / anchor
        self.rows.append({
            'measure': what, 'value': value, 'unit': unit, 'anchor': anchor,
            'anchor_name': anchor_name, 'ratio': r,
            'target': target(at_most, at_least, 'x'),
            'hit': hit(r, at_most, at_least), 'note': note,
            'samples': samples or {}})

    def note(self, section, what, values):
        """Where the time goes."""
        self.notes.append({'section': section, 'what': what,
                           'values': values})

    def failed(self, what, why):
        self.failures.append({'measure': what,
                              'why': ' '.join(str(why).split())})

    # ---- output -------------------------------------------------------------

    def machine(self):
        cpus = [line.partition(':')[2].strip() for line in open(
            '/proc/cpuinfo') if line.startswith('model name')]
        pages = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        return {
            'date': self.began.strftime('%Y-%m-%d %H:%M UTC'),
            'machine': f'{os.cpu_count()} x {cpus[0] if cpus else "?"}, '
                       f'{pages / 2 ** 30:.0f} GiB',
            'kernel': platform.platform(),
            'load before, after': f'{self.load[0]:.1f}, '
                                  f'{os.getloadavg()[0]:.1f}',
            'linbit-tunl': first_line('linbit-tunl', '--version'),
            'tmux': first_line('tmux', '-V'),
            'OpenSSH': first_line('ssh', '-V'),
            'socat': first_line('sh', '-c', 'socat -V | sed -n 2p'),
            'Python': platform.python_version(),
            'tmate': first_line('tmate', '-V') if shutil.which('tmate')
                     else 'not installed',
        }

    def start(self):
        self.load = os.getloadavg()

    def markdown(self, facts, seconds, full):
        hits = sum(row['hit'] is True for row in self.rows)
        misses = sum(row['hit'] is False for row in self.rows)
        yield '# linbit-tunl: measured beside the alternatives\n'
        yield f'{hits} of {hits + misses} targets hit, {misses} missed' + (
            f', {len(self.failures)} not measured.' if self.failures else '.')
        yield ('All in one run, systems taking turns, medians; on a shared '
               'machine only ratios mean something.  **two-hop tmux** is two '
               'ssh legs joined by socat that carry a `tmux attach`.  The '
               'viewer is the terminal that `tunl view` writes to.\n')
        if self.load[0] > os.cpu_count() / 2:
            yield ('**Other work was running** (load '
                   f'{self.load[0]:.1f} on {os.cpu_count()} cores before the '
                   'start): absolute times are too long, and targets in '
                   'milliseconds mean little.\n')
        yield '| measure | ours | anchor | ratio | target | |'
        yield '|---|---|---|---|---|---|'
        for row in self.rows:
            yield row_line(row)
        for f in self.failures:
            yield f'| {f["measure"]} | **not measured**: {f["why"]} | | | | |'
        yield '\n## Where the time goes\n'
        yield from self.note_lines()
        yield '\n## Spread\n'
        yield '| measure | of | n | least | median | most |'
        yield '|---|---|---|---|---|---|'
        yield from self.spread_lines()
        yield '\n## Not in this run\n'
        yield ('- tmate: Debian has its client only; the server that a private'
               ' comparison needs cannot be had as a package.  Client: '
               f'{facts["tmate"]}.')
        yield '- `validate-token` and the size of the packages.'
        yield '\n## Run\n'
        for key, value in facts.items():
            yield f'- {key}: {value}'
        yield f'- took {seconds:.0f} s, ' + (
            'full sizes' if full else 'small sizes (BENCH_FULL=1: full)')

    def note_lines(self):
        last = None
        for note in self.notes:
            if note['section'] != last:
                yield f'\n**{note["section"]}**\n'
                last = note['section']
            values = sorted(note['values'].items(),
                            key=lambda kv: -(kv[1] or 0))
            yield f'- {note["what"]}: ' + ', '.join(
                f'{name} {number(v)}' for name, v in values)

    def spread_lines(self):
        for row in self.rows:
            for name, v in row['samples'].items():
                yield (f'| {row["measure"]} | {name} | {len(v)} | '
                       f'{number(min(v))} | {number(statistics.median(v))} | '
                       f'{number(max(v))} |')

    def write(self, directory, seconds, full):
        """The two files; returns the text."""
        facts = self.machine()
        text = '\n'.join(self.markdown(facts, seconds, full)) + '\n'
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, 'report.md'), 'w') as f:
            f.write(text)
        with open(os.path.join(directory, 'report.json'), 'w') as f:
            json.dump({'facts': facts, 'seconds': seconds, 'full': full,
                       'rows': self.rows, 'notes': self.notes,
                       'failures': self.failures}, f, indent=1)
            f.write('\n')
        return text


def target(at_most, at_least, unit):
    unit = '' if unit == 'x' else ' ' + unit
    if at_most is not None:
        return f'<= {number(at_most)}{unit or "x"}'
    return f'>= {number(at_least)}{unit or "x"}' if at_least is not None \
        else ''


def hit(value, at_most, at_least):
    if at_most is None and at_least is None:
        return None
    if value is None:
        return False
    return value <= at_most if at_most is not None else value >= at_least


def row_line(row):
    anchor = '' if row['anchor'] is None else \
        f'{number(row["anchor"])} {row["unit"]} ({row["anchor_name"]})'
    ratio = '' if row['ratio'] is None else number(row['ratio']) + 'x'
    verdict = {True: 'hit', False: '**MISS**', None: ''}[row['hit']]
    note = f' ({row["note"]})' if row['note'] else ''
    return (f'| {row["measure"]}{note} | {number(row["value"])} '
            f'{row["unit"]} | {anchor} | {ratio} | {row["target"]} | '
            f'{verdict} |')
