#!/usr/bin/python3
"""A real HTTP server that keeps every request as a file, and misbehaves on request.

It prints "READY PORT" once it listens and ends when its standard input does. Each request is DIR/0001.json:
{method, path, headers, body, size, signature}, where signature is "good", "bad" or "none" (--secret-file; checked with
Python's hmac, not with our code). The path chooses the answer:

  /ok            200 {"status": "ok", "id": "m-N", "messages": [{"status": "queued", "id": N}]}
  /status/418    that status; with ?retry=S a Retry-After
  /error         200 {"status": "error", "reason": "no credit"}
  /text          200 with a body that is no JSON
  /reset         the connection is reset after the request
  /close         the connection is closed after the request, without an answer
  /stall         no answer
  /slow          200 after 1.5 s
  /redirect      302 to /ok
  /huge          200 with 1 MiB
  /garbage       bytes that are not HTTP
  /flaky/N       500 to the first N requests, then as /ok
  /upgrade/C     101 to a WebSocket, and its goodbye with code C; with C 0 no goodbye

With --receipts URL a signed receipt "delivered" is posted for every message taken at /ok (reference from the body),
--receipt-times as often, after --receipt-delay seconds.
"""

import argparse
import hashlib
import hmac
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def sign(secret, seconds, body):
    return hmac.new(secret, b"%d." % seconds + body, hashlib.sha256).hexdigest()


def check(secret, header, body):
    if secret is None or header is None:
        return "none"
    fields = dict(part.split("=", 1) for part in header.split(","))
    good = hmac.compare_digest(sign(secret, int(fields["t"]), body), fields["v1"])
    return "good" if good and abs(int(fields["t"]) - time.time()) <= 300 else "bad"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; without this each answer waits 40 ms

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        size = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(size)
        number = self.server.keep(self, body)
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        parts = url.path.strip("/").split("/")
        if parts[0] == "flaky":
            parts = ["ok"] if self.server.seen(url.path) > int(parts[1]) else ["status", "500"]
        if parts[0] == "ok":
            answer = {"status": "ok", "id": "m-%d" % number, "messages": [{"status": "queued", "id": number}]}
            self.answer(200, json.dumps(answer).encode())
            self.server.receipt(body)
        elif parts[0] == "status":
            headers = {"Retry-After": query["retry"][0]} if "retry" in query else {}
            self.answer(int(parts[1]), b"{}", headers)
        elif parts[0] == "error":
            self.answer(200, b'{"status": "error", "reason": "no credit"}')
        elif parts[0] == "text":
            self.answer(200, b"OK, taken")
        elif parts[0] == "redirect":
            self.answer(302, b"", {"Location": "/ok"})
        elif parts[0] == "huge":
            self.answer(200, b"x" * 1048576)
        elif parts[0] == "upgrade" and self.headers.get("Upgrade") == "websocket":
            self.upgrade(int(parts[1]))
        elif parts[0] == "slow":
            time.sleep(1.5)
            self.answer(200, b"{}")
        else:
            self.misbehave(parts[0])

    do_PUT = do_POST
    do_GET = do_POST

    def misbehave(self, how):
        self.close_connection = True
        if how == "stall":
            time.sleep(3600)
        elif how == "garbage":
            self.wfile.write(b"this is not HTTP\r\n\r\n")
        elif how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif how == "close":
            self.connection.close()
        else:
            self.answer(404, b"{}")

    def upgrade(self, code):
        good = self.headers["Origin"] == "https://" + self.headers["Host"] and self.headers["Connection"] == "Upgrade"
        self.send_response(101 if good else 403)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        if code:
            self.wfile.write(struct.pack(">BBH", 0x88, 2, code))
        time.sleep(3600)  # whoever asked closes

    def answer(self, status, body, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options):
        super().__init__(("127.0.0.1", options.port), Handler)
        self.options = options
        self.lock = threading.Lock()
        self.count = 0
        self.paths = {}
        self.secret = read_secret(options.secret_file)
        self.receipt_secret = read_secret(options.receipt_secret_file)

    def handle_error(self, request, client_address):
        pass

    def seen(self, path):
        with self.lock:
            self.paths[path] = self.paths.get(path, 0) + 1
            return self.paths[path]

    def keep(self, request, body):
        with self.lock:
            self.count += 1
            number = self.count
        if self.options.bare:
            return number
        about = {
            "method": request.command,
            "path": request.path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": body.decode("utf-8", errors="replace"),
            "size": len(body),
            "signature": check(self.secret, request.headers.get("Checkind-Signature"), body),
        }
        name = os.path.join(self.options.dir, "%04d" % number)
        with open(name + ".part", "w", encoding="utf-8") as file:
            json.dump(about, file, ensure_ascii=False)
        os.rename(name + ".part", name + ".json")
        return number

    def receipt(self, body):
        if self.options.receipts:
            threading.Thread(target=self.post_receipts, args=(body,), daemon=True).start()

    def post_receipts(self, body):
        reference = json.loads(body).get("reference", "")
        receipt = json.dumps({"receipts": [{"reference": reference, "state": "delivered", "sequence": 1}]}).encode()
        context = ssl.create_default_context(cafile=self.options.receipt_ca)
        if self.options.receipt_ca is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        time.sleep(self.options.receipt_delay)
        for _ in range(self.options.receipt_times):
            now = int(time.time())
            header = "t=%d,v1=%s" % (now, sign(self.receipt_secret, now, receipt))
            request = urllib.request.Request(self.options.receipts, receipt, {
                "Content-Type": "application/json", "Checkind-Signature": header})
            try:
                urllib.request.urlopen(request, context=context, timeout=10).close()
            except OSError as error:
                print("receipt not taken:", error, file=sys.stderr, flush=True)


def read_secret(path):
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read().rstrip(b"\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True, help="where requests are kept; must exist")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert", help="speak TLS with this certificate")
    parser.add_argument("--key")
    parser.add_argument("--secret-file", help="secret of the signatures of requests")
    parser.add_argument("--receipts", help="URL that receipts are posted to")
    parser.add_argument("--receipt-secret-file")
    parser.add_argument("--receipt-ca", help="certificate of that URL; without it none is verified")
    parser.add_argument("--receipt-times", type=int, default=1)
    parser.add_argument("--receipt-delay", type=float, default=0.0)
    parser.add_argument("--bare", action="store_true", help="keep nothing: for benchmarks")
    options = parser.parse_args()
    server = Server(options)
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("READY", server.server_address[1], flush=True)
    while sys.stdin.buffer.read1(4096):
        pass
    os._exit(0)


main()
