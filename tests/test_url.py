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
        ("postgresql://ada:hush/hush@db/x", "postgresql://ada:***@db/x"),
        ("postgresql://ada:?hush#hush@db:5432/x?sslmode=require", "postgresql://ada:***@db:5432/x?sslmode=require"),
        ("postgresql://ada:hush@hush@db/x?user=a@b", "postgresql://ada:***@db/x?user=a@b"),
        ("postgresql://ada:hush/@hush/hush@db/x", "postgresql://ada:***@db/x"),
        ("postgresql://ada@corp.example:hush@db/x", "postgresql://ada@corp.example:***@db/x"),
        ("trino://db/x?proxy=http://ada:hush@web", "trino://db/x?proxy=http://ada:***@web"),
        ("mysql://db/x?pass=hush&ssl=1", "mysql://db/x?pass=***&ssl=1"),
        ("mysql://db/x?a=1&PASS=hush;hush#hush", "mysql://db/x?a=1&PASS=***"),
        ("azure://store/x?sv=1&sig=hush", "azure://store/x?sv=1&sig=***"),
        ("databricks://host?pat=hush&http_path=/sql/1", "databricks://host?pat=***&http_path=/sql/1"),
        ("databricks://host?my_pat=hush", "databricks://host?my_pat=***"),
        ("trino://db/x?Authorization=hush", "trino://db/x?Authorization=***"),
        ("trino://db/x?auth=hush", "trino://db/x?auth=***"),
        (
            "azure://store?DefaultEndpointsProtocol=https;AccountKey=hush",
            "azure://store?DefaultEndpointsProtocol=https;AccountKey=***",
        ),
        ("ada:hush@db/x", "ada:***@db/x"),
        ("postgresql//ada:hush@db/x", "postgresql//ada:***@db/x"),
        ("postgresql:/ada:hush@db/x", "postgresql:***@db/x"),
    ],
)
def test_no_secret_is_shown_wherever_it_stands(url: str, expected: str) -> None:
    assert shown(url) == expected
    assert "hush" not in shown(url)
    assert secrets(url)


@pytest.mark.parametrize(
    "url",
    [
        "duckdb:///log.duckdb",
        "duckdb:///C:/a@b",
        "postgresql://ada@db/x?sslmode=require",
        "postgresql://db:5432/x?path=a/b",
        "sqlite:////a@b:c/d",
        "snowflake://ada@account/x?authenticator=externalbrowser&pattern=a&signal=b&compass=c",
    ],
)
def test_a_url_without_secrets_is_shown_as_it_is(url: str) -> None:
    assert shown(url) == url
    assert secrets(url) == ()
    assert without_secrets("an error", url) == "an error"


def test_a_secret_is_hidden_in_whatever_form_a_driver_repeats_it() -> None:
    url = "postgresql://ada:s%40fe+w%2Frd@db/x?sslpassword=two%20words"
    text = "refused s%40fe+w%2Frd s@fe+w/rd 'two words' two+words"
    assert without_secrets(text, url) == "refused *** *** '***' ***"


def test_what_a_driver_takes_for_the_host_of_a_secret_with_an_at_is_hidden() -> None:
    url = "postgresql://ada:s3@fe@db/x"
    assert without_secrets("could not resolve 'fe@db' with 's3'", url) == "could not resolve '***db' with '***'"
