"""Each form that a setting may name is there, and is one line of JSON."""

import json
from typing import Any, get_args

import pytest

from api.alerts.formats import FORMS, Format

from .conftest import HOSTILE
from .test_content import alert


def test_every_name_has_a_form() -> None:
    assert set(FORMS) == set(get_args(Format))


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_one_line_of_json(office: Any, name: Format) -> None:
    line = FORMS[name].write(alert(office, [office.runs(1, name=HOSTILE, program=HOSTILE)]))
    assert b"\n" not in line
    assert isinstance(json.loads(line), dict)
    assert "json" in FORMS[name].media_type
