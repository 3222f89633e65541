#!/usr/bin/python3
"""Starts the whole product on SQLite with a small demonstration caseload.

Everything is real but the outside world: a mail server, an SMS gateway and a webhook receiver run in this
process and print what they get. The caseload is made through the same API as the pages use, from an empty
store. Ctrl-C, or the end of checkind, stops all of it.
"""

import argparse
import datetime
import email
import email.policy
import errno
import http.cookiejar
import http.server
import ipaddress
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zoneinfo

try:
    from aiosmtpd.controller import Controller
except ImportError:
    raise SystemExit("demo: python3-aiosmtpd is missing; ./dev run installs it") from None

HERE = pathlib.Path(__file__).resolve().parent
ZONE = zoneinfo.ZoneInfo("Asia/Almaty")
PASSWORD = "demonstration only"
GIVEN_PASSWORD = "before the first log-in"


def say(text):
    print(text, flush=True)


class MailPrinter:
    """The other end of e-mail: prints sender, subject and text of each message."""

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(preferencelist=("plain",))
        text = body.get_content().strip() if body else ""
        say(f"\n  e-mail to {', '.join(envelope.rcpt_tos)}: {message['subject']}\n    " + text.replace("\n", "\n    "))
        return "250 taken"


class GatewayPrinter(http.server.BaseHTTPRequestHandler):
    """The other end of SMS and webhook: prints what comes and accepts it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            value = json.loads(body)
        except ValueError:
            value = body.decode("utf-8", "replace")
        if self.path == "/sms":
            say(f"\n  SMS to {value.get('to')}: {value.get('text')}")
        else:
            say(f"\n  webhook: {json.dumps(value, ensure_ascii=False)}")
        answer = json.dumps({"status": "accepted", "id": secrets.token_hex(8)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Api:
    """One signed-in member of staff."""

    def __init__(self, base, context):
        self.base = base
        self.csrf = None
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def call(self, method, path, value=None, content_type="application/json"):
        data = None if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("Origin", self.base)
        if data is not None:
            request.add_header("Content-Type", content_type)
        if self.csrf:
            request.add_header("X-CSRF-Token", self.csrf)
        try:
            with self.opener.open(request, timeout=20) as response:
                answer = json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise SystemExit(f"demo: {method} {path}: {error.code} {error.read().decode()}") from None
        if isinstance(answer, dict) and "csrf" in answer:
            self.csrf = answer["csrf"]
        return answer

    def post(self, path, value):
        return self.call("POST", path, value)

    def login(self, login, password=PASSWORD):
        self.post("/api/login", {"login": login, "password": password})
        return self


def write_config(run, build, ports):
    secret = run / "webhook.secret"
    secret.write_text(secrets.token_hex(32))
    key = run / "master.key"
    key.write_text(secrets.token_hex(32))
    for path in (secret, key):
        path.chmod(0o600)
    config = run / "checkind.conf"
    config.write_text(f"""\
[daemon]
state_dir = {run}
public_url = {ports['public']}
unit_zone = Asia/Almaty
master_key_file = {key}
control_socket = {run}/control.sock
clock_sync = assumed

[http]
listen = {ports['listen']}:{ports['https']}
hostnames = {ports['hostnames']}
self_signed = yes
pages_dir = {build}/pages

[media]
workers = 1
program = {build}/bin/checkin-media
render_program = {build}/bin/checkin-render
udp_port_base = {ports['udp']}
advertise = {ports['listen']}
recording_dir = {run}/recordings

[access]
second_factor = optional

[smtp]
url = smtp://127.0.0.1:{ports['smtp']}
from = checkind@example.kz
starttls_required = no

[sms]
url = http://127.0.0.1:{ports['gateway']}/sms
accept = 200

[webhook duty]
url = http://127.0.0.1:{ports['gateway']}/webhook
secret_file = {secret}

