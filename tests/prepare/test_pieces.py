"""Segments counted from what a template inserts are those of the whole text."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Campaign, Variant
from pipeline.prepare import columns
from pipeline.prepare.segments import add_segments
from pipeline.prepare.texts import add_text, pieces_of

CHARACTERS = "aZ 0@é{}[]~€^\\|`\t\n\x0c\x1bçΔ“–漢😀"
PLAIN = [each for each in CHARACTERS if each not in "{}|"]

cells = st.one_of(st.none(), st.text(CHARACTERS, max_size=120))
literals = st.text(PLAIN, max_size=90)
fields = st.one_of(
    literals,
    st.sampled_from(["{name}", "{code}", "{{", "}}"]),
    st.builds("{{code|{}}}".format, literals),
)
blocks = st.builds("{{?name}}{}{{/}}".format, st.lists(fields, max_size=3).map("".join))
templates = st.lists(st.one_of(fields, blocks), min_size=1, max_size=5).map("".join)


def counted(lf, **given):
    measures = (columns.ENCODING, columns.UNITS, columns.SEGMENTS)
    return lf.pipe(add_segments, **given).select(measures).collect().rows()


def rendered(campaign, rows):
    lf = pl.LazyFrame(rows, schema={"name": pl.String, "code": pl.String}, orient="row")
    views = {name: pl.col(name) for name in ("name", "code")}
    lf = lf.with_columns(channel=pl.lit("sms"), **{columns.NUMBER: pl.lit(19195550123)})
    return lf.pipe(add_text, campaign, views), pieces_of(campaign, views)


@given(template=templates.filter(bool), rows=st.lists(st.tuples(cells, cells), max_size=8))
def test_what_a_template_inserts_tells_the_segments_of_its_texts(template, rows):
    lf, pieces = rendered(Campaign(name="c", senders=("+1",), template=template), rows)
    assert counted(lf, pieces=pieces) == counted(lf)


def test_only_what_may_not_be_plain_is_looked_at():
    campaign = Campaign(name="c", senders=("+1",), template="Hello {name}, [é]~ your code")
    lf, pieces = rendered(campaign, [("Zoé", None)])
    assert lf.select(pl.concat_str(pieces)).collect().item() == "Zoé[]~"


def test_texts_that_are_not_only_the_template_are_looked_at_whole():
    some = {"name": "c", "senders": ("+1",), "template": "Hello {name}"}
    variants = (Variant(name="a", template="{name}!"), Variant(name="b", template="{name}~"))
    assert rendered(Campaign(**some), [])[1]
    assert not rendered(Campaign(**some, smart=True), [])[1]
    assert not rendered(Campaign(**some, variants=variants), [])[1]
