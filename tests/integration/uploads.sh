#!/bin/bash
# Uploads: a slot, octets that come in pieces over broken connections and
# restarts, the end, downloads; whose an upload is; quota and a full disk; all
# of it in bounded memory while others are served.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apilib.sh
. "$repo/tests/integration/apilib.sh"

mib=${UPLOAD_MIB:-64}
v1=/api/v1/uploads

# slot FIELDS [CURL-OPTION...]: ask for one; leaves $id
slot() {
	local fields=$1

	shift
	call_by "http://$addr$v1" POST "{\"name\": \"sos.tar.xz\", $fields}" "$@"
	[ "$status" != 201 ] || id=$(field id)
}

# put FILE [CURL-OPTION...]: its octets
put() {
	local file=$1 out

	shift
	out=$(curl -s -m 60 -w '\n%{http_code}' -T "$file" "$@" \
	    "http://$addr$v1/$id/data")
	status=${out##*$'\n'}
	body=${out%$'\n'*}
}

# part FIRST COUNT: the octets of $d/file, to $d/part, and where they belong
part() {
	tail -c "+$(($1 + 1))" "$d/file" 2>/dev/null | head -c "$2" >"$d/part"
	range="Content-Range: bytes $1-$(($1 + $2 - 1))/$size"
}

offset_is() {
	call GET "$v1/$id"
	is offset "$1"
}

complete() {
	call POST "$v1/$id/complete" "${1:-{\}}"
}

# cut_off NAME FIRST: send from there on, end the connection in the middle
cut_off() {
	python3 - "$addr" "$v1/$id/data" "$d/file" "$1" "$2" <<'PY'
import socket, sys
addr, path, file, first, upto = sys.argv[1:]
host, port = addr.rsplit(':', 1)
data = open(file, 'rb').read()
first, upto = int(first), int(upto)
s = socket.create_connection((host, int(port)))
s.sendall(b'PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n'
          b'Content-Range: bytes %d-%d/%d\r\n\r\n' % (
              path.encode(), len(data) - first, first, len(data) - 1,
              len(data)))
s.sendall(data[first:upto])
PY
}

# come N: that many octets came, and no request is at it any more
come() {
	complete
	[ "$status" = 409 ] && [[ $body == *"goes on at octet $1\""* ]]
}

# lean: it never needed more than 20 MiB; with a sanitizer that tells nothing
lean() {
	local kib

	! grep -qs asan "/proc/$api_pid/maps" || return 0
	kib=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$api_pid/status")
	[ "$kib" -lt 20480 ] || fail "it takes $kib KiB of memory"
}

api_start TUNL_FREE_FLOOR=0
size=$((mib << 20))
head -c "$size" /dev/urandom >"$d/file"
sha=$(sha256sum <"$d/file")
sha=${sha%% *}

# ---- in pieces ---------------------------------------------------------------

pending '"case": "CASE-1"'
claim owner
mine=(-H "Authorization: Bearer $resume")
slot "\"size\": $size, \"sha256\": \"$sha\"" "${mine[@]}"
expect 201
is status open
is session "$sid"
is case CASE-1
is offset 0
is sha256 "$sha"
third=$((size / 3 + 12345))
cut_off 0 "$third"
within 10 "what came before the cut is there" come "$third"
part "$third" $((size / 3))
put "$d/part" -H "$range"
expect 200
is offset $((third + size / 3))
lean
# It need not be the same relay-api that goes on.
api_stop -KILL
api_start TUNL_FREE_FLOOR=0
at=$((third + size / 3))
offset_is "$at"
cut_off "$at" $((at + 1000001)) &
wait $!
within 10 "what came before the second cut is there" come $((at + 1000001))
complete
expect 409 "goes on at octet $((at + 1000001))"
part $((at + 1000001)) "$size"
put "$d/part" -H "Content-Range: bytes $((at + 1000001))-$((size - 1))/$size"
expect 200
is offset "$size"
is status open
complete
expect 200
is status complete
is sha256 "$sha"
lean
[ "$(ls "$d/uploads")" = "$id" ] || fail "there is $(ls "$d/uploads")"
whole=$id
complete
expect 200
is status complete
put "$d/file"
expect 409
cut_off 0 1000
curl -s -o "$d/back" "http://$addr$v1/$id/data"
cmp "$d/file" "$d/back" || fail "the download differs"
curl -s -o "$d/back" -r 1000000-2000000 "http://$addr$v1/$id/data"
cmp <(tail -c +1000001 "$d/file" 2>/dev/null | head -c 1000001) "$d/back" ||
    fail "a part of it differs"
truncate -s 3000000 "$d/back"
head -c 3000000 "$d/file" >"$d/back"
curl -s -C - -o "$d/back" "http://$addr$v1/$id/data"
cmp "$d/file" "$d/back" || fail "a resumed download differs"
out=$(curl -s -D - -o "$d/back" -r "$size-" "http://$addr$v1/$id/data")
[[ $out == *" 416 "*"bytes */$size"* ]] || fail "beyond its end: $out"
lean

# ---- whose it is -------------------------------------------------------------

pending
claim other
theirs=(-H "Authorization: Bearer $resume")
# (a web server's customers reach what is public only)
web=(-H "X-Forwarded-For: 192.0.2.1")
by() {
	local method=$1 path=$2

	shift 2
	call_by "http://$addr$path" "$method" "" "$@"
}
by GET "$v1/$whole" "${theirs[@]}"
expect 404
by GET "$v1/$whole" "${mine[@]}" "${web[@]}"
expect 200
by GET "$v1/$whole" "${web[@]}"
expect 401
for header in "Bearer" "Bearer x" "Basic eDp5" "Bearer ${resume^^}" \
    "Bearer $(printf '%064d' 0)"; do
	by GET "$v1/$whole" -H "Authorization: $header"
	[[ $status =~ ^40[14]$ ]] || fail "$header: $status"
	slot '"size": 5' -H "Authorization: $header"
	expect 401
done
by GET "$v1" "${web[@]}"
expect 405
by GET "$v1/$whole/data" "${mine[@]}" "${web[@]}"
expect 405
by GET /api/v1/sessions "${web[@]}"
expect 404
by GET /healthz "${web[@]}"
expect 404
slot '"size": 5' "${web[@]}"
expect 401
printf 12345 >"$d/five"
slot '"size": 5' "${mine[@]}" "${web[@]}"
expect 201
put "$d/five" "${theirs[@]}" "${web[@]}"
expect 404
put "$d/five" "${web[@]}"
expect 401
put "$d/five" "${mine[@]}" "${web[@]}"
expect 200
is offset 5
call_by "http://$addr$v1/$id/complete" POST '{}' "${theirs[@]}"
expect 404
call_by "http://$addr$v1/$id/complete" POST '{}' "${mine[@]}" "${web[@]}"
expect 200
is sha256 "$(printf 12345 | sha256sum | cut -d' ' -f1)"
for _ in {1..16}; do
	slot '"size": 5' "${theirs[@]}"
done
expect 201
slot '"size": 5' "${theirs[@]}"
expect 409 'too many'
slot '"size": 5'
expect 201
is session null

# ---- what does not fit -------------------------------------------------------

put "$d/five" -H "Content-Range: bytes 1-5/6"
expect 422
put "$d/five" -H "Content-Range: bytes 1-4/5"
expect 422
put "$d/five" -H "Content-Range: bytes 0-4/*"
expect 400
put "$d/five" -H "Content-Range: bytes 4-0/5"
expect 400
put "$d/five" -H "Content-Encoding: gzip"
expect 415
put "$d/file"
expect 422
put "$d/five" -H "Content-Range: bytes 0-4/5" -H "Content-Range: bytes 0-4/5"
expect 400
offset_is 0
printf 123 >"$d/three"
put "$d/three" -H "Content-Range: bytes 0-2/5"
expect 200
put "$d/five"
expect 409 'goes on at octet 3'
put "$d/three" -H "Content-Range: bytes 0-2/5"
expect 409 'goes on at octet 3'
printf 45 >"$d/two"
put "$d/two" -H "Content-Range: bytes 3-4/5"
expect 200
complete "{\"sha256\": \"$(printf '%064d' 0)\"}"
expect 422 sha256
offset_is 0
put "$d/five"
expect 200
complete "{\"sha256\": \"$(printf 12345 | sha256sum | cut -d' ' -f1)\"}"
expect 200
for fields in '"size": 0' '"size": -1' '"size": 1.5' '"size": "5"' \
    '"size": 5, "name": "../x"' '"size": 5, "name": ".."' \
    '"size": 5, "name": "a\u0000"' '"size": 5, "name": ""' \
    '"size": 5, "sha256": "x"' '"size": 5, "case": "a b"' \
    '"size": 5, "owner": "me"'; do
	call POST "$v1" "{\"name\": \"x\", $fields}"
	[[ $status =~ ^4(00|22)$ ]] || fail "$fields: $status $body"
done
id=$(printf '%032d' 0)
put "$d/five"
expect 404
by GET "$v1/$id"
expect 404
by GET "$v1/../../../etc/passwd"
expect 404
[ "$(find "$d" -newer "$d/file" -name '*passwd*')" = "" ] || fail "a path"

# ---- a race ------------------------------------------------------------------

slot "\"size\": $size"
python3 - "$addr" "$v1/$id/data" "$size" <<'PY' || fail "the race of two PUTs"
import socket, sys
addr, path, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
host, port = addr.rsplit(':', 1)
head = (b'PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n' %
        (path.encode(), size))
both = [socket.create_connection((host, int(port)), 20) for _ in range(2)]
both[0].sendall(head + b'x' * 1000)
# The first is at it once its octets are counted; the second must be told no.
both[1].sendall(head)
got = both[1].recv(4096)
if b' 409 ' not in got.split(b'\r\n')[0]:
    both[0].setblocking(False)
    print(got)
    sys.exit(1)
sys.exit(0)
PY
free() {
	call_by "http://$addr$v1/$id" DELETE ""
	[ "$status" = 200 ]
}
within 15 "the slot is free again" free
call GET "$v1/$id"
expect 404

# ---- lists -------------------------------------------------------------------

call GET "$v1?status=complete&case=CASE-1&limit=1"
expect 200
is uploads.0.name sos.tar.xz
next=$(field next)
call GET "$v1?status=complete&case=CASE-1&limit=1&cursor=$next"
expect 200
is uploads.0.id "$whole"
is next null
call GET "$v1?session=$sid&status=open"
[ "$(field uploads | grep -o '"id"' | wc -l)" = 16 ] || fail "list: $body"
for query in status=x case=%20 session=x limit=0 cursor=x name=x; do
	call GET "$v1?$query"
	[[ $status =~ ^4(00|22)$ ]] || fail "query $query: $status"
done

# ---- others meanwhile --------------------------------------------------------

slot "\"size\": $size"
put "$d/file" &
other=$!
n=0
while kill -0 $other 2>/dev/null; do
	call GET /healthz
	expect 200
	n=$((n + 1))
done
wait $other
[ $n -gt 0 ] || fail "nobody else was served"
offset_is "$size"
call GET /metrics
expect 200 'tunl_uploads{status="complete"} 3'
lean

# ---- restart, leftovers, time ------------------------------------------------

api_stop
[ "$api_status" -eq 0 ] || fail "SIGTERM: $api_status"
lost=$(printf '%032x' 255)
echo x >"$d/uploads/$lost.part"
echo x >"$d/uploads/$lost"
echo x >"$d/uploads/README"
api_start TUNL_FREE_FLOOR=0 TUNL_UPLOAD_TTL=5s TUNL_SWEEP=100ms
[ ! -e "$d/uploads/$lost" ] && [ ! -e "$d/uploads/$lost.part" ] ||
    fail "files of no upload stay"
[ -e "$d/uploads/README" ] || fail "it removes what is not its own"
slot '"size": 5'
put "$d/three" -H "Content-Range: bytes 0-2/5"
expect 200
gone() {
	call GET "$v1/$id"
	[ "$status" = 404 ]
}
within 20 "an upload that is not completed goes" gone
[ ! -e "$d/uploads/$id.part" ] || fail "its file stays"
by GET "$v1/$whole"
expect 200
api_stop

# ---- quota, floor ------------------------------------------------------------

api_start TUNL_FREE_FLOOR=0 TUNL_UPLOAD_MAX=1M TUNL_UPLOAD_QUOTA=$((mib + 200))M
slot '"size": 1048577'
expect 413
slot '"size": 1048576'
expect 201
api_stop
api_start TUNL_FREE_FLOOR=0 TUNL_UPLOAD_QUOTA=$((mib + 2))M
slot "\"size\": 6000000000"
expect 507
api_stop
api_start TUNL_FREE_FLOOR=1000T
slot '"size": 5'
expect 507
api_stop
if [ "$world" = private ]; then
	# A disk that fills up while an upload is under way.
	rm -f "$d/tunl.db"*
	mount -t tmpfs -o size=8m,mode=700 tmpfs "$d/uploads" || fail "no tmpfs"
	api_start TUNL_FREE_FLOOR=0
	slot '"size": 8000000'
	expect 201
	head -c 4000000 /dev/zero >"$d/uploads/filler"
	head -c 8000000 /dev/zero >"$d/eight"
	put "$d/eight"
	expect 507 'disk is full'
	call GET "$v1/$id"
	at=$(field offset)
	[ "$at" -gt 1000000 ] && [ "$at" -lt 8000000 ] || fail "at $at"
	call GET /healthz
	expect 200
	rm "$d/uploads/filler"
	tail -c "+$((at + 1))" "$d/eight" >"$d/part"
	put "$d/part" -H "Content-Range: bytes $at-7999999/8000000"
	expect 200
	complete "{\"sha256\": \"$(sha256sum <"$d/eight" | cut -d' ' -f1)\"}"
	expect 200
	api_stop
	umount "$d/uploads"
fi
exit 0
