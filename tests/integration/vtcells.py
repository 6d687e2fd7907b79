#!/usr/bin/env python3
"""vtcells.py - compare two captured screens cell by cell.

usage: vtcells.py A B

A and B are what `tmux display-message -p FORMAT ; capture-pane -p -e -N` wrote:
a line of `name=value` words, then the rows.  Blank cells at the end of a row
that nobody drew are as good as blank cells that somebody did.  Links, which
tmux knows from 3.4 on, reach no engineer and are no difference.  Nor is what a
row has that no terminal has room for: when the second half of a wide character
in the first column is written over, tmux 3.3a keeps the first.  Silent and 0
if the screens are equal; else says what differs first, shows both rows, and 1.
"""
import re
import sys
import unicodedata

SGR = re.compile(r'\033\[([0-9;:]*)m')
LINK = re.compile(r'\033]8;[^\033]*\033\\')
SET, CLEAR = '\016', '\017'
OFF = {22: (1, 2), 23: (3,), 24: (4,), 25: (5,), 27: (7,), 28: (8,), 29: (9,),
       39: (38,), 49: (48,), 55: (53,), 59: (58,)}


class Pen:
    """Attributes: SGR number -> how it was set."""

    def __init__(self):
        self.attrs = {}

    def apply(self, params):
        words = params.split(';')
        while words:
            word = words.pop(0)
            if word == '5:3':       # tmux's spelling of overline
                word = '53'
            number = int(re.split(':', word)[0] or 0)
            if number in (38, 48, 58) and ':' not in word:
                count = {'5': 2, '2': 4}[words[0]]
                word = ':'.join([word] + words[:count])
                del words[:count]
            self.set(number, word)

    def set(self, number, word):
        if number == 0:
            self.attrs.clear()
        elif number in OFF:
            for n in OFF[number]:
                self.attrs.pop(n, None)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            self.attrs[38] = word
        elif 40 <= number <= 47 or 100 <= number <= 107:
            self.attrs[48] = word
        else:
            self.attrs[number] = word

    def text(self):
        return ' '.join(sorted(self.attrs.values()))


def rows_of(text):
    """Each row as a list of cells (characters, attributes, line drawing)."""
    pen, drawing, rows = Pen(), False, []
    for line in LINK.sub('', text).split('\n'):
        cells, i = [], 0
        while i < len(line):
            m = SGR.match(line, i)
            if m:
                pen.apply(m.group(1))
                i = m.end()
                continue
            c = line[i]
            i += 1
            if c in SET + CLEAR:
                drawing = c == SET
            elif unicodedata.combining(c) and cells:
                cells[-1] = (cells[-1][0] + c,) + cells[-1][1:]
            else:
                cells.append((c, pen.text(), drawing))
        while cells and cells[-1] == (' ', '', False):
            cells.pop()
        rows.append(cells)
    return rows


def width(cell):
    return 2 if unicodedata.east_asian_width(cell[0][0]) in 'WF' else 1


def show(row):
    return ''.join(c[0] if c[0].isprintable() else '?' for c in row)


def name(row, i):
    if i >= len(row):
        return 'nothing'
    text, pen, drawing = row[i]
    codes = ' '.join(f'U+{ord(c):04X}' for c in text)
    return f'{codes}{" drawing" if drawing else ""} [{pen}]'


def is_too_wide(row, cols):
    """Half a wide character stands first, and takes the room of a whole one."""
    return (len(row) > 1 and width(row[0]) == 2 and width(row[1]) == 1
            and sum(width(c) for c in row) == cols + 1)


def compare_rows(a, b, cols):
    for y in range(max(len(a), len(b))):
        ra = a[y] if y < len(a) else []
        rb = b[y] if y < len(b) else []
        if ra == rb or is_too_wide(ra, cols) and ra[:-1] == rb:
            continue
        i = next((i for i, (ca, cb) in enumerate(zip(ra, rb)) if ca != cb),
                 min(len(ra), len(rb)))
        x = sum(width(c) for c in ra[:i])
        print(f'row {y}, column {x}: {name(ra, i)}, not {name(rb, i)}')
        print(f'  A: {show(ra)}')
        print(f'  B: {show(rb)}')
        return False
    return True


def in_screen(words):
    """tmux leaves the cursor of an alternate screen that shrinks outside."""
    f = dict(w.split('=', 1) for w in words.split())
    if int(f['cursor_x']) > int(f['pane_width']):
        f['cursor_x'] = str(int(f['pane_width']) - 1)
    return ' '.join(f'{k}={v}' for k, v in f.items())


def compare_formats(a, b):
    a, b = in_screen(a), in_screen(b)
    differ = [f'{wa}, not {wb}' for wa, wb in zip(a.split(), b.split())
              if wa != wb]
    for line in differ:
        print(line)
    return not differ


def main():
    texts = []
    for path in sys.argv[1:3]:
        with open(path, encoding='utf-8', errors='surrogateescape',
                  newline='\n') as f:
            texts.append(f.read())
    (fa, _, a), (fb, _, b) = (t.partition('\n') for t in texts)
    formats = compare_formats(fa, fb)
    cols = re.search(r'pane_width=(\d+)', fa)
    if not (compare_rows(rows_of(a), rows_of(b),
                         int(cols.group(1)) if cols else 0) and formats):
        sys.exit(1)


sys.stdout.reconfigure(errors='backslashreplace')
main()
