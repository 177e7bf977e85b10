"""When to try again, and what an answer means."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tochka_core.outbound.public import Answer
from tochka_core.webhooks.schedules import (
    COMMAND_STEPS,
    JITTER,
    LONGEST,
    NEWS_STEPS,
    PAUSES_S,
    REMOVED,
    REQUESTED,
    judge,
    pause_after,
)

NEWS = None
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FAULT = Answer(None, error="connect")


def _delay(type: str | None, attempts: int, answer: Answer = FAULT) -> float:
    verdict = judge(type, attempts, answer, NOW)
    assert verdict.status == "pending"
    assert verdict.delay is not None
    return verdict.delay.total_seconds()


def _is_about(seconds: float, planned: float) -> bool:
    return planned * (1 - JITTER) <= seconds <= planned * (1 + JITTER)


@pytest.mark.parametrize("type", [REQUESTED, REMOVED])
def test_commands_are_repeated_on_a_schedule_of_seconds(type: str | None) -> None:
    for number, planned in enumerate((1, 1, 2, 3, 5, 8), 1):
        assert _is_about(_delay(type, number), planned)


def test_requested_goes_on_in_seconds_until_its_deadline() -> None:
    assert _is_about(_delay(REQUESTED, 500), 8)


def test_removed_goes_on_for_days_and_is_never_given_up() -> None:
    first_of_news = len(COMMAND_STEPS) + 1
    assert _is_about(_delay(REMOVED, first_of_news), 300)
    assert _is_about(_delay(REMOVED, 10_000), 86400)


def test_news_are_tried_ten_times_over_three_days() -> None:
    for number, planned in enumerate(NEWS_STEPS, 1):
        assert _is_about(_delay(NEWS, number), planned)
    assert 3 * 86400 < sum(NEWS_STEPS) < 3.5 * 86400
    assert judge(NEWS, 10, FAULT, NOW).status == "expired"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_what_may_pass_is_waited_for_three_days(status: int) -> None:
    assert judge(NEWS, 9, Answer(status), NOW).status == "pending"
    assert judge(NEWS, 10, Answer(status), NOW).status == "expired"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 409, 413, 422])
def test_what_will_not_pass_is_tried_five_times_in_three_hours(status: int) -> None:
    assert judge(NEWS, 4, Answer(status), NOW).status == "pending"
    assert judge(NEWS, 5, Answer(status), NOW).status == "expired"
    assert sum(NEWS_STEPS[:4]) < 3 * 3600


@pytest.mark.parametrize("status", [200, 201, 204, 299])
@pytest.mark.parametrize("type", [REQUESTED, REMOVED, NEWS])
def test_success_is_success(type: str | None, status: int) -> None:
    assert judge(type, 1, Answer(status), NOW).status == "delivered"


def test_202_means_working_on_it_for_requested_alone() -> None:
    assert judge(REQUESTED, 1, Answer(202), NOW).status == "accepted"
    assert judge(REMOVED, 1, Answer(202), NOW).status == "delivered"
    assert judge(NEWS, 1, Answer(202), NOW).status == "delivered"


@pytest.mark.parametrize("status", [409, 422])
def test_a_final_no_is_one_for_commands_alone(status: int) -> None:
    assert judge(REQUESTED, 1, Answer(status), NOW).status == "refused"
    assert judge(REMOVED, 1, Answer(status), NOW).status == "refused"
    assert judge(NEWS, 1, Answer(status), NOW).status == "pending"


def test_410_ends_news_but_not_commands() -> None:
    assert judge(NEWS, 1, Answer(410), NOW).status == "refused"
    assert judge(REQUESTED, 1, Answer(410), NOW).status == "pending"
    assert judge(REMOVED, 1, Answer(410), NOW).status == "pending"


def test_a_wish_to_be_asked_later_is_honoured_within_bounds() -> None:
    wish = Answer(429, headers={"retry-after": "3600"})
    assert _delay(NEWS, 1, wish) == 3600
    assert _delay(REQUESTED, 1, wish) == 8  # a deadline does not wait
    dated = Answer(503, headers={"retry-after": "Tue, 24 Nov 2026 12:30:00 GMT"})
    assert _delay(NEWS, 1, dated) == 1800
    assert _delay(NEWS, 1, Answer(503, headers={"retry-after": "999999999999"})) == LONGEST.total_seconds()
    for never in ("Mon, 01 Jan 99999999999 00:00:00 GMT", "soon"):
        assert _delay(NEWS, 1, Answer(503, headers={"retry-after": never})) < 60  # the first step


def test_a_wish_never_makes_it_sooner() -> None:
    assert _is_about(_delay(NEWS, 3, Answer(429, headers={"retry-after": "0"})), 1800)
    past = Answer(503, headers={"retry-after": "Tue, 24 Nov 2020 12:30:00 GMT"})
    assert _is_about(_delay(NEWS, 3, past), 1800)


@given(st.text(max_size=60), st.integers(1, 40), st.sampled_from([REQUESTED, REMOVED, NEWS]))
def test_no_header_breaks_the_schedule(header: str, attempts: int, type: str | None) -> None:
    verdict = judge(type, attempts, Answer(503, headers={"retry-after": header}), NOW)
    if verdict.delay is not None:
        assert timedelta() < verdict.delay <= LONGEST * (1 + JITTER)


def test_a_loop_rests_longer_with_every_failure_and_outlives_any_number_of_them() -> None:
    assert [pause_after(failures) for failures in range(1, 7)] == list(PAUSES_S) == sorted(PAUSES_S)
    assert pause_after(100_000) == PAUSES_S[-1]
