#!/bin/bash
# docs/relay-api.md is right: every example of it, sent to a relay, is answered
# so, and the page and the route table name the same endpoints.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apilib.sh
. "$repo/tests/integration/apilib.sh"

api_start TUNL_FREE_FLOOR=0 TUNL_SUPPORT_KEYS="$d/host.pub"
new_key customer
python3 - "$repo" "$d" <<'PY' || fail "docs/relay-api.md"
import http.client, json, re, socket, subprocess, sys

repo, d = sys.argv[1:]
page = open(f'{repo}/docs/relay-api.md').read()
bad = 0


def complain(*words):
    global bad
    bad += 1
    print(*words)


# ---- the table and the page --------------------------------------------------

table = {}
for method, prefix, path, cls in re.findall(
        r'\{ "([A-Z]+)", (V1 )?"([^"]+)",\s*ROUTE_([A-Z]+)',
        open(f'{repo}/relay/route.c').read()):
    path = ('/api/v1/' if prefix else '') + path
    table[method, path] = cls.lower().replace('enroll', 'enrol')
if len(table) < 20:
    complain('the route table cannot be read')

# An endpoint is told as `METHOD PATH[?…]`; its class stands behind it, or else
# in the heading that it is under.
told = {}
prose = re.sub(r'```.*?```', '', page, flags=re.S)
for section in re.split(r'^(?=##)', prose, flags=re.M):
    heading = re.match(r'#+ .*\((\w+)\)', section)
    for part in re.split(r'\n\n', section):
        ends = re.findall(r'`([A-Z]{3,}) (/[^`[]*)[^`]*`', part)
        classes = re.findall(r'\((public|support|internal|enrol)\)', part)
        for end in ends:
            told.setdefault(end, set()).update(
                classes[:1] or ([heading[1]] if heading else []))
for end in set(table) - set(told):
    complain('the page lacks', *end)
for end in set(told) - set(table):
    complain('there is no', *end)
for end in set(told) & set(table):
    if told[end] != {table[end]}:
        complain(*end, f'is {table[end]}, the page says', told[end])


# ---- the examples ------------------------------------------------------------

class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(f'{d}/run/api.sock')


# What the page calls …, is here …
here = {'ssh-ed25519 AAAAC3Nza…': open(f'{d}/customer.pub').read().strip()}
NAMES = {'id', 'session_id', 'session', 'certificate', 'resume', 'token',
         'ssh_host_key', 'name', 'version', 'next', 'cursor'}


def translate(text):
    for theirs, ours in here.items():
        text = re.sub(rf'(?<![0-9A-Za-z]){re.escape(theirs)}(?![0-9A-Za-z])',
                      lambda m: ours, text)
    return text


def learn(theirs, ours):
    if str(theirs) not in here:
        here[str(theirs)] = str(ours)


def compare(where, theirs, ours, key=''):
    """Fields, types; values too but for times and what the relay makes up."""
    if type(theirs) is not type(ours):
        complain(f'{where}: {key} is {ours!r}, the page says {theirs!r}')
    elif isinstance(theirs, dict):
        if list(theirs) != list(ours):
            complain(f'{where}: fields {list(ours)}, the page says '
                     f'{list(theirs)}')
        for k in set(theirs) & set(ours):
            compare(where, theirs[k], ours[k], k)
    elif isinstance(theirs, list):
        if len(theirs) != len(ours):
            complain(f'{where}: {key} has {len(ours)} elements')
        for a, b in zip(theirs, ours):
            compare(where, a, b, key)
    elif key in NAMES or key in ('ports', 'tunnel_port'):
        learn(theirs, ours)
        if here[str(theirs)] != str(ours):
            complain(f'{where}: {key} is {ours}, before it was '
                     f'{here[str(theirs)]}')
    elif not key.endswith('_at') and theirs != ours:
        complain(f'{where}: {key} is {ours!r}, the page says {theirs!r}')


def read_serial(answer):
    with open(f'{d}/signed-cert.pub', 'w') as f:
        f.write(answer['certificate'] + '\n')
    out = subprocess.run(['ssh-keygen', '-L', '-f', f'{d}/signed-cert.pub'],
                         capture_output=True, text=True, check=True).stdout
    learn('12000001', re.search(r'Serial: (\d+)', out)[1])


shown = set()
for example in re.findall(r'^```http\n(.*?)^```', page, re.M | re.S):
    asked, _, answered = example.partition('=> ')
    lines = translate(asked).splitlines()
    method, target = lines.pop(0).split(' ')
    headers = {}
    while lines and (m := re.match(r'([A-Z][A-Za-z-]+): (.*)$', lines[0])):
        headers[m[1]] = m[2]
        lines.pop(0)
    body = '\n'.join(lines)
    if body.startswith('{'):
        headers['Content-Type'] = 'application/json'
    if method in ('POST', 'PUT', 'PATCH'):
        headers['Content-Length'] = str(len(body))
    where = f'{method} {target}'
    for m, p in table:
        if m == method and re.fullmatch(re.sub('<[a-z]+>', '[^/]+', p),
                                        target.partition('?')[0]):
            shown.add((m, p))
    if target.endswith('/cast'):
        with open(f'{d}/{target.split("/")[-2]}.cast', 'w') as f:
            f.write('{"version": 2, "width": 80, "height": 24}\n')
    c = Unix('api')
    c.request(method, target, body or None, headers)
    r = c.getresponse()
    data = r.read()
    status, _, want = answered.partition('\n')
    status, _, kind = status.partition(' ')
    if r.status != int(status):
        complain(f'{where}: {r.status} {data.decode()}, the page says {status}')
    elif kind:
        if r.headers['Content-Type'] != kind:
            complain(f'{where}: it is {r.headers["Content-Type"]}')
        if r.status == 206 and not data:
            complain(f'{where}: nothing comes')
    elif want.strip():
        compare(where, json.loads(want), json.loads(data))
        if 'certificate' in want:
            read_serial(json.loads(data))
    elif data:
        complain(f'{where}: it says {data.decode()}')
for end in set(table) - shown:
    complain('the page has no example of', *end)
sys.exit(bad > 0)
PY
exit 0
