"""Reports tell what a set was told as, add up, survive their files, and judge by stated limits."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.features.quality.report import (
    MalformedReport,
    QualityReport,
    profile,
    profile_columns,
    read_report,
)
from formicary.factory.features.quality.verdicts import FeatureSummary, Verdict, summaries
from formicary.factory.features.store import Values
from tests.factory.features.quality.kit import NAMES, seconds, told, view

ROWS = 2_000


def reported(seed: int, *, factor: float = 1.0, scale: float = 7_200.0) -> QualityReport:
    """Return a report of random values."""
    return profile(view(), told(seed, ROWS, factor=factor), seconds(seed, ROWS, scale=scale))


def by_name(found: tuple[FeatureSummary, ...]) -> dict[str, FeatureSummary]:
    """Return summaries by the names of their features."""
    return {one.name: one for one in found}


def test_figures_are_those_of_the_values() -> None:
    """Shares are exact, quantiles within a percent; a derived feature is withheld with what it is made of."""
    values = told(1, ROWS)
    report = profile(view(), values, seconds(1, ROWS))
    assert report.rows == ROWS
    found = by_name(summaries(report))
    assert tuple(found) == NAMES
    missing = np.isnan(values.values)
    for column, name in enumerate(NAMES):
        one, present = found[name], values.values[~missing[:, column], column]
        assert one.null_ratio == missing[:, column].mean()
        assert one.mean == pytest.approx(present.mean(), rel=1e-12)
        for share, told_as in ((0.01, one.p1), (0.5, one.p50), (0.99, one.p99)):
            assert told_as == pytest.approx(np.quantile(present, share, method="lower"), rel=0.0101)
        assert (one.psi, one.verdicts) == (None, ())
    withheld = (values.withheld == 1).mean()
    shares = [found[name].withheld_ratio for name in NAMES]
    assert shares == [withheld, 0.0, withheld, 0.0]
    counts = values.values[~missing[:, 1], 1]
    assert found["count"].zero_ratio == (counts == 0).mean()


def test_ages_are_those_of_the_rows() -> None:
    """A derived feature is as old as its stalest part; one of the event alone has no age."""
    found = by_name(summaries(reported(2)))
    first, second = seconds(2, ROWS).T
    stalest = np.fmax(first, second)
    oldest = np.quantile(stalest, 0.99, method="lower")
    assert found["per_payment"].seconds_p99 == pytest.approx(oldest, rel=0.0101)
    usual = np.quantile(first, 0.5, method="lower")
    assert found["sum"].seconds_p50 == pytest.approx(usual, rel=0.0101)
    assert found["size"].seconds_p50 is None
    assert by_name(summaries(profile(view(), told(2, ROWS))))["sum"].seconds_p50 is None


def test_parts_add_up_to_the_whole() -> None:
    """The report of a day is the merge of those of its hours, to the last byte."""
    values, ages = told(3, ROWS), seconds(3, ROWS)
    parts = []
    for first, end in ((0, 1), (1, 700), (700, 700), (700, ROWS)):
        part = Values(
            names=values.names,
            values=values.values[first:end],
            withheld=values.withheld[first:end],
            subjects=values.subjects,
        )
        parts.append(profile(view(), part, ages[first:end]))
    merged = parts[3].merge(parts[1]).merge(parts[0]).merge(parts[2])
    assert merged.json() == profile(view(), values, ages).json()


def test_a_report_survives_its_file() -> None:
    """What is read back gives the same bytes and the same figures."""
    report = reported(4)
    read = read_report(report.json())
    assert read.json() == report.json()
    assert summaries(read, reported(5)) == summaries(report, reported(5))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff", b'{"version":1,"set":"asked"}', b'{"version":2,"set":"asked","features":[]}'],
)
def test_what_is_no_report_is_refused(content: bytes) -> None:
    """Another file, or one of a version that is not known."""
    with pytest.raises(MalformedReport):
        read_report(content)


def test_a_report_that_contradicts_itself_is_refused() -> None:
    """Counts that do not add up are nothing to compare with."""
    document = msgspec.json.decode(reported(4).json())
    document["features"][0]["values"]["rows"] += 1
    with pytest.raises(MalformedReport, match="do not hold"):
        read_report(msgspec.json.encode(document))


def test_other_features_do_not_add_up() -> None:
    """Reports of other sets, and values of other features, are a programmer's error."""
    other = profile_columns("asked", {"sum": np.ones(3)}, np.zeros(3, np.bool_))
    with pytest.raises(ProgrammingError, match="add up"):
        reported(1).merge(other)
    values = told(1, 3)
    wrong = Values(names=("a", "b", "c", "d"), values=values.values, withheld=values.withheld, subjects=())
    with pytest.raises(ProgrammingError, match="did not tell"):
        profile(view(), wrong)


