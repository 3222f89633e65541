// What the fake cameras and microphones of the tests show and sound like, and how the other side proves that it sees and
// hears exactly that: a frame counter in 16 blocks along the top, a colour that says whose picture it is, and a tone.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

export const SIDES = {
  person: { u: 90, v: 190, tone: 440, hue: "red" },
  staff: { u: 190, v: 90, tone: 880, hue: "blue" },
};

// Ten seconds of picture (MJPEG) and sound (WAV) for each side, made once. Several files of tests may do so at the same time: each makes
// its own and the last one stays.
export function makeMedia(dir) {
  fs.mkdirSync(dir, { recursive: true });
  const make = (name, input, ...how) => {
    const made = path.join(dir, name);
    if (fs.existsSync(made)) return;
    const part = path.join(dir, `${process.pid}-${name}`);
    execFileSync("ffmpeg", ["-loglevel", "error", "-y", "-f", "lavfi", "-i", input, ...how, part]);
    fs.renameSync(part, made);
  };
  for (const [side, { u, v, tone }] of Object.entries(SIDES)) {
    const lum = "if(lt(Y\\,60)\\,16+219*mod(floor(N/pow(2\\,floor(X/40)))\\,2)\\,100+60*mod(floor((X+4*N)/80)\\,2))";
    make(`${side}.mjpeg`, `color=black:s=640x480:r=20:d=10,format=yuv420p,geq=lum='${lum}':cb='if(lt(Y\\,30)\\,128\\,${u})':cr='if(lt(Y\\,30)\\,128\\,${v})'`, "-q:v", "3");
    make(`${side}.wav`, `sine=frequency=${tone}:duration=10:sample_rate=48000`, "-ac", "1");
  }
}

// Runs in the page: looks at a <video> until it has shown ten different frames, or the time is over, and says what was on it.
// Gives {frames: distinct counters in order seen, hue, width, height}.
export async function watchPicture(page, selector, milliseconds = 60000) {
  return page.evaluate(
    async ([selector, milliseconds]) => {
      const video = document.querySelector(selector);
      if (!video) return { error: "no video" };
      const canvas = document.createElement("canvas");
      canvas.width = 640;
      canvas.height = 480;
      const draw = canvas.getContext("2d", { willReadFrequently: true });
      const frames = [];
      let red = 0, blue = 0;
      const end = performance.now() + milliseconds;
      while (performance.now() < end && frames.length < 12) {
        if (video.videoWidth > 0) {
          draw.drawImage(video, 0, 0, 640, 480);
          let counter = 0;
          for (let bit = 0; bit < 16; bit++) {
            const [r, g, b] = draw.getImageData(bit * 40 + 20, 15, 1, 1).data;
            if (r + g + b > 380) counter |= 1 << bit;
          }
          const [r, , b] = draw.getImageData(320, 300, 1, 1).data;
          if (r > b + 40) red++;
          if (b > r + 40) blue++;
          if (frames[frames.length - 1] !== counter) frames.push(counter);
        }
        await new Promise((go) => requestAnimationFrame(go));
      }
      return { frames, hue: red > blue ? "red" : "blue", width: video.videoWidth, height: video.videoHeight };
    },
    [selector, milliseconds]
  );
}

// Runs in the page: listens to the element's stream until its strongest frequency is `tone`, or the time is over; in Hz, and its level.
export async function listen(page, selector, tone, milliseconds = 60000) {
  return page.evaluate(
    async ([selector, tone, milliseconds]) => {
      const element = document.querySelector(selector);
      const stream = element && element.srcObject;
      if (!stream || stream.getAudioTracks().length === 0) return { error: "no sound" };
      const context = new AudioContext();
      await context.resume();
      const analyser = context.createAnalyser();
      analyser.fftSize = 8192;
      context.createMediaStreamSource(stream).connect(analyser);
      const bins = new Float32Array(analyser.frequencyBinCount);
      let best = { hz: 0, level: -Infinity };
      const end = performance.now() + milliseconds;
      while (performance.now() < end) {
        await new Promise((go) => requestAnimationFrame(go));
        analyser.getFloatFrequencyData(bins);
        let top = 0;
        for (let i = 1; i < bins.length; i++) if (bins[i] > bins[top]) top = i;
        const now = { hz: (top * context.sampleRate) / analyser.fftSize, level: bins[top] };
        if (now.level > best.level) best = now;
        if (now.level > -70 && Math.abs(now.hz - tone) < 15) {
          best = now;
          break;
        }
      }
      await context.close();
      return best;
    },
    [selector, tone, milliseconds]
  );
}
