"""The media resource in small, from its documentation: overwrites, pages by header, raw slashes."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PAGE = 2


class Shelf:
    """Keeps files by name, and what it heard."""

    def __init__(self):
        self.files, self.heard = {}, []
        #: Statuses in place of the next answers.
        self.refusals = []
        self.tokens = 0
        self.app = Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/{path:path}", self._media, methods=["GET", "PUT", "DELETE"]),
            ]
        )

    async def _token(self, _):
        self.tokens += 1
        return JSONResponse({"access_token": f"token-{self.tokens}", "expires_in": 3600})

    async def _media(self, request):
        body = await request.body()
        path = request.scope["raw_path"].split(b"?")[0].decode()
        self.heard.append((request.method, path, dict(request.headers)))
        if self.refusals:
            status, headers = self.refusals.pop(0)
            error = {"type": "some-trouble", "description": "x"}
            return JSONResponse(error, status_code=status, headers=headers)

        _, _, name = path.partition("/media")
        if not name:
            return self._list(request)

        return self._one(request, name.removeprefix("/"), body)

    def _list(self, request):
        start = int(request.headers.get("continuation-token", "0"))
        names = sorted(self.files)
        more = start + PAGE < len(names)
        headers = {"Continuation-Token": str(start + PAGE)} if more else {}
        page = [
            {"mediaName": name, "contentLength": len(self.files[name][1]), "content": f"/{name}"}
            for name in names[start : start + PAGE]
        ]
        return JSONResponse(page, headers=headers)

    def _one(self, request, name, body):
        if request.method == "PUT":
            self.files[name] = (request.headers["content-type"], body)
            return Response(status_code=204)

        if name not in self.files:
            return JSONResponse({"status": 404, "error": "Not Found"}, status_code=404)

        if request.method == "DELETE":
            del self.files[name]
            return Response(status_code=204)

        content_type, content = self.files[name]
        return Response(content, media_type=content_type)


@contextmanager
def served(app):
    """Serve an application from a thread; yields its address."""
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)

        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
