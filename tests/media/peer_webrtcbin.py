#!/usr/bin/python3
"""One leg of a call by GStreamer's webrtcbin, for test_interop: an offer out, an answer in, media both ways.

Standard output: {"offer": …}, then at the end of standard input {"stats": …}. Standard input: {"answer": …}.
"""
import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PIPELINE = """
webrtcbin name=w bundle-policy=max-bundle latency=50
audiotestsrc is-live=true freq=440 ! audioconvert ! opusenc ! rtpopuspay pt=111 !
  application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! w.
videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 !
  vp8enc deadline=1 target-bitrate=300000 keyframe-max-dist=3000 ! rtpvp8pay pt=96 picture-id-mode=2 !
  application/x-rtp,media=video,encoding-name=VP8,payload=96 ! w.
"""


def describe(kind, text):
    _, message = GstSdp.SDPMessage.new()
    GstSdp.sdp_message_parse_buffer(text.encode(), message)
    kind = getattr(GstWebRTC.WebRTCSDPType, kind)
    return message, GstWebRTC.WebRTCSessionDescription.new(kind, message)


class Peer:
    def __init__(self):
        self.loop = GLib.MainLoop()
        self.pipe = Gst.parse_launch(PIPELINE)
        self.web = self.pipe.get_by_name("w")
        # Its sockets of other interfaces do not reach the loopback one.
        self.ice = self.web.get_property("ice-agent")
        self.ice.emit("add-local-ip-address", "127.0.0.1")
        self.stats = {"sounds": 0, "frames": 0, "width": 0, "height": 0, "errors": 0}
        self.web.connect("on-negotiation-needed", self.on_negotiation_needed)
        self.web.connect("notify::ice-gathering-state", self.on_gathering)
        self.web.connect("pad-added", self.on_pad)
        bus = self.pipe.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.on_error)
        self.said = False
        self.keep = []

    def on_error(self, _bus, message):
        self.stats["errors"] += 1
        print(message.parse_error(), file=sys.stderr)

    def on_negotiation_needed(self, web):
        web.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer, None))

    def on_offer(self, promise, _arg):
        promise.wait()
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.keep += [promise, reply, offer]  # the binding frees the offer with the reply
        self.web.emit("set-local-description", offer, None)

    def on_gathering(self, web, _spec):
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if web.get_property("ice-gathering-state") == complete and not self.said:
            self.said = True
            text = web.get_property("local-description").sdp.as_text()
            print(json.dumps({"offer": text}), flush=True)

    def on_pad(self, _web, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        caps = pad.get_current_caps() or pad.query_caps(None)
        audio = caps.get_structure(0).get_string("media") == "audio"
        text = "rtpopusdepay ! opusdec ! fakesink name=f sync=false" if audio else \
            "rtpvp8depay ! vp8dec ! fakesink name=f sync=false"
        chain = Gst.parse_bin_from_description(text, True)
        chain.get_by_name("f").get_static_pad("sink").add_probe(
            Gst.PadProbeType.BUFFER, self.on_sound if audio else self.on_frame)
        self.pipe.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.get_static_pad("sink"))

    def on_sound(self, _pad, _info):
        self.stats["sounds"] += 1
        return Gst.PadProbeReturn.OK

    def on_frame(self, pad, _info):
        size = pad.get_current_caps().get_structure(0)
        self.stats["frames"] += 1
        self.stats["width"] = size.get_int("width")[1]
        self.stats["height"] = size.get_int("height")[1]
        return Gst.PadProbeReturn.OK

    def take(self, order):
        message, answer = describe("ANSWER", order["answer"])
        self.keep += [message, answer]
        self.web.emit("set-remote-description", answer, None)
        return False

    def end(self):
        print(json.dumps({"stats": self.stats}), flush=True)
        self.loop.quit()
        return False

    def read_lines(self):
        for line in sys.stdin:
            GLib.idle_add(self.take, json.loads(line))
        GLib.idle_add(self.end)

    def run(self):
        threading.Thread(target=self.read_lines, daemon=True).start()
        self.pipe.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipe.set_state(Gst.State.NULL)


Gst.init(None)
Peer().run()
