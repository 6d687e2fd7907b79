#!/usr/bin/env python3
"""stockapi - the anchor of the API: http.server and sqlite3 as they come.

usage: stockapi.py DATABASE

Serves a copy of relay-api's database with its own queries: GET
/api/v1/sessions/ID, GET /api/v1/pending, and POST /api/v1/pending, committed
before the answer.  Nothing is tuned: one request a connection (HTTP/1.0), which
its handler opens the database for, with SQLite's own defaults (a rollback
journal, synchronous=FULL).  Prints its port.
"""
import http.server
import json
import secrets
import sqlite3
import sys
import time

COLUMNS = ('number, id, status, case_id, customer, ad_hoc, created_at,'
           ' expires_at, registered_at, closed_at, mode, tunnel_port, host,'
           ' user, remote_ip, ips, nets, dns')
STALE = "(status = 'pending' AND claimed_at IS NULL AND expires_at <= ?)"
GET = f'SELECT {COLUMNS} FROM sessions WHERE id = ? AND NOT {STALE}'
LIST = (f"SELECT {COLUMNS} FROM sessions WHERE status = 'pending'"
        ' AND expires_at > ? ORDER BY number DESC LIMIT ?')
ADD = ('INSERT OR IGNORE INTO sessions (id, status, ad_hoc, created_at,'
       " expires_at) VALUES (?, 'pending', ?, ?, ?)")


def record(row):
    keys = ('id', 'status', 'case_id', 'customer', 'ad_hoc', 'created_at',
            'expires_at', 'registered_at', 'closed_at', 'mode',
            'tunnel_port', 'host', 'user', 'remote_ip')
    r = {key: row[key] for key in keys}
    for key in ('ips', 'nets', 'dns'):
        r[key] = row[key].split(',') if row[key] else []
    return r


def database():
    db = sqlite3.connect(sys.argv[1])
    db.row_factory = sqlite3.Row
    return db


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition('?')
        if path == '/api/v1/pending':
            limit = int(query.partition('limit=')[2] or 100)
            db = database()
            rows = db.execute(LIST, (int(time.time()), limit)).fetchall()
            db.close()
            self.answer(200, {'pending': [record(r) for r in rows],
                              'next': None})
            return
        db = database()
        row = db.execute(GET, (path.rpartition('/')[2],
                               int(time.time()))).fetchone()
        db.close()
        if row is None:
            self.answer(404, {'error': {'code': 404}})
        else:
            self.answer(200, record(row))

    def do_POST(self):
        body = json.loads(self.rfile.read(
            int(self.headers['Content-Length'])))
        words = ['%s' % ''.join(secrets.choice('abcdefghijklmnop')
                                for _ in range(8)) for _ in range(4)]
        sid, now = '-'.join(words), int(time.time())
        db = database()
        with db:
            db.execute(ADD, (sid, bool(body.get('ad_hoc')), now, now + 3600))
        row = db.execute(GET, (sid, now)).fetchone()
        db.close()
        self.answer(201, record(row))


http.server.HTTPServer.request_queue_size = 128
server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
