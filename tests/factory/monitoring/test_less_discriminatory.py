"""Of models that earn about as much, the one that treats groups most alike."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.less_discriminatory import Candidate, less_discriminatory

drawn = st.lists(
    st.tuples(st.integers(-2_000, 2_000), st.none() | st.sampled_from([0.5, 0.8, 0.9])),
    min_size=1,
    max_size=8,
)


def test_a_little_money_is_given_up() -> None:
    """As much as was allowed and no more."""
    candidates = [
        Candidate(name="champion", money=10_000, ratio=0.75),
        Candidate(name="fairer", money=9_900, ratio=0.85),
        Candidate(name="fairest", money=9_899, ratio=0.99),
        Candidate(name="as_fair", money=9_950, ratio=0.85),
    ]
    found = less_discriminatory(candidates, tolerance_bp=100)
    assert found.chosen.name == "as_fair"
    assert found.best.name == "champion"
    assert found.about_as_good == ("champion", "as_fair", "fairer")
    assert found.given_up == 50
    assert less_discriminatory(candidates, tolerance_bp=0).chosen.name == "champion"
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


@settings(max_examples=50)
@given(drawn, st.integers(0, 5_000))
def test_no_other_is_better(rows: list[tuple[int, float | None]], tolerance: int) -> None:
    """Nothing about as good has a higher ratio, or the same with more money."""
    candidates = [Candidate(name=str(at), money=money, ratio=ratio) for at, (money, ratio) in enumerate(rows)]
    found = less_discriminatory(candidates, tolerance_bp=tolerance)
    most = max(one.money for one in candidates)
    good = [one for one in candidates if (most - one.money) * 10_000 <= abs(most) * tolerance]
    assert set(found.about_as_good) == {one.name for one in good}
    key = (found.chosen.ratio or 0, found.chosen.money)
    assert key == max((one.ratio or 0, one.money) for one in good)
    assert found.given_up == most - found.chosen.money


def test_nothing_to_choose_from_is_refused() -> None:
    """No candidate, two of one name, and a tolerance that nothing meets."""
    one = Candidate(name="a", money=1, ratio=1.0)
    for candidates, tolerance in (([], 1), ([one, one], 1), ([one], -1)):
        with pytest.raises(ProgrammingError):
            less_discriminatory(candidates, tolerance_bp=tolerance)
