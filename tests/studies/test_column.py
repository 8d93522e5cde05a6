"""The rules of a table's column: each with its arms, the sample and the baseline."""

from typing import Any

from hornbook.studies.column import columns


def run(arm: str, rule: str, limit: int | None = None, **more: Any) -> tuple[str, dict[str, Any]]:
    one = {"measure": "BLiMP", "unit": "%", "rule": rule, "over": "9 pairs"} | more
    return arm, {"measures": [{"asked": {"limit": limit}, "found": [one]}]}


def column(*runs: tuple[str, dict[str, Any]]) -> Any:
    return columns({}, ["a", "b", "c"], runs)["BLiMP"]


def test_a_rule_with_numbers_says_whose_they_are() -> None:
    """A rule may count what one run did."""
    assert column(run("a", "Ties: 0."), run("a", "Ties: 0.")).objective == "Ties: 0. Over 9 pairs."
    told = column(run("a", "Ties: 0 (-3.1)."), run("a", "Ties: 1 (2.0)."), run("b", "Ties: 2 (1,000)."))
    assert told.objective == (
        "Ties: 0 (-3.1). (The numbers in these words are the first run's.) Over 9 pairs."
    )
    assert [rule.arms for rule in told.rules] == [("a", "b")]


def test_rules_that_differ_stand_each_with_its_arms() -> None:
    causal, masked = "Read after id 2.", "Each word of id 3 is hidden."
    told = column(run("a", causal), run("b", masked), run("c", masked), run("a", causal))
    assert [(rule.arms, rule.text) for rule in told.rules] == [(("a",), causal), (("b", "c"), masked)]
    assert told.objective == f"a: {causal} Over 9 pairs. b, c: {masked} Over 9 pairs."


def test_the_sample_and_the_baseline_are_told() -> None:
    (rule,) = column(run("a", "Right.", 1500, baseline=68.4)).rules
    assert rule.words == "Right. Over 9 pairs, a sample (limit: 1,500)." and rule.baseline == 68.4


def test_another_sample_is_another_rule() -> None:
    """Nine pairs and all pairs don't compare, whatever the numbers."""
    assert len(column(run("a", "Right."), run("b", "Right.", 9)).rules) == 2
