"""The addresses of messages: create one, list them."""

from __future__ import annotations

import math
from functools import partial

import anyio
from starlette.requests import Request
from starlette.responses import Response

from pipeline.bandwidth.wire import MessageRequest, Unreadable, decode_request, encode
from pipeline.simulator import answers
from pipeline.simulator.access import Gate
from pipeline.simulator.account import Account
from pipeline.simulator.account_queue import ListingLimit
from pipeline.simulator.behaviour import NOT_TAKEN, Fault
from pipeline.simulator.book import Entry
from pipeline.simulator.clock import Moment
from pipeline.simulator.door import JSON, media_type, refusal, wants
from pipeline.simulator.filters import BadQuery
from pipeline.simulator.listing import PageSizes, read_page
from pipeline.simulator.validation import nulls, problems


class MessagesApi:
    """The handlers, over one account."""

    def __init__(
        self,
        account: Account,
        gate: Gate,
        *,
        max_recipients: int,
        text_required: bool,
        pages: PageSizes,
    ) -> None:
        self._account = account
        self._gate = gate
        self._problems = partial(
            problems, max_recipients=max_recipients, text_required=text_required
        )
        self._pages = pages
        self._listings = ListingLimit()

    async def messages(self, request: Request) -> Response:
        """POST, GET messages."""
        arrival = self._account.clock.moment()
        if refused := refusal(request, self._gate, now=arrival.seconds):
            return refused

        if not wants(request, JSON):
            return answers.not_acceptable()

        if request.method == "POST":
            return await self._create(request, arrival)

        return self._list(request, arrival)

    async def _create(self, request: Request, arrival: Moment) -> Response:
        self._account.ledger.requests += 1
        content_type = request.headers.get("content-type", "")
        if media_type(content_type) != JSON:
            return answers.unsupported(content_type)

        body = await request.body()
        try:
            asked = decode_request(body)
        except Unreadable:
            return answers.invalid()

        found = nulls(body) + self._problems(asked, now=arrival.at)
        if found:
            return answers.invalid(found)

        return await self._decide(asked, request, arrival)

    async def _decide(self, asked: MessageRequest, request: Request, arrival: Moment) -> Response:
        account, behaviour = self._account, self._account.behaviour
        occasion = account.dice.occasion(asked.recipients[0])
        fault = behaviour.fault(account.dice.roll("answer", occasion))
        body = b""
        if self._takes(fault, occasion):
            message = account.take(
                asked,
                account_id=request.path_params["account_id"],
                occasion=occasion,
                arrival=arrival,
                media_url=_media_url(request) if asked.media else "",
            )
            if message is None:
                return answers.queue_full(account.queue.full_text())

            body = encode(message)

        if fault is not None:
            account.ledger.faults[fault] += 1

        delay_ms = behaviour.latency_ms + (behaviour.slow_ms if fault is Fault.SLOW else 0)
        if delay_ms:
            await anyio.sleep(delay_ms / 1000)

        if fault is None:
            return answers.accepted(body)

        return answers.faulty(fault, body, full_text=account.queue.full_text())

    def _takes(self, fault: Fault | None, occasion: str) -> bool:
        if fault is Fault.GATEWAY:
            roll = self._account.dice.roll("gateway", occasion)
            return roll < self._account.behaviour.gateway_taken

        return fault not in NOT_TAKEN

    def _list(self, request: Request, arrival: Moment) -> Response:
        now = arrival.seconds
        address = request.client.host if request.client else ""
        retry_after = self._listings.retry_after(address, now=now)
        if retry_after is not None:
            wait = math.ceil(self._account.clock.callers_seconds(retry_after))
            return answers.listed_too_often(wait)

        account_id = request.path_params["account_id"]
        visible_until = now - self._account.behaviour.visible_ms / 1000

        def is_visible(entry: Entry) -> bool:
            return (
                entry.account_id in {account_id, None}
                and entry.text.arrival_seconds <= visible_until
                and entry.is_listed
            )

        self._account.queue.settle(now)
        try:
            page = read_page(
                self._account.book,
                request.url,
                is_visible=is_visible,
                now=now,
                sizes=self._pages,
            )
        except BadQuery as error:
            return answers.refused(400, "request-validation", str(error))

        return Response(encode(page), media_type=JSON)


def _media_url(request: Request) -> str:
    return str(request.url.replace(query="")).rstrip("/").removesuffix("/messages") + "/media"
