"""How long a start is to be looked for: what makes "who ran something not allowed at that time" quick at any size.

Guarantees: every start that was not allowed when it began has a span of its length, so that a window finds those still
running by looking a bounded time back, and the few long ones apart. What was allowed then has none: its end is not
reported, and a later deny is found by the deny.
"""

from typing import Final

from radius_policy.model import SECOND, Execution, Micros, Span, VerdictWord

HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR
LENGTHS: Final = {Span.HOUR: HOUR, Span.DAY: DAY}
"""The spans that end, and by when after the start."""


def span_of(
    word: VerdictWord,
    started: Micros,
    ended: Micros | None,
    *,
    uncertainty_us: int = 0,
    allowed_since: Micros | None = None,
) -> Span:
    """The span of a start. Its length includes what its clock may be wrong by, before and after.
    `allowed_since` is when the list entry was made that allows it, where one does."""
    late = allowed_since is not None and allowed_since > started
    if word is VerdictWord.ALLOWED and not late:
        return Span.NONE
    if ended is None:
        return Span.LONG
    length = ended - started + 2 * uncertainty_us
    return next((span for span, most in LENGTHS.items() if length <= most), Span.LONG)


def ended(execution: Execution, at: Micros) -> Span:
    """The span once its end is known."""
    if execution.span is Span.NONE:
        return Span.NONE
    return span_of(VerdictWord.UNKNOWN, execution.started, at, uncertainty_us=execution.uncertainty_us)
