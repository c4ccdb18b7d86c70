"""Every model has its page, and the command shows it."""

from __future__ import annotations

import pytest

from genrec_eval.cli.main import exit_code
from genrec_eval.reference.base import REFERENCE
from genrec_eval.reference.cards import text


@pytest.mark.parametrize("name", REFERENCE.names())
def test_every_model_has_a_card_that_names_its_options(name):
    page = text(name)
    assert page.startswith(f"# {name}\n")
    made = REFERENCE.get(name)
    assert not [key for key in made.Options.model_fields if f"`{key}" not in page]
    if made.planted is not None:
        assert f"`{made.planted}`" in page


def test_the_command_prints_it(capsys):
    assert exit_code(["card", "ease"]) == 0
    assert capsys.readouterr().out == text("ease")
    assert exit_code(["card", "eased"]) == 2
    assert "unknown reference model 'eased'; did you mean 'ease'?" in capsys.readouterr().err
