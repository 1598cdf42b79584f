"""The kinds of stories that are told with kills; each leaves its figures in a `Told`.

points    every named point of one run after the other, each at an attempt that meets one fault
random    any moment, any mixture of faults
receipts  the receiver dies between an event and its answer, the sender whenever it likes
"""

import random
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.crash import points
from tests.crash.launch import NOTHING
from tests.crash.promises import Broken, check_a_death, check_texts, check_the_end, demand
from tests.crash.story import Story, simulating
from tests.crash.witnesses import AttemptId, read_journal, read_note, received
from tests.jobs.receiving import free_port

#: Every fault of an answer, as a share that leaves enough texts to go on with.
FAULTS = {
    "none": "latency=15",
    "busy": "latency=15,busy=0.15",
    "error": "latency=15,error=0.2",
    "gateway": "latency=15,gateway=0.2",
    "lost": "latency=15,lost=0.2",
    "reset": "latency=15,reset=0.2",
    "refused": "latency=15,refused=0.2",
    "slow": "latency=15,slow=0.2,slow_ms=200",
    "silent": "latency=15,silent=0.1",
    "cut": "latency=15,cut=0.2",
    "garbage": "latency=15,garbage=0.2",
    "unreadable": "latency=15,unreadable=0.2",
}
#: A silent provider is waited for so long, and not half a minute.
PATIENCE_SECONDS = 1.5
MIXTURES = (
    "latency=30",
    "latency=30,lost=0.03,reset=0.02,cut=0.02,garbage=0.02",
    "latency=50,busy=0.02,error=0.05,refused=0.02,slow=0.05,slow_ms=300",
    "latency=20,gateway=0.05,unreadable=0.03,lost=0.03,error=0.03",
)
#: After these there is no head of an answer to die behind.
IMPOSSIBLE = {
    ("post-headers", fault) for fault in ("lost", "reset", "refused", "silent", "garbage")
}
#: How callbacks misbehave, and the states that they leave; only with the last are some never told.
CALLBACKS = (
    ("latency=15,lost=0.05,late=0.2,late_ms=400,duplicate=0.2,reorder=0.2,sent=0.3", {"delivered"}),
    ("latency=15,cut=0.05,failed=0.1,duplicate=0.5,reorder=0.3,batch=4", {"delivered", "failed"}),
    ("latency=15,lost=0.05,contradicted=0.1,late=0.1", {"delivered", "failed"}),
    ("latency=15,reset=0.05,unreceipted=0.2,sent=0.3", {"delivered", "accepted"}),
)
_MONEY = 0.004  # a message


@dataclass
class Told:
    """What came of a story."""

    #: SIGKILLs, by place and fault.
    kills: Counter = field(default_factory=Counter)
    #: What else was done to processes.
    done: Counter = field(default_factory=Counter)
    #: Points that a run did not come by.
    missed: Counter = field(default_factory=Counter)
    #: How often the kill during a step came before it was done, and after.
    during: Counter = field(default_factory=Counter)
    doubts: int = 0
    #: The doubts of attempts that were open when a process died.
    doubts_by_death: int = 0
    #: Texts that handsets have.
    texts: int = 0
    rows: int = 0
    #: The most segments above the rate, and how many could have been in flight.
    burst: float = 0.0
    lanes: int = 0

    def sum_up(self, story, by_state):
        doubts = by_state.get("in_doubt", set())
        self.doubts += len(doubts)
        self.doubts_by_death += len(doubts & story.open_at_death.keys())
        self.texts += len(received(story))
        self.rows += story.results().height
        self.burst, self.lanes = max(self.burst, story.burst), story.lanes


# --- Points --------------------------------------------------------------------------------------


def tell_points(folder, seed, *, fault="none", tampering=NOTHING, wanted=points.POINTS):
    """Die at every point in turn, then run to the end."""
    told, dice = Told(), random.Random(f"{seed} {fault}")
    if fault == "silent":
        tampering = replace(tampering, patience_seconds=PATIENCE_SECONDS)

    with simulating(FAULTS[fault], seed=seed) as url:
        story = Story(
            folder=folder,
            url=url,
            messages=600 if fault == "silent" else 340,  # the others go on while one waits
            rate=50.0,
            seed=seed,
            tampering=tampering,
            faults=FAULTS[fault],
            slowest_seconds=PATIENCE_SECONDS if fault == "silent" else 0.25,
        )
        story.write()
        possible = [point for point in wanted if (point, fault) not in IMPOSSIBLE]
        sending = [point for point in points.SENDING if point in possible]
        dice.shuffle(sending)
        for point in (*[point for point in points.ENLISTING if point in possible], *sending):
            _die_at(story, point, dice, fault, told)

        _stop_at_the_budget(story)
        for point in [point for point in points.ENDING if point in possible]:
            _die_at(story, point, dice, fault, told)

        story.finish()
        told.sum_up(story, check_the_end(story))

    return told


