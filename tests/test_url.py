import pytest

from monitoring_tasks.url import secrets, shown, without_secrets


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ada:hush@db:5432/x", "postgresql://ada:***@db:5432/x"),
        ("postgresql+psycopg://ada:h%40u:sh@db/x", "postgresql+psycopg://ada:***@db/x"),
        ("postgresql://:hush@db/x", "postgresql://:***@db/x"),
        ("postgresql://ada@db/x?password=hush", "postgresql://ada@db/x?password=***"),
        (
            "postgresql://db/x?user=ada&PassWord=hush&sslmode=require",
            "postgresql://db/x?user=ada&PassWord=***&sslmode=require",
        ),
        (
            "snowflake://ada:hush@account/db?private_key_passphrase=hush2",
            "snowflake://ada:***@account/db?private_key_passphrase=***",
        ),
        ("databricks://token:hush@host?http_path=/sql/1", "databricks://token:***@host?http_path=/sql/1"),
        ("duckdb:///md:log?motherduck_token=hush", "duckdb:///md:log?motherduck_token=***"),
        ("trino://db/x?access_token=hush", "trino://db/x?access_token=***"),
    ],
)
def test_no_secret_is_shown_wherever_it_stands(url: str, expected: str) -> None:
    assert shown(url) == expected
    assert "hush" not in shown(url)
    assert secrets(url)


@pytest.mark.parametrize("url", ["duckdb:///log.duckdb", "postgresql://ada@db/x?sslmode=require", "sqlite:////a@b:c/d"])
def test_a_url_without_secrets_is_shown_as_it_is(url: str) -> None:
    assert shown(url) == url
    assert secrets(url) == ()
    assert without_secrets("an error", url) == "an error"


def test_a_secret_is_hidden_in_whatever_form_a_driver_repeats_it() -> None:
    url = "postgresql://ada:s%40fe+w%2Frd@db/x?sslpassword=two%20words"
    text = "refused s%40fe+w%2Frd s@fe+w/rd 'two words' two+words"
    assert without_secrets(text, url) == "refused *** *** '***' ***"
