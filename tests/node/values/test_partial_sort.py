"""Sorting of a range of places."""

import random

from trivet_node.values.partial_sort import PartialSort


def test_the_first_are_those_of_a_whole_sort() -> None:
    choice = random.Random(1)
    for _ in range(300):
        length = choice.choice((1, 6, 7, 8, 40, 41, 200, 1000))
        distinct = choice.choice((1, 3, length, 10 * length))
        keys = [float(choice.randrange(distinct)) for _ in range(length)]
        wanted = choice.randint(1, length)
        sorting = PartialSort(list(keys), 0, wanted)
        sorting.sort(0, length)
        assert sorting.keys[:wanted] == sorted(keys)[:wanted]
        assert sorted(sorting.places) == list(range(length))
        assert [keys[place] for place in sorting.places] == sorting.keys


def test_a_range_is_that_of_a_whole_sort() -> None:
    choice = random.Random(2)
    for _ in range(300):
        length = choice.choice((1, 7, 8, 41, 200))
        keys = [float(choice.randrange(length)) for _ in range(length)]
        first = choice.randrange(length)
        behind = choice.randint(first, length)
        sorting = PartialSort(list(keys), first, behind)
        sorting.sort(0, length)
        assert sorting.keys[first:behind] == sorted(keys)[first:behind]
