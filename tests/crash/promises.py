"""The promises, each as a check that both witnesses take part in; `Broken` names the one that fell.

once       no handset has two texts, and no row with a text can be sent again
recorded   whatever the provider has was in the journal before: its attempt, in this run
complete   rows in = rows out, in their order; none is left unsent; files are whole or absent
explained  a state says what the handset has; only repeated rows are skipped
doubt      only where an attempt was open when a process died, or an answer was lost; never more
           than there were lanes
step       at a named point exactly what belongs there is recorded, all of it or nothing
rate       no window has more than the rate and what may be in flight
budget     the money is not passed
exclusive  two processes never both run a campaign; a fenced one begins nothing more
end        a run ends, with the exit code that is promised
"""

import polars as pl

from pipeline.dispatch.pace import BUCKET_SECONDS
from tests.crash.points import ENLISTING
from tests.crash.story import LOSING, REPEATS
from tests.crash.witnesses import ANSWERED, AttemptId, burst, read_journal, received

TAKEN = {"accepted", "delivered", "failed"}
#: Nothing more is sent, whatever comes.
SETTLED = {*TAKEN, "in_doubt", "sending"}

#: The campaign is not in the journal before all of it is.
NOTHING_ENLISTED = (*ENLISTING[:4], "enlist-before-commit")

_AFTER = {"Accepted": "accepted", "NotSent": "ready", "Halted": "ready", "InDoubt": "in_doubt"}


class Broken(AssertionError):
    """A promise was broken."""

    def __init__(self, promise, sentence):
        super().__init__(f"{promise}: {sentence}")
        self.promise = promise


def demand(promise, holds, sentence):
    if not holds:
        raise Broken(promise, sentence)


# --- After every kill ----------------------------------------------------------------------------


def check_a_death(story, note=None):
    """Look at what a send left that died just now, before anybody mends it."""
    journal, texts = read_journal(story), received(story)
    check_texts(story, journal, texts)
    for row, attempts in story.open_at_death.items():
        record = journal.rows.get(row)
        kept = record is not None and record.attempts == attempts and record.state in SETTLED
        demand("doubt", kept, f"row {row} had an open attempt at a death, and is free again")

    new = journal.open.keys() - story.open_at_death.keys()
    demand("doubt", len(new) <= story.most_lanes, f"{len(new)} open, {story.most_lanes} lanes")
    if note is not None:
        _check_the_step(story, journal, texts, note)

    story.open_at_death |= journal.open
    check_files(story)
    return journal


def check_texts(story, journal, texts):
    """Every text was recorded before, and its row has no second one before it."""
    had = set()
    for text in texts:
        attempt = text.attempt
        known = attempt is not None and attempt.run == journal.run
        record = journal.rows.get(attempt.row) if known else None
        recorded = record is not None and 1 <= attempt.number <= record.attempts
        demand("recorded", recorded, "the provider has a text that the journal does not know of")
        demand("once", attempt.row not in had, f"row {attempt.row} has two texts")
        had.add(attempt.row)
        said = f"row {attempt.row} is {record.state}, and its handset has a text"
        demand("once", record.state in SETTLED, said)
        demand("explained", text.to == (story.number(attempt.row),), "a text went astray")

    unfounded = journal.in_state(*TAKEN) - had
    demand("explained", not unfounded, f"rows {unfounded} are accepted, their handsets have none")


def check_files(story):
    """Plan and results are whole, or not there."""
    rows = story.messages + REPEATS
    for name in ("plan.parquet", "results.parquet", "results.csv"):
        path = story.folder / "out" / name
        if not path.exists():
            continue

        try:
            read = pl.read_parquet if path.suffix == ".parquet" else pl.read_csv
            height = read(path).height
        except Exception as error:
            raise Broken("complete", f"{name} cannot be read: {type(error).__name__}") from None

        demand("complete", height == rows, f"{name} has {height} of {rows} rows")