[signer]
socket = {run}/signer.sock
checkpoint_dir = checkpoints
""")
    return config


def start_signer(run, build):
    """Starts checkin-signer in a group of its own and waits until it listens."""
    state = run / "signer"
    state.mkdir(mode=0o700)
    child = subprocess.Popen(
        [build / "bin/checkin-signer", f"--state={state}", "--name=demo.example/log", f"--socket={run}/signer.sock"],
        stderr=subprocess.PIPE, text=True, process_group=0)
    said = child.stderr.readline()
    if "signing" not in said:
        stop(child)
        raise SystemExit(f"demo: checkin-signer did not start: {said}{child.stderr.read()}")
    threading.Thread(target=lambda: [say(line.rstrip()) for line in child.stderr], daemon=True).start()
    return child


def is_free(kind, host, port):
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as checkind does
        try:
            probe.bind((host, port))
        except PermissionError:
            raise SystemExit(f"demo: this user may not answer on port {port}; choose one above 1023: ./dev run --port 8443") from None
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise SystemExit(f"demo: {host} is no address of this machine") from None
            return False
        return True


def free_port(kind=socket.SOCK_STREAM, host="127.0.0.1"):
    """A free port below the ephemeral range."""
    for _ in range(200):
        port = 20000 + secrets.randbelow(10000)
        if is_free(kind, host, port):
            return port
    raise SystemExit("demo: no free port")


def choose_ports(options):
    """Where everything listens. Only the port of the pages is fixed, so only it can be taken."""
    host = options.listen
    if ipaddress.ip_address(host).is_unspecified:
        raise SystemExit("demo: calls need one address that a phone can reach: ./dev run --listen ADDRESS")
    if not is_free(socket.SOCK_STREAM, host, options.port):
        raise SystemExit(f"demo: port {options.port} of {host} is taken, perhaps by another ./dev run; "
                         f"end that or choose another port: ./dev run --port {options.port + 1}")
    local = ipaddress.ip_address(host).is_loopback
    return {
        "listen": host, "https": options.port, "udp": free_port(socket.SOCK_DGRAM, host),
        "smtp": free_port(), "gateway": free_port(),
        # Browsers give camera and microphone to "localhost" without fuss about the certificate.
        "public": f"https://{'localhost' if local else host}:{options.port}",
        "hostnames": f"localhost, {host}" if local else host,
    }


def wait_ready(notify, child):
    """Waits for READY=1 of the service protocol (sd_notify)."""
    notify.settimeout(0.5)
    for _ in range(120):
        if child.poll() is not None:
            raise SystemExit(f"demo: checkind ended with status {child.returncode}")
        try:
            if b"READY=1" in notify.recv(4096):
                return
        except TimeoutError:
            continue
    raise SystemExit("demo: checkind did not become ready")


def staff_member(base, context, admin, unit, login, name, roles, mail, duty=False):
    """Whoever is added changes the given password at the first log-in."""
    made = admin.post("/api/staff", {
        "login": login, "name": name, "password": GIVEN_PASSWORD, "roles": roles, "unit_id": unit, "language": "ru",
        "email": mail, "phone": None, "on_duty": duty})
    own = Api(base, context).login(login, GIVEN_PASSWORD)
    own.post("/api/me/password", {"old": GIVEN_PASSWORD, "new": PASSWORD})
    return made


def person(who, inspector, unit, name, born, phone, band, language, photo):
    made = who.post("/api/persons", {
        "name": name, "birth_date": born, "phone": phone, "email": phone[1:] + "@example.kz", "language": language,
        "address": None, "note": None, "inspector_id": inspector, "unit_id": unit, "band": band})
    who.call("POST", f"/api/persons/{made['id']}/photo", (HERE / photo).read_bytes(), "image/jpeg")
    return made["id"]


def order(who, person_id, today):
    made = who.post(f"/api/persons/{person_id}/orders", {
        "kind": "special_requirements", "article": "61", "number": f"2026-{person_id:04d}", "issuer": "Суд № 2 г. Астаны",
        "from": str(today), "until": str(today + datetime.timedelta(days=90)),
        "conditions": "Являться на профилактическую беседу; не употреблять алкоголь.",
        "per_day_max": 24, "hours_start": "00:00", "hours_end": "00:00",
        "requirements": [{"source": "agency", "count": 24, "days": 1, "modes": ["live", "unattended"], "mandatory": True}]})
    return made["id"]


def plan(who, person_id, order_id, kind, today, start, end, draws):
    who.post(f"/api/persons/{person_id}/plans", {
        "order_id": order_id, "kind": kind, "mandatory": True, "recurrence": "FREQ=DAILY", "first_date": str(today),
        "windows": [{"start": start, "end": end, "draws": draws}], "attempts": 3, "attempt_spacing_s": 60,
        "response_window_s": 180, "grace_s": 60, "late_limit_s": 1800})


def caseload(base, context, token):
    """From an empty store: first administrator, staff, persons, orders, plans."""
    admin = Api(base, context)
    me = admin.post("/api/setup", {
        "token": token, "login": "admin", "name": "Администратор", "password": PASSWORD, "language": "ru",
        "unit": {"name": "УМПС, г. Астана", "zone": "Asia/Almaty", "phone": "102"}})
    unit = me["unit"]["id"]
    inspector = staff_member(base, context, admin, unit, "aigerim", "Айгерім Сейтқали", ["inspector"], "aigerim@example.kz")["id"]
    staff_member(base, context, admin, unit, "duty", "Марат Дүйсенов", ["officer"], "duty@example.kz", duty=True)
    staff_member(base, context, admin, unit, "chief", "Ольга Ким", ["supervisor"], "chief@example.kz")

    who = Api(base, context).login("aigerim")
    people = [
        ("Ержан Абдрахманов", "1987-04-12", "+77010000001", "medium", "ru", "photo1.jpg"),
        ("Сергей Волков", "1979-11-30", "+77010000002", "high", "ru", "photo2.jpg"),
        ("Бауыржан Нұрланов", "1993-02-08", "+77010000003", "low", "kk", "photo3.jpg"),
    ]
    today = datetime.datetime.now(ZONE).date()
    ids = [person(who, inspector, unit, *about) for about in people]
    orders = [order(who, person_id, today) for person_id in ids]
    # The first ones fall due at the next full minute that leaves time to get there: on the next date where that is midnight.
    due = (datetime.datetime.now(ZONE) + datetime.timedelta(seconds=65)).replace(second=0, microsecond=0)
    at, until = (moment.strftime("%H:%M") for moment in (due, due + datetime.timedelta(minutes=45)))
    plans = [("live", at, until, 0), ("unattended", at, until, 0), ("live", "18:00", "21:00", 1)]
    for person_id, order_id, (kind, *window) in zip(ids, orders, plans):
        plan(who, person_id, order_id, kind, due.date(), *window)
    return due


def run_directory(build):
    """An empty folder of its own for every run: nothing is left of the last one."""
    run = build / "demo"
    if run.exists():
        shutil.rmtree(run)
    (run / "recordings").mkdir(parents=True, mode=0o700)
    run.chmod(0o700)
    return run


def setup_token(build, run):
    answer = subprocess.run(
        [build / "bin/checkinctl", f"--socket={run}/control.sock", "--json", "setup-token"],
        check=True, capture_output=True, text=True).stdout
    return json.loads(answer)["token"]


def local_context():
    """TLS without a check of the certificate: checkind signed it itself a moment ago, on this machine."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def welcome(ports, due):
    say(f"""
checkind runs.

  console        {ports['public']}/
    inspector    aigerim   password: {PASSWORD}
    officer      duty      password: {PASSWORD}
    supervisor   chief     password: {PASSWORD}
    administrator admin    password: {PASSWORD}

  Two check-ins fall due at {due.strftime('%H:%M')} (Astana): one live, one unattended. The person's link comes by SMS, printed
  here. Open it in another browser window: that is the person's phone. The browser will warn about the
  certificate, which checkind signed itself. Ctrl-C stops everything.
""")


