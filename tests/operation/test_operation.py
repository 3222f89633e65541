#!/usr/bin/python3
"""The real checkind as an administrator meets it: what keeps it from starting is named, and says where; certificates change
without an end of what is open; nothing that breaks later stays unsaid.
usage: test_operation.py BUILD_DIR [TEST…]
"""

import contextlib
import ctypes
import json
import os
import pathlib
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import unittest

from daemon import PATIENCE_S, Daemon

BUILD = sys.argv.pop(1)
UNAVAILABLE = 69


def make_certificate(folder, name, days, kind="rsa:2048"):
    """A certificate that openssl made: its file and that of its key."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    more = ["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else []
    subprocess.run(["openssl", "req", "-x509", "-newkey", kind, *more, "-nodes", "-keyout", files[1], "-out", files[0],
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", str(days)],
                   check=True, capture_output=True)
    files[1].chmod(0o600)
    return files


def old_almaty():
    """For this process alone: Asia/Almaty as before March 2024, an hour more."""
    libc = ctypes.CDLL(None, use_errno=True)
    private, recursive, bind, new_mounts = 1 << 18, 1 << 14, 1 << 12, 0x20000
    zones = b"/usr/share/zoneinfo/Asia/"
    done = libc.unshare(new_mounts) == 0 and libc.mount(b"none", b"/", None, private | recursive, None) == 0 and \
        libc.mount(zones + b"Omsk", zones + b"Almaty", None, bind, None) == 0
    if not done:
        raise OSError(ctypes.get_errno(), "no old zone")


def hear(monitor, beats):
    """Answers every request with 200 and keeps it, until the socket is shut down."""
    while True:
        try:
            peer, _ = monitor.accept()
        except OSError:
            return
        with peer:
            beats.append(peer.recv(4096).decode())
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


class Case(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon(BUILD)
        self.addCleanup(self.daemon.discard)

    def refuses(self, line, status=UNAVAILABLE):
        """It does not start, with this in the journal, and ends in order."""
        self.daemon.start()
        ended = self.daemon.end()
        self.assertIn(line, self.daemon.text)
        self.assertEqual(ended, status, self.daemon.text)
        self.assertNotIn("handles are left over", self.daemon.text)

    def health(self, name):
        checks = self.daemon.ctl("health", check=False)["checks"]
        return next(check for check in checks if check["name"] == name)

    def becomes(self, name, good):
        """Waits until a check of `checkinctl health` says so."""
        until = time.monotonic() + PATIENCE_S
        while (check := self.health(name))["good"] is not good:
            self.assertLess(time.monotonic(), until, check)
            time.sleep(0.1)
        return check

    def own_certificate(self, name, days, kind="rsa:2048"):
        certificate, key = make_certificate(self.daemon.run, name, days, kind)
        self.daemon.settings["http"].update(self_signed="no", certificate=certificate, key=key)
        return certificate, key


class FullRelay(threading.Thread):
    """A TURN server by UDP that knows who asks and has no address left (RFC 8656, 486), until it is told to be dead."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.dead = False
        self.start()

    def run(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(2048)
            except OSError:
                return
            if not self.dead:
                self.socket.sendto(self.answer(question), peer)

    @staticmethod
    def answer(question):
        def attribute(kind, value):
            return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)
        named = b"checkind" in question  # the name of the daemon's own questions
        error = (4 << 8 | 86) if named else (4 << 8 | 1)
        body = attribute(0x0009, error.to_bytes(4, "big"))
        if not named:
            body += attribute(0x0014, b"example.org") + attribute(0x0015, b"nonce")
        return (0x0113).to_bytes(2, "big") + len(body).to_bytes(2, "big") + question[4:20] + body


