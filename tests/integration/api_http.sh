#!/bin/bash
# What a hostile peer may try with HTTP itself and with bodies: everything that
# can be read in two ways is refused, nobody holds a connection for ever, and
# nothing that is refused has an effect.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apilib.sh
. "$repo/tests/integration/apilib.sh"

api_start

# ---- framing -----------------------------------------------------------------

# Every case ends in front of a good request; where it must close, that one must
# not be answered.
python3 - "$addr" <<'PY' || fail "framing"
import re, socket, sys

host, port = sys.argv[1].split(':')
H = b'Host: x\r\n'
GET = b'GET /healthz HTTP/1.1\r\n'
NEXT = GET + H + b'\r\n'
POST = b'POST /api/v1/pending HTTP/1.1\r\n' + H
JSON = b'Content-Type: application/json\r\n'
bad = 0


def ask(data, limit=10):
    """What it answers, until it closes or has answered the last request."""
    s = socket.create_connection((host, int(port)), limit)
    out = b''
    closed = False
    try:
        s.sendall(data + b'GET /last HTTP/1.1\r\n' + H + b'\r\n')
    except OSError:
        pass
    try:
        while b'no such endpoint' not in out:
            got = s.recv(65536)
            if not got:
                closed = True
                break
            out += got
    except ConnectionResetError:
        closed = True
    s.close()
    return re.findall(rb'HTTP/1\.[01] (\d+)', out), closed


def case(name, data, want, close):
    global bad
    got, closed = ask(data)
    got = [int(x) for x in got]
    # libmicrohttpd sends the head of its own refusals twice; what it does not
    # read of a head that is too long may cost the answer, not the refusal.
    if close:
        good = closed and set(got) <= set(want) and (
            got or want[0] in (414, 431))
    else:
        good = not closed and got == want + [404]
    if not good:
        print(f'{name}: expected {want}, close={close}; '
              f'came {got}, closed={closed}')
        bad += 1


def closes(name, status, data):
    case(name, data + NEXT, [status], True)


def goes_on(name, statuses, data):
    case(name, data, statuses, False)


goes_on('plain', [200], NEXT)
goes_on('pipelined', [200, 200, 200], NEXT * 3)
goes_on('HEAD', [200], b'HEAD /healthz HTTP/1.1\r\n' + H + b'\r\n')
goes_on('empty value', [200], GET + H + b'Accept:\r\n\r\n')
goes_on('no type', [415],
        POST + b'Content-Length: 2\r\n\r\n{}')
goes_on('not JSON', [400, 200], POST + JSON + b'Content-Length: 2\r\n\r\n{]' +
        NEXT)
goes_on('Expect', [100, 422],
        POST + JSON + b'Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}')
goes_on('unknown method', [405], b'FOO /healthz HTTP/1.1\r\n' + H + b'\r\n')
goes_on('OPTIONS', [405], b'OPTIONS /healthz HTTP/1.1\r\n' + H + b'\r\n')
for te in b'chunked', b'xchunked', b'identity', b'gzip, chunked', b'':
    closes('POST TE ' + te.decode(), 400, POST + JSON +
           b'Transfer-Encoding: ' + te + b'\r\n\r\n0\r\n\r\n')
    closes('POST TE+CL ' + te.decode(), 400, POST + JSON +
           b'Content-Length: 5\r\nTransfer-Encoding: ' + te +
           b'\r\n\r\n0\r\n\r\n')
    closes('GET TE ' + te.decode(), 400, GET + H +
           b'Transfer-Encoding: ' + te + b'\r\n\r\n')
closes('two lengths', 400, POST + JSON +
       b'Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}')
closes('two lengths, GET', 400, GET + H +
       b'Content-Length: 0\r\nContent-Length: 0\r\n\r\n')
for method in b'POST', b'PATCH', b'PUT':
    closes(method.decode() + ' without a length', 411,
           method + b' /api/v1/pending HTTP/1.1\r\n' + H + JSON + b'\r\n')
for cl in b'+2', b'-1', b'0x2', b'2, 2', b'2 2', b'02', b'2;', b'', b'\t':
    closes('length ' + repr(cl), 400, POST + JSON + b'Content-Length: ' + cl +
           b'\r\n\r\n{}')
