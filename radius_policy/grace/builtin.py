"""The rules that Pratique ships: `shipped/*.toml`, in the order of their file names, read once."""

from functools import cache
from importlib import resources

from radius_policy.grace.reading import parse
from radius_policy.grace.rules import RuleSet


def text() -> str:
    """The shipped rules as one text, ready to be edited and stored."""
    folder = resources.files("radius_policy.grace") / "shipped"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@cache
def builtin() -> RuleSet:
    """The shipped rule set. Raises RuleError if it were wrong, which a test keeps from happening."""
    return parse(text(), "builtin")
