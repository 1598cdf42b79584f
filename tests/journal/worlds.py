"""Everything that can happen to one message with two owners and a hostile provider.

Commits whose reply is lost, requests that arrive late or never, answers that are lost, crashes,
takeovers, owners that wake up after one, receipts in any order and number, an operator who releases
or writes off, and retries of what failed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.lifecycle import TAKEN, Event, MessageState

READY, SENDING, IN_DOUBT = MessageState.READY, MessageState.SENDING, MessageState.IN_DOUBT


class Lane(NamedTuple):
    """What one owner knows of the message."""

    #: ``idle``, ``permitted`` (may POST), ``waiting`` (for the answer), ``answered``.
    phase: str = "idle"
    post: int = 0
    number: int = 0
    answer: Event | None = None


IDLE = Lane()


class World(NamedTuple):
    """One message, its journal, two owners and the provider."""

    state: MessageState = READY
    attempts: int = 0
    #: Which owner has the shard.
    holder: int = 0
    lanes: tuple[Lane, Lane] = (IDLE, IDLE)
    #: Of every permitted POST: ``held``, ``flying``, ``taken``, ``dropped`` or ``refused``.
    fates: tuple[str, ...] = ()
    releases: int = 0
    #: The numbers of the attempts that failed and whose message was to be sent again.
    retried: tuple[int, ...] = ()
    #: The journal has heard that the provider has it, or had it until the retry.
    known: bool = False
    #: The number of the latest attempt that the journal has heard has failed.
    failed: int = 0
    #: The journal has heard that somebody got it.
    delivered: bool = False
    written_off: bool = False


Table = Mapping[MessageState, Mapping[Event, MessageState]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the walk may do; the last four are defects that it must find."""

    table: Table
    most_attempts: int = 3
    most_releases: int = 1
    most_retries: int = 0
    #: An answer that was lost is reported as proof that nothing was sent.
    transport_lies: bool = False
    #: A POST leaves although its intent was not recorded.
    posts_unrecorded: bool = False
    #: A receipt of an attempt that failed before is taken for one of the next attempt.
    mixes_attempts: bool = False
    #: What somebody got is sent again because a receipt says that it failed.
    retries_deliveries: bool = False


def happen(world: World, event: Event, rules: Rules) -> World:
    heard = event in (Event.ACCEPT, Event.CONFIRM, Event.DELIVER, Event.FAIL)
    return world._replace(
        state=rules.table[world.state][event],
        known=event is not Event.RETRY and (world.known or heard),
        delivered=world.delivered or event is Event.DELIVER,
    )


def with_lane(world: World, index: int, lane: Lane) -> World:
    lanes = (lane, world.lanes[1]) if index == 0 else (world.lanes[0], lane)
    return world._replace(lanes=lanes)


def with_fate(world: World, post: int, fate: str) -> World:
    return world._replace(fates=(*world.fates[:post], fate, *world.fates[post + 1 :]))


