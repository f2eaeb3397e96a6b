"""A backend of Hypothesis that draws from its seed alone, so that the seed says what was drawn."""

from __future__ import annotations

from hypothesis.internal.conjecture.providers import HypothesisProvider


class Plainly(HypothesisProvider):
    """Draws integers evenly between their limits (``PrimitiveProvider.draw_integer``).

    Hypothesis's own way mixes in the constants of whatever modules are loaded: one seed would draw one thing in this process and another in the next.
    """

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: dict[int, float] | None = None,  # noqa: ARG002  # the shape of a provider; the strategies give limits their weight
        shrink_towards: int = 0,  # noqa: ARG002  # the shape of a provider; and nothing is shrunk
    ) -> int:
        """An integer from ``min_value`` to ``max_value``, both included and given."""
        assert min_value is not None, "the strategies have limits"
        assert max_value is not None, "the strategies have limits"
        assert self._random is not None, "it draws, and does not replay"
        return self._random.randint(min_value, max_value)
