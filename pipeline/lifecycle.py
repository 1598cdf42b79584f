"""The life of one message: the promise on one page.

              cancel                             ┌──── receipts ────┐
    CANCELLED <----- READY <-- not_sent --┐      │                  ▼
                      │  ▲                │      │ accept, confirm          deliver
                      │  └ release        │      ├────────> ACCEPTED ─┬───> DELIVERED ─┐
                      └── attempt --> SENDING ───┤             ▲      │                │ fail
                          (durable)              ├ reject -> REJECTED └───> FAILED <───┘
                                                 └ lose ---> IN_DOUBT ── confirm, deliver, fail

Only READY may be attempted, and three events lead back there: `not_sent` (proof that the provider
has nothing), `release` (a named operator sends a doubt again) and `retry` (FAILED by an error that
passes, sent again on request). A named operator may also end a doubt: `write_off`, IN_DOUBT ->
WRITTEN_OFF. Evidence outranks opinion: what the provider says it has is believed in every state,
and only a failure of the whole attempt ever leads from there to READY.
"""

from __future__ import annotations

from enum import StrEnum

from pipeline.errors import InvalidTransition


class MessageState(StrEnum):
    """Where a message stands. A message without a row in the journal is READY."""

    READY = "ready"  #: may be sent
    SENDING = "sending"  #: one attempt is open; only its owner may POST, once
    ACCEPTED = "accepted"  #: the provider has it
    REJECTED = "rejected"  #: the provider refused it; final, free
    IN_DOUBT = "in_doubt"  #: sent or not, nobody knows; never sent again without evidence
    DELIVERED = "delivered"  #: the carrier or the handset confirmed it
    FAILED = "failed"  #: accepted, then not delivered
    CANCELLED = "cancelled"  #: will not be sent: suppressed or duplicate at the moment of sending
    WRITTEN_OFF = "written_off"  #: sent or not, nobody knows; an operator ended the matter


class Event(StrEnum):
    """What can happen to a message."""

    ATTEMPT = "attempt"  #: the intent to POST became durable
    ACCEPT = "accept"  #: the answer to our POST was a 202
    REJECT = "reject"  #: the answer was a refusal of this message
    NOT_SENT = "not_sent"  #: proof that the provider did not take it
    LOSE = "lose"  #: the answer was lost, or its owner was
    CONFIRM = "confirm"  #: evidence that the provider has it (callback, listing, a late 202)
    DELIVER = "deliver"  #: a receipt: delivered
    FAIL = "fail"  #: a receipt: failed
    RELEASE = "release"  #: a named operator says: send it again
    CANCEL = "cancel"  #: refused by our own journal at the moment of sending
    WRITE_OFF = "write_off"  #: a named operator says: leave it, whatever became of it
    RETRY = "retry"  #: somebody asks to send again what failed by an error that passes


#: The whole machine: a row is a state, a column an event, a cell the next state; `-` is a defect of
#: ours and raises. The four events after `attempt` are what the owner of an attempt reports (also
#: late, after a takeover or a release), the next three are what the provider tells.
_TABLE = """
            attempt accept    reject    not_sent    lose        confirm   deliver   fail   cancel    release write_off   retry
ready       sending accepted  rejected  ready       ready       accepted  delivered failed cancelled -       -           -
sending     -       accepted  rejected  ready       in_doubt    accepted  delivered failed -         -       -           -
in_doubt    -       accepted  rejected  ready       in_doubt    accepted  delivered failed -         ready   written_off -
accepted    -       accepted  accepted  accepted    accepted    accepted  delivered failed -         -       -           -
rejected    -       accepted  rejected  rejected    rejected    accepted  delivered failed -         -       -           -
delivered   -       delivered delivered delivered   delivered   delivered delivered failed -         -       -           -
failed      -       failed    failed    failed      failed      failed    failed    failed -         -       -           ready
cancelled   -       accepted  cancelled cancelled   cancelled   accepted  delivered failed -         -       -           -
written_off -       accepted  rejected  cancelled   written_off accepted  delivered failed -         -       -           -
"""  # noqa: E501 - a table is read unbroken


def _read_table(table: str) -> dict[MessageState, dict[Event, MessageState]]:
    header, *rows = (line.split() for line in table.strip().splitlines())
    return {
        MessageState(state): {
            Event(event): MessageState(cell)
            for event, cell in zip(header, cells, strict=True)
            if cell != "-"
        }
        for state, *cells in rows
    }


TRANSITIONS = _read_table(_TABLE)

#: The provider has, or had, the text: only the retry of a FAILED one leads back to READY.
TAKEN = frozenset({MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.FAILED})

#: Nothing more will be tried by this program on its own.
SETTLED = frozenset(MessageState) - {MessageState.READY, MessageState.SENDING}


def transition(state: MessageState, event: Event) -> MessageState:
    """Return the state after `event`.

    Raises:
        InvalidTransition: the lifecycle has no such step.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise InvalidTransition(f"a message that is {state} cannot {event}") from None
