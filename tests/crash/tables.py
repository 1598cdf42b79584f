"""The last word of a run: what died where, and what came of it."""

from collections import Counter

from tests.crash.points import POINTS


def table(told, broken, *, seconds):
    """Write the figures of all stories, for people."""
    results = [each for _, each in told]
    kills = sum((each.kills for each in results), Counter())
    done = sum((each.done for each in results), Counter())
    during = sum((each.during for each in results), Counter())
    missed = sum((each.missed for each in results), Counter())
    kinds = Counter(tale.kind for tale, _ in told)
    doubts = sum(each.doubts for each in results)
    by_death = sum(each.doubts_by_death for each in results)
    twice = sum(getattr(error, "promise", "") in ("once", "recorded") for _, error in broken)
    lost = sum(getattr(error, "promise", "") in ("complete", "explained") for _, error in broken)
    passed = sum(getattr(error, "promise", "") == "budget" for _, error in broken)
    closest = max(results, key=lambda each: each.burst, default=None)
    texts, rows = sum(each.texts for each in results), sum(each.rows for each in results)
    besides = ", ".join(f"{count} x {what}" for what, count in done.items())
    where = "".join(f"; {point} x {fault}" for point, fault in missed)
    facts = {
        "stories": f"{len(told)} held, {len(broken)} broke: "
        + ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
        "kills": f"{kills.total():,} in {seconds:,.0f} s",
        "done besides": besides or "nothing",
        "died during": ", ".join(
            f"{point} {during[point, True]} of {during[point, True] + during[point, False]} done"
            for point in dict.fromkeys(point for point, _ in during)
        )
        or "nothing",
        "not come by": f"{missed.total()} points{where}",
        "texted twice": f"in {twice} stories; {texts:,} texts taken",
        "rows lost": f"in {lost} stories; {rows:,} rows in and out",
        "in doubt": f"{doubts:,}: {by_death:,} open at a death, {doubts - by_death:,} by a lost "
        "answer, 0 without a cause",
        "rate": f"any window at most {closest.burst:.1f} segments above it ({closest.lanes} lanes)"
        if closest
        else "not measured",
        "budget": f"passed in {passed} stories",
    }
    lines = [f"{name:17}  {said}" for name, said in facts.items()]
    return "\n".join(["", *_grid(kills), "", *lines])


def _grid(kills):
    """Kills by place (a line) and fault (a column)."""
    faults = list(dict.fromkeys(fault for _, fault in kills))
    order = {point: place for place, point in enumerate(POINTS)}
    places = sorted({place for place, _ in kills}, key=lambda place: order.get(place, len(order)))
    widths = {fault: max(4, len(fault)) for fault in faults}
    yield f"{'kills':24}" + "".join(f"{fault:>{widths[fault] + 2}}" for fault in faults)
    for place in places:
        counts = (f"{kills[place, fault] or '':>{widths[fault] + 2}}" for fault in faults)
        yield f"{place:24}" + "".join(counts)