class Start(Case):
    def test_a_port_that_is_taken_is_named(self):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", self.daemon.port))
            other.listen()
            self.refuses(f"[http] listen: 127.0.0.1, port {self.daemon.port}: Address already in use")

    def test_an_address_of_another_machine_is_named(self):
        self.daemon.settings["http"]["listen"] = f"192.0.2.1:{self.daemon.port}"
        self.refuses(f"[http] listen: 192.0.2.1, port {self.daemon.port}: Cannot assign requested address")

    def test_a_store_has_one_daemon(self):
        self.daemon.start().wait_ready()
        second = Daemon(BUILD)
        self.addCleanup(second.discard)
        second.settings["daemon"].update(store_path=self.daemon.run / "checkind.db", master_key_file=self.daemon.key)
        second.start()
        self.assertEqual(second.end(), UNAVAILABLE, second.text)
        self.assertIn(f"{self.daemon.run}/checkind.db: another checkind has this store", second.text)
        self.assertEqual(self.daemon.stop(), 0)
        second.start().wait_ready()  # the lock went with the process
        self.assertEqual(second.stop(), 0)

    def test_a_store_that_is_none_is_named(self):
        (self.daemon.run / "checkind.db").write_text("something else\n" * 1000)
        self.refuses(f"the store {self.daemon.run}/checkind.db: is damaged, or is no store of checkind")

    def test_a_damaged_page_at_the_root_is_named(self):
        self.daemon.start().wait_ready()
        self.assertEqual(self.daemon.stop(), 0)
        with open(self.daemon.run / "checkind.db", "r+b") as store:
            store.seek(100)
            store.write(b"\xff" * 4000)
        self.refuses(f"the store {self.daemon.run}/checkind.db: is damaged")

    def test_a_state_folder_that_is_missing_is_named(self):
        self.daemon.settings["daemon"]["state_dir"] = self.daemon.run / "nowhere"
        self.refuses(f"{self.daemon.run}/nowhere/checkind.db.lock cannot be opened for writing: No such file or directory")

    def test_another_master_key_is_refused(self):
        self.daemon.start().wait_ready()
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.secret("master.key", "ab" * 32)
        self.refuses("give that as old_master_key_file")

    def test_a_key_of_another_certificate_is_named(self):
        certificate, _ = self.own_certificate("one", 30)
        _, key = make_certificate(self.daemon.run, "two", 30)
        self.daemon.settings["http"]["key"] = key
        self.refuses("the certificate cannot be used: the key is that of another one")

    def test_a_wrong_norm_file_is_named_by_its_line(self):
        norms = self.daemon.run / "odara.norms"
        self.daemon.settings["policy"] = {"odara_norms": norms}
        norms.write_text("version 2026-11\nsource Order 12\nmissing_max 14\n")
        self.refuses(f"{norms}:3: missing_max is one number from 0 to 12, once")
        norms.write_text("version 2026-11\nsource Order 12\nmissing_max 0\nband_from 0 1 2 3 4 5 7\n"
                         "prorated 0 0 1 2 3 4 5 6 7 8 9 10 11 12 13\n")
        self.daemon.start().wait_ready()
        self.assertEqual(self.daemon.stop(), 0)

    @unittest.skipUnless(os.getuid() == 0, "mounts")
    def test_outdated_time_zones_are_named(self):
        self.daemon.start(before=old_almaty)
        self.assertEqual(self.daemon.end(), os.EX_OSFILE, self.daemon.text)
        self.assertIn("the installed time zones are out of date", self.daemon.text)

    def test_our_own_pages_are_asked_where_they_listen(self):
        self.daemon.settings["http"]["listen"] = f"127.0.0.2:{self.daemon.port}"
        self.daemon.start().wait_ready()
        self.daemon.wait_line("our own page answers")
        self.assertEqual(self.daemon.stop(), 0)


