"""Takes a station's messages over HTTP and keeps each ID once. Beyond this machine it belongs behind TLS.

url = "http://127.0.0.1:8080/sigfox" and the default body of `type = "https"` fit.
"""
import json
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

database = sqlite3.connect(sys.argv[1] if len(sys.argv) > 1 else "messages.db")
database.execute("CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, device TEXT, time INTEGER, data TEXT)")


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with database:  # committed before the answer: whoever says 2xx has it
            database.execute("INSERT OR IGNORE INTO message VALUES (:id, :device, :time, :data)", message)
        self.send_response(204)
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8080), Receiver).serve_forever()
