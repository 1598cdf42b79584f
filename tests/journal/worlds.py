"""Everything that can happen to one message with two owners and a hostile provider.

Commits whose reply is lost, requests that arrive late or never, answers that are lost, crashes,
takeovers, owners that wake up after one, receipts in any order and number, and an operator.
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
    #: The journal has heard that the provider has it.
    known: bool = False


Table = Mapping[MessageState, Mapping[Event, MessageState]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the walk may do; the last two are defects that it must find."""

    table: Table
    most_attempts: int = 3
    most_releases: int = 1
    #: An answer that was lost is reported as proof that nothing was sent.
    transport_lies: bool = False
    #: A POST leaves although its intent was not recorded.
    posts_unrecorded: bool = False


def happen(world: World, event: Event, rules: Rules) -> World:
    heard = event in (Event.ACCEPT, Event.CONFIRM, Event.DELIVER, Event.FAIL)
    state = rules.table[world.state][event]
    return world._replace(state=state, known=world.known or heard)


def with_lane(world: World, index: int, lane: Lane) -> World:
    lanes = (lane, world.lanes[1]) if index == 0 else (world.lanes[0], lane)
    return world._replace(lanes=lanes)


def with_fate(world: World, post: int, fate: str) -> World:
    return world._replace(fates=(*world.fates[:post], fate, *world.fates[post + 1 :]))


def journal_steps(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Begin, take over, release."""
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
    if lane.number == world.attempts:
        return happen(world, lane.answer, rules)

    known = lane.number < world.attempts and lane.answer is Event.ACCEPT
    return happen(world, Event.CONFIRM, rules) if known else world


def provider_steps(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Requests arrive late or never; receipts come whenever, as often as they like."""
    for post, fate in enumerate(world.fates):
        if fate == "flying":
            for outcome in ("taken", "dropped", "refused"):
                yield f"post {post} is {outcome}", with_fate(world, post, outcome)

        if fate == "taken" and post < world.attempts:
            for event in (Event.CONFIRM, Event.DELIVER, Event.FAIL):
                yield f"receipt of post {post}: {event}", happen(world, event, rules)


def steps(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    yield from journal_steps(world, rules)
    yield from owner_steps(world, 0, rules)
    yield from owner_steps(world, 1, rules)
    yield from provider_steps(world, rules)


def doubled(world: World) -> str | None:
    """Say how many texts the recipient got, where that is more than anybody decided."""
    texts = world.fates.count("taken")
    return f"{texts} texts" if texts > 1 + world.releases else None


def broken(world: World) -> str | None:
    """Name the promise that does not hold here."""
    if "taken" in world.fates and not world.releases and world.state is READY:
        return "a text that the provider has may be sent again"

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
