"""Media on the simulator: kept as uploaded, listed by page, forgotten in time, bounded."""

import time
from urllib.parse import quote

import pytest

from pipeline.simulator.access import Credentials
from pipeline.simulator.app import make_app
from pipeline.simulator.behaviour import Behaviour
from pipeline.simulator.clock import StoppedClock
from pipeline.simulator.media import CONTENT_TYPES, PAGE_FILES, MediaFile, MediaLimits, MediaStore

from .caller import ACCOUNT, ask
from .stage import NOON

MEDIA = f"/api/v2/users/{ACCOUNT}/media"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def app():
    return make_app(Behaviour())


def put(app, name, content=PNG, content_type="image/png", **headers):
    sent = {"content-type": content_type} | {key.replace("_", "-"): v for key, v in headers.items()}
    return ask(app, "PUT", f"{MEDIA}/{name}", content=content, headers=sent)


def get(app, name, **options):
    return ask(app, "GET", f"{MEDIA}/{name}", **options)


def listed(app, token=None):
    headers = {"continuation-token": token} if token else {}
    answer = ask(app, "GET", MEDIA, headers=headers)
    assert answer.status_code == 200
    return answer


# --- What is uploaded comes back ------------------------------------------------------------------


def test_a_file_comes_back_as_it_was_uploaded(app):
    answer = put(app, "logo.png", cache_control="max-age=60")
    assert (answer.status_code, answer.content) == (204, b"")

    back = get(app, "logo.png")
    assert (back.status_code, back.content) == (200, PNG)
    assert back.headers["content-type"] == "image/png"
    assert back.headers["content-length"] == str(len(PNG))
    assert back.headers["cache-control"] == "max-age=60"


def test_without_cache_control_none_is_told_back(app):
    put(app, "logo.png")
    assert "cache-control" not in get(app, "logo.png").headers


@pytest.mark.parametrize("content_type", sorted(CONTENT_TYPES))
def test_every_documented_type_is_taken_and_told_back(app, content_type):
    assert put(app, "file", content_type=content_type).status_code == 204
    assert get(app, "file").headers["content-type"] == content_type


def test_a_type_keeps_its_parameters(app):
    put(app, "note", content_type="text/plain; charset=utf-8")
    assert get(app, "note").headers["content-type"] == "text/plain; charset=utf-8"


def test_the_same_name_overwrites(app):
    put(app, "logo.png", b"old", "image/gif", cache_control="no-store")
    put(app, "logo.png")
    back = get(app, "logo.png")
    assert (back.content, back.headers["content-type"]) == (PNG, "image/png")
    assert "cache-control" not in back.headers
    assert len(listed(app).json()) == 1


def test_an_empty_file_is_a_file(app):
    assert put(app, "empty", b"").status_code == 204
    assert get(app, "empty").content == b""
    assert listed(app).json()[0]["contentLength"] == 0


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        pytest.param("a/0/b.png", "a/0/b.png", id="slashes"),
        pytest.param("a%20b.png", "a b.png", id="space"),
        pytest.param("a%2520b.png", "a%20b.png", id="percent is decoded once"),
        pytest.param("%C3%BC.png", "ü.png", id="umlaut"),
        pytest.param("a//b", "a//b", id="empty part"),
        pytest.param("a+b", "a+b", id="plus"),
        pytest.param("a%0Ab", "a\nb", id="line break"),
    ],
)
def test_a_name_is_decoded_once_and_may_have_slashes(app, asked, name):
    assert put(app, asked).status_code == 204
    (item,) = listed(app).json()
    assert item["mediaName"] == name
    assert item["content"] == f"http://simulator{MEDIA}/{quote(name)}"
    assert ask(app, "GET", item["content"]).content == PNG


def test_a_percent_encoded_slash_is_refused(app):
    for method in ("PUT", "GET", "DELETE"):
        answer = ask(app, method, f"{MEDIA}/a%2Fb.png", headers={"content-type": "image/png"})
        assert (answer.status_code, answer.json()["type"]) == (400, "request-validation")

    assert listed(app).json() == []


def test_an_upload_of_nothing_is_refused(app):
    answer = ask(app, "PUT", f"{MEDIA}/a")
    assert (answer.status_code, answer.json()["fieldErrors"]) == (
        400,
        [{"fieldName": "media", "description": "'media' is required"}],
    )


def test_accounts_do_not_see_each_other_s_files(app):
    put(app, "logo.png")
    other = "/api/v2/users/9900001/media"
    assert ask(app, "GET", f"{other}/logo.png").status_code == 404
    assert ask(app, "GET", other).json() == []