def _die_at(story, point, dice, fault, told):
    note = story.folder / "note.json"
    note.unlink(missing_ok=True)
    nth = dice.randint(1, 3) if point in points.SENDING and "take" not in point else 1
    nth = 1 if fault == "silent" else nth
    with story.sending(point=point, nth=nth, rows=_victims(story, fault), note=note) as running:
        code = running.wait(90)

    if code != -9:
        demand("end", code in (0, 5, 6), f"a run ended with {code}: {running.err[-300:]}")
        told.missed[point, fault] += 1
        return

    story.kills += 1
    told.kills[point, fault] += 1
    said = read_note(note)
    journal = check_a_death(story, said)
    if "during" in point:
        told.during[point, _was_done(story, journal, said)] += 1


def _was_done(story, journal, note):
    """Tell whether the step that a process died in had its effect all the same."""
    attempt = AttemptId.from_tag(note["attempts"][0])
    record = journal.rows.get(attempt.row)
    if note["point"] == "post-during":
        return attempt in {text.attempt for text in received(story)}

    is_known = record is not None and record.attempts >= attempt.number
    return is_known and (note["point"].startswith("intent") or record.state != "sending")


def _victims(story, fault):
    """The rows whose first request meets the fault; None, any, where there is none."""
    if fault == "none":
        return None

    rows = range(1, story.messages + 1)
    return frozenset(row for row in rows if story.fortune.fault(story.number(row), 1) == fault)


def _stop_at_the_budget(story, more=4):
    """Give a run money for a few messages more: it has to stop there, and not one message later."""
    journal = read_journal(story)
    tried = len(journal.rows) - len(journal.in_state("ready"))
    left = story.messages - tried
    story.finish("--budget", f"{(tried + more) * _MONEY:.3f}")
    journal, texts = read_journal(story), received(story)
    now = len(journal.rows) - len(journal.in_state("ready"))
    check_texts(story, journal, texts)
    demand("budget", len(texts) <= tried + more, f"{len(texts)} texts, paid for {tried + more}")
    demand("budget", now == tried + min(more, left), f"{now - tried} more messages, not {more}")
    demand("complete", not journal.open, "a run ended, and an attempt is open still")


# --- Random moments ------------------------------------------------------------------------------


def tell_random(folder, seed, *, kills=10, tampering=NOTHING):
    """Die at any moment, then run to the end."""
    told, dice = Told(), random.Random(seed)
    faults, rate = MIXTURES[seed % len(MIXTURES)], dice.choice((40.0, 100.0, 400.0))
    with simulating(faults, seed=seed) as url:
        story = Story(
            folder=folder,
            url=url,
            messages=int(kills * (30 + rate * 0.4)),
            rate=rate,
            seed=seed,
            tampering=tampering,
            faults=faults,
            slowest_seconds=0.4,
        )
        story.write()
        story.kill_until(kills, check=check_a_death)
        told.kills["a random moment", "a mixture"] = story.kills
        story.finish()
        told.sum_up(story, check_the_end(story))

    return told


# --- Receipts ------------------------------------------------------------------------------------


def tell_receipts(folder, seed, *, tampering=NOTHING, messages=160):
    """Kill the receiver at its points, and the sender; every receipt settles its row at last."""
    told, dice, port = Told(), random.Random(seed), free_port()
    faults, states = CALLBACKS[seed % len(CALLBACKS)]
    options = ("--callback-url", f"http://127.0.0.1:{port}/")
    with simulating(faults, seed=seed, options=options) as url:
        story = Story(
            folder=folder,
            url=url,
            messages=messages,
            rate=50.0,
            seed=seed,
            tampering=tampering,
            faults=faults,
        )
        story.write()
        for point in points.RECEIVING * 2:
            receiver = _receive(story, port, point=point, nth=dice.randint(1, 12))
            with story.sending() as running:
                demand("end", receiver.wait(60) == -9, f"the receiver: {receiver.err[-300:]}")
                time.sleep(dice.uniform(0, 0.05))

            story.kills += 1
            told.kills[point, "callbacks"] += 1
            if running.code == -9:
                told.kills["a random moment", "callbacks"] += 1
                story.kills += 1

            check_a_death(story)

        receiver = _receive(story, port)
        story.finish()
        _wait_for_the_callbacks(story)
        story.finish()
        receiver.kill()
        by_state = check_the_end(story, states={*states, "in_doubt"})
        got = {text.attempt.row for text in received(story)}
        known = "accepted" in states or not got & by_state.get("in_doubt", set())
        demand("doubt", known, "a receipt came, and its row is in doubt")
        told.sum_up(story, by_state)

    return told


def _receive(story, port, **changes):
    receiver = story.start("--port", str(port), command="receive", **changes)
    where, deadline = urlsplit(f"http://127.0.0.1:{port}/"), time.monotonic() + 30
    while time.monotonic() < deadline and receiver.code is None:
        with closing(HTTPConnection(where.hostname, where.port, timeout=5)) as connection:
            try:
                connection.connect()
            except OSError:
                time.sleep(0.01)
            else:
                return receiver

    raise Broken("end", f"the receiver does not listen: {receiver.err[-300:]}")


def _wait_for_the_callbacks(story, seconds=40):
    deadline = time.monotonic() + seconds
    while (waiting := story.ledger()["callbacks"]["pending"]) and time.monotonic() < deadline:
        time.sleep(0.05)

    demand("end", not waiting, f"{waiting} callbacks were never answered")
