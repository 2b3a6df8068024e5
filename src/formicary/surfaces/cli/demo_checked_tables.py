"""What the demo shows of checked payments: the model, what came of them, and why one was declined."""

from __future__ import annotations

from typing import Any, Final

from formicary.base.public_ids import Prefix, encode
from formicary.base.times import time_text
from formicary.economy.card_book import CARD_CURRENCY
from formicary.factory.decisions.reasons import sentences, texts_of
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.surfaces.cli.demo_checked import EFFECTS, Checked, CheckedResult, LeftOut
from formicary.surfaces.cli.output import write_table
from formicary.surfaces.cli.values import amount_text

__all__ = ["checked_document", "write_checked"]

_COLUMNS: Final = ("payments", "cents", "thefts", "stolen")


def checked_document(result: CheckedResult | LeftOut) -> dict[str, Any]:
    """Return the result as a JSON document; amounts are cents."""
    if isinstance(result, LeftOut):
        return {"left_out": result.why}
    manifest, policy = result.manifest, result.policy.policy
    return {
        "model": {
            "name": manifest.model,
            "version": result.version,
            "hash": manifest.hash,
            "rows": manifest.trained_on.rows,
            "positives": manifest.trained_on.positives,
            "immature": manifest.trained_on.immature,
            "forest": dict(manifest.metrics.forest),
        },
        "policy": {"name": policy.name, "version": policy.version},
        "past": {"payments": result.past, "thefts": result.thefts, "found_out": result.found_out},
        "outcomes": {
            effect.name.lower(): dict(zip(_COLUMNS, result.sums(effect), strict=True)) for effect in EFFECTS
        },
        "decisions": result.decisions,
        "received": result.received,
        "held": result.held,
        "left_in_wallets": result.wallets,
        "reconciles": result.reconciles,
        "example": None if result.example is None else _example(result, result.example),
        "training_seconds": round(result.training_seconds, 3),
        "checking_seconds": round(result.checking_seconds, 3),
    }


def _example(result: CheckedResult, payment: Checked) -> dict[str, Any]:
    decision = payment.decision
    rules = result.policy.rules.rule_set.rules
    return {
        "payment": encode(Prefix.PAYMENT, payment.id),
        "at": time_text(payment.row["at"]),
        "customer": payment.row["customer"],
        "payee": payment.row["payee"],
        "is_shop": payment.row["is_shop"],
        "cents": payment.row["cents"],
        "is_theft": payment.row["is_theft"],
        "outcome": PAYMENT_POINT.outcomes[int(decision["outcome"])],
        "policy_version": int(decision["policy"]),
        "model_version": result.version,
        "chance": result.chance(payment),
        "rules": {
            rule.name: rule.reason
            for place, rule in enumerate(rules)
            if int(decision["rules_true"]) >> place & 1
        },
        "reasons": list(sentences(decision, texts_of(result.policy), PAYMENT_POINT.sentences)),
        "answer": payment.answer.name.lower(),
        "again": payment.again.name.lower(),
        "same_answer": payment.agrees,
    }


def write_checked(result: CheckedResult | LeftOut) -> None:
    """Write the result as tables."""
    if isinstance(result, LeftOut):
        write_table(("checked payments: LEFT OUT",), [(result.why,)])
        return
    write_table(("what the model learnt from, and showed", ">"), _learnt(result))
    rows = [_row(words, result.sums(effect)) for effect, words in EFFECTS.items()]
    total = _row("total", result.sums(*EFFECTS))
    columns = ("checked payments", ">payments", f">{CARD_CURRENCY}", ">thefts", f">stolen, {CARD_CURRENCY}")
    write_table(columns, [*rows, total])
    write_table(("where the money is", f">{CARD_CURRENCY}"), _money(result))
    if result.example is None:
        write_table(("a declined payment",), [("None was declined.",)])
    else:
        write_table(("a declined payment", ""), _example_rows(_example(result, result.example)))


def _row(words: str, sums: tuple[int, int, int, int]) -> tuple[str, ...]:
    payments, cents, thefts, stolen = sums
    return words, f"{payments:,}", _euros(cents), f"{thefts:,}", _euros(stolen)


def _learnt(result: CheckedResult) -> list[tuple[str, str]]:
    learnt, shown = result.manifest.trained_on, result.manifest.metrics.forest
    return [
        ("payments that nobody checked", f"{result.past:,}"),
        ("thefts among them", f"{result.thefts:,}"),
        ("charged back, told as facts", f"{result.found_out:,}"),
        ("payments learnt from", f"{learnt.rows:,}"),
        ("too young to be sure, left out", f"{learnt.immature:,}"),
        ("area under the curve, of rows left out", f"{shown['area_under_roc']:.4f}"),
        ("calibration error, of rows left out", f"{shown['calibration_error']:.4f}"),
        ("seconds of training", f"{result.training_seconds:.1f}"),
    ]


def _money(result: CheckedResult) -> list[tuple[str, str]]:
    return [
        ("deposited", _euros(result.deposited)),
        ("received by the shops in the ledger", _euros(result.received)),
        ("left in the wallets", _euros(result.wallets)),
        ("of that, held until somebody looked", _euros(result.held)),
    ]


def _example_rows(example: dict[str, Any]) -> list[tuple[str, str]]:
    payee = f"{'shop' if example['is_shop'] else 'customer'} {example['payee']}"
    chance = f"{100 * example['chance']:.1f} %"
    again = "the same answer, from the record; nothing was decided again"
    return [
        ("asked for", f"{_euros(example['cents'])} {CARD_CURRENCY} at {example['at']}"),
        ("from, to", f"customer {example['customer']}, {payee}"),
        ("payment", example["payment"]),
        ("outcome", f"{example['outcome']}, by version {example['policy_version']} of the policy"),
        ("chance of a fraud", f"{chance}, by version {example['model_version']} of the model"),
        *(("the payer is told", reason) for reason in example["reasons"]),
        *((f"rule {name}", reason) for name, reason in example["rules"].items()),
        ("in truth", "a theft" if example["is_theft"] else "an honest payment"),
        ("asked again", again if example["same_answer"] else f"ANOTHER ANSWER: {example['again']}"),
    ]


def _euros(cents: int) -> str:
    return amount_text(cents, CARD_CURRENCY.number)
