"""Takes a station's messages over HTTPS and keeps each ID once: receiver.py DATABASE PORT CERTIFICATE KEY

url = "https://HOST:PORT/sigfox" and the default body of `type = "https"` fit. Without a certificate and its key it
speaks HTTP, to this machine alone: url = "http://127.0.0.1:8080/sigfox".
"""
import json
import sqlite3
import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

name, port, *tls = sys.argv[1:] or ["messages.db", "8080"]
database = sqlite3.connect(name)
database.execute("CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, device TEXT, time INTEGER, data TEXT)")


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # whoever says nothing holds up nobody

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with database:  # committed before the answer: whoever says 2xx has it
            database.execute("INSERT OR IGNORE INTO message VALUES (:id, :device, :time, :data)", message)
        self.send_response(204)
        self.end_headers()


server = HTTPServer(("" if tls else "127.0.0.1", int(port)), Receiver)
if tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
