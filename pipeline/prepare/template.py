"""The text of a campaign, compiled into one expression; read once, and never from a cell.

    {column}            the value; a row without one is not sent
    {column|default}    the value, or the default where the cell is empty
    {?column}...{/}     what stands between, only where the cell is not empty
    {{ and }}           braces

What a cell holds is inserted, never read: braces in it stay text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.errors import TemplateError
from pipeline.prepare import alphabet, columns

_VALUE = columns.WORKING + "value_"
_TOKEN = re.compile(
    r"(?P<escaped>\{\{|\}\})|(?P<end>\{/[^{}]*\})|\{\?(?P<start>[^{}]*)\}|\{(?P<field>[^{}]*)\}"
    r"|(?P<literal>[^{}]+)|(?P<brace>[{}])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """A place in the text that a column fills."""

    #: As the template spells it.
    name: str
    #: What an empty cell is replaced with; None where it must not be empty.
    default: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of the text that is there only where a column has a value."""

    #: As the template spells it.
    name: str
    pieces: tuple[str | Placeholder, ...]


Piece = str | Placeholder | Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A template, compiled for the columns of one file: three steps, so that none is done twice."""

    #: To be added first, under their own names: the values, trimmed (String).
    values: tuple[pl.Expr, ...]
    #: String: the rendered text, null where a value is missing.
    text: pl.Expr
    #: String: names the first column without a value, null where none is missing.
    missing: pl.Expr
    #: String: what the text has beyond the plain characters of the template. Each character of the
    #: text that is not one septet is in them as often as in the text (see `segments`).
    pieces: tuple[pl.Expr, ...]


def parse_template(template: str) -> list[Piece]:
    """Split a template into literal texts, placeholders and blocks.

    Raises:
        TemplateError: a brace or a block without its partner, or a placeholder without a name.
    """
    pieces: list[Piece] = []
    inside: list[str | Placeholder] = []
    block: str | None = None
    for token in _TOKEN.finditer(template):
        position = token.start() + 1
        if token.lastgroup == "start":
            _refuse(
                block is not None, position, "the block {} stands in another one; end that first"
            )
            block, inside = _name(token.group("start"), position), []
        elif token.lastgroup == "end":
            _refuse(block is None, position, "the end of a block {} has no beginning")
            pieces.append(Block(name=block or "", pieces=tuple(inside)))
            block = None
        else:
            (pieces if block is None else inside).append(_simple(token, position))

    _refuse(block is not None, len(template), "a block is open {}; write '{{/}}' where it ends")
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
    used = {name: find_column(name, list(views)) for name in _named(pieces)}
    match pieces:
        case [Placeholder() as alone]:
            column, default = used[alone.name], pl.lit(alone.default, pl.String)
            filled = pl.when(_value(column).is_not_null()).then(views[column])
            text, gaps = filled.otherwise(default), [_gap(column)] if alone.default is None else []
            remarkable = [text]
        case _:
            texts, gaps = _filled(pieces, used)
            text = pl.concat_str(texts or [pl.lit("")])
            remarkable, _ = _filled(parse_template(rewrite(template, _odd)), used)

    return Rendering(
        values=tuple(
            views[name].str.strip_chars().alias(_VALUE + name) for name in set(used.values())
        ),
        text=text,
        missing=pl.coalesce(gaps) if gaps else pl.lit(None, pl.String),
        pieces=tuple(remarkable),
    )


def literals(template: str) -> list[str]:
    """Return what a template says itself: the texts around its placeholders, and their defaults."""
    found: list[str] = []

    def keep(literal: str) -> str:
        found.append(literal)
        return literal

    rewrite(template, keep)
    return found


def placeholders(template: str) -> list[str]:
    """Return the columns that a template names, as it spells them, each once.

    Raises:
        TemplateError: it cannot be parsed.
    """
    return _named(parse_template(template))


def rewrite(template: str, change: Callable[[str], str]) -> str:
    """Return the template with its `literals` changed, and its placeholders as they are."""

    def changed(token: re.Match[str]) -> str:
        if token.lastgroup == "literal":
            return change(token.group())

        name, bar, default = (token.group("field") or "").partition("|")
        return f"{{{name}|{change(default)}}}" if bar else token.group()

    return _TOKEN.sub(changed, template)


def _named(pieces: Sequence[Piece]) -> list[str]:
    named = (part.name for part in _parts(pieces) if not isinstance(part, str))
    return list(dict.fromkeys(named))


def find_column(name: str, names: Sequence[str], *, place: str = "template") -> str:
    """Return the column meant by `name`: exactly, or but for case, spaces and underscores.

    Raises:
        TemplateError: none of `names`, or several; says so of `place`.
    """
    if name in names:
        return name

    found = [column for column in names if columns.fold(column) == columns.fold(name)]
    if len(found) == 1:
        return found[0]

    if found:
        raise TemplateError(
            f"{place}: {{{name}}} could be any of the columns {_listed(found)}; "
            "spell it exactly like one of them"
        )

    hint = columns.nearest(name, names)
    raise TemplateError(
        f"{place}: there is no column '{name}'{hint and f' ({hint})'}; "
        f"the file has {_listed(names)}"
    )


def _simple(token: re.Match[str], position: int) -> str | Placeholder:
    match token.lastgroup:
        case "escaped":
            return token.group()[0]
        case "literal":
            return token.group()
        case "field":
            name, bar, default = token.group("field").partition("|")
            return Placeholder(name=_name(name, position), default=default if bar else None)
        case _:
            raise TemplateError(
                f"template: the '{token.group()}' at character {position} has no partner; "
                "write '{{' or '}}' for a brace in the text"
            )


def _name(written: str, position: int) -> str:
    _refuse(
        not written.strip(),
        position,
        "the placeholder {} names no column; write '{{{{' and '}}}}' for braces in the text",
    )
    return written.strip()


def _refuse(is_wrong: bool, position: int, sentence: str) -> None:
    if is_wrong:
        raise TemplateError(f"template: {sentence.format(f'at character {position}')}")


def _parts(pieces: Sequence[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        yield piece
        if isinstance(piece, Block):
            yield from piece.pieces


def _odd(literal: str) -> str:
    """Return what of a literal text is not one septet of the default alphabet."""
    return "".join(each for each in literal if each not in alphabet.BASIC)


def _filled(
    pieces: Sequence[Piece], used: Mapping[str, str]
) -> tuple[list[pl.Expr], list[pl.Expr]]:
    texts: list[pl.Expr] = []
    gaps: list[pl.Expr] = []
    for piece in pieces:
        match piece:
            case str():
                texts.append(pl.lit(piece))
            case Placeholder(default=None):
                texts.append(_value(used[piece.name]))
                gaps.append(_gap(used[piece.name]))
            case Placeholder():
                texts.append(_value(used[piece.name]).fill_null(pl.lit(piece.default)))
            case Block():
                shown = _value(used[piece.name]).is_not_null()
                inside, inner = _filled(piece.pieces, used)
                text = pl.concat_str(inside or [pl.lit("")])
                texts.append(pl.when(shown).then(text).otherwise(pl.lit("")))
                gaps.extend(pl.when(shown).then(gap) for gap in inner)

    return texts, gaps


def _value(column: str) -> pl.Expr:
    value = pl.col(_VALUE + column)
    return pl.when(value != "").then(value)


def _gap(column: str) -> pl.Expr:
    sentence = f"column '{column}' is empty and the template has no default for it"
    return pl.when(_value(column).is_null()).then(pl.lit(sentence))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
