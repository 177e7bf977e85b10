"""`tochka accounts recover` works beside a stack that runs."""

from pathlib import Path

from stack.tests.driver import refused, tochka


def test_nobody_is_let_in_where_nothing_runs(tmp_path: Path) -> None:
    numbers = ("+79991234567", "+79997654321")
    code, sentence = refused("accounts", "recover", *numbers, "--data-dir", str(tmp_path))
    assert code == 10
    assert "tochka up" in sentence


def test_the_help_says_to_make_sure_who_it_is() -> None:
    assert "Make sure first who it is" in tochka("accounts", "recover", "--help").stdout