def _check_the_step(story, journal, texts, note):
    """Hold a death at a named point to what may be there then, and to nothing else."""
    point = note["point"]
    attempts = [AttemptId.from_tag(tag) for tag in note["attempts"]]
    records = {each: journal.rows.get(each.row) for each in attempts}
    out = {text.attempt for text in texts}.intersection(attempts)
    begun = [each for each, had in records.items() if had and had.attempts >= each.number]
    still_open = [each for each in begun if records[each].state == "sending"]
    if point in NOTHING_ENLISTED:
        demand("step", journal.run is None, f"{point}: the campaign is in the journal")
    elif point == "enlist-after-commit":
        full = journal.messages == journal.shard_rows == story.messages and not journal.rows
        demand("step", full, f"{point}: the journal does not have the plan, and only that")
    elif point == "take-before-commit":
        held = {row for row in story.open_at_death if row in journal.open}
        demand("step", journal.open.keys() == held, f"{point}: something was begun before")
    elif point.startswith("intent"):
        expected = {"before": (0,), "during": (0, len(attempts)), "after": (len(attempts),)}
        counts = expected[point.split("-")[1]]
        demand("step", len(still_open) == len(begun) in counts, f"{point}: {len(begun)} recorded")
        demand("step", not out, f"{point}: the text went before its intent was acknowledged")
    elif point.startswith("post"):
        demand("step", still_open == attempts, f"{point}: the attempt is not open")
        _check_the_post(story, note, attempts[0], is_out=bool(out))
    elif point.startswith("outcome"):
        written = [
            each
            for each in begun
            if records[each].state == _AFTER[note["outcomes"][each.tag]]
            or records[each].attempts > each.number
        ]
        expected = {"before": (0,), "during": (0, len(attempts)), "after": (len(attempts),)}
        counts = expected[point.split("-")[1]]
        demand("step", len(written) in counts, f"{point}: {len(written)} outcomes are recorded")


def _check_the_post(story, note, attempt, *, is_out):
    point, outcome = note["point"], note["outcomes"].get(attempt.tag)
    if point == "post-before":
        demand("step", not is_out, f"{point}: the text has gone")
    elif point == "post-headers" and attempt.number == 1:
        taken = story.fortune.takes(story.number(attempt.row), 1)
        demand("step", is_out == taken, f"{point}: the provider should have it: {taken}")
    elif outcome == "Accepted":
        demand("step", is_out, f"{point}: the provider accepted what it does not have")
    elif outcome == "NotSent":
        demand("once", not is_out, f"{point}: the provider has what is said not to be sent")


# --- At the end ----------------------------------------------------------------------------------


def check_the_end(story, *, states=frozenset({"accepted", "delivered", "in_doubt"})):
    """Nobody got two, nobody was lost, and what is not known says so; returns state -> rows."""
    demand("once", not story.doubled(), f"{len(story.doubled())} handsets have more than one text")
    journal, texts = read_journal(story), received(story)
    check_files(story)
    results = story.results()
    asked = list(range(1, story.messages + REPEATS + 1))
    demand("complete", results["row"].to_list() == asked, "rows in are not rows out")
    by_state = {
        state: set(part["row"])
        for (state,), part in results.partition_by("state", as_dict=True).items()
    }
    repeated = set(asked[story.messages :])
    left_out = by_state.pop("skipped", set()) | by_state.pop("cancelled", set())
    demand("explained", left_out == repeated, "not the repeated rows, and only they, are skipped")
    demand("complete", set(by_state) <= states, f"rows were left {sorted(set(by_state) - states)}")
    check_texts(story, journal, texts)
    got = {text.attempt.row for text in texts}
    taken = set().union(*(by_state.get(state, set()) for state in TAKEN))
    doubts = by_state.get("in_doubt", set())
    demand("explained", taken <= got, "a row says accepted, and the handset has nothing")
    demand("explained", got <= taken | doubts, "a handset has a text that no row explains")
    _check_doubts(story, journal, taken, doubts)
    code = story.exit_codes[-1]
    right = 6 if doubts else 3 if "failed" in by_state else 0
    demand("end", code == right, f"exit code {code} with {len(doubts)} doubts")
    check_the_rate(story, texts)
    return by_state


def _check_doubts(story, journal, taken, doubts):
    """Each has a cause; so has each answer that was believed."""
    for row in doubts - story.open_at_death.keys():
        met = _faults(story, row, journal.rows[row].attempts)
        sentence = f"row {row} is in doubt, nothing died and no answer was lost: {met}"
        demand("doubt", any(fault in LOSING for fault in met), sentence)

    for row in taken - story.open_at_death.keys():
        met = _faults(story, row, journal.rows[row].attempts)
        understood = any(fault in ANSWERED or fault in LOSING for fault in met)
        demand("doubt", understood, f"row {row} is accepted, which nobody said: {met}")

    lost = sum(story.ledger()["faults"].get(fault, 0) for fault in LOSING)
    most = story.most_lanes * story.kills + lost
    demand("doubt", len(doubts) <= most, f"{len(doubts)} doubts, at most {most} have a cause")


def _faults(story, row, attempts):
    return [story.fortune.fault(story.number(row), request) for request in range(1, attempts + 1)]


def check_the_rate(story, texts):
    """A window has at most the rate, a bucket, and what two processes had in flight."""
    most = 2 * story.lanes + 1 + story.rate * BUCKET_SECONDS
    story.burst = max(story.burst, burst(texts, story.rate))
    demand("rate", story.burst <= most, f"{story.burst:.0f} segments above the rate, {most:.0f}")
