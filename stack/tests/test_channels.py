"""`tochka channels check` asks the messengers, and nothing of ours has to run."""

from stack.tests.driver import refused, tochka

AWAY = {
    "TOCHKA_CORE_MAX_BOT_TOKEN": "a-token-of-a-bot",
    "TOCHKA_CORE_MAX_BOT_NAME": "tochka_bot",
    "TOCHKA_CORE_MAX_API_URL": "http://127.0.0.1:1",
}


def test_no_channel_is_not_well() -> None:
    done = tochka("channels", "check")
    assert done.returncode == 11
    assert "nobody can sign in" in done.stdout


def test_a_messenger_that_does_not_answer_is_named() -> None:
    done = tochka("channels", "check", settings=AWAY)
    assert done.returncode == 11
    assert done.stdout == "✗ max (bot): MAX answers nothing: connection\n"
    assert "a-token-of-a-bot" not in done.stdout + done.stderr


def test_a_setting_that_makes_no_sense_is_named() -> None:
    code, _ = refused("channels", "check", settings={**AWAY, "TOCHKA_CORE_MAX_BOT_NAME": ""})
    assert code == 2
    code, _ = refused("channels", "check", settings={**AWAY, "TOCHKA_CORE_SMS_BODY": "{"})
    assert code == 2


def test_sms_need_no_messenger() -> None:
    settings = {
        "TOCHKA_CORE_SMS_URL": "https://sms.example/send",
        "TOCHKA_CORE_SMS_BODY": '{"to": "{phone}", "message": "{text}"}',
    }
    done = tochka("channels", "check", settings=settings)
    assert (done.returncode, done.stdout.count("✓")) == (0, 2)
