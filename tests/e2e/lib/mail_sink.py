"""A real SMTP server for tests: prints each message as one JSON line; ends with its standard input."""

import email
import email.policy
import json
import sys

from aiosmtpd.controller import Controller


class Sink:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(preferencelist=("plain",))
        print(json.dumps({"to": envelope.rcpt_tos, "from": envelope.mail_from, "subject": message["subject"], "id": message["message-id"],
                          "text": body.get_content() if body else ""}), flush=True)
        return "250 taken"


controller = Controller(Sink(), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
print(json.dumps({"ready": True}), flush=True)
sys.stdin.read()
controller.stop()
