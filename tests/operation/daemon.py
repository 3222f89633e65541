"""One checkind of its own, as a service manager would run it: a folder, a configuration, ports, the socket of sd_notify(3)."""

import json
import os
import pathlib
import secrets
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

PATIENCE_S = 60  # for what must come; a busy machine is no fault of the daemon's


def free_port(kind=socket.SOCK_STREAM):
    """A free port below the ephemeral range."""
    for _ in range(200):
        port = 20000 + secrets.randbelow(10000)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


class Daemon:
    """A folder with a configuration, and the process while it runs."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.place = tempfile.TemporaryDirectory(prefix="ck-operation-")
        self.run = pathlib.Path(self.place.name)
        (self.run / "recordings").mkdir(mode=0o700)
        self.port = free_port()
        self.key = self.secret("master.key", secrets.token_hex(32))
        self.settings = {
            "daemon": {"state_dir": self.run, "public_url": f"https://127.0.0.1:{self.port}", "master_key_file": self.key,
                       "control_socket": self.run / "control.sock", "clock_sync": "assumed", "log_level": "info"},
            "http": {"listen": f"127.0.0.1:{self.port}", "self_signed": "yes", "pages_dir": self.build / "pages"},
            "media": {"workers": 1, "program": self.build / "bin/checkin-media",
                      "render_program": self.build / "bin/checkin-render", "udp_port_base": free_port(socket.SOCK_DGRAM),
                      "advertise": "127.0.0.1", "recording_dir": self.run / "recordings"},
            "limits": {"disk_reserve": "16 MiB"},
        }
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.run / "notify.sock"))
        self.child = self.signer = None
        self.text = ""
        self.states = []
        self.changed = threading.Condition()

    def secret(self, name, text):
        path = self.run / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def write_config(self):
        path = self.run / "checkind.conf"
        path.write_text("".join(
            f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
            for section, keys in self.settings.items()))
        return path

    def _read(self, child):
        for line in child.stderr:
            with self.changed:
                self.text += line
                self.changed.notify_all()

    def _listen(self):
        while True:
            try:
                got = self.notify.recv(4096).decode()
            except OSError:
                return
            with self.changed:
                self.states += got.splitlines()
                self.changed.notify_all()

    def start(self, env=None, before=None):
        self.text, self.states = "", []
        config = self.write_config()
        self.child = subprocess.Popen(
            [self.build / "bin/checkind", f"--config={config}"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=before, env={**os.environ, "NOTIFY_SOCKET": str(self.run / "notify.sock"), **(env or {})})
        self.reader = threading.Thread(target=self._read, args=(self.child,), daemon=True)
        self.reader.start()
        if not hasattr(self, "listener"):
            self.listener = threading.Thread(target=self._listen, daemon=True)
            self.listener.start()
        return self

    def wait_for(self, is_there, what):
        """Waits until `is_there()`, asked anew at every line and every state."""
        until = time.monotonic() + PATIENCE_S
        with self.changed:
            while not is_there():
                left = until - time.monotonic()
                assert left > 0, f"no {what} in {self.states}:\n{self.text}"
                if self.child.poll() is not None and not self.reader.is_alive():
                    raise AssertionError(f"ended with {self.child.returncode} before {what}:\n{self.text}")
                self.changed.wait(min(left, 0.5))

    def wait_line(self, text):
        self.wait_for(lambda: text in self.text, f"line with {text!r}")

    def wait_ready(self):
        self.wait_for(lambda: "READY=1" in self.states, "READY=1")
        return self

    def end(self):
        """Waits for the end of the process: its exit status."""
        try:
            status = self.child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.text}") from None
        self.reader.join()
        self.child.stderr.close()
        return status

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        return self.end()

    def ctl(self, *words, check=True):
        done = subprocess.run([self.build / "bin/checkinctl", f"--socket={self.run}/control.sock", "--json", *words],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        assert not check or done.returncode == 0, done
        return json.loads(done.stdout) if done.stdout.strip() else None

    def certificate(self):
        """What the server shows, as PEM."""
        return ssl.get_server_certificate(("127.0.0.1", self.port))

    def start_signer(self, state, name):
        """checkin-signer with its own folder; ended with the daemon's folder."""
        socket_path = self.run / "signer.sock"
        socket_path.unlink(missing_ok=True)
        (self.run / state).mkdir(mode=0o700, exist_ok=True)
        self.settings["signer"] = {"socket": socket_path, "checkpoint_dir": "checkpoints"}
        self.signer = subprocess.Popen(
            [self.build / "bin/checkin-signer", f"--state={self.run / state}", f"--name={name}", f"--socket={socket_path}"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = self.signer.stderr.readline()
        assert "signing" in said, said

    def stop_signer(self):
        if self.signer is not None:
            self.signer.terminate()
            self.signer.wait(PATIENCE_S)
            self.signer.stderr.close()
            self.signer = None

    def checkpoint_size(self):
        """How many entries the newest checkpoint covers; 0 before the first."""
        path = self.run / "checkpoints/checkpoint"
        return int(path.read_text().splitlines()[1]) if path.exists() else 0

    def discard(self):
        self.stop_signer()
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.end()
        self.notify.shutdown(socket.SHUT_RDWR)
        self.notify.close()
        self.place.cleanup()
