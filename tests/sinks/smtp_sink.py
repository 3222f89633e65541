#!/usr/bin/python3
"""A real SMTP server that keeps every mail as a file, and misbehaves on request.

It prints "READY PORT" once it listens and ends when its standard input does. Each accepted mail is DIR/0001.eml
(complete when it is there), DIR/0001.json its envelope and what Python's parser makes of the mail. What comes before "@" in the recipient chooses:

  refuse451  451 to RCPT            reject550  550 to RCPT
  data451    451 to the mail        data554    554 to the mail
  reset      connection reset after the mail, without an answer
  stall      no answer after the mail
  quit550    550 to RCPT, then no answer to QUIT
  slow       the answer to the mail comes after 1.5 s

A sender "refused@…" gets 550 to MAIL.
"""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import os
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Handler:
    def __init__(self, directory, bare):
        self.directory = directory
        self.bare = bare
        self.count = 0
        self.mute = False

    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.7.1 you may not send from here"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local == "refuse451":
            return "451 4.3.0 try again later"
        if local in ("reject550", "quit550"):
            self.mute = local == "quit550"
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):
        if self.mute:
            await asyncio.sleep(3600)
        return "221 Bye"

    async def handle_DATA(self, server, session, envelope):
        local = envelope.rcpt_tos[0].split("@")[0]
        if local == "data451":
            return "451 4.3.0 disk full"
        if local == "data554":
            return "554 5.7.1 refused by policy"
        if local == "reset":
            server.transport.abort()
            return "250 never seen"
        if local == "stall":
            await asyncio.sleep(3600)
        if local == "slow":
            await asyncio.sleep(1.5)
        if not self.bare:
            self.keep(session, envelope)
        return "250 2.0.0 kept"

    def keep(self, session, envelope):
        self.count += 1
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        name = os.path.join(self.directory, "%04d" % self.count)
        about = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "ehlo": session.host_name,
            "tls": session.ssl is not None,
            "auth": bool(session.authenticated),
            "subject": mail["Subject"],
            "from_name": mail["From"].addresses[0].display_name,
            "headers": [name.lower() for name in mail.keys()],
            "text": mail.get_content().replace("\r\n", "\n"),
            "defects": [str(defect) for defect in mail.defects] + [
                str(defect) for value in mail.values() for defect in value.defects],
        }
        for suffix, content in ((".json", json.dumps(about, ensure_ascii=False).encode()), (".eml", envelope.original_content)):
            with open(name + ".part", "wb") as file:
                file.write(content)
            os.rename(name + ".part", name + suffix)


async def serve(options):
    logging.disable(logging.CRITICAL)  # clients that break off are what it is for
    handler = Handler(options.dir, options.bare)
    context = None
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)

    def check(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and options.login == "%s:%s" % (
            data.login.decode(), data.password.decode())
        return AuthResult(success=good, handled=False)

    def make():
        return SMTP(
            handler,
            hostname="sink.test",
            tls_context=None if options.implicit else context,
            require_starttls=bool(context) and not options.implicit,
            authenticator=check if options.login else None,
            auth_required=bool(options.login),
            auth_require_tls=False,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", options.port,
                                      ssl=context if options.implicit else None)
    print("READY", server.sockets[0].getsockname()[1], flush=True)
    end = asyncio.Event()
    loop.add_reader(sys.stdin, lambda: sys.stdin.buffer.read1(4096) or end.set())
    await end.wait()


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True, help="where mails are kept; must exist")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert", help="offer STARTTLS with this certificate, and require it")
    parser.add_argument("--key")
    parser.add_argument("--implicit", action="store_true", help="TLS from the start instead")
    parser.add_argument("--login", help="USER:PASSWORD that must log in")
    parser.add_argument("--bare", action="store_true", help="keep nothing: for benchmarks")
    options = parser.parse_args()
    asyncio.run(serve(options))
    os._exit(0)


main()