def stop(child):
    """An orderly end; that of checkind ends its workers."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            say(f"demo: {child.args[0].name} did not end within 20 s and is killed")
            child.kill()
            child.wait()


def main():
    arguments = argparse.ArgumentParser(prog="./dev run")
    arguments.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    arguments.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS",
                           help="IPv4 address of this machine for pages and calls; another than 127.0.0.1 to try with a phone")
    arguments.add_argument("--port", type=int, default=8443, help="port of the pages (8443)")
    options = arguments.parse_args()
    # Ctrl-C reaches every process of the terminal. checkind is told once, by stop(), so that the order is always
    # the same.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    build = options.build.resolve()
    ports = choose_ports(options)
    run = run_directory(build)

    mail = Controller(MailPrinter(), hostname="127.0.0.1", port=ports["smtp"])
    mail.start()
    gateway = http.server.ThreadingHTTPServer(("127.0.0.1", ports["gateway"]), GatewayPrinter)
    threading.Thread(target=gateway.serve_forever, daemon=True).start()
    notify_path = str(run / "notify.sock")
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(notify_path)
    config = write_config(run, build, ports)
    children = []
    try:
        children.append(start_signer(run, build))
        child = subprocess.Popen([build / "bin/checkind", f"--config={config}"],
                                 env={**os.environ, "NOTIFY_SOCKET": notify_path}, process_group=0)
        children.append(child)
        wait_ready(notify, child)
        due = caseload(f"https://{ports['listen']}:{ports['https']}", local_context(), setup_token(build, run))
        welcome(ports, due)
        return child.wait()
    except KeyboardInterrupt:
        say("\nstopping")
        return 0
    finally:
        for child in reversed(children):
            stop(child)
        gateway.shutdown()
        mail.stop()
        notify.close()


if __name__ == "__main__":
    sys.exit(main())
