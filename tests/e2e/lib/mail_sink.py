"""A real SMTP server for tests: prints each message as one JSON line; ends with its standard input, where "hold" lets whoever
delivers wait for an answer and "go" answers again."""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.controller import Controller

POLL_S = 0.05


class Sink:
    held = False

    async def handle_MAIL(self, server, session, envelope, address, options):
        while Sink.held:
            await asyncio.sleep(POLL_S)
        envelope.mail_from = address
        return "250 go on"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(preferencelist=("plain",))
        print(json.dumps({"to": envelope.rcpt_tos, "from": envelope.mail_from, "subject": message["subject"], "id": message["message-id"],
                          "text": body.get_content() if body else ""}), flush=True)
        return "250 taken"


controller = Controller(Sink(), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    Sink.held = line.strip() == "hold"
controller.stop()
