"""After the last fault: everyone gets an answer, everything falls due, and the books are compared."""

from __future__ import annotations

from typing import Final

import msgspec

from formicary.factory.engine.state import Receipt
from proofs.simulator.comparison import plain_answer
from proofs.simulator.model import Read
from proofs.simulator.node import Node
from proofs.simulator.violations import require, violate
from proofs.simulator.world import START, World
from tests.factory.ledger.oracle_rules import TOTALS

__all__ = ["come_to_rest", "look_back"]

_ROUNDS_MAX: Final = 100
_REPEATED: Final = 8
_YEAR: Final = 365 * 86_400 * 10**9


def come_to_rest(world: World) -> None:
    """Stop all faults, answer all callers, ask some again, and let everything fall due."""
    world.dice.quiet = True
    for _ in range(_ROUNDS_MAX):
        if world.callers.are_done:
            break
        _round(world)
    require(
        world.callers.are_done,
        "everyone is answered",
        f"{[one.name for one in world.callers.waiting()]} wait",
    )
    finished = world.callers.finished
    for operation in world.dice.random.sample(finished, min(_REPEATED, len(finished))):
        world.send(operation)
    _round(world)
    world.set_clocks(START + _YEAR)
    _exhaust(world, _leader(world))
    # A deposed engine learns it here at the latest; then somebody else does the rest.
    _exhaust(world, _leader(world))


def look_back(world: World) -> None:
    """Compare what callers were told, what engines hold and what the journal says."""
    world.auditor.finished()
    _nothing_is_lost(world)
    state = _leader(world).state
    require(state.state_hash == world.auditor.follower.state_hash, "the engine holds what the journal says")
    _refold(world)
    if world.has_model:
        _balances(world)


def _leader(world: World) -> Node:
    if not world.newest.is_running:
        world.start(world.newest)
    return world.newest


def _round(world: World) -> None:
    leader = _leader(world)
    operation = world.callers.next()
    for waiting in world.callers.waiting():
        if waiting is not operation:
            world.send(waiting)
    if operation is not None:
        world.send(operation)
    while world.network.requests:
        world.deliver()
    for node in world.nodes:
        _exhaust(world, node)
    require(leader is world.newest, "nobody takes over")
    while world.network.answers:
        world.receive()


def _exhaust(world: World, node: Node) -> None:
    """Let an engine commit, run and decide until it has nothing left to do, or is fenced."""
    while node.is_running:
        if node.groups:
            world.say("%s commits", node.name)
            node.commit()
        elif not node.run_timers():
            if not node.inbox:
                return
            node.decide(3)


def _nothing_is_lost(world: World) -> None:
    kept = world.auditor.transfers
    for transfer, timestamp in world.callers.created.items():
        require(kept.get(transfer) == timestamp, "no acknowledged effect is lost", f"transfer {transfer}")
    found = world.store.receipts(world.callers.receipts)
    for command, receipt in world.callers.receipts.items():
        if command not in found:
            violate("no acknowledged effect is lost", f"command {command:032x}")
        stored = plain_answer(msgspec.json.decode(found[command].body, type=Receipt))
        require(stored == receipt, "the same answer for the same key", f"command {command:032x}")


def _refold(world: World) -> None:
    """Fold the whole journal again, cut elsewhere, and from a snapshot."""
    expected, until = world.auditor.follower.state_hash, world.store.position
    middle = world.dice.random.randint(0, until)
    for state, cuts in ((world.honest_state(), (0, middle, until)), (world.snapshots.recover(), None)):
        for block in world.store.blocks(cuts or (state.position, until)):
            rows = (block.accounts, block.transfers, block.events)
            state.fold(*rows, until=block.until, decisions=block.decisions)
        require(state.state_hash == expected, "refolding gives the same hash")


def _balances(world: World) -> None:
    """Compare every account's totals with the model's."""
    model = world.model
    machine = world.auditor.follower.machine
    for account, record in model.books.accounts.items():
        view = machine.account_view(machine.account_number(account))
        wanted = [record[name] for name in TOTALS]
        require(
            [int(view[name]) for name in TOTALS] == wanted, "balances are the model's", f"account {account}"
        )
    require(model.look(Read(()))[0] == machine.position, "positions are the model's")
