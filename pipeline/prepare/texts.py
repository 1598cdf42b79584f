"""What each recipient reads: the template, one of several variants, or the row's own text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.errors import TemplateError
from pipeline.model import Campaign, Variant
from pipeline.prepare import columns, keys
from pipeline.prepare.columns import TEXT, VARIANT
from pipeline.prepare.template import Rendering, compile_template, find_column

MISSING = columns.WORKING + "missing"  #: String, a sentence; null where no value is missing


def add_text(lf: pl.LazyFrame, campaign: Campaign, views: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    """Write every text.

    Args:
        lf: the user's columns, and `columns.NUMBER`.
        campaign: what is said.
        views: for each column of the file the String expression of its value.

    Returns:
        The frame with `text`, `MISSING`, and `variant` where the campaign has some (all String).

    Raises:
        TemplateError: a template cannot be parsed, or names a column that the file does not have.
    """
    own = _own_text(campaign, views)
    if campaign.variants:
        renderings = [compile_template(each.template, views) for each in campaign.variants]
        lf = lf.with_columns(_variant(campaign.name, campaign.variants).alias(VARIANT))
        written = _chosen(campaign.variants, renderings)
    elif campaign.template or own is None:
        written = compile_template(campaign.template, views)
    else:
        gap = f"column '{campaign.columns.text}' is empty, and there is no template"
        text, missing = pl.lit(None, pl.String), pl.lit(gap)
        written = Rendering(values=(), text=text, missing=missing, pieces=())

    text, missing = written.text, written.missing
    if own is not None:
        filled = (own.str.strip_chars() != "").fill_null(value=False)
        text = pl.when(filled).then(own).otherwise(text)
        missing = pl.when(~filled).then(missing)

    return lf.with_columns(written.values).with_columns(text.alias(TEXT), missing.alias(MISSING))


def pieces_of(campaign: Campaign, views: Mapping[str, pl.Expr]) -> tuple[pl.Expr, ...]:
    """Return `Rendering.pieces` where every text is what the one template makes; else none.

    Expressions over the frame from `add_text`.
    """
    is_changed = campaign.smart or campaign.smart_accents or campaign.columns.group
    if is_changed or campaign.columns.text or campaign.variants:
        return ()

    return compile_template(campaign.template, views).pieces


def _own_text(campaign: Campaign, views: Mapping[str, pl.Expr]) -> pl.Expr | None:
    name = campaign.columns.text
    if name is not None:
        return views[find_column(name, list(views), place="column of texts")]

    if not campaign.template and not campaign.variants:
        raise TemplateError("there is no text: write a template, or name the column that has it")

    return None


def _variant(campaign: str, variants: Sequence[Variant]) -> pl.Expr:
    """Return the name of each recipient's variant, by a hash that is stable for ever."""
    share = keys.share(
        columns.NUMBER, f"{campaign}\0variant", sum(each.weight for each in variants)
    )
    bound, chosen = 0, pl.lit(None, pl.String)
    for each in variants:
        inside = (share >= bound) & (share < bound + each.weight)
        chosen = pl.when(inside).then(pl.lit(each.name)).otherwise(chosen)
        bound += each.weight

    return chosen


def _chosen(variants: Sequence[Variant], renderings: Sequence[Rendering]) -> Rendering:
    text, missing = pl.lit(None, pl.String), pl.lit(None, pl.String)
    for variant, each in zip(variants, renderings, strict=True):
        ours = pl.col(VARIANT) == variant.name
        text = pl.when(ours).then(each.text).otherwise(text)
        missing = pl.when(ours).then(each.missing).otherwise(missing)

    values = {value.meta.output_name(): value for each in renderings for value in each.values}
    return Rendering(values=tuple(values.values()), text=text, missing=missing, pieces=())
