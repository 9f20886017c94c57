"""Questions of a broadcast: bounded, paused, judged once, and shown to nobody before the teacher says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import questions as asking
from server.domain.questions import Questions
from server.errors import UserFault
from server.protocol.broadcast import QuestionState


def asked(count: int, viewers: int = 40) -> Questions:
    """So many questions of so many viewers, one a minute."""
    questions = Questions()
    for k in range(count):
        questions = asking.ask(questions, f"v{k % viewers}", "李老师", f"问题 {k}", k * 60_000)
    return questions


def test_a_question_waits_and_is_shown_only_when_the_teacher_let_it_through() -> None:
    questions = asked(2)
    assert [one.text for one in questions.waiting()] == ["问题 0", "问题 1"]
    assert questions.shown() == []
    questions = asking.judge(questions, 1, QuestionState.APPROVED)
    assert [one.number for one in questions.shown()] == [1]
    questions = asking.judge(questions, 1, QuestionState.ANSWERED)
    assert [one.state for one in questions.shown()] == [QuestionState.ANSWERED]


def test_a_dismissed_question_is_seen_by_nobody_again() -> None:
    questions = asking.judge(asked(1), 1, QuestionState.DISMISSED)
    assert (questions.shown(), questions.queue()) == ([], [])


@pytest.mark.parametrize(
    ("text", "code"), [("", "question_length"), ("  \n ", "question_length"), ("x" * 201, "question_length")]
)
def test_an_empty_or_endless_question_is_refused_in_words(text: str, code: str) -> None:
    with pytest.raises(UserFault) as refused:
        asking.ask(Questions(), "v", "", text, 0)
    assert refused.value.code == code
    assert refused.value.words.zh
    assert refused.value.words.en


def test_one_viewer_pauses_between_questions_and_fills_no_queue() -> None:
    questions = asking.ask(Questions(), "v", "", "one", 0)
    with pytest.raises(UserFault, match="asks_too_fast"):
        asking.ask(questions, "v", "", "two", asking.PAUSE_MS - 1)
    for k in (1, 2):
        questions = asking.ask(questions, "v", "", f"more {k}", k * asking.PAUSE_MS)
    with pytest.raises(UserFault, match="questions_full"):
        asking.ask(questions, "v", "", "one too many", 9 * asking.PAUSE_MS)
    asking.ask(questions, "w", "", "another viewer may", 9 * asking.PAUSE_MS)


def test_the_queue_is_bounded_and_can_be_closed() -> None:
    full = asked(asking.MOST_WAITING)
    with pytest.raises(UserFault, match="questions_full"):
        asking.ask(full, "late", "", "hello", 10**9)
    with pytest.raises(UserFault, match="questions_closed"):
        asking.ask(Questions(open=False), "v", "", "hello", 0)


def test_what_was_judged_is_forgotten_before_what_waits() -> None:
    questions = Questions()
    for k in range(asking.MOST_KEPT + 50):
        questions = asking.ask(questions, f"v{k}", "", f"q{k}", k * 60_000)
        if k != 0:
            questions = asking.judge(questions, k + 1, QuestionState.APPROVED)
    assert len(questions.asked) == asking.MOST_KEPT
    assert questions.asked[0].number == 1, "the one that waits is still there"


def test_a_question_is_judged_by_the_table_and_an_unknown_one_is_named() -> None:
    questions = asking.judge(asked(1), 1, QuestionState.ANSWERED)
    for state in QuestionState:
        with pytest.raises(UserFault, match="question_judged"):
            asking.judge(questions, 1, state)
    with pytest.raises(UserFault, match="no_such_question"):
        asking.judge(questions, 7, QuestionState.APPROVED)


@given(st.text(max_size=300))
def test_a_cleaned_line_has_no_line_break_and_no_direction_of_its_own(text: str) -> None:
    line = asking.clean(text)
    assert asking.clean(line) == line
    assert line == line.strip()
    assert not any(letter in line for letter in "\n\r\t\u202e\u2066\u200b\0")
