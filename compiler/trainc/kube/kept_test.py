"""What is kept, what is let go."""

from weakref import ref

from trainc.kube.kept import Kept


class Thing:
    """Something with an identity."""


def test_what_is_kept_is_found_and_lives_as_long_as_its_key() -> None:
    kept: Kept[str] = Kept(2)
    thing = Thing()
    seen, key = ref(thing), id(thing)
    assert kept.keep(key, thing, "found") == "found"
    del thing
    assert kept[key] == (seen(), "found")
    assert seen() is not None


def test_a_full_one_begins_anew() -> None:
    kept: Kept[int] = Kept(2)
    things = [Thing() for _ in range(3)]
    for number, thing in enumerate(things):
        kept.keep(id(thing), thing, number)
    assert [id(thing) in kept for thing in things] == [False, False, True]
