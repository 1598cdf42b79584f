"""Stories of processes that do not die: frozen, two at once, under a clock that jumps, stopped.

frozen   SIGSTOP; a second run ends with 7, and the first goes on as if nothing had been
broken   SIGSTOP; the lock's file is gone, a second takes over; SIGCONT: the first is fenced
lapsed   the same past the lease, where no lock is seen: before its end nobody takes over
twice    the same cron line started twice at once: one ends with 7
clock    the wall clock jumps an hour, both ways, between runs and within: no burst, no stall
shared   two campaigns at once on one journal and account, one is killed: they share the rate
stuck    the same, one is frozen in the middle of a commit: the other sends nothing unrecorded
stopped  SIGTERM finishes what is in flight; a second SIGINT leaves it in doubt, and says so
"""

import random
import signal
import time
from contextlib import contextmanager

from tests.crash.kinds import Told
from tests.crash.launch import NOTHING
from tests.crash.promises import check_a_death, check_texts, check_the_end, check_the_rate, demand
from tests.crash.story import Story, simulating
from tests.crash.witnesses import is_writable, longest_gap, read_journal, received

HELD = 7
#: Longer than a jump of the clock may hold a run up (`MAX_LEAD_SECONDS`), and a start-up.
STALL_SECONDS = 6.0
HOUR = 3_600.0
LEASE_SECONDS = 6.0


@contextmanager
def _told(folder, seed, tampering, *, messages=90, faults="latency=40"):
    """A campaign of one shard, its end, and the sum of it."""
    told = Told()
    with simulating(faults, seed=seed) as url:
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
        yield story, told
        story.finish()
        told.sum_up(story, check_the_end(story))


def _wait_for_texts(story, running, count):
    """Wait until the provider has so many texts more."""
    before, deadline = story.ledger()["messages"], time.monotonic() + 30
    while running.code is None and time.monotonic() < deadline:
        if story.ledger()["messages"] >= before + count:
            return

        time.sleep(0.005)

    demand("end", False, f"no {count} texts came: {running.err[-300:]}")


def _freeze(story, running):
    """Stop a process for now, and note its open attempts.

    Not in the middle of a commit: then nobody can write the journal until it goes on.
    """
    while True:
        running.freeze()
        if is_writable(story.journal):
            break

        running.signal(signal.SIGCONT)
        time.sleep(0.01)

    time.sleep(0.2)  # what is on its way arrives
    journal = read_journal(story)
    story.kills += 1  # it may leave as much in doubt as a death
    story.open_at_death |= journal.open
    return journal


def tell_frozen(folder, seed, *, tampering=NOTHING):
    with _told(folder, seed, tampering) as (story, told), story.sending() as first:
        _wait_for_texts(story, first, 10)
        _freeze(story, first)
        before = story.ledger()["messages"]
        with story.sending() as second:
            code = second.wait(30)

        demand("exclusive", code == HELD, f"a frozen run holds it, and the second ends with {code}")
        demand("exclusive", story.ledger()["messages"] == before, "the second run sent")
        first.signal(signal.SIGCONT)
        told.done["frozen, a second turned away"] += 1
        demand("end", first.wait(60) == 0, f"the first run ended with {first.code}")

    return told


def tell_broken(folder, seed, *, tampering=NOTHING):
    with _told(folder, seed, tampering) as (story, told), story.sending() as first:
        _wait_for_texts(story, first, 10)
        frozen = _freeze(story, first)
        for lock in story.folder.glob("journal.db.*.lock"):
            lock.unlink()

        _take_over(story, first, frozen, told)

    return told


def tell_lapsed(folder, seed, *, tampering=NOTHING):
    elsewhere = {"is_elsewhere": True, "lease_seconds": LEASE_SECONDS}
    with _told(folder, seed, tampering) as (story, told), story.sending(**elsewhere) as first:
        _wait_for_texts(story, first, 10)
        frozen, began = _freeze(story, first), time.monotonic()
        before = story.ledger()["messages"]
        with story.sending(**elsewhere) as early:
            code = early.wait(30)

        if time.monotonic() - began < LEASE_SECONDS - 1:  # the machine had time: it came too early
            untouched = story.ledger()["messages"] == before
            demand("exclusive", untouched, "taken over within the lease")
            demand("end", code in (5, 6), f"nothing could be sent, and the run ended with {code}")

        time.sleep(LEASE_SECONDS)
        _take_over(story, first, frozen, told, **elsewhere)

    return told


def _take_over(story, first, frozen, told, **changes):
    """Start a second run over a frozen one, wake the first in the middle, let both end."""
    with story.sending(**changes) as second:
        _wait_for_texts(story, second, 10)
        first.signal(signal.SIGCONT)
        told.done["frozen, taken over, woken"] += 1
        demand("end", second.wait(60) in (0, 5, 6), f"the second run ended with {second.code}")

    demand("end", first.wait(60) in (0, 5, 6), f"the first run ended with {first.code}")
    owners = {record.owner for record in frozen.rows.values()}
    begun = {row for row, had in read_journal(story).rows.items() if had.owner in owners}
    news = begun - frozen.rows.keys()
    demand("exclusive", not news, f"{len(news)} attempts were begun by a run that was taken over")


