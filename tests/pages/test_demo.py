"""The Demo page, run as Streamlit runs it: a link, a question, cards; and two tables blind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pymupdf
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench import plugins
from workbench.config import parsed
from workbench.ui.demo import demo, offer
from workbench.ui.demo.demo import PRESENTER, QUESTION, contestant, swapped, voted_as
from workbench.ui.demo.offer import Offer, Rate, set_offer
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
ALONE = APP.parent / "demo" / "main.py"
CONFIG = """
version: 1
name: {name}
chunker: {{name: fixed_size, size_tokens: {size}}}
embedder: {{name: hashing}}
"""
SMALL = parsed(CONFIG.format(name="Small", size=9))
LARGE = parsed(CONFIG.format(name="Large", size=40))
ASKED = "is half of the fare refunded?"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    found = Workspace(tmp_path)
    with pymupdf.open() as file:
        file.new_page().insert_text(
            (72, 72), "The tram was late. Half of the fare is refunded. <b>Ask</b> us."
        )
        found.add("fares.pdf", file.tobytes())
    found.add("cameras.txt", b"Cameras record no sound. Pictures are kept for three days.")
    for config in (SMALL, LARGE):
        found.tables.build(config)
    yield found
    st.cache_resource.clear()


def page(*tables: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.query_params["demo"] = list(tables)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def heads(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown if element.value.startswith("**")]


@pytest.mark.usefixtures("here")
def test_the_link_opens_one_search_box_and_nothing_else() -> None:
    app = page("Small")
    assert not app.exception
    assert [element.key for element in app.text_input] == [QUESTION]
    assert not app.toggle
    assert not app.multiselect


@pytest.mark.usefixtures("here")
def test_a_question_gets_cards_with_title_page_and_a_strip_of_the_page() -> None:
    app = page("Small", q=ASKED)
    assert not app.exception
    assert app.text_input(QUESTION).value == ASKED
    assert any(head.endswith(":gray[· page 1]") for head in heads(app))
    assert any(expander.label == "As text" for expander in app.expander)
    app.text_input(QUESTION).set_value("cameras").run()
    assert "cameras" in app.query_params["q"]


def test_a_card_has_the_file_name_behind_the_title(here: Workspace) -> None:
    here.add("r7.md", b"# The rules of the ferries\n\nFerries turn around at dusk.")
    here.tables.build(SMALL)
    app = page("Small", q="when do ferries turn around at dusk")
    assert r"**The rules of the ferries** :gray[r7\.md]" in heads(app)


@pytest.mark.parametrize("question", ["'; DROP TABLE x; --", "<script>", "🚋", "x" * 499, "   "])
@pytest.mark.usefixtures("here")
def test_nothing_that_is_typed_breaks_it(question: str) -> None:
    app = page("Small")
    app.text_input(QUESTION).set_value(question).run()
    assert not app.exception
    assert not app.error


@pytest.mark.usefixtures("here")
def test_a_link_to_a_table_that_is_gone_shows_the_newest() -> None:
    app = page("gone", q=ASKED)
    assert not app.exception
    assert heads(app)
    assert any("not here any more" in caption.value for caption in app.caption)
    assert not any("not here any more" in caption.value for caption in page("Small", q=ASKED).caption)


@pytest.mark.usefixtures("here")
def test_a_link_with_a_question_beyond_all_bounds_is_answered_or_refused_in_words() -> None:
    for question in ("tram " * 1_000, "x" * 30_000):
        app = page("Small", q=question)
        assert not app.exception
        assert heads(app) or app.error or app.warning


def test_a_table_that_is_deleted_while_the_page_is_open_ends_in_words(here: Workspace) -> None:
    app = page("Small", "Large", q=ASKED)
    here.tables.drop(SMALL.table_name)
    app.run()
    assert not app.exception
    assert heads(app)
    here.tables.drop(LARGE.table_name)
    app.run()
    assert not app.exception
    assert "nothing to search here" in app.info[0].value


def test_judged_questions_are_suggested(here: Workspace) -> None:
    document = here.document(here.documents()[0].id)
    for text in ("Is the fare refunded?", "Do cameras hear?", "x" * 200):
        here.question_sets.judge("Mine", text, document, 0, 5, 2)
    app = page("Small")
    labels = [button.label for button in app.button]
    assert labels == ["Is the fare refunded?", "Do cameras hear?"]
    app.button[0].click().run()
    assert app.text_input(QUESTION).value == "Is the fare refunded?"
    assert heads(app)


def test_a_question_judged_in_passing_does_not_hide_a_set_of_many(here: Workspace) -> None:
    document = here.document(here.documents()[0].id)
    here.question_sets.judge("A first try", "Is this judged?", document, 0, 5, 2)
    for number in range(8):
        here.question_sets.judge("Sample questions", f"Question {number}?", document, 0, 5, 2)
    app = page("Small")
    assert [button.label for button in app.button] == [f"Question {number}?" for number in (0, 2, 4, 6)]


def test_a_blind_vote_is_kept_for_the_right_table_and_summed_up(here: Workspace) -> None:
    app = page("Small", "Large", q=ASKED)
    app.session_state[demo.MARK] = {"mark": "0a" * 16}
    app.toggle(PRESENTER).set_value(True).run()
    assert not app.exception
    assert [e.value for e in app.markdown if e.value in ("### A", "### B")] == ["### A", "### B"]
    voter = app.session_state[demo.VOTER]
    names = [contestant("Small", SMALL), contestant("Large", LARGE)]
    if swapped(voter, ASKED):
        names.reverse()
    next(button for button in app.button if button.label == "A is better").click().run()
    assert not app.exception
    count = here.votes.count(*names)
    assert (count.first, count.second, count.neither) == (1, 0, 0)
    first = names[0].rsplit(" · ", 1)[0]
    assert any(f"A is {first}, B is" in e.value and "1 of 1" in e.value for e in app.markdown)
    assert any(
        "One vote for each question and browser" in e.value and "renewed" in e.value for e in app.caption
    )


def test_the_latest_vote_of_one_browser_counts_whatever_tab_it_comes_from(here: Workspace) -> None:
    names = [contestant("Small", SMALL), contestant("Large", LARGE)]

    def vote(mark: str, label: str, *tables: str) -> None:
        tab = page(*(tables or ("Small", "Large")), q=ASKED)
        tab.session_state[demo.MARK] = {"mark": mark}
        tab.toggle(PRESENTER).set_value(True).run()
        next(button for button in tab.button if button.label == label).click().run()
        assert not tab.exception

    def total() -> int:
        count = here.votes.count(*names)
        return count.decided + count.neither

    vote("0a" * 16, "A is better")
    vote("0a" * 16, "B is better", "Large", "Small")
    assert total() == 1
    vote("0a" * 16, "No difference")
    assert here.votes.count(*names).neither == total() == 1
    vote("0b" * 16, "A is better")
    assert total() == 2


@pytest.mark.parametrize(
    "mark", [None, "0a" * 15, "0A" * 16, "0a" * 16 + "\n", "x' OR 1=1; --", 7, ["0a" * 16]]
)
@pytest.mark.usefixtures("here")
def test_nobody_votes_before_the_browser_has_told_who_it_is(mark: object) -> None:
    tab = page("Small", "Large", q=ASKED)
    tab.session_state[demo.MARK] = {"mark": mark}
    tab.toggle(PRESENTER).set_value(True).run()
    assert not tab.exception
    assert [button.disabled for button in tab.button if "better" in button.label] == [True, True]


def test_two_votes_of_one_person_share_no_name() -> None:
    names = {
        voted_as("me", question, *pair) for question in ("q", "other") for pair in (("a", "b"), ("a", "c"))
    }
    assert len(names) == 4
    assert voted_as("me", " q", "b", "a") in names


def test_votes_for_another_table_or_other_settings_under_the_same_name_are_not_summed() -> None:
    searched_alike = replace(
        SMALL, retriever=plugins.build("retrievers", SMALL.retriever.name, {"diversity": 0.5})
    )
    cut_alike = replace(SMALL, chunker=LARGE.chunker)
    shown_alike = replace(SMALL, retriever=plugins.build("retrievers", SMALL.retriever.name, {"top_k": 9}))
    names = [contestant("Small", one) for one in (SMALL, searched_alike, cut_alike)]
    assert len(set(names)) == 3
    assert contestant("Small", shown_alike) == names[0]


def test_an_answer_named_by_the_audience_is_a_judgment(here: Workspace) -> None:
    app = page("Small", "Large", q=ASKED)
    app.toggle(PRESENTER).set_value(True).run()
    next(button for button in app.button if button.label == "This answers it").click().run()
    assert not app.exception
    kept = here.question_sets.get(demo.VOTED_SET)
    assert [question.text for question in kept.questions] == [ASKED]
    assert [judgment.grade for judgment in kept.judgments] == [2]


def test_the_order_of_a_and_b_changes_with_the_question_and_is_fair() -> None:
    found = [swapped("voter", f"question {number}") for number in range(400)]
    assert found == [swapped("voter", f"question {number} ") for number in range(400)]
    # A fair coin is off by 50 of 400 less than once in a million times.
    assert 150 < sum(found) < 250


# ── served alone ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def offered(here: Workspace) -> Iterator[Workspace]:
    """This process offers the small table."""
    set_offer(Offer((SMALL.table_name,)))
    yield here
    set_offer(None)


def alone(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ALONE), default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.usefixtures("offered")
def test_served_alone_it_shows_the_table_that_is_offered_whatever_the_address_names() -> None:
    own, other = alone(q=ASKED), alone(q=ASKED, demo="Large", way="keyword", view="mark")
    assert not own.exception
    assert [element.key for element in own.text_input] == [QUESTION]
    assert heads(own) == heads(other) != []
    assert not own.toggle
    assert not other.toggle
    assert len(own.sidebar) == 0
    assert not any("not here any more" in caption.value for caption in other.caption)


@pytest.mark.usefixtures("offered")
def test_served_alone_no_other_table_stands_in_for_one_that_is_gone(here: Workspace) -> None:
    here.tables.drop(SMALL.table_name)
    app = alone(q=ASKED)
    assert not app.exception
    assert not heads(app)
    assert "not here any more" in app.info[0].value


@pytest.mark.usefixtures("offered")
def test_served_alone_two_tables_are_compared_blind(here: Workspace) -> None:
    set_offer(Offer((SMALL.table_name, LARGE.table_name)))
    app = alone(q=ASKED)
    app.toggle(PRESENTER).set_value(True).run()
    assert [e.value for e in app.markdown if e.value in ("### A", "### B")] == ["### A", "### B"]


@pytest.mark.parametrize("drawn", [partial(page, "Small"), alone])
@pytest.mark.usefixtures("offered")
def test_a_question_has_a_length_and_a_longer_one_is_told_its_own(drawn: Callable[..., AppTest]) -> None:
    asked = "tram " * 100 + "x"
    app = drawn(q=asked)
    assert not app.exception
    assert not heads(app)
    assert "500 characters at most; this one has 501" in app.warning[0].value
    assert heads(drawn(q=asked[:499]))


@pytest.mark.usefixtures("offered")
def test_a_visitor_in_a_hurry_is_told_to_wait_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offer, "PER_VISITOR", 2)
    hurried = alone(q=ASKED)
    assert heads(hurried.run())
    hurried.run()
    assert not heads(hurried)
    assert "Wait a minute" in hurried.warning[0].value
    assert heads(alone(q=ASKED))


@pytest.mark.usefixtures("here")
def test_all_visitors_together_have_a_bound_too() -> None:
    set_offer(Offer((SMALL.table_name,), rate=Rate(1)))
    try:
        assert heads(alone(q=ASKED))
        assert "Wait a minute" in alone(q=ASKED).warning[0].value
    finally:
        set_offer(None)


def test_votes_and_judgments_count_as_questions_do(here: Workspace) -> None:
    set_offer(Offer((SMALL.table_name, LARGE.table_name), rate=Rate(2)))
    try:
        app = alone(q=ASKED)
        app.session_state[demo.MARK] = {"mark": "0a" * 16}
        app.toggle(PRESENTER).set_value(True).run()
        buttons = [b for b in app.button if b.label in ("A is better", "This answers it")]
        for button in buttons[:2]:
            button.click()
        app.run()
        assert not app.exception
        total = here.votes.count(contestant("Small", SMALL), contestant("Large", LARGE))
        assert total.decided == 0
        assert demo.VOTED_SET not in {kept.name for kept in here.question_sets.sets()}
    finally:
        set_offer(None)


@pytest.mark.usefixtures("offered")
def test_visitors_are_not_told_names_of_folders_and_models(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost = parsed(
        CONFIG.format(name="Lost", size=12) + "retriever: {name: reranked, model: /srv/secret/folder}\n"
    )
    Workspace(tmp_path).tables.build(lost)
    set_offer(Offer((lost.table_name,)))
    app = alone(q=ASKED)
    assert not app.exception
    assert ["cannot be answered just now" in error.value for error in app.error] == [True]
    assert "/srv/secret/folder" in caplog.text
    assert "secret" not in str([*app.markdown, *app.caption, *app.error])
    set_offer(None)
    assert "secret" in page("Lost", q=ASKED).error[0].value


def test_a_rate_forgets_what_is_more_than_a_minute_old() -> None:
    now = [0.0]
    rate = Rate(2, clock=lambda: now[0])
    assert [rate.admit(), rate.admit(), rate.admit()] == [True, True, False]
    now[0] = 59.9
    assert not rate.admit()
    now[0] = 60.0
    assert [rate.admit(), rate.admit(), rate.admit()] == [True, True, False]
