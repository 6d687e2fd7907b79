#!/usr/bin/env python3
"""castplay.py - check and play recordings, asciicast v2.

usage: castplay.py check FILE           print its text, or say what is wrong
       castplay.py events FILE          print the other events, one a line
       castplay.py play FILE SOCKET     as the command of a tmux pane, whose
                                        server listens on SOCKET

`play` sends everything at once, resizes its window where the recording says so,
and ends with the title "played" and no further output.  `check` reads as
strictly as RFC 8259 and the format's description permit.
"""
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import tty

LIMIT = 5.0


def fail(number, what):
    sys.exit(f'line {number}: {what}')


def unique(pairs):
    keys = [k for k, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError('a key twice')
    return dict(pairs)


def load(path):
    """The header and the events, each line checked."""
    with open(path, 'rb') as f:
        data = f.read()
    if not data.endswith(b'\n'):
        fail(data.count(b'\n') + 1, 'no line feed at the end')
    rows = []
    for number, raw in enumerate(data[:-1].split(b'\n'), 1):
        if re.search(rb'[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]',
                     raw):
            fail(number, 'a control character as it is')
        try:
            rows.append(json.loads(raw.decode('utf-8'),
                                   object_pairs_hook=unique))
        except ValueError as e:
            fail(number, f'{e}: {raw[:80]!r}')
    header, events = rows[0], rows[1:]
    if (not isinstance(header, dict) or header.get('version') != 2 or
            not all(isinstance(header.get(k), int) and header[k] > 0
                    for k in ('width', 'height', 'timestamp')) or
            not isinstance(header.get('title', ''), str)):
        fail(1, 'not the header of version 2')
    if not 0 <= time.time() - header['timestamp'] < 86400:
        fail(1, 'not of today')
    last = 0.0
    for number, event in enumerate(events, 2):
        if (not isinstance(event, list) or len(event) != 3 or
                not isinstance(event[0], (int, float)) or
                event[1] not in ('o', 'r', 'm') or
                not isinstance(event[2], str) or not event[2]):
            fail(number, f'no event: {event!r:.80}')
        if event[0] < last:
            fail(number, 'time goes backwards')
        last = event[0]
        if event[1] == 'r' and not re.fullmatch(r'[1-9]\d*x[1-9]\d*',
                                                event[2]):
            fail(number, 'not a size')
    if header['timestamp'] + last > time.time() + 1:
        fail(len(events) + 1, 'in the future')
    return header, events


def text(path):
    return ''.join(e[2] for e in load(path)[1] if e[1] == 'o')


class Player:
    def __init__(self, path, socket):
        self.header, self.events = load(path)
        self.tmux = ['tmux', '-S', socket]
        self.pane = os.environ['TMUX_PANE']

    def size(self):
        return '%dx%d' % os.get_terminal_size(0)

    def resize(self, size):
        """The terminal has read all so far, and then has this size."""
        self.write('\030\033[5n')
        seen, end = b'', time.monotonic() + LIMIT
        while b'\033[0n' not in seen:
            if not select.select([0], [], [], end - time.monotonic())[0]:
                sys.exit('the terminal does not answer')
            seen += os.read(0, 4096)
        cols, rows = size.split('x')
        subprocess.run(self.tmux + ['resize-window', '-t', self.pane, '-x',
                                    cols, '-y', rows], check=True)
        while self.size() != size:
            if time.monotonic() > end:
                sys.exit(f'{self.size()} and not {size}')
            select.select([], [], [], 0.01)

    def write(self, text):
        data = text.encode()
        while data:
            data = data[os.write(1, data):]

    def play(self):
        tty.setraw(0)
        for _, kind, value in self.events:
            if kind == 'o':
                self.write(value)
            elif kind == 'r':
                self.resize(value)
        self.write('\033]2;played\a')
        signal.pause()


def main():
    if len(sys.argv) > 2 and sys.argv[1] == 'check':
        sys.stdout.write(text(sys.argv[2]))
    elif len(sys.argv) > 2 and sys.argv[1] == 'events':
        for when, kind, value in load(sys.argv[2])[1]:
            if kind != 'o':
                print(kind, value)
    elif len(sys.argv) == 4 and sys.argv[1] == 'play':
        Player(sys.argv[2], sys.argv[3]).play()
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main()