def tell_twice(folder, seed, *, tampering=NOTHING):
    with _told(folder, seed, tampering) as (story, told):
        with story.sending() as first, story.sending() as second:
            codes = sorted((first.wait(60), second.wait(60)))

        demand("exclusive", codes == [0, HELD], f"started twice at once, they ended with {codes}")
        told.done["started twice at once"] += 1

    return told


def tell_clock(folder, seed, *, tampering=NOTHING):
    with _told(folder, seed, tampering, messages=260) as (story, told):
        for ahead, after in ((HOUR, 0.6), (-HOUR, 0.0), (-HOUR, 0.6), (2 * HOUR, 0.0)):
            with story.sending(jump_seconds=ahead, jump_after_seconds=after) as running:
                _wait_for_texts(story, running, 8)
                time.sleep(0.7)
                demand("end", running.code is None, f"it ended early: {running.code}")
                running.kill()

            story.kills += 1
            told.done["clock jumps"] += 1
            told.kills["a random moment", "a clock jump"] += 1
            check_a_death(story)

        story.finish(jump_seconds=-HOUR, jump_after_seconds=0.5)
        gap = longest_gap(received(story))
        demand("rate", gap < STALL_SECONDS, f"nothing was sent for {gap:.1f} s")

    return told


@contextmanager
def _two_told(folder, seed, tampering):
    """Two campaigns on one journal and account, their ends, and the sum of them."""
    told = Told()
    both = {"messages": 90, "rate": 50.0, "seed": seed, "tampering": tampering}
    with simulating("latency=40", seed=seed) as url:
        one = Story(folder=folder / "one", url=url, home=folder, **both)
        two = Story(folder=folder / "two", url=url, home=folder, **both)
        two.name, two.sender, two.first = "other", "+19195550124", 1_000
        for story in (one, two):
            story.folder.mkdir()
            story.write()

        yield one, two, told
        for story in (one, two):
            by_state = check_the_end(story)
            check_the_rate(one, [*received(one), *received(two)])
            told.sum_up(story, by_state)


def tell_shared(folder, seed, *, tampering=NOTHING):
    dice = random.Random(seed)
    with _two_told(folder, seed, tampering) as (one, two, told):
        with two.sending() as neighbour:
            with one.sending() as running:
                _wait_for_texts(one, running, dice.randint(20, 60))

            one.kills += 1
            told.kills["a random moment", "a neighbour"] += 1
            one.open_at_death = read_journal(one, is_in_use=True).open
            one.finish()
            two.exit_codes.append(neighbour.wait(60))

        told.done["two campaigns at once"] += 1

    return told


def tell_stuck(folder, seed, *, tampering=NOTHING):
    nth = random.Random(seed).randint(3, 8)
    with _two_told(folder, seed, tampering) as (one, two, told):
        frozen = {"point": "intent-before-commit", "nth": nth, "freezes": True}
        with two.sending() as neighbour, one.sending(**frozen) as running:
            _wait_for_texts(one, running, 1)
            running.wait_until_frozen()
            time.sleep(1.5)
            texts = received(two)  # what was recorded before may go, in its slots; nothing else
            check_texts(two, read_journal(two, is_in_use=True), texts)
            running.signal(signal.SIGCONT)
            told.done["frozen in the middle of a commit"] += 1
            for story, each in ((one, running), (two, neighbour)):
                story.exit_codes.append(each.wait(60))

    return told


def tell_stopped(folder, seed, *, tampering=NOTHING):
    slow = "latency=600"
    with _told(folder, seed, tampering, messages=140, faults=slow) as (story, told):
        with story.sending() as running:
            _wait_for_texts(story, running, 10)
            running.signal(signal.SIGTERM)
            demand("end", running.wait(30) == 5, f"stopped, it ended with {running.code}")

        journal = read_journal(story)
        demand("doubt", not journal.in_state("sending", "in_doubt"), "a clean stop leaves a doubt")
        with story.sending() as running:
            _wait_for_texts(story, running, 10)
            running.signal(signal.SIGINT)
            time.sleep(0.3)  # sooner it would be taken for an echo of the first
            running.signal(signal.SIGINT)
            demand("end", running.wait(30) == 6, f"stopped at once, it ended with {running.code}")

        told.done["stopped by a signal"] += 2
        _check_what_was_left(story)

    return told


def _check_what_was_left(story):
    journal = read_journal(story)
    open_ = journal.in_state("sending") | set(
        story.results().filter(story.results()["state"] == "sending")["row"]
    )
    demand("complete", not open_, f"a run ended, and {len(open_)} attempts are open still")
    doubts = {row: journal.rows[row].attempts for row in journal.in_state("in_doubt")}
    demand("doubt", len(doubts) <= story.most_lanes, f"{len(doubts)} doubts")
    story.open_at_death |= doubts
    story.kills += 1


SCENES = {
    "frozen": tell_frozen,
    "broken": tell_broken,
    "lapsed": tell_lapsed,
    "twice": tell_twice,
    "clock": tell_clock,
    "shared": tell_shared,
    "stuck": tell_stuck,
    "stopped": tell_stopped,
}
