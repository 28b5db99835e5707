"""A server for the page on models behind one: it answers pictures with the scores of the bundled classifier."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import torch
from PIL import Image


class Answers(BaseHTTPRequestHandler):
    """Scores, as JSON, of the picture in the body of a request."""

    def do_POST(self) -> None:
        picture = Image.open(io.BytesIO(self.rfile.read(int(self.headers["Content-Length"]))))
        (scores,) = self.server.model([torch.from_numpy(np.array(picture)).permute(2, 0, 1)])
        body = json.dumps({"scores": scores.tolist()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextlib.contextmanager
def served() -> Iterator[str]:
    """While inside, a server listens at the address that is yielded."""
    from examples.models import classifier

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.model = classifier()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
