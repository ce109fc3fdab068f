"""The stories: living proofs of the product, each a module with a `STORY`. A new one is added to `STORIES` alone."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lab.narrator import Narrator
    from lab.site import Site

STORIES: Final = {
    "first-light": (
        "lab.stories.first_light",
        "one unknown program, from its execve to the remediation VLAN and back",
    ),
    "rollout": (
        "lab.stories.rollout",
        "a deployment agent starts a new program on eleven hosts, and one unknown starts on the twelfth",
    ),
    "saturday": (
        "lab.stories.saturday",
        "files on the share are being locked: who was it, and how quickly is that one stopped",
    ),
}


@dataclass(frozen=True, slots=True)
class Story:
    """`prepare` brings the site up; `play` tells the story on it and returns its figures.

    Both raise `StoryFailed`; `play` may be called again on the same site.
    """

    name: str
    title: str
    prepare: "Callable[[Site, Narrator], None]"
    play: "Callable[[Site, Narrator], dict[str, Any]]"


def load(name: str) -> Story:
    """The story of this name. Raises KeyError."""
    module, _ = STORIES[name]
    story: Story = import_module(module).STORY
    return story