class Signals(Case):
    def test_a_second_sigterm_cuts_nothing_short(self):
        self.daemon.start().wait_ready()
        self.daemon.child.send_signal(signal.SIGTERM)
        self.daemon.wait_line("stopping")
        self.daemon.child.send_signal(signal.SIGTERM)
        self.daemon.child.send_signal(signal.SIGHUP)
        self.assertEqual(self.daemon.end(), 0, self.daemon.text)

    def reload(self):
        before = self.daemon.states.count("READY=1")
        self.daemon.child.send_signal(signal.SIGHUP)
        self.daemon.wait_for(lambda: self.daemon.states.count("READY=1") > before, "end of the reload")

    def test_a_certificate_is_renewed_without_an_end_of_what_is_open(self):
        certificate, key = self.own_certificate("one", 90)
        self.daemon.start().wait_ready()
        self.assertEqual(ssl.PEM_cert_to_DER_cert(self.daemon.certificate()),
                         ssl.PEM_cert_to_DER_cert(certificate.read_text()))
        context = ssl.create_default_context(cafile=str(certificate))
        with socket.create_connection(("127.0.0.1", self.daemon.port), PATIENCE_S) as plain, \
                context.wrap_socket(plain, server_hostname="127.0.0.1") as open_one:
            # Another kind of key: the old certificate must not stay beside the new one.
            new, new_key = make_certificate(self.daemon.run, "two", 60, "ec")
            certificate.write_text(new.read_text())
            key.write_text(new_key.read_text())
            self.reload()
            for ciphers in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"):
                self.assertEqual(self.shown(ciphers), ssl.PEM_cert_to_DER_cert(new.read_text()))
            open_one.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{self.daemon.port}\r\n\r\n".encode())
            self.assertIn(b"200", open_one.recv(100).split(b"\r\n")[0])
        self.assertIn("RELOADING=1", self.daemon.states)
        self.becomes("pages", True)  # asked under the new certificate

        key.write_text("nothing\n")
        self.reload()
        self.daemon.wait_line("the certificate stays as it was")
        self.assertEqual(ssl.PEM_cert_to_DER_cert(self.daemon.certificate()), ssl.PEM_cert_to_DER_cert(new.read_text()))
        self.assertEqual(self.daemon.stop(), 0)

    def shown(self, ciphers):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
        with socket.create_connection(("127.0.0.1", self.daemon.port), PATIENCE_S) as plain, context.wrap_socket(plain) as tls:
            return tls.getpeercert(binary_form=True)


