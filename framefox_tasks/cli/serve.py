"""The diagrams as pages on 127.0.0.1, which reload themselves when they are drawn anew. The files stay as they are."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from framefox_tasks.errors import FramefoxTasksError

_HOST = "127.0.0.1"
_CHANGED = "/changed"
# In place of the page's policy, which allows nothing that is not in the page.
_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy"[^>]*>')
_RELOAD = b"""<script>
let shown;
setInterval(async () => {
  const answer = await fetch("/changed").then((response) => response.text(), () => shown);
  if (shown !== undefined && answer !== shown) location.reload();
  shown = answer;
}, 500);
</script>
"""


@contextmanager
def serving(folder: Path, port: int) -> Iterator[str]:
    """A context in which the files of a folder are served on this machine alone; gives the URL of the page.

    Raises:
        FramefoxTasksError: The port is taken.
    """
    try:
        server = ThreadingHTTPServer((_HOST, port), partial(_Handler, directory=str(folder)))
    except (OSError, OverflowError) as exc:
        raise FramefoxTasksError(
            f"The port {port} of {_HOST} cannot be used: {getattr(exc, 'strerror', None) or exc}.",
            hint="Take another one: --port=8018",
        ) from exc
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{_HOST}:{server.server_port}/schema.html"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    """Serves the files of a folder, and says when one of them was last written."""

    def do_GET(self) -> None:
        """Answer a request. One that names another host comes from a page of somebody else."""
        if (self.headers.get("Host") or "").partition(":")[0] not in (_HOST, "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path == _CHANGED:
            self._answer("text/plain", str(self._written()).encode())
        elif (page := self._page()) is not None:
            self._answer("text/html; charset=utf-8", page)
        else:
            super().do_GET()

    do_HEAD = do_GET  # noqa: N815 - as the server calls it

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the server calls it
        """Say nothing: a page asks twice a second."""

    def _written(self) -> int:
        return max((path.stat().st_mtime_ns for path in Path(self.directory).glob("*.html")), default=0)

    def _page(self) -> bytes | None:
        path = Path(self.translate_path(self.path))
        if path.suffix != ".html" or not path.is_file():
            return None
        return _POLICY.sub(b"", path.read_bytes()).replace(b"</body>", _RELOAD + b"</body>")

    def _answer(self, kind: str, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)
