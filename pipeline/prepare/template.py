"""The text of a campaign: ``{column}``, ``{column|default}``, ``{{`` and ``}}`` as one expression.

A template is read once. What a cell holds is inserted, never read: braces in it stay text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.errors import TemplateError
from pipeline.prepare import columns

_TOKEN = re.compile(
    r"(?P<escaped>\{\{|\}\})|\{(?P<field>[^{}]*)\}|(?P<literal>[^{}]+)|(?P<brace>[{}])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """A place in the text that a column fills."""

    #: As the template spells it.
    name: str
    #: What an empty cell is replaced with; None where it must not be empty.
    default: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A template, compiled for the columns of one file."""

    #: String: the rendered text, null where a value is missing.
    text: pl.Expr
    #: String: names the first column without a value, null where none is missing.
    missing: pl.Expr


def parse_template(template: str) -> list[str | Placeholder]:
    """Split a template into literal texts and placeholders.

    Raises:
        TemplateError: a brace without its partner, or a placeholder without a name.
    """
    pieces: list[str | Placeholder] = []
    for token in _TOKEN.finditer(template):
        match token.lastgroup:
            case "escaped":
                pieces.append(token.group()[0])

            case "literal":
                pieces.append(token.group())

            case "field":
                pieces.append(_placeholder(token.group("field"), token.start() + 1))

            case _:
                raise TemplateError(
                    f"template: the '{token.group()}' at character {token.start() + 1} has no "
                    "partner; write '{{' or '}}' for a brace in the text"
                )

    return pieces


def compile_template(template: str, views: Mapping[str, pl.Expr]) -> Rendering:
    """Turn a template into expressions.

    Args:
        template: the text with its placeholders.
        views: for each column of the file the String expression of its value.

    Returns:
        The expressions; values are trimmed, except where one placeholder is the whole template:
        then the cell is the text as it is.

    Raises:
        TemplateError: it cannot be parsed, or names a column that the file does not have.
    """
    pieces = parse_template(template)
    alone = len(pieces) == 1
    texts, gaps = [], []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(pl.lit(piece))
            continue

        column = _find_column(piece.name, list(views))
        value, empty = views[column], _is_empty(views[column])
        default = pl.lit(piece.default, pl.String)
        texts.append(
            pl.when(empty).then(default).otherwise(value if alone else value.str.strip_chars())
        )
        if piece.default is None:
            gaps.append(pl.when(empty).then(pl.lit(_gap_sentence(column))))

    return Rendering(
        text=pl.concat_str(texts or [pl.lit("")]),
        missing=pl.coalesce(gaps) if gaps else pl.lit(None, pl.String),
    )


def _placeholder(field: str, position: int) -> Placeholder:
    name, bar, default = field.partition("|")
    if not name.strip():
        raise TemplateError(
            f"template: the placeholder at character {position} names no column; "
            "write '{{' and '}}' for braces in the text"
        )

    return Placeholder(name=name.strip(), default=default if bar else None)


def _find_column(name: str, names: list[str]) -> str:
    """Return the column meant by `name`: exactly, or but for case, spaces and underscores."""
    if name in names:
        return name

    found = [column for column in names if columns.fold(column) == columns.fold(name)]
    if len(found) == 1:
        return found[0]

    if found:
        raise TemplateError(
            f"template: {{{name}}} could be any of the columns {_listed(found)}; "
            "spell it exactly like one of them"
        )

    raise TemplateError(
        f"template: there is no column '{name}'{''.join(_suggestion(name, names))}; "
        f"the file has {_listed(names)}"
    )


def _suggestion(name: str, names: list[str]) -> Iterator[str]:
    folded = {columns.fold(column): column for column in reversed(names)}
    for near in difflib.get_close_matches(columns.fold(name), folded, n=1, cutoff=0.5):
        yield f" (did you mean '{folded[near]}'?)"


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _is_empty(value: pl.Expr) -> pl.Expr:
    return value.is_null() | (value.str.strip_chars() == "")


def _gap_sentence(column: str) -> str:
    return f"column '{column}' is empty and the template has no default for it"
