"""The six pitfalls of a Czech bank's loans, each avoided, and each seen where it is walked into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks._account_events import Imported, consents, imported, ordered_events, replayed
from benchmarks._berka_loans import (
    AGGREGATES,
    APPLICATION,
    WITH_HISTORY,
    application_of,
    labels_of,
    read_aggregates,
    read_loans,
)
from benchmarks._credit_fairness import AUDITS
from benchmarks._sba_loans import ENDED_IN_RECESSION, FILE, sba_contest
from examples.features.account_history import ACCOUNT_HISTORY
from formicary.base.purposes import Purpose
from formicary.factory.features._layout import Events, Reals
from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.journal_fold import replay_rows
from formicary.factory.features.leaks import FeatureLeaks, require_no_leak
from formicary.factory.features.store import FeatureStore
from formicary.factory.models.metrics import area_under_roc
from tests.economy.history.kit import DAY, NOW, HistoryWorld
from tests.economy.kit import real_data

COMPILED = compile_sets([ACCOUNT_HISTORY])
NAMES = COMPILED.views[ACCOUNT_HISTORY.name].names
# Until then the transactions of all accounts are at hand, also those after a loan.
LAST_OF_ALL = 765_072_000_000_000_000  # 1994-03-31
Frame = pl.DataFrame


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return the folder of data sets."""
    return real_data(Path("berka/trans_partial.parquet")).parents[1]


@pytest.fixture(scope="module")
def found(folder: Path) -> Imported:
    """Import the bank's history."""
    return imported("berka", data_sets=folder, now=NOW)


@pytest.fixture(scope="module")
def told(found: Imported) -> Frame:
    """Replay it: what was told of each loan, with its number."""
    return as_told(found)


@pytest.fixture(scope="module")
def early(found: Imported) -> Frame:
    """Return the loans after whose day transactions are at hand as well, with their outcomes."""
    loans = found.rows("loan_granted").frame
    bad = found.rows("loan_bad").frame["number"]
    return loans.filter(pl.col("at") <= LAST_OF_ALL).select(
        "number", "at", account="id.account_low", bad=pl.col("number").is_in(bad.implode())
    )


def as_told(found: Imported) -> Frame:
    """Replay a history; return the features of each loan with its number, in the order of numbers."""
    columns, rows = replayed(found, ACCOUNT_HISTORY, COMPILED)
    numbers = found.rows("loan_granted").frame.sort("row")["number"].to_numpy()
    return pl.DataFrame(dict(columns)).with_columns(number=pl.Series(numbers[rows - 1])).sort("number")


def changed(found: Imported, kinds: set[str], change: Callable[[Frame], Frame]) -> Imported:
    """Return a history with the rows of some kinds changed."""
    events = tuple(
        replace(rows, frame=change(rows.frame)) if rows.event.kind in kinds else rows
        for rows in found.history.events
    )
    return replace(found, history=replace(found.history, events=events))


def without_entries(found: Imported, early: Frame, is_gone: pl.Expr) -> Imported:
    """Drop transactions of the early loans' accounts; ``is_gone`` compares ``at`` with the loan's ``day``."""
    days = early.select("account", day="at")

    def kept(frame: Frame) -> Frame:
        sides = [name for name in ("id.account_low", "payer_low", "payee_low") if name in frame.columns]
        of_day = frame
        for side in sides:
            joined = of_day.join(days, left_on=side, right_on="account", how="left", maintain_order="left")
            of_day = joined.filter(~is_gone.fill_null(value=False)).drop("day")
        return of_day

    loans = {"loan_granted", "loan_bad", "account_opened"}
    kinds = {rows.event.kind for rows in found.history.events} - loans
    return changed(found, kinds, kept)


def of(told: Frame, early: Frame) -> Frame:
    """Return what was told of the early loans, in the order of their numbers."""
    return told.filter(pl.col("number").is_in(early["number"].implode()))


def asked_later(found: Imported, later: pl.Expr) -> Imported:
    """Return a history in which loans ask at another time."""
    return changed(found, {"loan_granted"}, lambda frame: frame.with_columns(at=later, known=later))


def test_nothing_after_the_loan_is_told(found: Imported, told: Frame, early: Frame) -> None:
    """Without a thousand transactions that came later, every feature is the same to the bit."""
    before = without_entries(found, early, pl.col("at") > pl.col("day"))
    gone = len(found.rows("balance_stated").frame) - len(before.rows("balance_stated").frame)
    assert gone == 1_064
    assert of(as_told(before), early).equals(of(told, early), null_equal=True)


def test_what_came_after_the_loan_would_tell_the_outcome(found: Imported, told: Frame, early: Frame) -> None:
    """Asked when the data end, the same features order the loans better than anybody could have."""
    late = as_told(asked_later(found, pl.max_horizontal("at", pl.lit(LAST_OF_ALL + DAY))))
    bad = early.sort("number")["bad"].to_numpy()

    def area(one: Frame) -> float:
        return area_under_roc(scores=-of(one, early)["balance_least_for_payments_91d"].to_numpy(), labels=bad)

    assert area(late) > area(told) + 0.1
    penalties = [of(one, early)["penalties_365d"].sum() for one in (told, late)]
    assert penalties == [0, 4]


