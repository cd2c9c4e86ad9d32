"""Few engines are loaded at once: those that are in use."""

from __future__ import annotations

from workbench.embedders._engines import ENGINES_AT_ONCE, Engines, Key


def test_the_engine_that_was_used_longest_ago_is_given_up_first() -> None:
    engines = Engines()
    made: list[str] = []

    def use(name: str) -> None:
        key: Key = ("text", name, "auto", "cpu", 0)
        engines._loaded(key, lambda: made.append(name) or name)

    names = [f"model {number}" for number in range(ENGINES_AT_ONCE + 1)]
    for name in names[:-1]:
        use(name)
    use(names[0])
    use(names[-1])
    made.clear()
    use(names[0])
    assert made == []
    use(names[1])
    assert made == [names[1]]