closes('a huge length', 413, POST + JSON + b'Content-Length: ' + b'9' * 30 +
       b'\r\n\r\n{}')
closes('a long body', 413, POST + JSON + b'Content-Length: 65537\r\n\r\n{}')
for method in b'GET', b'HEAD', b'DELETE':
    closes(method.decode() + ' with a body', 400,
           method + b' /healthz HTTP/1.1\r\n' + H +
           b'Content-Length: 2\r\n\r\n{}')
closes('CONNECT', 400, b'CONNECT x:80 HTTP/1.1\r\n' + H + b'\r\n')
closes('blank before colon', 400, POST + JSON + b'Content-Length : 2\r\n\r\n{}')
closes('blank before colon, GET', 400, GET + H + b'Content-Length : %d\r\n\r\n'
       % len(NEXT))
closes('tab before colon', 400, GET + H + b'Content-Length\t: 0\r\n\r\n')
closes('folded', 400, GET + H + b'X: a\r\n b\r\n\r\n')
closes('folded length', 400, POST + JSON + b'X: a\r\n Content-Length: 2\r\n\r\n')
closes('leading blank', 400, GET + b' X: a\r\n' + H + b'\r\n')
closes('bare LF', 400, b'GET /healthz HTTP/1.1\nHost: x\n\n')
closes('one bare LF', 400, GET + H + b'X: a\nY: b\r\n\r\n')
closes('bare CR', 400, GET + H + b'X: a\rY: b\r\n\r\n')
closes('NUL in a value', 400, GET + H + b'X: a\0b\r\n\r\n')
closes('NUL in a name', 400, GET + H + b'X\0Y: b\r\n\r\n')
closes('NUL in the target', 400, b'GET /healthz\0x HTTP/1.1\r\n' + H + b'\r\n')
closes('NUL in the length', 400, POST + JSON + b'Content-Length: 2\x000\r\n\r\n{}')
for c in b'\x01', b'\x07', b'\x1b', b'\x7f':
    closes('control octet in a value', 400, GET + H + b'X: ' + c + b'\r\n\r\n')
    closes('control octet in the target', 400,
           b'GET /' + c + b' HTTP/1.1\r\n' + H + b'\r\n')
closes('no colon', 400, GET + H + b'nonsense\r\n\r\n')
closes('blank in a name', 400, GET + H + b'X Y: a\r\n\r\n')
closes('no Host', 400, GET + b'\r\n')
closes('two Hosts', 400, GET + H + H + b'\r\n')
closes('blank in the target', 400, b'GET /heal thz HTTP/1.1\r\n' + H + b'\r\n')
closes('a tab in the target', 400, b'GET /heal\tthz HTTP/1.1\r\n' + H + b'\r\n')
closes('8 bits in the target', 400, b'GET /\xc3\xa4 HTTP/1.1\r\n' + H + b'\r\n')
closes('two blanks', 400, b'GET  /healthz HTTP/1.1\r\n' + H + b'\r\n')
closes('HTTP/2.0', 505, b'GET /healthz HTTP/2.0\r\n' + H + b'\r\n')
closes('HTTP/1.9', 400, b'GET /healthz HTTP/1.9\r\n' + H + b'\r\n')
# Octets that a refused or a taken upload brings are never a request.
UPLOAD = b'/api/v1/uploads/' + b'0' * 32 + b'/data HTTP/1.1\r\n' + H
PUT = b'PUT ' + UPLOAD
closes('an upload that is not there', 404,
       PUT + b'Content-Length: %d\r\n\r\n' % len(NEXT))
closes('the same, long', 404, PUT + b'Content-Length: 100000\r\n\r\n')
goes_on('the same, empty', [404, 200],
        PUT + b'Content-Length: 0\r\n\r\n' + NEXT)
closes('a Content-Encoding', 415, PUT + b'Content-Encoding: gzip\r\n'
       b'Content-Length: 2\r\n\r\n{}')
