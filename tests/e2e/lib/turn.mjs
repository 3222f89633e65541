// A real coturn that knows no users, only the shared secret; the way into it is TCP.
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { freePort, until } from "./product.mjs";

export class Turn {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "checkind-turn-"));
  secret = crypto.randomBytes(24).toString("hex");

  static async start() {
    const turn = new Turn();
    fs.writeFileSync(path.join(turn.folder, "secret"), turn.secret, { mode: 0o600 });
    turn.port = await freePort();
    await turn.start();
    return turn;
  }

  // Lines for [media].
  get media() {
    return { turn_urls: `turn:127.0.0.1:${this.port}?transport=tcp`, turn_secret_file: path.join(this.folder, "secret") };
  }

  async start() {
    this.child = spawn("/usr/bin/turnserver", ["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", `--listening-port=${this.port}`, "--use-auth-secret",
      `--static-auth-secret=${this.secret}`, "--realm=checkind.test", "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers",
      `--pidfile=${this.folder}/pid`, `--userdb=${this.folder}/db`, `--log-file=${this.folder}/log`, "--simple-log"], { stdio: "ignore" });
    await until(() => new Promise((resolve) => {
      const socket = net.connect(this.port, "127.0.0.1", () => { socket.destroy(); resolve(true); }).on("error", () => resolve(false));
    }), "turnserver listens");
  }

  async kill() {
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.kill();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
