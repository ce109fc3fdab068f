"""Grace: bounded trust by rules, for what is not, or not yet, proven (tables.md, Grace rules)."""

from radius_policy.grace.builtin import builtin
from radius_policy.grace.reading import RuleError, Wrong, parse
from radius_policy.grace.rules import Failed, Grace, Match, NoSlots, Rule, RuleSet, Slots, why_not

__all__ = [
    "Failed", "Grace", "Match", "NoSlots", "Rule", "RuleError", "RuleSet", "Slots", "Wrong",
    "builtin", "parse", "why_not",
]  # fmt: skip
