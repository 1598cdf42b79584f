"""The promise: every pair of state and event, and every path against a hostile provider."""

from __future__ import annotations

from copy import deepcopy

import pytest

from pipeline.errors import InvalidTransition
from pipeline.lifecycle import SETTLED, TAKEN, TRANSITIONS, Event, MessageState, transition
from tests.journal.worlds import Rules, Table, doubled, explore

READY, SENDING, ACCEPTED = MessageState.READY, MessageState.SENDING, MessageState.ACCEPTED
REJECTED, IN_DOUBT = MessageState.REJECTED, MessageState.IN_DOUBT
DELIVERED, FAILED = MessageState.DELIVERED, MessageState.FAILED
CANCELLED, WRITTEN_OFF = MessageState.CANCELLED, MessageState.WRITTEN_OFF

UNSENT = (READY, SENDING, IN_DOUBT)
SAME = {state: state for state in MessageState}
NOT_FINAL = (READY, SENDING, IN_DOUBT, ACCEPTED, REJECTED, CANCELLED, WRITTEN_OFF)

#: Event -> state -> next state, by event and not by state, written without looking at the table.
EXPECTED = {
    Event.ATTEMPT: {READY: SENDING},
    Event.CANCEL: {READY: CANCELLED},
    Event.RELEASE: {IN_DOUBT: READY},
    Event.WRITE_OFF: {IN_DOUBT: WRITTEN_OFF},
    Event.RETRY: {FAILED: READY},
    Event.ACCEPT: dict.fromkeys(NOT_FINAL, ACCEPTED) | {DELIVERED: DELIVERED, FAILED: FAILED},
    Event.CONFIRM: dict.fromkeys(NOT_FINAL, ACCEPTED) | {DELIVERED: DELIVERED, FAILED: FAILED},
    Event.DELIVER: dict.fromkeys(MessageState, DELIVERED) | {FAILED: FAILED},
    Event.FAIL: dict.fromkeys(MessageState, FAILED),
    Event.REJECT: {s: s for s in MessageState}
    | dict.fromkeys((READY, SENDING, IN_DOUBT, WRITTEN_OFF), REJECTED),
    Event.NOT_SENT: {s: s for s in MessageState}
    | dict.fromkeys((SENDING, IN_DOUBT), READY)
    | {WRITTEN_OFF: CANCELLED},
    Event.LOSE: {s: s for s in MessageState} | {SENDING: IN_DOUBT},
}

PAIRS = [
    pytest.param(state, event, EXPECTED[event].get(state), id=f"{state.value}-{event.value}")
    for state in MessageState
    for event in Event
]


@pytest.mark.parametrize(("state", "event", "expected"), PAIRS)
def test_every_event_in_every_state_leads_where_it_should_or_raises(state, event, expected):
    if expected is None:
        with pytest.raises(InvalidTransition, match=f"{state}.*{event}"):
            transition(state, event)
    else:
        assert transition(state, event) is expected


def test_every_pair_of_the_nine_states_and_twelve_events_is_expected():
    assert len(PAIRS) == 9 * 12
    assert set(EXPECTED) == set(Event)


def reachable(start: MessageState, *, by: set[Event]) -> set[MessageState]:
    found, waiting = {start}, [start]
    while waiting:
        after = {state for event, state in TRANSITIONS[waiting.pop()].items() if event in by}
        news = after - found
        found |= news
        waiting += news

    return found


@pytest.mark.parametrize("state", sorted(TAKEN))
def test_what_the_provider_has_is_never_ready_again_but_for_a_retry(state):
    assert reachable(state, by=set(Event) - {Event.RETRY}) <= TAKEN
    assert [state for state in TRANSITIONS if Event.RETRY in TRANSITIONS[state]] == [FAILED]


def test_what_was_written_off_is_never_sent():
    assert not reachable(WRITTEN_OFF, by=set(Event) - {Event.RETRY}) & {READY, SENDING, IN_DOUBT}


def test_only_ready_may_be_attempted_and_only_proof_or_a_person_leads_back_to_it():
    attempted = [state for state in MessageState if Event.ATTEMPT in TRANSITIONS[state]]
    back = {
        event
        for state, row in TRANSITIONS.items()
        for event, after in row.items()
        if after is READY and state is not READY
    }

    assert attempted == [READY]
    assert back == {Event.NOT_SENT, Event.RELEASE, Event.RETRY}


def test_settled_is_everything_that_needs_no_sender():
    assert set(MessageState) - SETTLED == {READY, SENDING}


# --- Every path ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most_releases", "most_retries"),
    [
        pytest.param(0, 0, id="without a person"),
        pytest.param(1, 0, id="with an operator"),
        pytest.param(2, 0, id="with an operator who does it again"),
        pytest.param(0, 2, id="with retries"),
    ],
)
def test_nobody_is_texted_twice_on_any_path(most_releases, most_retries):
    rules = Rules(table=TRANSITIONS, most_releases=most_releases, most_retries=most_retries)

    worlds, found = explore(rules)

    assert found is None, f"after {len(worlds)} states: {found}"
    assert len(worlds) > 1_000, f"only {len(worlds)} states: the walk is blind"
    seen = {world.state for world in worlds}
    assert set(MessageState) - seen <= {CANCELLED}, len(worlds)
    most = max(world.fates.count("taken") for world in worlds)
    assert most == 1 + most_releases + most_retries, f"{most} texts in {len(worlds)} states"


def mutated(state: MessageState, event: Event, after: MessageState) -> Table:
    table = deepcopy(TRANSITIONS)
    table[state][event] = after
    return table


DOUBLING = [
    pytest.param(Rules(table=mutated(SENDING, Event.LOSE, READY)), id="a lost answer is ready"),
    pytest.param(Rules(table=mutated(IN_DOUBT, Event.LOSE, READY)), id="a doubt is ready"),
    pytest.param(Rules(table=TRANSITIONS, transport_lies=True), id="the transport lies"),
    pytest.param(Rules(table=TRANSITIONS, posts_unrecorded=True), id="a post without a record"),
]
FORGETTING = [
    pytest.param(
        Rules(table=mutated(ACCEPTED, Event.NOT_SENT, READY)), id="opinion beats evidence"
    ),
    pytest.param(
        Rules(table=mutated(DELIVERED, Event.LOSE, IN_DOUBT)), id="a final state goes back"
    ),
    pytest.param(
        Rules(table=mutated(WRITTEN_OFF, Event.NOT_SENT, READY)), id="what was written off is ready"
    ),
    pytest.param(
        Rules(table=TRANSITIONS, most_releases=0, most_retries=1, retries_deliveries=True),
        id="a delivery is sent again",
    ),
    pytest.param(
        Rules(table=TRANSITIONS, most_releases=0, most_retries=1, mixes_attempts=True),
        id="a late receipt fails the next attempt",
    ),
]


@pytest.mark.parametrize("rules", DOUBLING)
def test_the_exploration_finds_a_second_text_where_a_rule_is_broken(rules):
    worlds, found = explore(rules, doubled)

    assert found is not None, f"nothing found in {len(worlds)} states"
    assert found.startswith(("2 texts", "3 texts")), f"{found} in {len(worlds)} states"


@pytest.mark.parametrize("rules", DOUBLING + FORGETTING)
def test_the_exploration_finds_a_broken_promise_where_a_rule_is_broken(rules):
    worlds, found = explore(rules)

    assert found is not None, f"nothing found in {len(worlds)} states"
