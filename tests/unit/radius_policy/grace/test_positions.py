"""Where keys and values stand in a TOML text."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from radius_policy.grace.positions import Position, Spot, positions

TEXT = """# a comment with [[brackets]] = "x"
[[rule]]
name = "a"   # behind
[rule.when]
"signer.state" = { in = ["valid",
   "expired"] }
place.kind = \'\'\'x
= y\'\'\'

  [[rule]]
  then = { alert = true, grace = { hours = 1 } }
"""


def test_every_key_is_found_where_an_editor_shows_it() -> None:
    found = positions(TEXT)
    assert found["rule", 0].key == Position(2, 1)
    assert found["rule", 0, "name"] == Spot(Position(3, 1), Position(3, 8))
    assert found["rule", 0, "when", "signer.state", "in", 1].value == Position(6, 4)
    assert found["rule", 0, "when", "place", "kind"].key == Position(7, 1)
    assert found["rule", 1].key == Position(10, 3)
    assert found["rule", 1, "then", "grace", "hours"] == Spot(Position(11, 36), Position(11, 44))


@given(st.text(alphabet="[]{}=\"'.,#\n abc0\\-", max_size=80))
def test_it_ends_on_every_text_and_finds_the_tables_keys_of_valid_ones(text: str) -> None:
    found = positions(text)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for key, value in document.items():
        assert any(path[0] == key for path in found), (key, value)
