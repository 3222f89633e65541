#!/usr/bin/python3
"""`./dev run` as a newcomer meets it: log-ins that work, a check-in that falls due within a minute with a link that
opens, a plain word when the port is taken, an end at Ctrl-C that leaves no process, and a second run after that.
usage: test_demo.py BUILD_DIR
"""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import secrets
import selectors
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = "demonstration only"
# Falling due takes a minute at most; the rest is for a busy machine.
PATIENCE_S = 180


class Demo:
    def __init__(self, build, port):
        self.child = subprocess.Popen(
            [sys.executable, HERE / "demo.py", "--build", build, "--port", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = ""

    def wait_for(self, pattern):
        """Reads on until the output matches."""
        until = time.monotonic() + PATIENCE_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.child.stdout, selectors.EVENT_READ)
            while not (match := re.search(pattern, self.text)):
                left = until - time.monotonic()
                assert left > 0 and selector.select(left), f"no {pattern!r} within {PATIENCE_S} s in:\n{self.text}"
                piece = os.read(self.child.stdout.fileno(), 65536)
                assert piece, f"ended before {pattern!r}:\n{self.text}"
                self.text += piece.decode("utf-8", "replace")
        return match

    def interrupt(self):
        """Ctrl-C; every process that belonged to it must be gone afterwards."""
        family = descendants(self.child.pid)
        assert len(family) >= 3, f"checkind and two workers should run, not {family}"
        self.child.send_signal(signal.SIGINT)
        rest, _ = self.child.communicate(timeout=PATIENCE_S)
        self.text += rest.decode("utf-8", "replace")
        assert self.child.returncode == 0, f"status {self.child.returncode}:\n{self.text}"
        assert "Traceback" not in self.text, self.text
        left = {pid: name for pid, name in family.items() if command(pid) == name}
        assert not left, f"still there after Ctrl-C: {left}"

    def discard(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait()


def command(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None


def descendants(pid):
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found[int(child)] = command(child)
            found.update(descendants(child))
    return found


def free_port():
    for _ in range(200):
        port = 20000 + secrets.randbelow(10000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def request(port, path, value=None):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    base = f"https://127.0.0.1:{port}"
    headers = {"Origin": base, "Content-Type": "application/json"}
    data = None if value is None else json.dumps(value).encode()
    with urllib.request.urlopen(urllib.request.Request(base + path, data, headers), context=context, timeout=30) as answer:
        return answer.read()


def first_run(build, port):
    demo = Demo(build, port)
    try:
        demo.wait_for(rf"console +https://localhost:{port}/[^$]*Ctrl-C stops everything")
        for role, login in (("inspector", "aigerim"), ("officer", "duty"), ("supervisor", "chief"), ("administrator", "admin")):
            assert re.search(rf"{role} +{login} +password: {PASSWORD}", demo.text), demo.text
            request(port, "/api/login", {"login": login, "password": PASSWORD})

        second = subprocess.run([sys.executable, HERE / "demo.py", "--build", build, "--port", str(port)],
                                capture_output=True, text=True, timeout=PATIENCE_S)
        assert second.returncode == 1 and f"port {port} of 127.0.0.1 is taken" in second.stderr, second
        assert "Traceback" not in second.stderr, second.stderr

        link = demo.wait_for(rf"SMS to \+7701\d+: .*https://localhost:{port}(/\S+)").group(1)
        assert b"<html" in request(port, link.split("#")[0]).lower()
        demo.interrupt()
        check_log(build)
    finally:
        demo.discard()


def check_log(build):
    """What the daemon said of itself: which program began, on what clock, and that it ended."""
    with contextlib.closing(sqlite3.connect(next((build / "demo").glob("*.db")))) as store:
        leaves = [json.loads(leaf) for (leaf,) in store.execute("SELECT leaf FROM log_entry ORDER BY idx")]
    ours = [leaf for leaf in leaves if leaf["object"]["kind"] == "system"]
    faults = [leaf for leaf in ours if leaf["action"].startswith("FAULT_")]  # until the worker is there, no one can call
    assert [leaf["action"] for leaf in faults] in ([], ["FAULT_BEGUN", "FAULT_OVER"]), faults
    assert all(leaf["open"] == {"fault": "no_worker"} for leaf in faults), faults
    ours = [leaf for leaf in ours if leaf not in faults]
    assert [leaf["action"] for leaf in ours] == ["SYSTEM_STARTED", "SYSTEM_STOPPING"], ours
    program = hashlib.sha256((build / "bin/checkind").read_bytes()).hexdigest()
    assert ours[0]["open"]["build"] == program, ours[0]
    assert isinstance(ours[0]["open"]["synchronised"], bool) and "offset_us" in ours[0]["open"], ours[0]
    assert ours[1] == leaves[-1], f"something was written after the end: {leaves[-1]}"


def second_run(build, port):
    demo = Demo(build, port)
    try:
        demo.wait_for("Ctrl-C stops everything")
        demo.interrupt()
    finally:
        demo.discard()


if __name__ == "__main__":
    chosen = free_port()
    first_run(pathlib.Path(sys.argv[1]), chosen)
    second_run(pathlib.Path(sys.argv[1]), chosen)
