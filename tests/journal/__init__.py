"""Tests of the journal: one contract over every backend, and what is special to each."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.contract", f"{__name__}.stage")
