# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A real privacyIDEA, run by build/privacyidea's Python:  privacyidea_server.py FOLDER PORTS

FOLDER is filled on the first start. PORTS, a JSON object: port to certificate (a file with the key in front;
null: no TLS). Says "ready" when all of them listen. While another process holds a lock on FOLDER/gate a
request waits before it is answered; FOLDER/asked has a line for each that has come.
"""

import datetime
import fcntl
import json
import os
import sys
import threading
from pathlib import Path

import jwt
from privacyidea.app import create_app
from privacyidea.lib.policy import set_policy
from privacyidea.lib.realm import set_default_realm, set_realm
from privacyidea.lib.resolver import save_resolver
from privacyidea.lib.token.lifecycle import init_token
from privacyidea.lib.user import User
from privacyidea.models import db
from werkzeug.serving import make_server

INTERVAL = 120  # seconds; as tests.cli.support
PEOPLE = json.loads(os.environ["PEOPLE"])  # name: {"secret": hex, "pin": text, "type": "totp" or "hotp"}


def configuration(folder):
    return f"""
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/privacyidea.sqlite"
SECRET_KEY = "for tests only, and as long as it has to be"
PI_PEPPER = "for tests only"
PI_ENCFILE = "{folder}/enckey"
PI_HASH_ALGO_PARAMS = {{"argon2__rounds": 1, "argon2__memory_cost": 1024}}
PI_AUDIT_MODULE = "privacyidea.lib.auditmodules.base"
PI_NO_RESPONSE_SIGN = True
PI_LOGFILE = "{folder}/privacyidea.log"
PI_LOGLEVEL = 30
PI_UUID_FILE = "{folder}/uuid"
SUPERUSER_REALM = ["admins"]
"""


def fill(app, folder):
    """Tables, people with tokens, and policies."""
    db.create_all()
    lines = [f"{name}:*:{2000 + number}:100::/:/bin/sh\n" for number, name in enumerate(PEOPLE)]
    (folder / "passwd").write_text("".join(lines))
    save_resolver({"resolver": "people", "type": "passwdresolver", "fileName": str(folder / "passwd")})
    set_realm("home", [{"name": "people"}])
    set_default_realm("home")
    for name, one in PEOPLE.items():
        kind = one["type"]
        request = {"type": kind, "otpkey": one["secret"], "genkey": 0, "serial": f"{kind}-{name}"}
        extra = {"timeStep": INTERVAL} if kind == "totp" else {}
        init_token({**request, **extra, "pin": one["pin"]}, user=User(name, "home"))
    # Who types the PIN alone is asked for the code.
    set_policy("ask", scope="authentication", action="challenge_response=hotp totp", user="bob")
    set_policy("key", scope="authorization", action="api_key_required", user="carol")
    set_policy("closed", scope="authorization", action="authorized=deny_access", user="dave")
    now = datetime.datetime.now(datetime.UTC)
    claims = {"username": "nas", "realm": "API", "role": "validate", "exp": now + datetime.timedelta(days=1)}
    (folder / "api-key").write_text(jwt.encode(claims, app.secret_key, algorithm="HS256") + "\n")


def gated(app, folder):
    """The application, with the gate in front, and as many workers as its pool of connections bears."""
    workers = threading.Semaphore(4)

    def call(environ, start):
        with open(folder / "asked", "a") as asked:
            asked.write(f"{environ['HTTP_USER_AGENT']}\n")
        with open(folder / "gate") as gate:
            fcntl.flock(gate, fcntl.LOCK_SH)
        with workers:
            return app(environ, start)

    return call


def main():
    folder, ports = Path(sys.argv[1]), json.loads(sys.argv[2])
    fresh = not (folder / "pi.cfg").exists()
    if fresh:
        (folder / "enckey").write_bytes(os.urandom(96))
        (folder / "enckey").chmod(0o400)
        (folder / "gate").touch()
    # Written each time, as the folder may be a copy.
    (folder / "pi.cfg").write_text(configuration(folder))
    app = create_app("production", str(folder / "pi.cfg"), silent=True)
    if fresh:
        with app.app_context():
            fill(app, folder)
    for port, pem in ports.items():
        context = (pem, pem) if pem else None
        server = make_server("127.0.0.1", int(port), gated(app, folder), threaded=True, ssl_context=context)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


main()