class Watch(Case):
    def test_an_end_of_the_certificate_is_foretold(self):
        self.own_certificate("short", 5)
        self.daemon.start().wait_ready()
        self.daemon.wait_line("the certificate of the pages ends within 14 days")
        self.assertFalse(self.health("certificate")["good"])
        metrics = self.daemon.ctl("metrics")["text"]
        end = float(next(line.split()[1] for line in metrics.splitlines() if line.startswith("checkind_certificate_end_seconds ")))
        self.assertAlmostEqual(end, time.time() + 5 * 86400, delta=600)
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_folder_of_recordings_that_goes_away_is_told(self):
        self.daemon.start().wait_ready()
        self.becomes("disk", True)
        (self.daemon.run / "recordings").rmdir()
        self.assertIn("recording_dir", self.becomes("recordings", False)["detail"])
        self.daemon.wait_line("recordings cannot be written")
        (self.daemon.run / "recordings").mkdir(mode=0o700)
        self.becomes("recordings", True)
        self.assertEqual(self.daemon.stop(), 0)

    def test_its_memory_goes_into_no_core_dump(self):
        self.daemon.start().wait_ready()
        limits = pathlib.Path(f"/proc/{self.daemon.child.pid}/limits").read_text()
        core = next(line.split() for line in limits.splitlines() if line.startswith("Max core file size"))
        self.assertEqual(core[4:6], ["0", "0"])  # set by itself, with what keeps handlers of core_pattern from it
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_relay_that_is_full_is_told_and_excuses_nobody(self):
        relay = FullRelay()
        self.addCleanup(relay.socket.close)
        self.daemon.settings["media"].update(turn_urls=f"turn:127.0.0.1:{relay.port}?transport=udp",
                                             turn_secret_file=self.daemon.secret("turn", "the secret of the relay"))
        self.daemon.start().wait_ready()
        self.assertIn("no address left", self.becomes("relay_room", False)["detail"])
        self.daemon.wait_line("a TURN server has no address left")
        self.assertTrue(self.health("relay")["good"])
        metrics = self.daemon.ctl("metrics")["text"]
        self.assertIn("\ncheckind_relay_full 1\n", metrics)
        self.assertIn("\ncheckind_relay_good 1\n", metrics)
        self.assertEqual(self.relay_faults(), 0)
        relay.dead = True  # which is a fault of ours, and no want of addresses
        self.becomes("relay", False)
        self.assertTrue(self.health("relay_room")["good"])
        self.daemon.wait_for(lambda: self.relay_faults() > 0, "fault in the log")  # the engine decides after the check is told
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(self.relay_faults(), 1)

    def relay_faults(self):
        """How often the log says that a relay is a fault of ours, which is what excuses."""
        with contextlib.closing(sqlite3.connect(f"file:{self.daemon.run}/checkind.db?mode=ro", uri=True)) as store:
            (count,), = store.execute("SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE '%FAULT_BEGUN%\"fault\":\"relay\"%'")
        return count

    def test_a_disk_of_recordings_that_is_not_there_stops_no_start(self):
        self.daemon.settings["media"]["recording_dir"] = self.daemon.run / "disk" / "recordings"
        self.daemon.start().wait_ready()
        self.daemon.wait_line(f"recording_dir {self.daemon.run}/disk/recordings: No such file or directory")
        self.becomes("recordings", False)
        self.daemon.wait_for(lambda: any("recordings cannot be written" in state for state in self.daemon.states
                                         if state.startswith("STATUS=")), "status")
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_store_that_refuses_is_told(self):
        self.daemon.start().wait_ready()
        other = sqlite3.connect(self.daemon.run / "checkind.db", isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")  # as a tool would that somebody left open
        self.daemon.wait_line("nothing can be written to the store (Device or resource busy)")
        other.execute("ROLLBACK")
        self.daemon.wait_line("the store can be written again: nothing was decided for ")
        self.becomes("engine", True)
        self.assertEqual(self.daemon.text.count("can be written again"), 1)
        self.assertEqual(self.daemon.text.count("nothing can be written to the store"), 1)
        self.assertEqual(self.daemon.stop(), 0)

    def test_what_nobody_deals_with_is_told(self):
        self.daemon.start().wait_ready()
        other = sqlite3.connect(self.daemon.run / "checkind.db", isolation_level=None, timeout=PATIENCE_S)
        self.addCleanup(other.close)
        now = int(time.time() * 1000)
        other.execute("PRAGMA foreign_keys = OFF")
        late = {  # held by a node that is no more
            "incident": ("steps of incidents are late", "no step of an incident is late",
                         "(unit_id, kind, severity, opened_at, state, policy_id, machine, steps, next_at, lease_until) "
                         "VALUES (1, 'system', 'normal', ?1, 'open', 1, '{}', 3, ?1, ?2)"),
            "checkin": ("check-ins are late", "no check-in is late",
                        "(person_id, unit_id, inspector_id, local_date, slot, drawn, zone, zone_version, kind, mandatory, "
                        "policy_id, window_start_at, window_end_at, due_at, state, machine, attempts, created_at, next_at, next_what, lease_until) "
                        "VALUES (1, 1, 1, '2026-01-01', 0, 0, 'Asia/Almaty', 'x', 'live', 1, 1, ?1, ?1, ?1, 'armed', '{}', 1, ?1, ?1, 'ring', ?2)"),
            "notice": ("a notice waits too long", "no notice waits too long",
                       "(reference, step, fire, channel, template, language, address, state, machine, created_at, deadline_at, next_at, lease_until) "
                       "VALUES ('N-0000-0000', 0, 1, 'email', 'contact_test', 'en', 'x@example.org', 'queued', '{}', ?1, ?2, ?1, ?2)"),
        }
        for table, (_, _, values) in late.items():
            other.execute(f"INSERT INTO {table} {values}", (now - 150000, now + 3600000))
        for begins, _, _ in late.values():
            self.daemon.wait_line(begins)
        self.daemon.wait_for(lambda: any("steps of incidents are late" in state for state in self.daemon.states
                                         if state.startswith("STATUS=")), "status")
        for table in late:
            other.execute(f"DELETE FROM {table}")
        for _, ends, _ in late.values():
            self.daemon.wait_line(ends)
        self.assertEqual(self.daemon.stop(), 0)

    def test_the_clock_is_watched_by_all_who_wait_for_it(self):
        self.daemon.start().wait_ready()
        self.daemon.wait_line("our own page answers")
        flags = []
        for file in pathlib.Path(f"/proc/{self.daemon.child.pid}/fdinfo").iterdir():
            about = dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
            if about.get("clockid", "").strip() == "0":  # a timer of the wall clock
                flags.append(int(about["settime flags"], 8))
        absolute, cancel_on_set = 1, 2
        self.assertEqual(flags, [absolute | cancel_on_set] * 2)  # of the loop and of the engine
        self.assertEqual(self.daemon.stop(), 0)

    def test_the_monitor_hears_us_only_while_all_is_well(self):
        beats = []
        monitor = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(monitor.close)
        threading.Thread(target=hear, args=(monitor, beats), daemon=True).start()
        self.daemon.settings["heartbeat"] = {"url": f"http://127.0.0.1:{monitor.getsockname()[1]}/ping", "every": "10 s"}
        self.daemon.start().wait_ready()
        self.daemon.wait_for(lambda: beats, "sign of life")
        self.assertEqual(beats[0].split("\r\n")[0], "GET /ping HTTP/1.1")
        (self.daemon.run / "recordings").rmdir()
        self.daemon.wait_line("recordings cannot be written")
        self.daemon.wait_line("the heartbeat is withheld")
        heard = len(beats)
        (self.daemon.run / "recordings").mkdir(mode=0o700)
        self.daemon.wait_line("the heartbeat is sent again")
        self.daemon.wait_for(lambda: len(beats) > heard, "sign of life")
        # A monitor that is down is told to the operator, and holds up nothing.
        monitor.shutdown(socket.SHUT_RDWR)
        self.daemon.wait_line("the heartbeat is not taken")
        self.becomes("pages", True)
        self.assertIn('checkind_heartbeats_total{result="failed"} 1', self.daemon.ctl("metrics")["text"])
        self.assertEqual(self.daemon.stop(), 0)

    def test_no_way_to_reach_a_person_is_told(self):
        self.daemon.start().wait_ready()
        self.daemon.wait_line("no person is told of a check-in")
        self.assertFalse(self.health("reach")["good"])
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.settings["smtp"] = {"url": "smtp://127.0.0.1:9", "from": "a@example.org", "starttls_required": "no"}
        self.daemon.start().wait_ready()
        self.assertTrue(self.health("reach")["good"])
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_worker_that_cannot_listen_says_where(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", self.daemon.settings["media"]["udp_port_base"]))
            self.daemon.start().wait_ready()
            self.daemon.wait_line(f"port {self.daemon.settings['media']['udp_port_base']}: Address already in use")
            self.assertFalse(self.health("media")["good"])
        self.becomes("media", True)  # tried again by itself
        self.assertEqual(self.daemon.stop(), 0)


class Disk(Case):
    """A file system of its own under the store, which stands still as a disk does that does not answer."""

    WATCHDOG_S = 6  # far less than the disk stands still; the signs of life must go on all the same

    def setUp(self):
        super().setUp()
        self.disk = self.daemon.run / "disk"
        self.disk.mkdir()
        image = self.daemon.run / "image"
        with open(image, "wb") as file:
            file.truncate(2 * 2**30)  # with holes
        try:
            subprocess.run(["/usr/sbin/mkfs.ext4", "-q", image], check=True, capture_output=True)
            subprocess.run(["mount", "-o", "loop", image, self.disk], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as fault:
            self.skipTest(f"no file system can be mounted here: {getattr(fault, 'stderr', fault)}")
        self.addCleanup(subprocess.run, ["umount", self.disk], check=True)
        self.addCleanup(self.end_daemon)
        state = self.disk / "state"
        for folder in (state, state / "recordings"):
            folder.mkdir(mode=0o700)
        self.daemon.settings["daemon"]["state_dir"] = state
        self.daemon.settings["media"]["recording_dir"] = state / "recordings"

    def end_daemon(self):
        if self.daemon.child is not None and self.daemon.child.poll() is None:
            self.daemon.child.kill()
            self.daemon.end()

    def freeze(self):
        subprocess.run(["fsfreeze", "--freeze", self.disk], check=True)
        self.addCleanup(subprocess.run, ["fsfreeze", "--unfreeze", self.disk], capture_output=True)

    def test_a_disk_that_stands_still_is_told_and_no_hang(self):
        self.daemon.start(env={"WATCHDOG_USEC": str(self.WATCHDOG_S * 1000000)}).wait_ready()
        self.daemon.wait_line("our own page answers")
        self.freeze()
        self.daemon.wait_line("nothing can be written to the store (its disk does not answer)")
        self.daemon.wait_for(lambda: any("the store waits for its disk" in state for state in self.daemon.states), "status")
        signs = self.daemon.states.count("WATCHDOG=1")
        self.daemon.wait_for(lambda: self.daemon.states.count("WATCHDOG=1") >= signs + 3, "signs of life")
        self.assertNotIn("written again", self.daemon.text)
        subprocess.run(["fsfreeze", "--unfreeze", self.disk], check=True)
        self.daemon.wait_line("the store can be written again: nothing was decided for ")
        self.assertEqual(self.daemon.text.count("nothing can be written to the store"), 1)
        self.becomes("engine", True)
        self.assertEqual(self.daemon.stop(), 0)


class Restore(Case):
    def wait_checkpoint(self, more_than):
        until = time.monotonic() + PATIENCE_S
        while (size := self.daemon.checkpoint_size()) <= more_than:
            self.assertLess(time.monotonic(), until, self.daemon.text)
            time.sleep(0.1)
        return size

    def live(self):
        """One life of the daemon, signed: a copy of the log that was handed out is signed at once."""
        self.daemon.start().wait_ready()
        before = self.wait_checkpoint(0)
        self.wait_kept()
        self.export(f"out-{before}")
        return self.wait_checkpoint(before)

    def wait_kept(self):
        """Waits until the store has the first checkpoint, which is copied out before."""
        until = time.monotonic() + PATIENCE_S
        while not self.rows("SELECT 1 FROM log_checkpoint LIMIT 1"):
            self.assertLess(time.monotonic(), until, self.daemon.text)
            time.sleep(0.1)

    def rows(self, sql, *values):
        with contextlib.closing(sqlite3.connect(f"file:{self.daemon.run}/checkind.db?mode=ro", uri=True)) as store:
            return store.execute(sql, values).fetchall()

    def export(self, name):
        self.daemon.ctl("log", "export", str(self.daemon.run / name), f"--store={self.daemon.run}/checkind.db",
                        "--recipient=court", "--reason=test")

    def leaf(self, action):
        """The one entry of this action in the log of the store."""
        (leaf,), = self.rows("SELECT leaf FROM log_entry WHERE idx IN (SELECT idx FROM log_plain WHERE action = ?)", action)
        return json.loads(leaf)

    def test_an_old_copy_that_was_put_back_is_seen_and_lived_with(self):
        run = self.daemon.run
        store = run / "checkind.db"
        self.daemon.start_signer("signer", "ours.example/log")
        self.live()
        copied = self.daemon.ctl("store", "copy", str(run / "copy.db"), f"--store={store}")
        self.assertTrue(copied["whole"])
        self.assertEqual(self.leaf("STORE_COPIED")["open"],
                         {"root": copied["root"], "size": copied["entries"], "uid": os.getuid()})
        self.assertEqual(self.daemon.stop(), 0)
        self.assertGreater(self.live(), copied["entries"])
        self.assertEqual(self.daemon.stop(), 0)

        for rest in ("", "-wal", "-shm"):
            (run / f"checkind.db{rest}").unlink(missing_ok=True)
        (run / "copy.db").rename(store)
        self.daemon.start().wait_ready()
        self.export("out")
        self.daemon.wait_line("checkin-signer: rollback")
        self.assertFalse(self.health("signer")["good"])
        self.becomes("pages", True)  # and everything else goes on

        # Whoever kept the checkpoints elsewhere sees it without us.
        seen = subprocess.run([self.daemon.build / "bin/checkin-verify", f"--known={run}/checkpoints/checkpoints",
                               f"--key={run}/signer/log.vkey", "log", run / "out"], capture_output=True, text=True)
        self.assertEqual(seen.returncode, 1, seen)
        self.assertIn("rollback", seen.stdout)

        # As checkin-signer(8) says: the old folder stays, a new log begins under another name.
        self.daemon.stop_signer()
        self.daemon.start_signer("signer-2", "ours.example/log-2")
        self.daemon.wait_line("checkin-signer signs")
        self.becomes("signer", True)
        self.assertEqual(self.daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
