"""The steps of a plan come back as they were put in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from workbench.ingest.steps import Action, Step, Steps

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(st.lists(st.builds(Step, st.sampled_from(Action), st.tuples(texts, texts), st.booleans())))
def test_steps_come_back_in_their_order_each_time_they_are_read(expected: list[Step]) -> None:
    steps = Steps()
    for step in expected:
        steps.add(step)
    assert len(steps) == len(expected)
    assert list(steps) == list(steps) == expected


def test_steps_are_read_in_another_thread_than_they_were_made_in() -> None:
    steps = Steps()
    steps.add(Step(Action.ADD, ("s", "a"), fetch=True))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(list, steps).result() == [Step(Action.ADD, ("s", "a"), fetch=True)]
