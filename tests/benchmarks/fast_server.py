"""The fastest provider we can write: it answers every POST with the same 202, and counts.

Run as ``python -m tests.benchmarks.fast_server PORT``; no benchmark here should measure the server.
"""

import asyncio
import json
import sys

BODY = json.dumps(
    {
        "id": "1589228074636lm4k2je7j7jklbn2",
        "owner": "+19195550100",
        "applicationId": "93de2206-9669-4e07-948d-329f4b722ee2",
        "time": "2026-11-21T12:00:00.000000Z",
        "segmentCount": 1,
        "direction": "out",
        "to": ["+19195550123"],
        "from": "+19195550100",
        "text": "Hi",
        "tag": "b.1.1",
    }
).encode()
ANSWER = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: "
    + str(len(BODY)).encode()
    + b"\r\n\r\n"
    + BODY
)


class Provider(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            start = head.find(b"content-length:") + 15
            stop = head.find(b"\r", start)
            length = int(head[start : stop if stop >= 0 else None])
            if len(self.buffer) < end + 4 + length:
                return

            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(ANSWER)


async def main(port):
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(600)  # bounded, whatever happens to whoever started it


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
