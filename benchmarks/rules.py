"""Rules: what one item takes in the kernel, and what it takes to arm a set.

``formicary bench rules`` or ``python -m benchmarks.rules``. Twenty rules of five operations each, over a
dozen values and a list of 4,000 ids; a tenth of the values are missing. The best of some runs, as whatever
else the machine does only adds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._machine import machine
from formicary.factory.decisions.documents import read_rules
from formicary.factory.decisions.items import Items, items_of
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rules import compile_rules
from formicary.factory.features.kinds import EventKind, amount, identifier, party

ITEMS: Final = 100_000
RUNS: Final = 9
RULES: Final = 20
LISTED: Final = 4_000
MISSING_SHARE: Final = 0.1
FEATURES: Final = tuple(f"value_{place}" for place in range(8))
POINT: Final = DecisionPoint(
    name="card_payment",
    on=EventKind("payment", payer=party(), device=identifier(), amount=amount()),
    outcomes=("allow", "step_up", "hold", "reject"),
    safe_outcome="hold",
    features=FEATURES,
    scores=("fraud",),
)
# Five operations each, none of which two rules have in common.
SHAPES: Final = (
    "amount > {0} * otherwise({left}, {0}) and {right} - {0} > 1",
    "(score.fraud + {0} > {left} or device in listed) and not {right} > {0}",
    "-{0} <= {left} - {right} * {0} < amount",
    "hour(at, 420) < {left} + {0} and (payer not in listed or {right} / {0} > 3)",
)


def document() -> str:
    """Return the set of rules, as a document."""
    rules = [
        {
            "name": f"rule_{place}",
            "when": SHAPES[place % len(SHAPES)].format(
                place + 1,
                left=FEATURES[place % len(FEATURES)],
                right=FEATURES[(place * 3 + 1) % len(FEATURES)],
            ),
            "outcome": POINT.outcomes[1 + place % 3],
            "reason": "The benchmark asks.",
        }
        for place in range(RULES)
    ]
    lists = {"listed": {"of": "ids", "entries": list(range(1, LISTED + 1))}}
    return json.dumps({"name": "bench", "version": 1, "point": POINT.name, "lists": lists, "rules": rules})


def items() -> Items:
    """Return random items, from a seed."""
    random = np.random.default_rng(1)
    ids = np.zeros((2, ITEMS, 2), np.int64)
    ids[:, :, 1] = random.integers(1, 2 * LISTED, (2, ITEMS))
    values = random.random((len(FEATURES), ITEMS)) * 20
    values[random.random(values.shape) < MISSING_SHARE] = np.nan
    return items_of(
        POINT,
        at=random.integers(0, 2**60, ITEMS),
        columns={"payer": ids[0], "device": ids[1], "amount": random.integers(0, 400, ITEMS)},
        features=dict(zip(FEATURES, values, strict=True)),
        scores={"fraud": random.random(ITEMS)},
    )


def best_seconds(work: Callable[[], object]) -> float:
    """Return how long work takes at least."""
    taken = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    as_json = parser.parse_args().json
    some, text = items(), document()
    compiled = compile_rules(read_rules(text), POINT)
    compiled.judge(some)
    figures = {
        "rules": RULES,
        "operations": len(compiled.arrays.code),
        "values_read": len(compiled.inputs),
        "nanoseconds_an_item": round(best_seconds(lambda: compiled.judge(some)) / ITEMS * 1e9),
        "milliseconds_to_arm": round(best_seconds(lambda: compile_rules(read_rules(text), POINT)) * 1e3, 1),
    }
    if as_json:
        sys.stdout.write(json.dumps({"machine": machine(), **figures}) + "\n")
        return
    table = Table("figure", "value")
    for name, value in (*machine().items(), *figures.items()):
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
