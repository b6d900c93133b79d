"""Text that a column, an error or a note may hold, and that a message must show harmlessly."""

from __future__ import annotations

TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE result; --",
    "*bold* _under_ ~struck~ `code` ```fence```",
    "[click](http://evil.example/) ![](http://evil.example/x.png)",
    "[ref]: http://evil.example/",
    "<!channel> <@U123> <http://evil.example|Airflow> @everyone @here <at>boss</at>",
    "# heading\n> quote\n- item\n1. one\n---\n| a | b |\n",
    "&lt;b&gt; &#60;script&#62;",
    "\u202egnp.exe\u2066 \u200b\u2060\ufeff \x00\x07\x1b[2J",
    "\\*\\[\\<",
    "${USER} {monitor} %s %(x)s {{DATE(2017-02-14T06:08:00Z)}}",
    "טמפרטורה",
    "e" + "\u0301" * 200,
    "x" * 10_000,
)

STORED = tuple(text.replace("\0", "") for text in TEXTS)
"""As a results store may hold them: it refuses the character NUL."""
