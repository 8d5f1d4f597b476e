"""Sorting as far as a range of places depends on it, with equal keys in the order in which Redis leaves them.

Where only some of many elements are asked for, Redis uses a quicksort that leaves the parts alone in which none of them
can be; it is not stable. Which of equal elements are among those asked for, and in which order, depends on its every
step. So these are the steps.
(Bentley and McIlroy, "Engineering a sort function", with a median of three or nine; Redis: pqsort.c.)
"""

from typing import final

from mypy_extensions import i64

# Parts shorter than this are sorted by insertion; from the other length on nine elements are looked at for a median.
_SHORT: i64 = 7
_LONG: i64 = 40


@final
class PartialSort:
    """Sorts keys as far as those from `first` to before `behind` depend on it; `places` says where each came from."""

    def __init__(self, keys: list[float], first: i64, behind: i64) -> None:
        self.keys: list[float] = keys
        self.places: list[int] = list(range(len(keys)))
        self._first: i64 = first
        self._behind: i64 = behind

    def sort(self, start: i64, stop: i64) -> None:
        """Sort a part, in which some of those asked for are."""
        while stop - start >= _SHORT:
            low, high = self._divide(start, stop)
            if low - start > 1 and self._touches(start, low):
                self.sort(start, low)
            # What is equal to the median stands in its place between the two parts.
            if stop - high <= 1 or not self._touches(high, stop):
                return
            start = high
        for position in range(start + 1, stop):
            at: i64 = position
            while at > start and self.keys[at - 1] > self.keys[at]:
                self._swap(at, at - 1)
                at -= 1

    def _touches(self, start: i64, stop: i64) -> bool:
        """Say whether any of those asked for are in a part."""
        return start < self._behind and self._first < stop

    def _divide(self, start: i64, stop: i64) -> tuple[i64, i64]:
        """Put what is less than a median first and what is greater last; return where those parts end and begin."""
        self._swap(start, self._median_of_some(start, stop))
        keys = self.keys
        median = keys[start]
        # Equal ones gather at both ends, before `left_equal` and behind `right_equal`.
        left_equal = start + 1
        left = left_equal
        right = stop - 1
        right_equal = right
        while True:
            while left <= right and keys[left] <= median:
                if keys[left] == median:
                    self._swap(left_equal, left)
                    left_equal += 1
                left += 1
            while left <= right and keys[right] >= median:
                if keys[right] == median:
                    self._swap(right, right_equal)
                    right_equal -= 1
                right -= 1
            if left > right:
                break
            self._swap(left, right)
            left += 1
            right -= 1
        less = left - left_equal
        greater = right_equal - right
        self._swap_runs(start, left, min(left_equal - start, less))
        self._swap_runs(left, stop, min(greater, stop - right_equal - 1))
        return start + less, stop - greater

    def _median_of_some(self, start: i64, stop: i64) -> i64:
        length = stop - start
        middle = start + length // 2
        if length == _SHORT:
            return middle
        first = start
        last = stop - 1
        if length > _LONG:
            step = length // 8
            first = self._median(first, first + step, first + 2 * step)
            middle = self._median(middle - step, middle, middle + step)
            last = self._median(last - 2 * step, last - step, last)
        return self._median(first, middle, last)

    def _median(self, one: i64, two: i64, three: i64) -> i64:
        first = self.keys[one]
        second = self.keys[two]
        third = self.keys[three]
        if first < second:
            if second < third:
                return two
            return three if first < third else one
        if second > third:
            return two
        return one if first < third else three

    def _swap_runs(self, start: i64, stop: i64, length: i64) -> None:
        """Exchange the `length` elements from `start` on with those before `stop`."""
        for index in range(length):
            self._swap(start + index, stop - length + index)

    def _swap(self, one: i64, other: i64) -> None:
        keys = self.keys
        places = self.places
        keys[one], keys[other] = keys[other], keys[one]
        places[one], places[other] = places[other], places[one]
