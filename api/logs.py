"""Log lines: one JSON object a line on stderr (or coloured text on a terminal), and never a secret in them.

Guarantees: a value whose key names a secret, and any text that looks like one of our tokens or a bearer header, is
replaced before it is written, in nested data and exceptions' messages too. The processor runs last but the renderer, so that
no other one adds a secret after it.
"""

import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

HIDDEN: Final = "[hidden]"
_SECRET_KEY: Final = re.compile(r"(?i)(password|passwd|secret|token|cookie|authorization|private_?key|signature|csrf)")
_HARMLESS_KEY: Final = frozenset({"token_hash", "secret_file", "password_file"})
_SECRET_TEXT: Final = re.compile(
    r"ptq1\.[A-Za-z0-9_-]{8,}|ptk_[A-Za-z0-9_-]{8,}|(?i:bearer\s+)[A-Za-z0-9._~+/-]{8,}"
    r"|\$argon2[a-z]*\$[^\s\"']+|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"
)
_DEPTH: Final = 6


def redact(value: Any, depth: int = _DEPTH) -> Any:
    """`value` without secrets: same shape, hidden parts replaced."""
    if isinstance(value, str):
        return _SECRET_TEXT.sub(HIDDEN, value)
    if isinstance(value, bytes):
        return f"<{len(value)} octets>"
    if depth and isinstance(value, dict):
        return {key: HIDDEN if _is_secret(key) else redact(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth - 1) for item in value]
    if value is None or isinstance(value, int | float | bool):
        return value
    return _SECRET_TEXT.sub(HIDDEN, str(value))


def _is_secret(key: object) -> bool:
    return isinstance(key, str) and key not in _HARMLESS_KEY and _SECRET_KEY.search(key) is not None


def redactor(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor."""
    for key, value in list(event.items()):
        event[key] = HIDDEN if _is_secret(key) else redact(value)
    return event


def configure(*, terminal: bool | None = None, stream: Any = None) -> None:
    """Set up logging for this process, the standard library's loggers (uvicorn) included."""
    import logging

    out = stream or sys.stderr
    on_terminal = out.isatty() if terminal is None else terminal
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Any] = [structlog.processors.format_exc_info, redactor]
    renderer: Any = structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, *ending, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=stream is None,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("httpx", "httpcore", "asyncio", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def logger(name: str) -> Any:
    """A logger whose lines carry the module's name."""
    return structlog.get_logger(module=name)
