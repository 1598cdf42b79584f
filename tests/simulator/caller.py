"""A caller of the simulator: valid requests, in process or over a socket."""

import anyio
import httpx

ACCOUNT = "9900000"
MESSAGES = f"/api/v2/users/{ACCOUNT}/messages"
MEDIA = f"/api/v2/users/{ACCOUNT}/media"
BASIC = ("user", "secret")
APPLICATION = "93de2206-9669-4e07-948d-329f4b722ee2"
SENDER = "+19195550100"


def number(index):
    """The index-th fictional handset."""
    return f"+1919555{index:04d}"


def message(**changes):
    """A valid request body; a change to None takes a field out."""
    body = {
        "applicationId": APPLICATION,
        "to": ["+19195550123"],
        "from": SENDER,
        "text": "Hello",
        "tag": "r1.1.1",
    }
    body.update({name.rstrip("_"): value for name, value in changes.items()})
    return {name: value for name, value in body.items() if value is not None}


def ask(app, method, path=MESSAGES, *, auth=BASIC, **options):
    """One request to the app in this process."""

    async def once():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
            return await client.request(method, path, auth=auth, **options)

    return anyio.run(once)


def send(app, **changes):
    """POST a valid message with these changes."""
    return ask(app, "POST", json=message(**changes))
