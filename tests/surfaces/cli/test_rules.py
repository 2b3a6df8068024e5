"""``formicary rules``: findings, cases and money, over files as people keep them."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from formicary.factory.models.training import train_model
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.rule_tables import TableUnreadable, read_columns
from tests.factory.models.kit import made_columns, made_spec, made_table
from tests.surfaces.cli.kit import Terminal

POLICIES = Path(__file__).parents[3] / "examples" / "policies"
DAY = 86_400 * 10**9
TEXT = dedent("""\
    name: small
    version: 1
    point: payment
    lists:
      blocked: {of: ids, entries: [7]}
    rules:
      - name: large
        when: amount > 10 * payer_mean_30d
        outcome: hold
        reason: The amount is large.
        if_unknown: allow
      - {name: blocked, when: 'payee in blocked', outcome: reject, reason: It is blocked.}
      - name: often
        when: |
          payer_payments_1h > 5
            and score.fraud >= percent(50)
        outcome: confirm_by_code
        reason: It is often.
        if_unknown: allow
    """)


def kept(folder: Path, text: str, name: str = "rules.yaml") -> str:
    """Return the name of a file with a text."""
    file = folder / name
    file.write_text(text)
    return str(file)


def test_lint_finds_nothing(terminal: Terminal, tmp_path: Path) -> None:
    """What is right is one line for people, and an empty list for programs."""
    for file in (kept(tmp_path, TEXT), str(POLICIES / "payment_rules.yaml")):
        assert terminal.run("rules", "lint", file) == ExitCode.DONE
        assert (terminal.out, terminal.err) == ("", "nothing is wrong\n")
        assert terminal.json("rules", "lint", file) == {"findings": []}


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("10 * payer_mean_30d", "10 * payer_mean", (8, 25)),
        ("payee in blocked'", "payee in nothing'", (12, 37)),
        ("payer_payments_1h > 5", "payer_payments > 5", (15, 7)),
        ("score.fraud", "score.frued", (16, 13)),
        ("outcome: hold", "outcome: wait", (8, 5)),
        ("version: 1", "version: one", (2, 1)),
        ("point: payment", "point: nowhere", (1, 1)),
        ("of: ids", "of: names", (5, 3)),
    ],
)
def test_lint_tells_the_place(
    terminal: Terminal, tmp_path: Path, before: str, after: str, place: tuple[int, int]
) -> None:
    """Line and column are those of the document, for editors, in whatever way a condition is written."""
    assert before in TEXT
    text = TEXT.replace(before, after)
    file = kept(tmp_path, text)
    assert terminal.run("rules", "lint", file) == ExitCode.FINDINGS
    line, column = place
    assert terminal.out.startswith(f"{file}:{line}:{column}: ")
    (found,) = terminal.json("rules", "lint", file)["findings"]
    assert (found["file"], found["line"], found["column"]) == (file, line, column)


def test_lint_finds_everything(terminal: Terminal, tmp_path: Path) -> None:
    """Also in what is no text, and for a point that is not there; a file that is not there is no usage."""
    text = TEXT.replace("amount", "amunt").replace("outcome: reject", "outcome: no").replace("blocked:", "B:")
    assert terminal.run("rules", "lint", kept(tmp_path, text)) == ExitCode.FINDINGS
    codes = [line.rpartition("(")[2] for line in terminal.out.splitlines()]
    assert codes == ["rules_malformed)", "unknown_rule_name)", "unknown_outcome)", "unknown_list)"]
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert terminal.run("rules", "lint", str(tmp_path / "bytes")) == ExitCode.FINDINGS
    assert terminal.run("rules", "lint", str(tmp_path / "nothing")) == ExitCode.USAGE


def test_the_policies_of_the_examples_hold(terminal: Terminal) -> None:
    """Every case comes out as it must, and every rule holds in one of them and not in another."""
    file = str(POLICIES / "payment_cases.yaml")
    assert terminal.run("rules", "test", file) == ExitCode.DONE
    assert terminal.err == "23 cases, 0 failed\n"
    assert terminal.json("rules", "test", file) == {"cases": 23, "failed": []}
    text = (POLICIES / "payment_cases.yaml").read_text()
    rules = [
        line.split()[2]
        for line in (POLICIES / "payment_rules.yaml").read_text().splitlines()
        if "- name" in line
    ]
    assert len(rules) == 13
    held = " ".join(line for line in text.splitlines() if line.startswith("    holds: "))
    assert [rule for rule in rules if rule not in held] == []


def test_failed_cases_are_told(terminal: Terminal, tmp_path: Path) -> None:
    """With line, name, both outcomes, and every rule that says something else."""
    kept(tmp_path, TEXT)
    cases = dedent("""\
        rules: rules.yaml
        cases:
          - name: fine
            at: 2026-01-01
            event: {payer: 5, payee: 7, amount: 9}
            outcome: reject
          - name: not_fine
            at: 2026-01-01
            event: {payer: 5, payee: 8, amount: 9}
            features: {payer_mean_30d: 9}
            outcome: hold
            holds: [large]
        """)
    file = kept(tmp_path, cases, "cases.yaml")
    assert terminal.run("rules", "test", file) == ExitCode.FINDINGS
    assert "allow came out, not hold; large does not hold" in terminal.out
    assert terminal.err == "2 cases, 1 failed\n"
    found = terminal.json("rules", "test", file)
    assert found["failed"] == [
        {
            "case": "not_fine",
            "line": 7,
            "must_come_out": "hold",
            "came_out": "allow",
            "failures": ["allow came out, not hold", "large does not hold"],
        }
    ]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("cases:", "case:", "rule_cases_malformed"),
        ("rules.yaml", "nothing.yaml", "rule_cases_malformed"),
        ("payee: 7", "payees: 7", "rule_cases_malformed"),
        ("rules.yaml", "wrong.yaml", "unknown_outcome"),
    ],
)
def test_cases_that_cannot_be_judged_are_refused(
    terminal: Terminal, tmp_path: Path, before: str, after: str, code: str
) -> None:
    """Nothing passes that was not looked at."""
    kept(tmp_path, TEXT)
    kept(tmp_path, TEXT.replace("outcome: hold", "outcome: wait"), "wrong.yaml")
    cases = "rules: rules.yaml\ncases:\n  - {name: a, at: 2026-01-01, event: {payee: 7}, outcome: reject}\n"
    file = kept(tmp_path, cases.replace(before, after), "cases.yaml")
    assert terminal.run("rules", "test", file) == ExitCode.REFUSED
    assert terminal.json("rules", "test", file)["error"]["code"] == code


def ids(low: npt.NDArray[Any]) -> pa.Array:
    """Return ids as a training set has them, 16 bytes each."""
    return pa.array([int(one).to_bytes(16, "big") for one in low], pa.binary(16))


def table(rows: int = 400) -> dict[str, Any]:
    """Return the columns of a training set with labels, over twenty days; a fifth is bad."""
    chance = np.random.default_rng(6)
    bad = chance.random(rows) < 0.2
    return {
        "at": pa.array(np.sort(chance.integers(0, 20 * DAY, rows))),
        "asking_payer": ids(chance.integers(1, 50, rows)),
        "asking_payee": ids(np.where(chance.random(rows) < 0.1, 7, 8)),
        "asking_amount": pa.array(np.where(bad, 9_000, 1_000) + chance.integers(0, 9, rows)),
        "payer_mean_30d": pa.array(np.where(chance.random(rows) < 0.5, 500.0, 2_000.0)),
        "payer_payments_1h": pa.array(
            [None if one < 2 else one for one in chance.integers(0, 9, rows).tolist()]
        ),
        "channel": pa.array(chance.choice(["app", "web"], rows).tolist()),
        "charged_back": pa.array(bad),
    }


def written(folder: Path, columns: dict[str, Any], parts: int = 2) -> str:
    """Return a folder of Parquet files with these columns."""
    folder.mkdir()
    whole = pa.table(columns)
    size = -(-whole.num_rows // parts)
    for part in range(parts):
        pq.write_table(whole.slice(part * size, size), folder / f"part-{part}.parquet")
    return str(folder)


def test_backtest_counts_money(terminal: Terminal, tmp_path: Path) -> None:
    """Rules, outcomes and money are those of a plain loop over the rows."""
    columns = table()
    folder, rules = written(tmp_path / "set", columns), kept(tmp_path, TEXT)
    options = ("--set", folder, "--label", "charged_back", "--segment", "channel")
    found = terminal.json("rules", "backtest", rules, *options)
    amounts, means, bad = (
        columns[name].to_pylist() for name in ("asking_amount", "payer_mean_30d", "charged_back")
    )
    large = [amount > 10 * mean for amount, mean in zip(amounts, means, strict=True)]
    blocked = [int.from_bytes(one) == 7 for one in columns["asking_payee"].to_pylist()]
    assert found["rules"][0] == {
        "rule": "large",
        "enabled": True,
        "outcome": "hold",
        "holds": sum(large),
        "unknown": 0,
        "bad": sum(one and it for one, it in zip(large, bad, strict=True)),
        "good": sum(one and not it for one, it in zip(large, bad, strict=True)),
        "bad_amount": sum(amount for amount, one, it in zip(amounts, large, bad, strict=True) if one and it),
    }
    # Without a score the third rule is unknown where the payer pays often.
    assert found["rules"][2]["holds"] == 0
    assert found["rules"][2]["unknown"] > 100
    outcomes = {one["outcome"]: one["rows"] for one in found["outcomes"]}
    held = sum(one and not it for one, it in zip(large, blocked, strict=True))
    assert (outcomes["reject"], outcomes["hold"]) == (sum(blocked), held)
    everything, *by_segment = found["money"]
    stopped = [one or it for one, it in zip(large, blocked, strict=True)]
    caught = sum(amount for amount, one, it in zip(amounts, stopped, bad, strict=True) if one and it)
    assert everything["figures"]["caught_amount"]["value"] == caught
    assert everything["figures"]["caught_amount"]["low"] < caught
    assert sorted(one["segment"] for one in by_segment) == ["app", "web"]
    assert sum(one["figures"]["caught_amount"]["value"] for one in by_segment) == caught
    assert terminal.run("rules", "backtest", rules, *options) == ExitCode.DONE
    assert f"{caught:,}" in terminal.out
    assert "small, 400 rows: allow " in terminal.out


def test_backtest_compares(terminal: Terminal, tmp_path: Path) -> None:
    """Another policy and costs: the difference has its own interval."""
    folder, rules = written(tmp_path / "set", table()), kept(tmp_path, TEXT)
    other = kept(tmp_path, TEXT.replace("10 * payer", "3 * payer").replace("> 5", "> 1"), "other.yaml")
    costs = kept(tmp_path, "margin_bp: 100\nhold_cost: 5\neffects: {hold: reject}\n", "costs.yaml")
    options = ("--set", folder, "--label", "charged_back", "--costs", costs)
    found = terminal.json("rules", "backtest", other, *options, "--against", rules)
    more = found["money"][0]["differences"]["caught_amount"]
    alone = terminal.json("rules", "backtest", rules, *options)["money"][0]["figures"]["caught_amount"]
    assert found["money"][0]["figures"]["caught_amount"]["value"] - alone["value"] == more["value"] > 0
    assert found["outcomes"][3]["effect"] == "reject"
    assert terminal.run("rules", "backtest", other, *options, "--against", rules) == ExitCode.DONE
    assert f"{more['value']:+,}" in terminal.out
    assert f"{more['low']:+,} to {more['high']:+,}" in terminal.out


def test_backtest_takes_models(terminal: Terminal, tmp_path: Path) -> None:
    """A stored model scores the rows by its own columns, under its name or another."""
    model = train_model(made_spec(trials=1), made_table())
    (tmp_path / "model").write_bytes(model.to_bytes())
    given, labels = made_columns(80, seed=3)
    columns = {
        "at": pa.array(np.arange(80) * DAY),
        "asking_amount": pa.array(np.full(80, 10)),
        "label": pa.array([None, *labels.astype(int).tolist()[1:]]),
        **{name: pa.array(column.tolist(), from_pandas=True) for name, column in given.items()},
    }
    folder = written(tmp_path / "set", columns)
    rules = dedent("""\
        name: scored
        version: 1
        point: payment
        rules:
          - {name: likely, when: score.fraud > 0.4, outcome: reject, reason: It is likely.}
        """)
    file = kept(tmp_path, rules)
    scored = f"fraud={tmp_path / 'model'}"
    found = terminal.json("rules", "backtest", file, "--set", folder, "--model", scored)
    assert found["rules"][0]["holds"] == (model.chances(made_spec(trials=1), given) > 0.4).sum()
    assert found["money"][0]["unknown"] == 1
    assert terminal.run("rules", "backtest", file, "--set", folder, "--model", scored) == ExitCode.DONE
    assert "80 rows, 1 not known yet" in terminal.out
    # Its own name is none of the point's scores.
    alone = ("--model", str(tmp_path / "model"))
    answer = terminal.json("rules", "backtest", file, "--set", folder, *alone)
    assert answer["error"]["code"] == "malformed_items"
    nothing = ("--model", "fraud=nothing")
    assert terminal.run("rules", "backtest", file, "--set", folder, *nothing) == ExitCode.USAGE


def test_few_days_are_told(terminal: Terminal, tmp_path: Path) -> None:
    """A table of one day has no intervals, a rule that is not armed says so."""
    columns = table() | {"at": pa.array(np.arange(400))}
    rules = kept(tmp_path, TEXT.replace("    if_unknown", "    enabled: false\n    if_unknown", 1))
    options = ("--set", written(tmp_path / "set", columns), "--label", "charged_back")
    assert terminal.run("rules", "backtest", rules, *options) == ExitCode.DONE
    assert "too few days" in terminal.out
    assert "large (not armed)" in terminal.out


def test_what_cannot_be_run_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    """A column that is not there, a table that is none, rules of another point."""
    folder, rules = written(tmp_path / "set", table()), kept(tmp_path, TEXT)

    def code(*options: str) -> str:
        return str(terminal.json("rules", "backtest", rules, *options)["error"]["code"])

    assert code("--set", folder) == "table_unreadable"
    assert code("--set", folder, "--label", "charged_back", "--segment", "nothing") == "table_unreadable"
    assert code("--set", rules) == "table_unreadable"
    (tmp_path / "empty").mkdir()
    assert code("--set", str(tmp_path / "empty")) == "table_unreadable"
    terminal.program.decision_points = {
        "payment": PAYMENT_POINT,
        "other": type(PAYMENT_POINT)(
            name="other", on=PAYMENT_POINT.on, outcomes=PAYMENT_POINT.outcomes, safe_outcome="hold"
        ),
    }
    other = kept(tmp_path, "name: x\nversion: 1\npoint: other\nrules: []\n", "other.yaml")
    assert code("--set", folder, "--label", "charged_back", "--against", other) == "rules_malformed"


def test_columns_are_read_as_they_are(tmp_path: Path) -> None:
    """Ids, whole numbers, truths and names, with and without nulls; a chosen name stands for a column."""
    file = tmp_path / "one.parquet"
    columns = {
        "id": pa.array([(5).to_bytes(16, "big"), None, ((9 << 64) + 6).to_bytes(16, "big")], pa.binary(16)),
        "whole": pa.array([1, 2, 2**60 + 1]),
        "lacking": pa.array([1, None, 3]),
        "truth": pa.array([True, None, False]),
        "real": pa.array([0.5, None, float("nan")], pa.float32()),
        "name": pa.array(["a", None, "b"]),
    }
    pq.write_table(pa.table(columns), file)
    wanted = {name: (name,) for name in columns} | {"other": ("none", "whole"), "nothing": ("none",)}
    found = read_columns(file, wanted, ["whole"])
    assert found["id"].tolist() == [[0, 5], [0, 0], [9, 6]]
    assert found["whole"].tolist() == [1, 2, 2**60 + 1] == found["other"].tolist()
    assert "nothing" not in found
    assert json.dumps([found[name].tolist() for name in ("lacking", "truth", "real")]) == (
        "[[1.0, NaN, 3.0], [1.0, NaN, 0.0], [0.5, NaN, NaN]]"
    )
    assert found["name"].tolist() == ["a", None, "b"]
    with pytest.raises(TableUnreadable, match="none"):
        read_columns(file, wanted, ["nothing"])
    pq.write_table(pa.table(columns).slice(0, 0), file)
    with pytest.raises(TableUnreadable, match="0 rows"):
        read_columns(file, wanted, [])
