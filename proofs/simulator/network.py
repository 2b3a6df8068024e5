"""Between callers and engines: anything may be lost, doubled, delayed and overtaken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from proofs.simulator.dice import Dice, Fault
from proofs.simulator.operations import Message, Operation

__all__ = ["Answer", "Network"]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer under way, and the position as of which it holds."""

    operation: Operation
    content: Any
    position: int


@dataclass(slots=True)
class Network:
    """Messages under way, in no order."""

    dice: Dice
    requests: list[Message] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def send(self, message: Message) -> None:
        """Put a request on its way, or two, or none."""
        if self.dice.fault(Fault.REQUEST_LOST):
            return
        self.requests.append(message)
        if self.dice.fault(Fault.REQUEST_DOUBLED):
            self.requests.append(message)

    def reply(self, answer: Answer) -> None:
        """Put an answer on its way, or not."""
        if not self.dice.fault(Fault.ANSWER_LOST):
            self.answers.append(answer)

    def next_request(self) -> Message:
        """Take any of the requests."""
        return self.requests.pop(self.dice.random.randrange(len(self.requests)))

    def next_answer(self) -> Answer:
        """Take any of the answers."""
        return self.answers.pop(self.dice.random.randrange(len(self.answers)))
