// How loud the microphone is, 0…1, about ten times a second.
type AudioContextMaker = new () => AudioContext;

const PERIOD_MS = 100;

export function watchLevel(stream: MediaStream, onLevel: (level: number) => void): () => void {
  const scope = window as unknown as { AudioContext?: AudioContextMaker; webkitAudioContext?: AudioContextMaker };
  const Maker = scope.AudioContext || scope.webkitAudioContext;
  if (!Maker || !stream.getAudioTracks().length) return () => undefined;
  const context = new Maker();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  const source = context.createMediaStreamSource(stream);
  source.connect(analyser);
  const samples = new Uint8Array(analyser.fftSize);
  const timer = setInterval(() => {
    if (context.state === "suspended") void context.resume();
    analyser.getByteTimeDomainData(samples);
    let sum = 0;
    for (let i = 0; i < samples.length; i++) {
      const sample = (samples[i]! - 128) / 128;
      sum += sample * sample;
    }
    // Speech has an effective value of about 0.02 … 0.3; the root spreads the quiet end.
    onLevel(Math.min(1, Math.sqrt(Math.sqrt(sum / samples.length)) * 1.4));
  }, PERIOD_MS);
  return () => {
    clearInterval(timer);
    source.disconnect();
    void context.close();
  };
}
