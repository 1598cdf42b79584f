"""What to change to pay less: the plan is made again with one thing changed, and priced.

    plan ─> another template, value, text or channel ─> segments ─> cost ─> what it saves

So a saving is the difference of two exact sums over the messages of this very file. Each is for its
change alone: two changes may save the same segment. Nothing is changed here, and nobody's text is
shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from pipeline.model import MICROS_PER_UNIT, Campaign, Channel, Encoding
from pipeline.prepare import alphabet, columns, smart
from pipeline.prepare.channels import add_cheaper_cost, as_mms, may_be_mms
from pipeline.prepare.price_grid import RECIPIENT, PriceGrid
from pipeline.prepare.pricing import add_cost
from pipeline.prepare.segments import HEADER_BYTES, add_segments, capacity
from pipeline.prepare.template import find_column, literals, placeholders, rewrite
from pipeline.prepare.texts import add_text
from pipeline.spelling import counted

#: How many characters are named one by one, of the template or of a column.
MOST_CHARACTERS = 5

_BEFORE, _OVER, _OTHERS = (columns.WORKING + name for name in ("before", "over", "others"))
_IS_UCS2 = pl.col(columns.ENCODING) == Encoding.UCS2.value
_LOOK_ALIKES = smart.replacements(look_alikes=True, accents=True)
_LAST_WORD = r"\s+\S+\s*$"
_LONGEST_WORD = 40  # characters; who writes a longer one at the end has written an address


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One change, and what it saves."""

    #: A short name for machines: ``smart``, ``template_characters``, ``column_characters``,
    #: ``shorten``, ``last_word``, ``mms``.
    code: str
    #: For people; holds no phone number and no text of a recipient.
    sentence: str
    #: How many messages would cost less.
    messages: int
    #: Millionths of the plan's currency, over the whole file.
    saving_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisor:
    """A plan, and what it was made of."""

    #: As it was written; only what is sent by SMS is looked at.
    plan: pl.LazyFrame
    campaign: Campaign
    #: For each column of the file the String expression of its value in `plan`.
    views: Mapping[str, pl.Expr]
    #: The prices of its messages, whatever their channel.
    grid: PriceGrid
    #: Whether a message has a picture to be an MMS with (Boolean); where the price decides.
    has_picture: pl.Expr

    def advise(self) -> tuple[Advice, ...]:
        """Return what saves anything, the most saving first."""
        found = [
            *self._smart(),
            *self._template_characters(),
            *self._column_characters(),
            *self._shorter_template(),
            *self._last_words(),
            *self._mms(),
        ]
        worth_it = [advice for advice in found if advice.saving_micros > 0]
        return tuple(sorted(worth_it, key=lambda advice: -advice.saving_micros))

    def _smart(self) -> Iterator[Advice]:
        """Price the campaign with its look-alikes replaced, if it does not ask for that yet."""
        if not self.campaign.smart:
            lf = self._messages(_IS_UCS2).pipe(
                self._texts, replace(self.campaign, smart=True), self.views
            )
            what = "smart = true: quotes, dashes, spaces ... become the GSM-7 ones they look like"
            yield self._advice("smart", what, lf)

    def _template_characters(self) -> Iterator[Advice]:
        """Price the template without the characters that no GSM-7 text can hold."""
        mended = set(smart.replacements_of(self.campaign))
        outside = sorted(set("".join(self._literals())) - alphabet.GSM7 - mended)
        for character in outside[:MOST_CHARACTERS] if len(outside) > 1 else ():
            yield self._without([character], f"in the template, {_instead_of(character)}")

        if outside:
            changes = ", ".join(map(_instead_of, outside[:MOST_CHARACTERS]))
            more = f" and {len(outside) - MOST_CHARACTERS} more" * (len(outside) > MOST_CHARACTERS)
            what = f"in the template, only GSM-7 characters: {changes}{more}"
            yield self._without(outside, what)

    def _without(self, characters: Iterable[str], what: str) -> Advice:
        changes = str.maketrans({each: _LOOK_ALIKES.get(each, "") for each in characters})
        lf = self._rewritten(lambda literal: literal.translate(changes), _IS_UCS2)
        return self._advice("template_characters", what, lf)

    def _column_characters(self) -> Iterator[Advice]:
        """Price each column of the template as if its values were plain."""
        for name in self._columns_used():
            outside = (
                self.views[name].str.extract_all(alphabet.NOT_GSM7).list.unique().alias(_OTHERS)
            )
            with_others = (
                self._messages(_IS_UCS2).select(outside).filter(pl.col(_OTHERS).list.len() > 0)
            )
            often = (
                with_others.explode(_OTHERS)
                .group_by(_OTHERS)
                .len()
                .sort("len", _OTHERS, descending=[True, False])
                .head(MOST_CHARACTERS)
                .collect(engine="streaming")
            )
            if often.is_empty():
                continue

            messages = with_others.select(pl.len()).collect(engine="streaming").item()
            listed = ", ".join(
                f"{named(str(each))} in {rows:,}" for each, rows in often.iter_rows()
            )
            plain = {name: self.views[name].str.replace_all(alphabet.NOT_GSM7, "?")}
            lf = self._messages(_IS_UCS2).pipe(self._texts, self.campaign, {**self.views, **plain})
            what = (
                f"only GSM-7 characters in the column '{name}', which brings others into "
                f"{counted(messages, 'message')}: {listed}"
            )
            yield self._advice("column_characters", what, lf)

    def _shorter_template(self) -> Iterator[Advice]:
        """Price a template as much shorter as the typical long message needs for one part less."""
        over = _over().alias(_OVER)
        shape = [columns.ENCODING, columns.SEGMENTS]
        typical = (
            self._messages(pl.col(columns.SEGMENTS) > 1)
            .group_by(shape)
            .agg(pl.len(), over.median().ceil().cast(pl.Int64))
            .sort("len", *shape, descending=[True, False, False])
            .head(1)
            .collect(engine="streaming")
        )
        for encoding, segments, _, count in typical.iter_rows():
            longest = max(self._literals(), key=len, default="")
            if len(longest) > count:
                lf = self._rewritten(partial(_cut, longest=longest, by=count))
                what = (
                    f"a template shorter by {count}: the typical long message has "
                    f"{counted(segments, f'{encoding} segment')} and is {count} longer than "
                    f"{segments - 1} could hold"
                )
                yield self._advice("shorten", what, lf)

    def _last_words(self) -> Iterator[Advice]:
        """Price the messages that pay a segment for their last word, without that word."""
        tail = pl.col(columns.TEXT).str.tail(_LONGEST_WORD)
        word = tail.str.extract(f"({_LAST_WORD})").str.len_chars()
        lf = self._messages((pl.col(columns.SEGMENTS) > 1) & (_over() <= word)).with_columns(
            pl.col(columns.TEXT).str.replace(_LAST_WORD, "")
        )
        yield self._advice("last_word", "messages that pay a segment for their last word only", lf)

    def _mms(self) -> Iterator[Advice]:
        """Price everything as MMS, and take what is strictly cheaper."""
        if self.campaign.channel is not Channel.SMS:
            return

        lf = self._messages(may_be_mms()).pipe(as_mms)
        cheaper = _saving() > 0
        what = (
            'messages of so many segments that an MMS is cheaper: channel = "auto" with a picture '
            "sends those as MMS"
        )
        yield _summed("mms", what, self._priced(lf).filter(cheaper))

    def _literals(self) -> Iterator[str]:
        for template in self._templates():
            yield from literals(template)

    def _templates(self) -> list[str]:
        return [each.template for each in self.campaign.variants] or [self.campaign.template]

    def _columns_used(self) -> list[str]:
        own = self.campaign.columns.text
        named = [name for each in self._templates() for name in placeholders(each)]
        names = list(self.views)
        return sorted({find_column(name, names) for name in (*named, *([own] if own else []))})

    def _messages(self, only: pl.Expr | None = None) -> pl.LazyFrame:
        sent = self.plan.filter(pl.col(columns.REASON).is_null())
        if self.campaign.columns.group:
            sent = sent.filter(pl.col(columns.GROUP_ROW).is_null())  # an MMS, whatever it costs

        if self.campaign.channel is None:  # the price decides, and may decide otherwise then
            sms = pl.lit(Channel.SMS.value, columns.CHANNEL_TYPE)
            sent = sent.with_columns(sms.alias(columns.CHANNEL))
        else:
            sent = sent.filter(pl.col(columns.CHANNEL) == Channel.SMS.value)

        return sent if only is None else sent.filter(only)

    def _rewritten(self, change: Callable[[str], str], only: pl.Expr | None = None) -> pl.LazyFrame:
        campaign = replace(
            self.campaign,
            template=rewrite(self.campaign.template, change),
            variants=tuple(
                replace(each, template=rewrite(each.template, change))
                for each in self.campaign.variants
            ),
        )
        return self._messages(only).pipe(self._texts, campaign, self.views)

    @staticmethod
    def _texts(lf: pl.LazyFrame, campaign: Campaign, views: Mapping[str, pl.Expr]) -> pl.LazyFrame:
        return (
            lf.with_columns(RECIPIENT.alias(columns.NUMBER))
            .pipe(add_text, campaign, views)
            .pipe(smart.add_smart_text, smart.replacements_of(campaign))
        )

    def _advice(self, code: str, sentence: str, lf: pl.LazyFrame) -> Advice:
        return _summed(code, sentence, self._priced(lf.pipe(add_segments)))

    def _priced(self, lf: pl.LazyFrame) -> pl.LazyFrame:
        lf = lf.with_columns(pl.col(columns.COST_ESTIMATED).alias(_BEFORE))
        if self.campaign.channel is None:
            return add_cheaper_cost(lf, self.grid, has_picture=self.has_picture)

        return add_cost(lf, self.grid)


