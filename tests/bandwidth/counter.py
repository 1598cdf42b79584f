"""A provider that takes messages and keeps their pictures: the media shelf, and a counter."""

from __future__ import annotations

import json

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bandwidth.shelf import Shelf


class Counter(Shelf):
    """Takes every message whose pictures on the shelf are there; keeps what was sent."""

    def __init__(self):
        super().__init__()
        self.sent = []
        self.app.router.routes.insert(
            1, Route("/api/v2/users/{account}/messages", self._take, methods=["POST"])
        )

    async def _take(self, request):
        message = json.loads(await request.body())
        own = str(request.base_url) + "api/v2/users/9900000/media/"
        for address in message.get("media", []):
            if address.startswith(own) and address.removeprefix(own) not in self.files:
                return JSONResponse({"type": "no-media", "description": "x"}, status_code=400)

        self.sent.append(message)
        body = {"id": f"m{len(self.sent)}", "segmentCount": 1}
        return Response(json.dumps(body), status_code=202)
