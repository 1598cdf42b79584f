"""Templates: filled as written, or refused with the place and the nearest column."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import TemplateError
from pipeline.prepare.template import compile_template


def render(template, **values):
    frame = pl.LazyFrame({"phone": [None], **{name: [value] for name, value in values.items()}})
    views = {name: pl.col(name).cast(pl.String) for name in frame.collect_schema()}
    rendering = compile_template(template, views)
    filled = frame.with_columns(rendering.values)
    return filled.select(text=rendering.text, missing=rendering.missing).collect().row(0)


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        pytest.param("Hi {name}!", {"name": "Ann"}, "Hi Ann!", id="a value"),
        pytest.param("Hi {name|there}!", {"name": None}, "Hi there!", id="a default for null"),
        pytest.param("Hi {name|there}!", {"name": "  "}, "Hi there!", id="a default for blanks"),
        pytest.param("Hi {name|there}!", {"name": "Ann"}, "Hi Ann!", id="a default not needed"),
        pytest.param("Hi{name|}!", {"name": None}, "Hi!", id="an empty default"),
        pytest.param("{a|x|y}", {"a": None}, "x|y", id="a bar in a default"),
        pytest.param("Hi {name}!", {"name": "  Ann\u00a0"}, "Hi Ann!", id="values are trimmed"),
        pytest.param("{text}", {"text": "  as it is "}, "  as it is ", id="a whole cell stays"),
        pytest.param("{{{name}}} {{}}", {"name": "Ann"}, "{Ann} {}", id="braces in the text"),
        pytest.param("{a}{b}", {"a": "{b}", "b": "x"}, "{b}x", id="braces in a cell stay text"),
        pytest.param("{a}", {"a": "$1 \\1 {0}"}, "$1 \\1 {0}", id="nothing in a cell is special"),
        pytest.param("{ First  NAME }", {"first_name": "Ann"}, "Ann", id="case, space, underscore"),
        pytest.param("{Name} {name}", {"name": "a", "Name": "B"}, "B a", id="the exact name first"),
        pytest.param("{n}", {"n": 5}, "5", id="a number"),
        pytest.param("plain", {}, "plain", id="no placeholder"),
        pytest.param("", {}, "", id="nothing"),
        pytest.param(
            "Hi{?name} {name}{/}!", {"name": "Ann"}, "Hi Ann!", id="a block that is shown"
        ),
        pytest.param("Hi{?name} {name}{/}!", {"name": " "}, "Hi!", id="a block that is not"),
        pytest.param("{?a}{b|there}{/}", {"a": "1", "b": None}, "there", id="a default in a block"),
        pytest.param("{?a}{{{/}", {"a": "1"}, "{", id="a brace in a block"),
        pytest.param("{? First Name }x{/ any words }", {"first_name": "A"}, "x", id="block names"),
        pytest.param("{text|}", {"text": " x "}, " x ", id="a whole cell with a default"),
    ],
)
def test_a_template_is_filled(template, values, text):
    assert render(template, **values) == (text, None)


def test_an_empty_value_without_default_names_its_column():
    text, missing = render("{First Name|there} {code} {city}", first_name=None, code=" ", city=None)
    assert text is None
    assert missing == "column 'code' is empty and the template has no default for it"


def test_a_missing_value_inside_a_block_counts_only_where_the_block_is_shown():
    template = "Hi{?city} in {city}, {name}{/}"
    assert render(template, city=None, name=None) == ("Hi", None)
    text, missing = render(template, city="Durham", name=None)
    assert text is None
    assert missing == "column 'name' is empty and the template has no default for it"


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        pytest.param("Hi {name", r"'\{' at character 4", id="never closed"),
        pytest.param("Hi name}", r"'\}' at character 8", id="never opened"),
        pytest.param("Hi {a {b}}", r"'\{' at character 4", id="nested"),
        pytest.param("Hi {?name}x", "a block is open at character 11", id="a block never ended"),
        pytest.param("Hi {/}", "end of a block at character 4", id="a block never begun"),
        pytest.param("{?a}{?b}{/}{/}", "block at character 5 stands", id="blocks nested"),
        pytest.param("{? }x{/}", "at character 1 names no column", id="a block without a name"),
        pytest.param("{?zzzz}x{/}", "no column 'zzzz'", id="a block of an unknown column"),
        pytest.param("Hi {}", "at character 4 names no column", id="no name"),
        pytest.param("Hi { |x}", "at character 4 names no column", id="only a default"),
        pytest.param("{frist_name}", r"mean 'first_name'\?.*'phone', 'first_name', 'First Name'",
                     id="unknown, with a near one"),
        pytest.param("{zzzz}", r"no column 'zzzz'; the file has 'phone'", id="unknown, none near"),
        pytest.param("{FIRST NAME}", r"any of the columns 'first_name', 'First Name'",
                     id="ambiguous"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_filled_is_refused(template, complaint):
    with pytest.raises(TemplateError, match=complaint):
        render(template, first_name="a", **{"First Name": "b"})


@given(st.text(), st.text())
def test_any_text_can_be_written_with_doubled_braces(before, value):
    escaped = before.replace("{", "{{").replace("}", "}}")
    text, missing = render(f"{escaped}|{{name|-}}", name=value)
    assert missing is None
    assert text == f"{before}|{pl.Series([value]).str.strip_chars().item() or '-'}"


@given(st.lists(st.sampled_from(["a", " ", "{{", "}}", "{name}", "{name|b}", "é"])))
def test_braces_that_belong_together_are_always_read(tokens):
    text, missing = render("".join(["x", *tokens]), name="v")
    written = {"{{": "{", "}}": "}", "{name}": "v", "{name|b}": "v"}
    assert missing is None
    assert text == "".join(["x", *(written.get(token, token) for token in tokens)])