def test_a_deleted_file_is_gone_and_may_be_uploaded_again(app):
    put(app, "logo.png")
    assert ask(app, "DELETE", f"{MEDIA}/logo.png").status_code == 204
    assert get(app, "logo.png").status_code == 404
    assert ask(app, "DELETE", f"{MEDIA}/logo.png").status_code == 404
    put(app, "logo.png", b"new")
    assert get(app, "logo.png").content == b"new"


def test_a_reset_forgets_the_files(app):
    put(app, "logo.png")
    ask(app, "POST", "/_ledger/reset", auth=None)
    assert listed(app).json() == []


# --- The list -------------------------------------------------------------------------------------


def test_an_item_has_name_length_and_address_and_nothing_else(app):
    put(app, "b.png", b"22")
    put(app, "a.png")
    answer = listed(app)
    assert answer.json() == [
        {
            "mediaName": name,
            "contentLength": length,
            "content": f"http://simulator{MEDIA}/{name}",
        }
        for name, length in (("a.png", len(PNG)), ("b.png", 2))
    ]
    assert "continuation-token" not in answer.headers


@pytest.mark.parametrize(
    ("files", "pages"),
    [
        (PAGE_FILES, [PAGE_FILES]),
        (PAGE_FILES + 1, [PAGE_FILES, 1]),
        (2 * PAGE_FILES + 5, [PAGE_FILES, PAGE_FILES, 5]),
    ],
)
def test_pages_hold_a_thousand_names_and_a_token_asks_for_the_next(files, pages):
    names = [f"é/{index:05}" for index in range(files)]
    store = filled(names)
    seen, sizes, token = [], [], None
    while True:
        page = store.page(ACCOUNT, token, now=0.0)
        seen += [name for name, _ in page.files]
        sizes.append(len(page.files))
        token = page.token
        if token is None:
            break

    assert seen == names
    assert sizes == pages


def test_the_token_travels_in_headers_both_ways(app):
    names = [f"{index:04}" for index in range(PAGE_FILES + 1)]
    for name in names:
        app.state.media.put(ACCOUNT, name, file(b"x", at=time.monotonic()))

    first = listed(app)
    token = first.headers["continuation-token"]
    second = listed(app, token)
    assert [item["mediaName"] for item in first.json() + second.json()] == names
    assert "continuation-token" not in second.headers


def test_what_happens_between_two_pages_moves_no_other_file():
    names = [f"{index:05}" for index in range(PAGE_FILES + 10)]
    store = filled(names)
    token = store.page(ACCOUNT, None, now=0.0).token
    store.delete(ACCOUNT, names[3], now=0.0)
    store.delete(ACCOUNT, names[PAGE_FILES - 1], now=0.0)
    store.put(ACCOUNT, "00000a", file(b"x"))
    page = store.page(ACCOUNT, token, now=0.0)
    assert [name for name, _ in page.files] == names[PAGE_FILES:]


@pytest.mark.parametrize("token", ["%%%", "YWZ0ZXI", "bm90IG91cnM=", "gICA", "x" * 5])
def test_a_token_that_was_never_given_out_is_a_400(app, token):
    answer = ask(app, "GET", MEDIA, headers={"continuation-token": token})
    assert (answer.status_code, answer.json()["type"]) == (400, "request-validation")


# --- Limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "megabytes"),
    [(MediaLimits(), 3.5), (MediaLimits(file_bytes=3_750_000), 3.75)],
    ids=["today", "older documents"],
)
def test_a_file_may_be_as_large_as_the_limit_and_not_a_byte_larger(limits, megabytes):
    app = make_app(Behaviour(), media=limits)
    assert put(app, "big", b"x" * int(megabytes * 1_000_000)).status_code == 204
    answer = put(app, "big", b"x" * (int(megabytes * 1_000_000) + 1))
    assert answer.status_code == 400
    assert answer.json() == {
        "type": "request-validation",
        "description": "Your request could not be accepted",
        "fieldErrors": [
            {"fieldName": "media", "description": f"'media' must be at most {megabytes} MB"}
        ],
    }
    assert len(get(app, "big").content) == megabytes * 1_000_000


def test_a_file_is_gone_when_its_time_is_over_and_an_overwrite_begins_it_anew():
    store = MediaStore(MediaLimits(retention_seconds=48 * 3_600.0))
    store.put(ACCOUNT, "a", file(b"a", at=0.0))
    store.put(ACCOUNT, "b", file(b"b", at=10.0))
    store.put(ACCOUNT, "a", file(b"A", at=20.0))
    end = 48 * 3_600.0
    assert store.get(ACCOUNT, "b", now=end + 9.9).content == b"b"
    assert store.get(ACCOUNT, "b", now=end + 10.0) is None
    assert store.get(ACCOUNT, "a", now=end + 19.9).content == b"A"
    assert store.page(ACCOUNT, None, now=end + 20.0).files == []