def test_the_pipeline_does_not_look_ahead(found: Imported) -> None:
    """Changing the future changes no row, also of loans with transactions on their own day."""
    events, _ = ordered_events(found, ACCOUNT_HISTORY, COMPILED)
    events = type(events)(*(column[:40_000] for column in events))

    def replay(some: Events) -> Reals:
        store = FeatureStore(COMPILED, bytes_max=1 << 32)
        return store.replay(ACCOUNT_HISTORY.name, some, purpose=Purpose.CREDIT).values

    def with_the_last_balance(some: Events) -> Reals:
        rows = replay(some)
        rows[:, 0] = some.numbers[-1, 0]
        return rows

    asking = np.flatnonzero(events.kinds == COMPILED.views[ACCOUNT_HISTORY.name].view.kind)
    require_no_leak(replay, COMPILED, ACCOUNT_HISTORY.name, events, at=asking[[0, -1]].tolist())
    with pytest.raises(FeatureLeaks, match="monthly_payment"):
        require_no_leak(with_the_last_balance, COMPILED, ACCOUNT_HISTORY.name, events, at=asking[:1].tolist())


def test_the_loans_own_day_is_not_told(found: Imported, told: Frame, early: Frame) -> None:
    """Eight transactions of six accounts are of the loan's day; a loan that asks after them knows them."""
    before = without_entries(found, early, pl.col("at") == pl.col("day"))
    assert len(found.rows("balance_stated").frame) - len(before.rows("balance_stated").frame) == 8
    assert of(as_told(before), early).equals(of(told, early), null_equal=True)
    after = as_told(asked_later(found, pl.col("at") + 1))
    more = of(after, early)["entries_365d"] - of(told, early)["entries_365d"]
    assert (more.sum(), (more > 0).sum()) == (8, 6)


def test_no_permanent_order_is_read(folder: Path, told: Frame, tmp_path: Path) -> None:
    """The loans are the same where their table is not there at all."""
    loans = read_loans(copy_of(folder, tmp_path, left_out="order.parquet"))
    numbers = pl.read_parquet(folder / "berka" / "loan.parquet").filter(pl.col("date") >= 970_101)["loan_id"]
    known = told.filter(pl.col("number").is_in(numbers.implode()))
    assert len(known) == len(loans.labels) == 354
    for name in NAMES:
        np.testing.assert_array_equal(np.sort(loans.columns[name]), np.sort(known[name].to_numpy()))


def test_a_card_of_the_loans_day_or_later_is_none(folder: Path, tmp_path: Path) -> None:
    """Of 170 loans of accounts with a card, few had it; cards of the day itself count as none."""
    loans = application_of(folder / "berka")
    assert (loans["card_issued"].is_not_null().sum(), loans["has_card"].sum()) == (170, 36)
    assert not (loans.filter("has_card")["card_issued"] >= loans.filter("has_card")["date"]).any()
    bad, ever = labels_of(loans["status"]), loans["card_issued"].is_not_null()
    leaking, honest = (
        area_under_roc(scores=1.0 - one.to_numpy(), labels=bad) for one in (ever, loans["has_card"])
    )
    # A card at any time, later ones included, goes to those who paid.
    assert leaking > honest + 0.05
    copied = copy_of(folder, tmp_path, left_out="card.parquet") / "berka"
    of_account = pl.read_parquet(folder / "berka" / "disp.parquet").join(
        loans.select("account_id", "date"), on="account_id", how="left"
    )
    cards = pl.read_parquet(folder / "berka" / "card.parquet").join(of_account, on="disp_id", how="left")
    for moved, count in ((0, 0), (-1, 170)):
        issued = (pl.col("date") + moved).cast(pl.String) + " 00:00:00"
        cards.with_columns(issued=pl.coalesce(issued, "issued")).write_parquet(copied / "card.parquet")
        assert application_of(copied)["has_card"].sum() == count


def test_loans_that_run_are_told_apart(folder: Path) -> None:
    """A and B ended and C and D did not, so that labels of both are not of one age."""
    loans = pl.read_parquet(folder / "berka" / "loan.parquet")
    day = (pl.col("date") + 19_000_000).cast(pl.String).str.to_date("%Y%m%d")
    is_over = loans.select(day.dt.offset_by(pl.format("{}mo", "duration")) <= pl.date(1998, 12, 31))
    ended = loans["status"].is_in(["A", "B"])
    assert is_over.to_series().eq(ended).sum() > 670
    assert labels_of(pl.Series(list("ABCD"))).tolist() == [0, 1, 0, 1]
    _, labels, is_late, has_ended = read_aggregates(folder)
    assert (labels.sum(), labels[has_ended].sum(), has_ended.sum()) == (76, 31, 234)
    assert (is_late.sum(), labels[is_late].sum()) == (354, 30)
    # Of the loans with a history only three that ended are bad: too few to tell anything of them alone.
    late = is_late & has_ended
    assert (late.sum(), labels[late].sum()) == (43, 3)


