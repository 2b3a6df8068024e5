"""The error tree: messages from docstrings, one code per refusal."""

from __future__ import annotations

import pytest

from formicary.base.errors import FormicaryError, OperationalFault, ProgrammingError, Refusal


class PatienceExhausted(OperationalFault):
    """The other side did not answer.

    What to do about it is no part of the message.
    """


class QueueFull(Refusal):
    """The queue is full."""

    code = "test_queue_full"


def test_docstring_is_the_message() -> None:
    """An error without arguments says its docstring's first paragraph."""
    assert str(PatienceExhausted()) == "The other side did not answer."


def test_given_message_replaces_the_docstring() -> None:
    """An error that knows more says what it was given."""
    assert str(QueueFull("the queue of 4,096 is full")) == "the queue of 4,096 is full"


def test_message_without_docstrings() -> None:
    """Where Python dropped the docstrings, an error still says its name."""
    undocumented = type("Undocumented", (FormicaryError,), {})
    assert str(undocumented()) == "Undocumented"


@pytest.mark.parametrize("kind", [Refusal, OperationalFault, ProgrammingError])
def test_tree(kind: type[FormicaryError]) -> None:
    """Each of the three kinds of error is a FormicaryError and none of the others."""
    others = {Refusal, OperationalFault, ProgrammingError} - {kind}
    assert issubclass(kind, FormicaryError)
    assert not issubclass(kind, tuple(others))


def test_refusal_has_a_code() -> None:
    """A refusal carries the code that callers branch on, and the list of codes has it."""
    assert QueueFull().code == "test_queue_full"
    assert {"refused", "test_queue_full"} <= set(Refusal.codes())
    assert list(Refusal.codes()) == sorted(Refusal.codes())


def test_refusal_without_a_code_is_a_bug() -> None:
    """A refusal must not inherit the code of another one."""
    with pytest.raises(ProgrammingError, match="Silent must declare a code"):
        type("Silent", (Refusal,), {})


@pytest.mark.parametrize("code", ["", "QueueFull", "queue-full", "queue_", "1_queue"])
def test_refusal_code_is_snake_case(code: str) -> None:
    """A code is written in snake case, so that documents and clients spell it one way."""
    with pytest.raises(ProgrammingError, match="snake case"):
        type("Misspelt", (Refusal,), {"code": code})


def test_refusal_code_is_unique() -> None:
    """Two refusals must not share a code."""
    with pytest.raises(ProgrammingError, match=r"already belongs to .*QueueFull"):
        type("Copy", (Refusal,), {"code": "test_queue_full"})


def test_refusal_may_be_declared_again() -> None:
    """A module that is imported again may declare its refusals again."""
    body = {"code": "test_queue_full", "__module__": __name__, "__qualname__": "QueueFull"}
    assert type("QueueFull", (Refusal,), body).__name__ == "QueueFull"