def named(character: str) -> str:
    """Spell a character: itself, its code point and its name."""
    shown = f"{character} " if character.isprintable() and not character.isspace() else ""
    return f"{shown}({alphabet.code_point(character)} {alphabet.name_of(character)})"


def _instead_of(character: str) -> str:
    """Say what to write where a template has this character."""
    replacement = _LOOK_ALIKES.get(character)
    if not replacement:
        return f"leave out {named(character)}"

    return f"write {smart.spelled(replacement)} instead of {named(character)}"


def _summed(code: str, sentence: str, priced: pl.LazyFrame) -> Advice:
    saving = _saving()
    messages, amount = (
        priced.select((saving > 0).sum().alias("messages"), saving.sum().alias("amount"))
        .collect(engine="streaming")
        .row(0)
    )
    micros = int((amount or 0) * MICROS_PER_UNIT)
    return Advice(code=code, sentence=sentence, messages=messages, saving_micros=micros)


def _cut(literal: str, *, longest: str, by: int) -> str:
    return literal[:-by] if literal == longest else literal


def _saving() -> pl.Expr:
    return pl.col(_BEFORE) - pl.col(columns.COST_ESTIMATED)


def _over() -> pl.Expr:
    """Return how many units a message has that one segment fewer could not hold."""
    room: pl.Expr = pl.lit(0)
    fewer = pl.col(columns.SEGMENTS) - 1
    for encoding, is_it in ((Encoding.GSM7, ~_IS_UCS2), (Encoding.UCS2, _IS_UCS2)):
        several = fewer * capacity(encoding, header_bytes=HEADER_BYTES)
        held = pl.when(fewer == 1).then(capacity(encoding)).otherwise(several)
        room = pl.when(is_it).then(held).otherwise(room)

    return pl.col(columns.UNITS) - room
