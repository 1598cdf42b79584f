"""Recipients at an address: polars fetches them; what needs mending must be fetched first."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.reading.files import files_digest, read_recipients

CLEAN = b"phone;name\n9195550123;Ann\n\n9195550124;Bob\n"
FILES = {
    "/people.csv": CLEAN,
    "/odd.csv": b"phone;name\n9195550123;Ann;\n",
    "/empty.csv": b"phone\n",
}


class Storage(BaseHTTPRequestHandler):
    """Serves ranges of bytes, as object stores do."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def log_message(self, *_):
        pass

    def _answer(self, *, with_body):
        content = FILES.get(self.path.partition("?")[0])
        part, status = content or b"", 200 if content else 404
        if content and (wanted := self.headers.get("Range")):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start = int(first or max(0, len(content) - int(last)))
            part, status = content[start : int(last) + 1 if first and last else None], 206

        self.send_response(status)
        self.send_header("Content-Length", str(len(part)))
        if status == 206:
            end = start + len(part) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")

        self.end_headers()
        if with_body:
            self.wfile.write(part)


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    path = tmp_path_factory.mktemp("storage") / "people.parquet"
    pl.DataFrame({"phone": [19195550123]}).write_parquet(path)
    FILES["/people.parquet"] = path.read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Storage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_clean_text_file_is_read_over_the_network(storage):
    with read_recipients([f"{storage}/people.csv?signature=secret"]) as reading:
        frame = reading.frame.collect()
        digest = files_digest(reading)

    assert frame.to_dict(as_series=False) == {
        "phone": ["9195550123", None, "9195550124"], "name": ["Ann", None, "Bob"],
    }  # fmt: skip
    assert (reading.delimiter, reading.rows) == (";", 3)
    assert reading.files == (f"{storage}/people.csv",)
    assert digest == hashlib.sha256(frame.write_csv(include_header=False).encode()).hexdigest()


def test_parquet_is_read_over_the_network(storage):
    with read_recipients([f"{storage}/people.parquet"]) as reading:
        assert reading.frame.collect().to_dict(as_series=False) == {"phone": [19195550123]}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        pytest.param("odd.csv", "this file needs mending; fetch it", id="needs mending"),
        pytest.param("empty.csv", "nobody is in it", id="header only"),
        pytest.param("none.csv", "cannot be fetched or read", id="not there"),
        pytest.param("none.parquet", "not a Parquet file", id="no parquet there"),
    ],
)
def test_what_cannot_be_read_from_there_is_refused_without_its_signature(storage, name, complaint):
    with (
        pytest.raises(InputError, match=complaint) as caught,
        read_recipients([f"{storage}/{name}?signature=secret"]),
    ):
        pass

    assert caught.value.file == f"{storage}/{name}"
    assert "secret" not in str(caught.value)
