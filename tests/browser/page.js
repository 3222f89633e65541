// In the page: one peer connection a leg, a canvas that counts in the picture and a tone in the sound, and what is seen and
// heard of the other side. Plain functions on window, called from the test.
'use strict';
const legs = new Map();

// A picture whose left half is the leg's colour, with a bar that moves so that it never freezes, and with as much unrest in its
// right half as a camera has: a browser that has nothing to send learns nothing about its network.
function picture(leg) {
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 480;
  const draw = canvas.getContext('2d');
  let count = 0;
  setInterval(() => {
    draw.fillStyle = leg % 2 ? '#ff0000' : '#0000ff';
    draw.fillRect(0, 0, 640, 480);
    draw.fillStyle = '#ffffff';
    draw.fillRect((count * 8) % 640, 400, 40, 80);
    for (let y = 0; y < 384; y += 16) {
      for (let x = 320; x < 640; x += 16) {
        const grey = 96 + Math.floor(Math.random() * 64);
        draw.fillStyle = `rgb(${grey},${grey},${grey})`;
        draw.fillRect(x, y, 16, 16);
      }
    }
    count++;
  }, 33);
  return canvas.captureStream(30);
}

function tone(context, leg) {
  const oscillator = context.createOscillator();
  oscillator.frequency.value = leg % 2 ? 600 : 1500;
  const out = context.createMediaStreamDestination();
  oscillator.connect(out);
  oscillator.start();
  return out.stream;
}

// A camera of a phone in upright position: twelve pictures that are upright as they are, 240x320 with a white strip up, then as many that
// lie on their side, the strip on their left, and are to be turned by a quarter.
function turned() {
  const generator = new MediaStreamTrackGenerator({ kind: 'video' });
  const writer = generator.writable.getWriter();
  let count = 0;
  setInterval(() => {
    const lies = Math.floor(count++ / 12) % 2 === 1;
    const canvas = lies ? new OffscreenCanvas(320, 240) : new OffscreenCanvas(240, 320);
    const draw = canvas.getContext('2d');
    draw.fillStyle = '#000000';
    draw.fillRect(0, 0, canvas.width, canvas.height);
    draw.fillStyle = '#ffffff';
    draw.fillRect(0, 0, lies ? 40 : 240, lies ? 240 : 40);
    draw.fillStyle = `rgb(${count % 32},${count % 32},${count % 32})`;
    draw.fillRect(110, 110, 20, 20);
    void writer.write(new VideoFrame(canvas, { timestamp: performance.now() * 1000, rotation: lies ? 90 : 0 }));
  }, 33);
  return new MediaStream([generator]);
}

async function openTurned(leg) {
  const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  legs.set(leg, { peer });
  const own = turned();
  peer.addTransceiver('audio', { direction: 'sendrecv' });
  peer.addTransceiver(own.getTracks()[0], { direction: 'sendrecv', streams: [own] });
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  return offer.sdp;
}

// The header extensions that its picture goes out with.
const extensionsOf = (leg) =>
  legs.get(leg).peer.getSenders().find((sender) => sender.track?.kind === 'video').getParameters().headerExtensions.map((extension) => extension.uri);

async function open(leg, configuration = {}) {
  const context = new AudioContext({ sampleRate: 48000 });
  await context.resume();
  const peer = new RTCPeerConnection({ ...configuration, bundlePolicy: 'max-bundle' });
  const refusals = [];
  peer.onicecandidateerror = (event) => refusals.push(event.errorCode);
  const video = document.createElement('video');
  const stream = new MediaStream();
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.srcObject = stream;
  document.body.append(video);
  const analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  const state = { peer, video, analyser, context, refusals };
  legs.set(leg, state);
  peer.ontrack = (event) => {
    stream.addTrack(event.track);
    if (event.track.kind === 'audio') {
      const sound = new MediaStream([event.track]);
      const audio = new Audio();
      audio.srcObject = sound;
      audio.muted = true;
      void audio.play();
      context.createMediaStreamSource(sound).connect(analyser);
    }
  };
  const own = new MediaStream([...tone(context, leg).getTracks(), ...picture(leg).getTracks()]);
  for (const track of own.getTracks()) peer.addTrack(track, own);
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  return offer.sdp;
}

