#!/bin/bash
# Four customers race for each token while relay-api is killed over and over:
# each token is used by exactly one of them, and none is lost.
#
# TOKENS_RACE=3000 tests/integration/api_race.sh is the long form.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apilib.sh
. "$repo/tests/integration/apilib.sh"

for n in 0 1 2 3; do
	new_key "racer$n"
done
cat >>"$TUNL_CONF" <<EOC
TUNL_TOKENS_MAX=1000
TUNL_TOKEN_FAIL_LIMIT=1000000
TUNL_SIGN_REPEAT=1h
TUNL_PORTS=1024-65000
TUNL_PORTS_PER_SESSION=1
EOC
cat >"$tmp/race.py" <<'PY'
import http.client, json, multiprocessing, os, queue, random, select
import signal, sqlite3, subprocess, sys, time

d, program, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
address = d + '/run/api.addr'
seed = int(os.environ.get('SEED', random.randrange(1 << 32)))
BATCH, RACERS = 20, 4
ERRORS = (OSError, http.client.HTTPException, ValueError)


class Client:
    """Asks until there is an answer, whatever happens to relay-api."""
    conn = None

    def post(self, path, body):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if self.conn is None:
                    with open(address) as f:
                        host = f.read().strip()
                    self.conn = http.client.HTTPConnection(host, timeout=10)
                self.conn.request('POST', path, json.dumps(body),
                                  {'Content-Type': 'application/json'})
                r = self.conn.getresponse()
                data = r.read()
                if r.status != 503:
                    return r.status, json.loads(data)
            except ERRORS:
                self.conn = None
            select.select([], [], [], 0.005)
        sys.exit(f'{path}: no answer for a minute')


def racer(n, gate, batches, out):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    client = Client()
    rng = random.Random(seed + n)
    with open(f'{d}/racer{n}.pub') as f:
        key = f.read().strip()
    while True:
        tokens = batches.get()
        if tokens is None:
            return
        rng.shuffle(tokens)
        gate.wait()
        for token in tokens:
            status, answer = client.post('/api/v1/sign', {
                'public_key': key, 'token': token})
            out.put((token, n, status, answer.get('session_id')))


def start():
    if os.path.exists(address):
        os.unlink(address)
    with open(d + '/log', 'a') as log:
        return subprocess.Popen([program, '-d'], stdout=log, stderr=log)


def make(client, n):
    """Some tokens; those whose answer was lost are nobody's."""
    made = []
    while len(made) < n:
        status, t = client.post('/api/v1/expected', {})
        if status == 409:       # the lost ones
            sys.exit('too many tokens outstanding')
        made.append(t['token'])
    return made


def settle(answers, tokens, won, sessions):
    """Exactly one racer has each token."""
    for token in tokens:
        wins = [a for a in answers if a[0] == token and a[2] == 200]
        losses = [a for a in answers if a[0] == token and a[2] == 401]
        if len(wins) != 1 or len(losses) != RACERS - 1:
            bad = [a for a in answers if a[0] == token]
            sys.exit(f'token {token}: {bad} (SEED={seed})')
        won.append(wins[0][1])
        if wins[0][3] in sessions:
            sys.exit(f'session {wins[0][3]} twice (SEED={seed})')
        sessions.add(wins[0][3])


def main():
    rng = random.Random(seed)
    gate = multiprocessing.Barrier(RACERS)
    queues = [multiprocessing.Queue() for _ in range(RACERS)]
    out = multiprocessing.Queue()
    racers = [multiprocessing.Process(target=racer, daemon=True,
                                      args=(n, gate, queues[n], out))
              for n in range(RACERS)]
    for r in racers:
        r.start()
    api, kills, won, sessions, client = start(), 0, [], set(), Client()
    due = 0
    while len(won) < count:
        tokens = make(client, min(BATCH, count - len(won)))
        for q in queues:
            q.put(list(tokens))
        answers, end = [], time.monotonic() + 100
        while len(answers) < RACERS * len(tokens):
            try:
                answers.append(out.get(timeout=0.002))
            except queue.Empty:
                pass
            if time.monotonic() >= due:
                api.kill()
                api.wait()
                kills += 1
                api = start()
                due = time.monotonic() + rng.uniform(0.02, 0.3)
            if time.monotonic() >= end:
                sys.exit(f'a batch hangs (SEED={seed})')
        settle(answers, tokens, won, sessions)
    for q in queues:
        q.put(None)
    api.terminate()
    if api.wait() != 0:
        sys.exit('relay-api does not end well')
    db = sqlite3.connect(d + '/tunl.db')
    if db.execute('PRAGMA integrity_check').fetchone() != ('ok',):
        sys.exit('the database is damaged')
    used = db.execute('SELECT count(*), count(DISTINCT session) FROM tokens '
                      'WHERE used_at IS NOT NULL').fetchone()
    if used != (count, count) or kills < count // 50 or \
            len(set(won)) < RACERS:
        sys.exit(f'{used} used, {kills} kills, won by {set(won)}')
    print(f'{count} tokens, {kills} kills, won '
          f'{[won.count(n) for n in range(RACERS)]}', file=sys.stderr)


main()
PY
out=$(python3 "$tmp/race.py" "$d" "$build/relay-api" "${TOKENS_RACE:-200}" 2>&1) ||
    fail "$out"
[ -z "${TOKENS_RACE:-}" ] || echo "$out"
exit 0
