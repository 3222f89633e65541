// The far side of a call, in a browser page of its own: answers offers with a drawn picture and a tone. It stands
// where the daemon's media worker would.

export class Peer {
  static async create(browser, server) {
    const peer = new Peer();
    const context = await browser.newContext({ permissions: ["camera", "microphone"] });
    peer.page = await context.newPage();
    await peer.page.goto(server.origin + "/favicon.svg");
    await peer.page.evaluate(peerScript);
    return peer;
  }

  // Answers one offer; `key` names the leg, so that a restart finds its connection again.
  answer(key, sdp, look) {
    return this.page.evaluate(([k, s, l]) => window.peer.answer(k, s, l), [key, sdp, look]);
  }

  drop(key) {
    return this.page.evaluate((k) => window.peer.drop(k), key);
  }

  // What arrives: {width, height, frames, sound}
  seen(key) {
    return this.page.evaluate((k) => window.peer.seen(k), key);
  }

  // Connects a fake server's sockets to this peer: every offer and restart is answered.
  attach(server, looks = {}) {
    server.onSocket = async (kind, message, ws) => {
      if (message.t !== "offer" && message.t !== "restart") return this.other && this.other(kind, message, ws);
      const key = `${kind}-${message.generation}`;
      this.legs = (this.legs || []).concat({ kind, t: message.t, generation: message.generation });
      if (this.silent) return undefined;
      const sdp = await this.answer(key, message.sdp, looks[kind] || "person").catch(() => null);
      if (!sdp) return undefined; // the page of the peer is gone already
      if (ws.readyState === 1) server.send(ws, { t: "answer", sdp, generation: message.generation, ...(kind === "console" ? { checkin: message.checkin } : {}) });
      return undefined;
    };
  }
}


function peerScript() {
  const legs = new Map();
  const drawers = {
    // A head in warm light before a wall, moving a little: enough to judge a layout by.
    person(g, w, h, t) {
      const sky = g.createLinearGradient(0, 0, w, h);
      sky.addColorStop(0, "#8aa39b");
      sky.addColorStop(1, "#4c5f63");
      g.fillStyle = sky;
      g.fillRect(0, 0, w, h);
      g.fillStyle = "#6f8587";
      g.fillRect(w * 0.68, h * 0.1, w * 0.2, h * 0.45);
      const x = w / 2 + Math.sin(t / 900) * 10;
      g.fillStyle = "#31424b";
      g.beginPath();
      g.ellipse(x, h * 1.06, w * 0.3, h * 0.36, 0, 0, 7);
      g.fill();
      g.fillStyle = "#c08f72";
      g.beginPath();
      g.ellipse(x, h * 0.46, w * 0.125, h * 0.22, 0, 0, 7);
      g.fill();
      g.fillStyle = "#2b211d";
      g.beginPath();
      g.ellipse(x, h * 0.31, w * 0.13, h * 0.11, 0, Math.PI, 0);
      g.fill();
    },
    officer(g, w, h, t) {
      drawers.person(g, w, h, t);
      g.fillStyle = "#20303f";
      g.fillRect(w / 2 - w * 0.14 + Math.sin(t / 900) * 10, h * 0.2, w * 0.28, h * 0.07);
    },
  };
  function sourceOf(look) {
    const canvas = document.createElementNS("http://www.w3.org/1999/xhtml", "canvas");
    canvas.width = 640;
    canvas.height = 480;
    const g = canvas.getContext("2d");
    const timer = setInterval(() => drawers[look](g, 640, 480, performance.now()), 66);
    drawers[look](g, 640, 480, 0);
    const context = new AudioContext();
    const tone = context.createOscillator();
    const out = context.createMediaStreamDestination();
    tone.frequency.value = 440;
    tone.connect(out);
    tone.start();
    const stream = canvas.captureStream(15);
    stream.addTrack(out.stream.getAudioTracks()[0]);
    return { stream, stop: () => (clearInterval(timer), tone.stop(), context.close()) };
  }
  window.peer = {
    async answer(key, sdp, look) {
      let leg = legs.get(key);
      if (!leg) {
        const source = sourceOf(look);
        const pc = new RTCPeerConnection();
        leg = { pc, source };
        legs.set(key, leg);
      }
      await leg.pc.setRemoteDescription({ type: "offer", sdp });
      for (const transceiver of leg.pc.getTransceivers()) {
        transceiver.direction = "sendrecv";
        const track = leg.source.stream.getTracks().find((t) => t.kind === transceiver.receiver.track.kind);
        if (track) await transceiver.sender.replaceTrack(track);
      }
      await leg.pc.setLocalDescription(await leg.pc.createAnswer());
      if (leg.pc.iceGatheringState !== "complete") await new Promise((resolve) => leg.pc.addEventListener("icegatheringstatechange", () => leg.pc.iceGatheringState === "complete" && resolve()));
      return leg.pc.localDescription.sdp;
    },
    drop(key) {
      const leg = legs.get(key);
      if (leg) leg.pc.close(), leg.source.stop(), legs.delete(key);
    },
    async seen(key) {
      const leg = legs.get(key);
      if (!leg) return null;
      const seen = { width: 0, height: 0, frames: 0, sound: 0 };
      (await leg.pc.getStats()).forEach((report) => {
        if (report.type !== "inbound-rtp") return;
        if (report.kind === "video") Object.assign(seen, { width: report.frameWidth || 0, height: report.frameHeight || 0, frames: report.framesDecoded || 0 });
        else seen.sound = report.packetsReceived || 0;
      });
      return seen;
    },
  };
}
