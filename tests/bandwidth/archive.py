"""The listing in small, from its documentation: date filters in milliseconds, pages, limits."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

REACH = 10_000


class Archive:
    """Lists messages that were taken at given moments; refuses what the provider refuses."""

    def __init__(self, moments, *, is_end_included=True):
        self.items, self.moments = [], []
        self.add(moments)
        #: Number of a question -> moments of messages that become visible before it.
        self.late = {}
        #: Whether the next page tokens are refused, one after the other; later ones are not.
        self.refused_tokens = iter(())
        self._is_end_included = is_end_included
        self.queries, self.refusals = [], []
        self.app = Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/{path:path}", self._list, methods=["GET"]),
            ]
        )

    def add(self, moments):
        for moment in moments:
            number = len(self.items)
            item = {
                "messageId": f"m{number}",
                "receiveTime": _written(moment),
                "destinationTn": f"+1919555{number % 10_000:04}",
            }
            self.items.append(item)
            self.moments.append(moment)

    async def _token(self, _):
        return JSONResponse({"access_token": "token-1", "expires_in": 3600})

    async def _list(self, request):
        query = request.query_params
        self.queries.append(dict(query))
        self.add(self.late.pop(len(self.queries), ()))
        if self.refusals:
            status, headers = self.refusals.pop(0)
            return JSONResponse(
                {"type": "trouble", "description": "x"}, status_code=status, headers=headers
            )

        begin, until = (_read(query[name]) for name in ("fromDateTime", "toDateTime"))
        limit, after = int(query["limit"]), int(query.get("pageToken", "0"))
        assert query["sort"] == "receiveTime:asc"
        is_over = "pageToken" in query and next(self.refused_tokens, False)
        if is_over or limit + after > REACH or until - begin > timedelta(days=14):
            return JSONResponse({"type": "bad", "description": "x"}, status_code=400)

        found = [
            item
            for item, moment in zip(self.items, self.moments, strict=True)
            if begin <= moment < until or (self._is_end_included and moment == until)
        ]
        found.sort(key=lambda item: item["receiveTime"])
        more = after + limit < len(found)
        return JSONResponse(
            {
                "totalCount": len(found),
                "pageInfo": {"nextPageToken": str(after + limit)} if more else {},
                "messages": found[after : after + limit],
            }
        )


def _written(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(text):
    assert len(text) == len("2026-11-01T00:00:00.000Z"), json.dumps(text)
    return datetime.fromisoformat(text)
