#!/usr/bin/env python3
"""The fault server: starts the origins and says where they are.

usage: faultserver.py --state DIR [--github FIXTURE.json] [--tls]

Origins, each a port of 127.0.0.1: `main`, and `storage`, where main redirects
to; with --tls also `tls` and `storage_tls`, with certificates of our own in
DIR (ca.pem signs server.pem). When all listen, DIR/ports.json says their ports,
and so does the one line on stdout. Requests are logged in DIR/requests.jsonl.
Ends when its stdin does, so it cannot outlive whoever started it.

/f/… is in faults.py, the API and the assets in github.py.
/_latch/NAME/open lets go what latch=NAME holds back. /_log?a=ARGUMENT&a=… answers
as logread.py does, /_body?a=[--sha256]&a=SEED&a=SIZE as body.py, with what would be
their exit status in X-Status.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import body
import logread
from faults import Faults
from github import GitHub
from http1 import Exchange, Listener, Log
from params import Params

if TYPE_CHECKING:
    import ssl


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", required=True, metavar="DIR")
    parser.add_argument("--github", metavar="FIXTURE.json")
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    os.closerange(3, 256)  # a test runner waits for the end of what it handed down
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.makedirs(options.state, exist_ok=True)

    listeners = make_listeners(options)
    for listener in listeners.values():
        listener.start()
    ports = json.dumps({name: listener.port for name, listener in listeners.items()})
    path = os.path.join(options.state, "ports.json")
    with open(path + ".new", "w") as file:
        file.write(ports + "\n")
    os.rename(path + ".new", path)
    print(ports, flush=True)
    while os.read(0, 4096):
        pass
    os._exit(0)  # with whatever is held back


def make_listeners(options: argparse.Namespace) -> dict[str, Listener]:
    log = Log(os.path.join(options.state, "requests.jsonl"))
    faults = Faults()
    github = GitHub(options.github, faults)
    context = make_tls(options.state) if options.tls else None

    def control(exchange: Exchange) -> None:
        arguments = Params.parse(exchange.request.query).all("a")
        match exchange.request.segments():
            case ["_log"]:
                status, text = logread.answer([options.state, *arguments])
                exchange.respond(200, [("X-Status", str(status))], text.encode())
            case ["_body"]:
                send_body(exchange, arguments)
            case ["_latch", name, "open"]:
                faults.latch(name).open()
                log.write("latch", {"name": name})
                exchange.respond(200, [("X-Status", "0")])
            case _:
                exchange.respond(404, [])

    def main_origin(exchange: Exchange) -> None:
        if exchange.request.path.startswith("/f/"):
            faults.serve_file(exchange)
        else:
            github.serve(exchange)

    def storage_origin(exchange: Exchange) -> None:
        if "authorization" in exchange.request.headers:
            exchange.respond(400, [("Content-Type", "application/xml")],
                             b"<Error><Code>InvalidArgument</Code>"
                             b"<Message>Only one auth mechanism allowed</Message></Error>")
        elif exchange.request.path.startswith("/f/"):
            faults.serve_file(exchange)
        else:
            github.serve_storage(exchange)

    listeners = {
        "main": Listener("main", log, main_origin, control),
        "storage": Listener("storage", log, storage_origin, control),
    }
    if context:
        listeners["tls"] = Listener("tls", log, main_origin, control, context)
        listeners["storage_tls"] = Listener("storage_tls", log, storage_origin, control, context)
    for listener in listeners.values():
        # What is redirected stays in its scheme, except where a test says otherwise.
        listener.peers = {**listeners, "http": listeners["main"]}
        if listener.tls:
            listener.peers["storage"] = listeners["storage_tls"]
    return listeners


def send_body(exchange: Exchange, arguments: list[str]) -> None:
    *options, seed, size = arguments
    length = body.parse_size(size)
    if options == ["--sha256"]:
        text = body.sha256(int(seed), length) + "\n"
        return exchange.respond(200, [("X-Status", "0")], text.encode())
    exchange.head(200, [("X-Status", "0"), ("Content-Length", str(length))])
    for block in body.blocks(int(seed), 0, length):
        exchange.raw(block)


def make_tls(state: str) -> "ssl.SSLContext":
    """A CA of our own, and a server certificate that it signed."""
    import ssl  # only here: most tests do without, and start faster

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=state, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    with open(os.path.join(state, "server.ext"), "w") as file:
        file.write("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=fault server CA", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-new", *key, "-keyout", "server.key", "-out", "server.csr",
            "-subj", "/CN=localhost")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-set_serial", "1", "-days", "2", "-extfile", "server.ext", "-out", "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(state, "server.pem"), os.path.join(state, "server.key"))
    return context


if __name__ == "__main__":
    sys.exit(main())
