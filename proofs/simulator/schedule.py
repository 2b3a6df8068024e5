"""What happens next: one thing at a time, chosen by the dice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proofs.simulator.dice import Fault
from proofs.simulator.node import Node
from proofs.simulator.world import START, World

__all__ = ["Schedule"]

_SECOND: Final = 10**9
_TEN_DAYS: Final = 10 * 86_400 * _SECOND
_PAUSES: Final = (0, 1, 1_000, _SECOND // 10, _SECOND, 2 * _SECOND)
_GROUP_MAX: Final = 2
_QUIET: Final = 4
_RARE_WEIGHTS: Final = (8, 5, 3, 4)
_MISCHIEF: Final = (Fault.CRASH, Fault.TAKE_OVER, Fault.CLOCK_FORWARD, Fault.CLOCK_BACK, Fault.LATE_RETRY)

Action = Callable[[], None]


class Schedule:
    """Drives a world step by step.

    In the middle of an append others may run, but not the engine that appends.
    """

    def __init__(self, world: World) -> None:
        self.steps = 0
        self._world = world
        self._random = world.dice.random
        self._now = START
        self._busy: list[Node] = []
        world.set_clocks(START)
        world.on_pause = self._interleave

    def step(self) -> None:
        """Let one thing happen."""
        self.steps += 1
        actions = self._actions()
        actions[self._random.randrange(len(actions))]()

    def _actions(self) -> list[Action]:
        """Return what can happen, likelier things more often."""
        world = self._world
        actions: list[Action] = [self._something_rare]
        actions += [world.deliver] * min(4, len(world.network.requests))
        actions += [world.receive] * min(4, len(world.network.answers))
        for node in world.nodes:
            if node not in self._busy:
                actions += self._actions_of(node)
        # Where nothing is under way any more, callers lose their patience.
        if len(actions) < _QUIET or world.callers.have_more:
            actions += [self._send] * 2
        return actions

    def _actions_of(self, node: Node) -> list[Action]:
        actions: list[Action] = []
        if not node.is_running and not any(other.is_running for other in self._world.nodes):
            actions += [lambda: self._start(node)] * 2
        if node.can_decide:
            actions += [lambda: self._decide(node)] * min(3, len(node.inbox))
        if node.groups:
            actions += [lambda: self._commit(node)] * 3
        return actions

    # -- one step --------------------------------------------------------------------------

    def _send(self) -> None:
        operation = self._world.callers.next()
        if operation is not None:
            self._world.send(operation)

    def _pass_time(self) -> None:
        self._now += self._random.choice(_PAUSES)
        self._world.set_clocks(self._now)

    def _run_timers(self) -> None:
        for node in self._world.nodes:
            if node not in self._busy and node.can_decide:
                self._world.say("%s runs timers: %s", node.name, node.run_timers())

    def _decide(self, node: Node) -> None:
        self._world.say("%s decides, %s group(s) ahead", node.name, len(node.groups))
        node.decide(self._random.randint(1, _GROUP_MAX))

    def _commit(self, node: Node) -> None:
        self._world.say("%s commits", node.name)
        self._busy.append(node)
        node.commit()
        self._busy.pop()

    def _start(self, node: Node) -> None:
        self._busy.append(node)
        self._world.start(node)
        self._busy.pop()

    def _interleave(self) -> None:
        if len(self._busy) == 1 and self._world.dice.chance(0.3):
            for _ in range(self._random.randint(1, 3)):
                self.step()

    # -- mischief --------------------------------------------------------------------------

    def _something_rare(self) -> None:
        rare = (self._pass_time, self._run_timers, self._snapshot, self._mischief)
        (action,) = self._random.choices(rare, _RARE_WEIGHTS)
        action()

    def _snapshot(self) -> None:
        self._world.snapshots.write(self._world.auditor.follower)

    def _mischief(self) -> None:
        match self._world.dice.one_of(_MISCHIEF):
            case Fault.CRASH:
                self._on_other_nodes(self._world.crash, running=True)
            case Fault.TAKE_OVER:
                self._on_other_nodes(self._start, running=False)
            case Fault.CLOCK_FORWARD:
                self._jump(_TEN_DAYS)
            case Fault.CLOCK_BACK:
                self._jump(-self._random.choice((1, _SECOND, 100 * _SECOND, 2 * _TEN_DAYS)))
            case Fault.LATE_RETRY:
                self._retry_late()

    def _on_other_nodes(self, action: Callable[[Node], None], *, running: bool) -> None:
        nodes = [node for node in self._world.nodes if node not in self._busy and node.is_running == running]
        if nodes:
            action(self._random.choice(nodes))

    def _jump(self, duration: int) -> None:
        self._world.say("the clock jumps by %s ns", duration)
        self._now = max(self._now + duration, 1)
        self._world.set_clocks(self._now)

    def _retry_late(self) -> None:
        finished = self._world.callers.finished
        if finished:
            self._world.send(self._random.choice(finished))
