// A camera and a microphone made in the page itself, one of its own for each page of a browser: a frame counter whose lowest four bits
// are the page's number, and a tone. Runs in the page before anything else does.
export function ownDevices({ number, tone }) {
  const canvas = document.createElement("canvas");
  canvas.width = 320;
  canvas.height = 240;
  const draw = canvas.getContext("2d");
  let frame = 0;
  const paint = () => {
    const shown = number | ((frame++ & 0xfff) << 4);
    draw.fillStyle = `hsl(${number * 24}, 60%, 40%)`;
    draw.fillRect(0, 0, 320, 240);
    for (let bit = 0; bit < 16; bit++) {
      draw.fillStyle = shown & (1 << bit) ? "#fff" : "#000";
      draw.fillRect(bit * 20, 0, 20, 32);
    }
  };
  paint();
  setInterval(paint, 100);
  const sound = () => {
    const context = new AudioContext();
    const oscillator = new OscillatorNode(context, { frequency: tone });
    const out = context.createMediaStreamDestination();
    oscillator.connect(out);
    oscillator.start();
    return out.stream.getAudioTracks();
  };
  navigator.mediaDevices.getUserMedia = async ({ video, audio }) =>
    new MediaStream([...(video ? canvas.captureStream(10).getVideoTracks() : []), ...(audio ? sound() : [])]);
}

export const tone = (number) => 300 + 120 * number;