closes('PUT TE', 400, PUT + b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
closes('PUT TE+CL', 400, PUT + b'Content-Length: 5\r\n'
       b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
closes('PUT CL+TE', 400, PUT + b'Transfer-Encoding: chunked\r\n'
       b'Content-Length: 5\r\n\r\n0\r\n\r\n')
closes('PUT, two lengths', 400, PUT + b'Content-Length: 2\r\n'
       b'Content-Length: 200\r\n\r\n{}')
closes('PUT, the second length in other letters', 400, PUT +
       b'Content-Length: 2\r\nCONTENT-LENGTH: 200\r\n\r\n{}')
closes('PUT, blank before colon', 400, PUT + b'Content-Length : 2\r\n\r\n{}')
closes('PUT without a length', 411, PUT + b'\r\n')
for field in b'Range', b'Content-Range', b'Authorization', b'Content-Type':
    closes('two of ' + field.decode(), 400, GET + H + (field + b': x\r\n') * 2 +
           b'\r\n')
closes('a body for a GET of data', 400, b'GET ' + UPLOAD +
       b'Content-Length: %d\r\n\r\n' % len(NEXT))
closes('a body for DELETE', 400, b'DELETE ' + UPLOAD +
       b'Content-Length: %d\r\n\r\n' % len(NEXT))
closes('TE for HEAD', 400, b'HEAD ' + UPLOAD +
       b'Transfer-Encoding: chunked\r\n\r\n')
closes('a head of 64 KiB', 431, GET + H + b'X: ' + b'a' * 65536 + b'\r\n\r\n')
closes('bare LF behind the length', 400, PUT + b'Content-Length: 2\n\r\n{}')
closes('folded length', 400, PUT + b'Content-Length:\r\n 2\r\n\r\n{}')
closes('a long head', 431, GET + H + b'X: ' + b'a' * 30000 + b'\r\n\r\n')
closes('many fields', 431, GET + H + b'X: a\r\n' * 20000 + b'\r\n')
closes('a long target', 414, b'GET /' + b'a' * 100000 + b' HTTP/1.1\r\n')
sys.exit(bad > 0)
PY
call GET /api/v1/pending
is pending '[]'

# ---- targets -----------------------------------------------------------------

for path in / // /api /api/v1 /api/v1/ //healthz /healthz/ /healthz// /HEALTHZ \
    /./healthz /api/../healthz /%68ealthz /healthz%00 /healthz%20 '/healthz;x' \
    http://x/healthz /api/v1/sessions/ /api/v1/sessions/.. \
    /api/v1/sessions/%2e%2e%2f /api/v1/sessions/../sessions \
    /api/v1/sessions/aa-bb-cc /api/v1/sessions/aa-bb-cc-dd-ee \
    /api/v1/sessions/AA-bb-cc-dd /api/v1/sessions/aa-bb-cc-dd/ \
    "/api/v1/sessions/aa-bb-cc-dd'--" "/api/v1/sessions/aa%2dbb-cc-dd" \
    "/api/v1/pending/'%20OR%201=1" /api/v1/pending/aa-bb-cc-d; do
	out=$(curl -s -o "$d/out" -w '%{http_code}' --path-as-is \
	    --request-target "$path" "http://$addr/")
	[ "$out" = 404 ] || fail "$path: $out $(cat "$d/out")"
	grep -q '"code":"not_found"' "$d/out" || fail "$path: $(cat "$d/out")"
done
for query in x=1 '' limit limit=0 limit=01 limit=1001 limit=-1 limit=+1 \
    limit=1.5 limit=99999999999999999999999 'limit=1&limit=1' 'limit=1&' \
    '&limit=1' 'limit=%31%' 'limit=%zz' 'customer=%00' 'customer=%1b%5b2J' \
    'customer=%ff' 'customer=%e2%80%ae' "customer=$(printf '%300s' '' |
    tr ' ' x)" 'status=gone' 'status=' 'case=%27' cursor=0 cursor=x since=-1 \
    'LIMIT=1' 'limit%3d1' '?limit=1'; do
	call GET "/api/v1/sessions?$query"
	[ "$status" = 400 ] || [ "$status" = 422 ] ||
	    fail "query $query: $status $body"
done
call GET "/api/v1/sessions?customer=%27%20OR%20%271%27%3D%271&limit=1"
expect 200 '"sessions":[]'
call GET '/healthz?x=1'
expect 400
call POST /healthz
expect 405
curl -s -i -X DELETE "http://$addr/api/v1/info" | tr -d '\r' |
    grep -qx 'Allow: GET, HEAD' || fail "405 without Allow"

# ---- bodies ------------------------------------------------------------------

# refused STATUS TEXT BODY
refused() {
	call POST /api/v1/pending "$3"
	[ "$status" = "$1" ] && [[ $body == *"$2"* ]] ||
	    fail "body $3: expected $1 $2, came $status $body"
}
deep=$(printf '%5000s' '' | tr ' ' '[')
refused 400 JSON '['
refused 400 JSON 'null'
refused 400 JSON '"x"'
refused 400 JSON '[]'
refused 400 JSON '{"ad_hoc": true} x'
refused 400 JSON '{"ad_hoc": true}{"ad_hoc": true}'
refused 400 JSON '{"ad_hoc": true,}'
refused 400 JSON '{ad_hoc: true}'
refused 400 JSON "{'ad_hoc': true}"
refused 400 JSON "$deep"
refused 400 JSON "{\"case\": $deep"
refused 400 JSON '{"ad_hoc": true, "expires_in": 060}'
refused 400 JSON '{"ad_hoc": true, "case": "a\u0000b"}'
refused 400 JSON '{"ad_hoc": true, "case\u0000": "abc"}'
refused 400 JSON '{"ad_hoc": true, "case": "\ud800"}'
refused 400 JSON $'{"ad_hoc": true, "case": "a\tb"}'
refused 400 JSON $'{"ad_hoc": true, "case": "\xff"}'
refused 400 JSON $'{"ad_hoc": true, "case": "\xc0\x80"}'
refused 400 JSON $'{"ad_hoc": true, \x01"case": "abc"}'
refused 400 JSON $'\xef\xbb\xbf{"ad_hoc": true}'
refused 422 'ad_hoc: is there twice' '{"ad_hoc": true, "ad_hoc": true}'
refused 422 'AD_HOC: is not a field' '{"AD_HOC": true}'
refused 422 'a field that is not known' '{"ad_hoc": true, "\u001b[2J": 1}'
refused 422 'ad_hoc:' '{"ad_hoc": 1}'
refused 422 'ad_hoc:' '{"ad_hoc": "true"}'
refused 422 'ad_hoc:' '{"ad_hoc": null}'
refused 422 'case:' '{"case": 4711}'
refused 422 'case:' '{"case": ["CASE"]}'
refused 422 'case:' '{"case": "ab"}'
refused 422 'case:' '{"case": "../../etc/passwd"}'
refused 422 'case:' "{\"case\": \"$(printf '%65s' '' | tr ' ' x)\"}"
refused 422 'customer:' '{"customer": ""}'
refused 422 'customer:' '{"customer": "\u001b[2Jx"}'
refused 422 'customer:' '{"customer": "\u009bx"}'
refused 422 'customer:' '{"customer": "a\nb"}'
refused 422 'customer:' '{"customer": "\u202ex"}'
refused 422 'customer:' "{\"customer\": \"$(printf '%129s' '' | tr ' ' x)\"}"
refused 422 'id:' '{"ad_hoc": true, "id": "../../../x"}'
refused 422 'id:' '{"ad_hoc": true, "id": "aa-bb-cc"}'
refused 422 'id:' '{"ad_hoc": true, "id": "Aa-bb-cc-dd"}'
refused 422 'id:' '{"ad_hoc": true, "id": "aa-bb-cc-dd\n"}'
for n in 0 -1 0.5 1e300 99999999999999999999 2592001 '"60"' true; do
	refused 422 'expires_in:' "{\"ad_hoc\": true, \"expires_in\": $n}"
done
call GET /api/v1/pending
is pending '[]'
# Texts are data, whatever is in them.
call POST /api/v1/pending \
    "{\"customer\": \"x'); DROP TABLE sessions; --\", \"expires_in\": 6e1}"
expect 201
is customer "x'); DROP TABLE sessions; --"
sid=$(field id)
for key in '' 'x' 'ssh-ed25519' 'ssh-ed25519 ' 'ssh-ed25519 AAAA' \
    "ssh-rsa $(cut -d' ' -f2 "$d/host.pub")" \
    "no-pty $(cat "$d/host.pub")" "$(cat "$d/host.pub")\\n$(cat "$d/ca.pub")" \
    "$(cut -d' ' -f1,2 "$d/host.pub")A" "$(cut -d' ' -f1,2 "$d/host.pub")=" \
    "$(tr ' ' '\t' <"$d/host.pub")" "-oProxyCommand=x AAAA" \
    "ssh-ed25519  $(cut -d' ' -f2 "$d/host.pub")" \
    "$(printf '%5000s' '' | tr ' ' x)"; do
	call POST /api/v1/sign "{\"session_id\": \"$sid\", \"public_key\": \"$key\"}"
	[[ $status =~ ^4(00|22)$ ]] || fail "key \"$key\": $status $body"
done
call POST /api/v1/sign "{\"session_id\": \"$sid\", \"token\": \"1\",
    \"public_key\": \"$(cat "$d/host.pub")\"}"
expect 422 token
call GET "/api/v1/sessions/$sid"
is status pending
claim good
sid=$(field session_id)
for extra in '"mode": "root"' '"host": "a b"' '"host": "-x"' \
    '"host": "\u001b[2J"' '"host": "$(id)"' '"ips": "10.0.0.1"' \
    '"ips": ["10.0.0.256"]' '"ips": ["10.0.0.1", 5]' '"nets": ["10.0.0.0/33"]' \
    '"dns": [null]' '"dns": [["::1"]]' '"user": "\u0007"' \
    '"remote_ip": "example.com"' '"remote_ip": "fe80::1%a b"' \
    "\"ips\": [\"::1\"$(printf '%70s' '' | sed 's/ /, "::1"/g')]" \
    '"status": "closed"' '"tunnel_port": 22'; do
	register "$extra"
	[ "$status" = 422 ] || fail "register $extra: $status $body"
done
register '"remote_ip": "fe80::1%eth0"'
expect 201
api_stop

# ---- deadlines ---------------------------------------------------------------

api_start TUNL_API_HEAD_TIMEOUT=1s TUNL_API_REPLY_TIMEOUT=1s \
    TUNL_API_BODY_RATE=100000 TUNL_API_CONNECTIONS=8
python3 - "$addr" <<'PY' || fail "deadlines"
import select, socket, sys, time

host, port = sys.argv[1].split(':')
ok = True


def trickle(name, first, rest):
    """One octet now and then must not keep a connection."""
    global ok
    s = socket.create_connection((host, int(port)))
    s.sendall(first)
    end = time.monotonic() + 8
    for i in range(10000):
        if time.monotonic() > end:
            print(name + ': is not closed')
            ok = False
            break
        try:
            s.sendall(rest[i % len(rest):][:1])
        except OSError:
            break
        if select.select([s], [], [], 0.1)[0]:
            try:
                if not s.recv(4096):
                    break
            except OSError:
                break
    s.close()


trickle('head', b'GET /healthz HTTP/1.1\r\nX: ', b'a')
trickle('field after field', b'GET /healthz HTTP/1.1\r\n', b'X: a\r\n')
trickle('body', b'POST /api/v1/pending HTTP/1.1\r\nHost: x\r\n'
        b'Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n', b' ')
trickle('kept alive', b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', b'\r')
# More connections than there may be, all of them slow: others get their turn.
crowd = [socket.create_connection((host, int(port))) for _ in range(24)]
for c in crowd:
    c.sendall(b'GET /healthz HT')
s = socket.create_connection((host, int(port)), 15)
s.sendall(b'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
if b'200 OK' not in s.recv(4096):
    print('crowd: no answer')
    ok = False
sys.exit(not ok)
PY
call GET /healthz
expect 200
exit 0
