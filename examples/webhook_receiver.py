#!/usr/bin/env python3
"""Takes webhooks, believes those that are signed, and handles each once.

    python3 examples/webhook_receiver.py 9000 whsec_…

Prints what it handles. What is told again has the same id, so it is answered and left alone; what arrives out of order has
`data.seq` to be put right by.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, SECRET = int(sys.argv[1]), base64.b64decode(sys.argv[2].removeprefix("whsec_"))
# How far the clocks may be apart, in seconds: what somebody recorded is not believed later.
TOLERANCE_S = 300
# A shop keeps these in its database, in the transaction that handles the event.
handled = set()


def is_signed(headers, body):
    name, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "0")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    digest = hmac.new(SECRET, f"{name}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(digest).decode()
    # Several while a secret is rotated.
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one.encode(), wanted.encode()) for one in given)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if not is_signed(self.headers, body):
            return self.answer(401)
        name = self.headers["webhook-id"]
        if name not in handled:
            event = json.loads(body)
            print(event["type"], event["data"]["member"], event["data"]["seq"], event["data"]["says"], flush=True)
            handled.add(name)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        """Says nothing of its own."""


ThreadingHTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