// As the product's pages do: a narrow start takes pictures away, never their size.
async function keepSize(leg) {
  for (const sender of legs.get(leg).peer.getSenders()) {
    if (sender.track?.kind !== 'video') continue;
    const parameters = sender.getParameters();
    parameters.degradationPreference = 'maintain-resolution';
    await sender.setParameters(parameters).catch(() => undefined); // Firefox knows no such thing, and keeps the size
  }
}

async function answer(leg, sdp) {
  await legs.get(leg).peer.setRemoteDescription({ type: 'answer', sdp });
}

async function restart(leg) {
  const { peer } = legs.get(leg);
  peer.restartIce();
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  return offer.sdp;
}

function pixel(video) {
  if (video.videoWidth === 0) return null;
  const canvas = document.createElement('canvas');
  canvas.width = 64;
  canvas.height = 48;
  const draw = canvas.getContext('2d', { willReadFrequently: true });
  draw.drawImage(video, 0, 0, 64, 48);
  return [...draw.getImageData(10, 10, 1, 1).data.slice(0, 3)];
}

// The loudest frequency of what is heard, in Hz; 0 in silence.
function pitch({ analyser, context }) {
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  let best = 0;
  for (let i = 1; i < bins.length; i++) if (bins[i] > bins[best]) best = i;
  return bins[best] < -70 ? 0 : (best * context.sampleRate) / analyser.fftSize;
}

// What the first TURN or STUN server that would not serve us said; 0 where none did within ten seconds.
async function candidateError(leg) {
  const { refusals } = legs.get(leg);
  for (let waited = 0; refusals.length === 0 && waited < 10000; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
  return refusals[0] ?? 0;
}

// The way that packets take: the protocol of our end, and what it is.
function way(reports) {
  const transport = [...reports.values()].find((report) => report.type === 'transport');
  const pair = reports.get(transport?.selectedCandidatePairId);
  const local = reports.get(pair?.localCandidateId);
  return { protocol: local?.protocol, localType: local?.candidateType, relayProtocol: local?.relayProtocol };
}

async function look(leg) {
  const state = legs.get(leg);
  const seen = { connection: state.peer.connectionState, ice: state.peer.iceConnectionState, pixel: pixel(state.video), pitch: pitch(state), width: state.video.videoWidth };
  const reports = await state.peer.getStats();
  Object.assign(seen, way(reports));
  for (const report of reports.values()) {
    if (report.type === 'inbound-rtp' && report.kind === 'video') {
      Object.assign(seen, { decoded: report.framesDecoded, keys: report.keyFramesDecoded, lost: report.packetsLost, freezes: report.freezeCount, nacks: report.nackCount, plis: report.pliCount });
    } else if (report.type === 'inbound-rtp') {
      Object.assign(seen, { heard: report.packetsReceived, soundDelay: report.jitterBufferDelay, soundForNetwork: report.jitterBufferMinimumDelay, sounds: report.totalSamplesReceived, soundsOut: report.jitterBufferEmittedCount, concealed: report.concealedSamples, soundLost: report.packetsLost });
    } else if (report.type === 'outbound-rtp' && report.kind === 'video') {
      Object.assign(seen, { sentWidth: report.frameWidth, sentFrames: report.framesSent, fps: report.framesPerSecond, target: report.targetBitrate, limit: report.qualityLimitationReason });
    } else if (report.type === 'remote-inbound-rtp' && report.kind === 'video') {
      Object.assign(seen, { rtt: report.roundTripTime, theyLost: report.packetsLost });
    } else if (report.type === 'transport') {
      Object.assign(seen, { srtp: report.srtpCipher, dtls: report.dtlsCipher });
    }
  }
  return seen;
}

function close(leg) {
  legs.get(leg).peer.close();
  legs.delete(leg);
}
const pitchOf = (leg) => pitch(legs.get(leg));
Object.assign(window, { ck: { open, openTurned, extensionsOf, answer, restart, look, pitchOf, candidateError, close, keepSize } });