def journal_steps(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Begin, take over, release, write off, retry."""
    may_begin = world.state is READY and len(world.fates) < rules.most_attempts
    if may_begin and world.lanes[world.holder] == IDLE:
        lane = Lane("permitted", len(world.fates), world.attempts + 1)
        held = world._replace(fates=(*world.fates, "held"))
        begun = happen(held, Event.ATTEMPT, rules)._replace(attempts=world.attempts + 1)
        yield "begin", with_lane(begun, world.holder, lane)
        yield "begin, the reply of the commit is lost", begun
        yield "begin, the commit is not done", world
        if rules.posts_unrecorded:
            yield "begin, not recorded", with_lane(held, world.holder, lane)

    for holder in (0, 1):
        taken_over = happen(world, Event.LOSE, rules) if world.state is SENDING else world
        yield f"take by {holder}", taken_over._replace(holder=holder)

    if world.state is IN_DOUBT and world.releases < rules.most_releases:
        released = happen(world, Event.RELEASE, rules)
        yield "release", released._replace(releases=world.releases + 1)

    if world.state is IN_DOUBT:
        yield "write off", happen(world, Event.WRITE_OFF, rules)._replace(written_off=True)

    may_retry = rules.retries_deliveries or not world.delivered
    decided = world.releases or world.written_off
    few = len(world.retried) < rules.most_retries
    if world.state is MessageState.FAILED and may_retry and few and not decided:
        again = happen(world, Event.RETRY, rules)
        yield "retry", again._replace(retried=(*world.retried, world.attempts))


def owner_steps(world: World, index: int, rules: Rules) -> Iterator[tuple[str, World]]:
    """POST, hear, report, crash: also long after somebody else took the shard."""
    lane = world.lanes[index]
    if lane.phase == "permitted":
        flying = with_fate(world, lane.post, "flying")
        yield f"{index} posts", with_lane(flying, index, lane._replace(phase="waiting"))
        gone = lane._replace(phase="answered", answer=Event.NOT_SENT)
        yield f"{index} gives up", with_lane(world, index, gone)

    if lane.phase == "waiting":
        for answer in answers(world.fates[lane.post], rules):
            heard = lane._replace(phase="answered", answer=answer)
            yield f"{index} hears {answer}", with_lane(world, index, heard)

    if lane.phase == "answered":
        reported = report(world, lane, rules)
        yield f"{index} reports", with_lane(reported, index, IDLE)
        yield f"{index} reports, and will again", reported

    if lane != IDLE:
        yield f"{index} crashes", with_lane(world, index, IDLE)


def answers(fate: str, rules: Rules) -> list[Event]:
    proofs = {
        "taken": [Event.NOT_SENT if rules.transport_lies else Event.ACCEPT, Event.ACCEPT],
        "dropped": [Event.NOT_SENT],
        "refused": [Event.REJECT],
    }
    return [Event.LOSE, *proofs.get(fate, [])]


def report(world: World, lane: Lane, rules: Rules) -> World:
    """The journal's `finish`: an attempt that is not the latest is only believed when accepted."""
    assert lane.answer is not None
    if lane.number in world.retried and not rules.mixes_attempts:
        return world

    if lane.number == world.attempts:
        return happen(world, lane.answer, rules)

    known = lane.number < world.attempts and lane.answer is Event.ACCEPT
    return happen(world, Event.CONFIRM, rules) if known else world


def receive(world: World, number: int, event: Event, rules: Rules) -> World:
    """The journal's `receive`: of what has failed only a delivery is news."""
    is_old = number in world.retried or (number < world.attempts and event is Event.FAIL)
    if is_old and event is not Event.DELIVER and not rules.mixes_attempts:
        return world

    failed = max(world.failed, number) if event is Event.FAIL else world.failed
    return happen(world, event, rules)._replace(failed=failed)


def provider_steps(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Requests arrive late or never; receipts come whenever, as often as they like."""
    for post, fate in enumerate(world.fates):
        if fate == "flying":
            for outcome in ("taken", "dropped", "refused"):
                yield f"post {post} is {outcome}", with_fate(world, post, outcome)

        if fate == "taken" and post < world.attempts:
            for event in (Event.CONFIRM, Event.DELIVER, Event.FAIL):
                told = receive(world, post + 1, event, rules)
                yield f"receipt of post {post}: {event}", told


def steps(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    yield from journal_steps(world, rules)
    yield from owner_steps(world, 0, rules)
    yield from owner_steps(world, 1, rules)
    yield from provider_steps(world, rules)


def doubled(world: World) -> str | None:
    """Say how many texts the recipient got, where that is more than anybody decided."""
    texts = world.fates.count("taken")
    decided = 1 + world.releases + len(world.retried)
    return f"{texts} texts" if texts > decided else None


def broken(world: World) -> str | None:
    """Name the promise that does not hold here."""
    taken = world.fates.count("taken") - len(world.retried)
    if taken > 0 and not world.releases and world.state is READY:
        return "a text that the provider has may be sent again"

    if world.state is MessageState.FAILED and world.failed < world.attempts:
        return "what an earlier attempt failed with failed the next one"

    if world.delivered and world.state is READY:
        return "a text that somebody has may be sent again"

    if world.written_off and world.state in (READY, SENDING):
        return "a doubt that was written off may be sent again"

    if world.known and world.state not in TAKEN:
        return f"the provider has it, and the journal forgot: {world.state}"

    return doubled(world)


def explore(
    rules: Rules, promise: Callable[[World], str | None] = broken
) -> tuple[dict[World, tuple[World, str] | None], str | None]:
    """Walk everything that can happen, breadth first; end at the first broken promise."""
    came_from: dict[World, tuple[World, str] | None] = {World(): None}
    waiting = deque(came_from)
    while waiting:
        world = waiting.popleft()
        if (found := promise(world)) is not None:
            return came_from, f"{found}: {story(world, came_from)}"

        for name, after in steps(world, rules):
            if after not in came_from:
                came_from[after] = (world, name)
                waiting.append(after)

    return came_from, None


def story(world: World, came_from: dict[World, tuple[World, str] | None]) -> str:
    names = []
    while (step := came_from[world]) is not None:
        world, name = step
        names.append(name)

    return " > ".join(reversed(names))
