#!/usr/bin/python3
"""One leg of a call by aiortc, for test_interop: an offer out, an answer in, media both ways.

Standard output: {"offer": …}, then at the end of standard input {"stats": …}. Standard input: {"answer": …}.
"""
import asyncio
import fractions
import json
import math
import struct
import sys
import threading

import av
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack


class Tone(AudioStreamTrack):
    """440 Hz, 20 ms a frame."""

    at = 0

    async def recv(self):
        frame = await super().recv()
        samples = frame.samples
        wave = [int(8000 * math.sin(2 * math.pi * 440 * (self.at + i) / frame.sample_rate))
                for i in range(samples)]
        self.at += samples
        data = struct.pack("<%dh" % samples, *wave)
        channels = len(frame.layout.channels)
        frame.planes[0].update(b"".join(data[i:i + 2] * channels for i in range(0, len(data), 2)))
        return frame


class Counter:
    def __init__(self):
        self.sounds = 0
        self.loud = 0
        self.frames = 0
        self.width = 0
        self.height = 0
        self.state = "new"


async def consume(track, counter):
    try:
        while True:
            frame = await track.recv()
            if track.kind == "audio":
                counter.sounds += 1
                pcm = struct.unpack("<%dh" % (len(bytes(frame.planes[0])) // 2),
                                    bytes(frame.planes[0]))
                counter.loud += max(pcm) > 4000
            else:
                counter.frames += 1
                counter.width, counter.height = frame.width, frame.height
    except MediaStreamError:
        pass


def read_lines(loop, queue):
    for line in sys.stdin:
        loop.call_soon_threadsafe(queue.put_nowait, json.loads(line))
    loop.call_soon_threadsafe(queue.put_nowait, None)


def say(value):
    print(json.dumps(value), flush=True)


async def main():
    counter = Counter()
    connection = RTCPeerConnection()
    queue = asyncio.Queue()
    tasks = []
    threading.Thread(target=read_lines, args=(asyncio.get_running_loop(), queue),
                     daemon=True).start()

    @connection.on("track")
    def on_track(track):
        tasks.append(asyncio.ensure_future(consume(track, counter)))

    @connection.on("connectionstatechange")
    def on_state():
        counter.state = connection.connectionState

    connection.addTrack(Tone())
    connection.addTrack(VideoStreamTrack())
    await connection.setLocalDescription(await connection.createOffer())
    say({"offer": connection.localDescription.sdp})
    order = await queue.get()
    if order is not None:
        await connection.setRemoteDescription(RTCSessionDescription(order["answer"], "answer"))
        while await queue.get() is not None:
            pass
    say({"stats": {"sounds": counter.sounds, "loud": counter.loud, "frames": counter.frames,
                   "width": counter.width, "height": counter.height, "state": counter.state}})
    await connection.close()


asyncio.run(main())