def test_the_same_population_has_no_verdict() -> None:
    """Another window of the same people is found sound."""
    for one in summaries(reported(6), reported(7)):
        assert one.verdicts == ()
        assert one.psi is not None
        assert one.psi < 0.1
        assert one.distance_min is not None
        assert one.distance_max is not None
        assert 0 <= one.distance_min <= one.distance_max < 0.1


def test_a_shift_is_told() -> None:
    """Units that changed, and by how much the distribution moved."""
    found = by_name(summaries(reported(8, factor=100.0), reported(9)))
    assert found["sum"].verdicts == (Verdict.SHIFTED,)
    assert found["per_payment"].verdicts == (Verdict.SHIFTED,)
    assert found["count"].verdicts == ()
    moved = by_name(summaries(reported(8, factor=1.4), reported(9)))
    assert moved["sum"].verdicts == (Verdict.MOVED,)


def test_a_shift_of_few_rows_may_be_chance() -> None:
    """What so few rows make of nothing is no verdict."""
    few = profile(view(), told(10, 20), seconds(10, 20))
    found = by_name(summaries(few, reported(11)))["sum"]
    assert found.psi is not None
    assert found.psi > 0.1
    assert found.verdicts == ()


def test_rows_that_age_are_told() -> None:
    """A feed that stopped: the median age more than doubles, and is above an hour."""
    found = by_name(summaries(reported(12, scale=30_000.0), reported(13)))
    assert found["sum"].verdicts == (Verdict.STALE,)
    assert found["size"].verdicts == ()
    quick = by_name(summaries(reported(12, scale=600.0), reported(13, scale=60.0)))
    assert quick["sum"].verdicts == ()


def columns(**given: list[float]) -> QualityReport:
    """Return the report of a table, nothing withheld."""
    rows = len(next(iter(given.values())))
    arrays = {name: np.array(column, np.float64) for name, column in given.items()}
    return profile_columns("table", arrays, np.zeros(rows, np.bool_))


def test_missing_constant_and_new_features_are_told() -> None:
    """Each has its verdict; a constant that always was one has none."""
    nan = math.nan
    reference = columns(gone=[1.0, 2.0] * 50, flat=[1.0, 2.0] * 50, always=[3.0] * 100, some=[1.0, 2.0] * 50)
    window = columns(
        gone=[nan] * 100,
        flat=[1.0] * 100,
        always=[3.0] * 100,
        some=[1.0, nan, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 2.0] * 10,
        fresh=[1.0, 2.0] * 50,
    )
    found = by_name(summaries(window, reference))
    assert Verdict.EMPTY in found["gone"].verdicts
    assert Verdict.MISSING_MORE in found["gone"].verdicts
    assert Verdict.CONSTANT in found["flat"].verdicts
    assert found["always"].verdicts == ()
    assert Verdict.MISSING_MORE in found["some"].verdicts
    assert found["fresh"].verdicts == (Verdict.NEW,)
    assert by_name(summaries(columns(flat=[1.0] * 3)))["flat"].verdicts == (Verdict.CONSTANT,)


def test_withheld_values_are_no_defect() -> None:
    """Everybody said no: the feature is missing, and nothing is broken."""
    arrays = {"sum": np.full(50, math.nan)}
    found = summaries(profile_columns("table", arrays, np.ones(50, np.bool_)))[0]
    assert (found.null_ratio, found.withheld_ratio, found.verdicts) == (1.0, 1.0, ())


def test_another_meaning_is_not_compared() -> None:
    """A feature that was defined anew says so, and has no index."""
    report = reported(14)
    document = msgspec.json.decode(report.json())
    document["features"][1]["meaning"] = "0" * 16
    found = by_name(summaries(report, read_report(msgspec.json.encode(document))))
    assert found["count"].verdicts == (Verdict.REDEFINED,)
    assert found["count"].psi is None
    assert found["sum"].psi is not None
