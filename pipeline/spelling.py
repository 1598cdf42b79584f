"""Counts in sentences, spelled in one place."""

from __future__ import annotations


def counted(count: int, noun: str, *, is_change: bool = False) -> str:
    """Spell how many there are: ``1 message``, ``1,200 messages``; a change has its sign."""
    number = f"{count:+,}" if is_change else f"{count:,}"
    return f"{number} {noun}{'' if abs(count) == 1 else 's'}"


def being(count: int, noun: str) -> str:
    """Spell how many there are, and their verb: ``1 message is``, ``1,200 messages are``."""
    return f"{counted(count, noun)} {'is' if count == 1 else 'are'}"