def test_retention_is_measured_by_the_clock_of_the_simulator():
    clock = StoppedClock(NOON)
    app = make_app(Behaviour(), clock=clock)
    put(app, "logo.png")
    clock.advance_to(48 * 3_600.0 - 1)
    assert get(app, "logo.png").status_code == 200
    clock.advance_to(48 * 3_600.0)
    assert get(app, "logo.png").status_code == 404


def test_the_files_together_are_bounded_and_what_goes_makes_room():
    app = make_app(Behaviour(), media=MediaLimits(total_bytes=2_000_000))
    assert put(app, "a", b"x" * 1_500_000).status_code == 204
    refused = put(app, "b", b"x" * 600_000)
    assert (refused.status_code, refused.json()["type"]) == (429, "too-many-requests")
    assert "2 MB" in refused.json()["description"]
    assert put(app, "a", b"x" * 1_400_000).status_code == 204
    assert put(app, "b", b"x" * 600_000).status_code == 204
    ask(app, "DELETE", f"{MEDIA}/a")
    assert put(app, "c", b"x" * 1_400_000).status_code == 204


@pytest.mark.parametrize("name", ["file_bytes", "retention_seconds", "total_bytes"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_a_limit_that_is_none_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        MediaLimits(**{name: value})


# --- Refusals -------------------------------------------------------------------------------------

CALLS = [
    pytest.param("GET", MEDIA, id="list"),
    pytest.param("GET", f"{MEDIA}/logo.png", id="download"),
    pytest.param("PUT", f"{MEDIA}/logo.png", id="upload"),
    pytest.param("DELETE", f"{MEDIA}/logo.png", id="delete"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_nobody_without_credentials_touches_media(method, path):
    app = make_app(Behaviour(), credentials=Credentials(basic=("user", "secret")))
    put(app, "logo.png")
    answer = ask(app, method, path, auth=("user", "wrong"))
    assert (answer.status_code, answer.json()) == (
        401,
        {"type": "unauthorized", "description": "Authentication Failed"},
    )
    assert get(app, "logo.png").content == PNG


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_nobody_touches_another_account_s_media(method, path):
    app = make_app(Behaviour(), credentials=Credentials(account_id="9900001"))
    answer = ask(app, method, path)
    assert (answer.status_code, answer.json()) == (
        403,
        {"type": "forbidden", "description": "Access Denied"},
    )


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_caller_who_wants_another_form_gets_none(app, method, path):
    put(app, "logo.png")
    answer = ask(app, method, path, headers={"accept": "text/html", "content-type": "image/png"})
    assert (answer.status_code, answer.json()["type"]) == (406, "not-acceptable")
    assert get(app, "logo.png").content == PNG


@pytest.mark.parametrize("accept", ["image/png", "image/*", "*/*", "application/octet-stream"])
def test_a_picture_suits_who_wants_it_and_who_wants_bytes(app, accept):
    put(app, "logo.png")
    assert get(app, "logo.png", headers={"accept": accept}).status_code == 200


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    ("behaviour", "status", "kind"),
    [
        pytest.param(Behaviour(busy=1.0), 429, "too-many-requests", id="busy"),
        pytest.param(Behaviour(error=1.0), 500, "internal-server-error", id="error"),
    ],
)
def test_a_busy_or_broken_provider_does_nothing_with_media(method, path, behaviour, status, kind):
    app = make_app(behaviour)
    answer = ask(app, method, path, headers={"content-type": "image/png"})
    assert (answer.status_code, answer.json()["type"]) == (status, kind)
    assert sum(app.state.ledger.faults.values()) == 1


def test_a_type_the_provider_does_not_take_is_a_415(app):
    answer = put(app, "tool.exe", content_type="application/x-msdownload")
    assert (answer.status_code, answer.json()) == (
        415,
        {
            "type": "unsupported-content-type",
            "description": "Content type 'application/x-msdownload' not supported",
        },
    )


def test_a_file_that_is_not_there_is_a_404_of_the_api(app):
    answer = get(app, "nothing.png")
    assert (answer.status_code, set(answer.json())) == (404, {"type", "description"})


def test_no_name_is_no_address(app):
    answer = get(app, "")
    assert (answer.status_code, answer.json()["error"]) == (404, "Not Found")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", MEDIA), ("PUT", MEDIA), ("POST", f"{MEDIA}/logo.png")]
)
def test_a_method_media_do_not_have_is_a_405(app, method, path):
    answer = ask(app, method, path)
    assert (answer.status_code, answer.json()["type"]) == (405, "method-not-allowed")


def file(content, at=0.0):
    return MediaFile(content=content, content_type="image/png", cache_control=None, uploaded_at=at)


def filled(names):
    store = MediaStore(MediaLimits())
    for name in reversed(names):
        store.put(ACCOUNT, name, file(b"x"))

    return store