def test_a_question_mark_is_missing(folder: Path) -> None:
    """A district younger than its figures has none of them; no other is touched."""
    loans = application_of(folder / "berka")
    unknown = loans.filter(pl.col("unemployment").is_null())
    assert unknown["district_id"].unique().to_list() == [69]
    assert unknown["crimes"].null_count() == len(unknown) == loans["crimes"].null_count()
    assert unknown["salary"].null_count() == 0


def test_without_consent_nothing_is_told(found: Imported) -> None:
    """Credit needs consent, which comes with the application; without it every feature is withheld."""
    none = changed(found, {"loan_granted"}, lambda frame: frame.head(0))
    asking = found.rows("loan_granted").frame.sort("at").tail(3)
    assert (consents(COMPILED, asking).numbers[:, 1] == 1).all()
    events, _ = ordered_events(changed(none, {"loan_granted"}, lambda _: asking), ACCOUNT_HISTORY, COMPILED)
    is_consent = events.kinds == 0
    store = FeatureStore(COMPILED, bytes_max=1 << 32)
    refused = type(events)(*(column[~is_consent] for column in events))
    values = store.replay(ACCOUNT_HISTORY.name, refused, purpose=Purpose.CREDIT)
    assert (is_consent.sum(), values.withheld.tolist()) == (3, [1, 1, 1])
    assert np.isnan(values.values[:, NAMES.index("balance")]).all()


def test_the_journal_tells_the_same(found: Imported, told: Frame, tmp_path: Path) -> None:
    """Imported into an engine, the same features come out of the journal's rows."""
    world = HistoryWorld(tmp_path)
    limited = replace(found.history, plan=found.history.plan.limited(40_000))
    world.replay(found.mapping, limited)
    batches = world.journal.batches
    store = FeatureStore(COMPILED, bytes_max=1 << 32)
    store.follow(consents(COMPILED, found.rows("loan_granted").frame.with_columns(at=pl.lit(1))))
    replayed_rows = replay_rows(
        store,
        ACCOUNT_HISTORY.name,
        purpose=Purpose.CREDIT,
        accounts=np.concatenate([batch.accounts for batch in batches]),
        transfers=np.concatenate([batch.transfers for batch in batches]),
        events=[event for batch in batches for event in batch.events],
        first=1,
        until=world.position,
    )
    numbers = replayed_rows.asking.numbers[:, ACCOUNT_HISTORY.on.numbers.index("loan")]
    assert len(numbers) > 10
    known = told.filter(pl.col("number").is_in(numbers.tolist())).select(NAMES).to_numpy()
    # Rows of one day follow each other by a nanosecond in the ledger.
    np.testing.assert_allclose(replayed_rows.values.values[np.argsort(numbers)], known, rtol=1e-9, atol=1e-4)


def test_nobodys_sex_or_age_is_a_column() -> None:
    """Nor what says it in another word, nor what came of the loan."""
    columns = {*APPLICATION.names, *WITH_HISTORY.names, *AGGREGATES.names}
    assert not [
        name for name in columns if any(word in name for word in ("gender", "age_", "birth", "client"))
    ]
    assert not columns & {"status", "loan_status", "card_type_gold", "district_id"}
    for audit in AUDITS:
        assert not audit.protected & set(audit.spec.names)
        assert audit.stand_ins < set(audit.spec.names)


def test_a_recession_that_is_made_of_the_term() -> None:
    """A column of published recipes says when a loan ended, which charging off moved; none of ours does."""
    path = real_data(Path(FILE))
    frame = pl.read_parquet(path)
    ended = frame["DisbursementDate"] + frame["Term"] * 30
    assert ended.is_between(*ENDED_IN_RECESSION).fill_null(value=False).cast(int).eq(frame["Recession"]).all()
    contest = sba_contest(path.parents[1], is_by_time=True)
    (is_late,) = contest.parts[0]
    years = frame["ApprovalFY"].to_numpy()
    assert years[~is_late].max() < years[is_late].min()
    outcome = {
        "Term",
        "daysterm",
        "xx",
        "Recession",
        "ChgOffDate",
        "ChgOffPrinGr",
        "BalanceGross",
        "MIS_Status",
    }
    assert not outcome & set(contest.everything.names)
    assert set(contest.application.names) < set(contest.everything.names)


def copy_of(folder: Path, to: Path, *, left_out: str) -> Path:
    """Link the data set's files into another folder, all but one."""
    (to / "berka").mkdir()
    for path in (folder / "berka").glob("*.parquet"):
        if path.name != left_out:
            (to / "berka" / path.name).symlink_to(path)
    return to
