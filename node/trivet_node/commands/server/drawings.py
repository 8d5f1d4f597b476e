"""Drawings in characters, by chance. Their outer size is that of Redis' drawings of the same arguments.

A character of braille has eight dots, two across and four down: that makes a canvas of small black points. The other
kind of canvas is made of coloured cells.
"""

import math
from itertools import pairwise
from random import Random
from typing import Final, final

_BRAILLE: Final = 0x2800
# The bit of each dot of a character, by column and row.
_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_MARGIN: Final = 2
# How far the last row of squares is turned, and moved, at most.
_LARGEST_TURN: Final = math.pi / 2
_LARGEST_SHIFT: Final = 3.0
# From the sky to the nearest houses: foreground and background of a cell.
_SHADES: Final = ("0;97;107", "0;37;47", "0;90;100", "0;30;40")


@final
class Canvas:
    """Black points on white."""

    def __init__(self, width: int, height: int) -> None:
        self.width: int = width
        self.height: int = height
        self._points: list[bytearray] = [bytearray(width) for _ in range(height)]

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Draw a line; what lies outside is not seen."""
        steps = max(1, int(max(abs(x1 - x0), abs(y1 - y0))))
        for step in range(steps + 1):
            x = round(x0 + (x1 - x0) * step / steps)
            y = round(y0 + (y1 - y0) * step / steps)
            if 0 <= x < self.width and 0 <= y < self.height:
                self._points[y][x] = 1

    def square(self, x: float, y: float, side: float, turn: float) -> None:
        """Draw a square around a middle, turned by an angle."""
        radius = side / math.sqrt(2)
        angles = [turn + math.pi * (quarter / 2 + 0.25) for quarter in range(5)]
        corners = [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]
        for (x0, y0), (x1, y1) in pairwise(corners):
            self.line(x0, y0, x1, y1)

    def text(self) -> str:
        """Return lines of braille."""
        return "".join(
            ["".join([self._character(x, y) for x in range(0, self.width, 2)]) + "\n" for y in range(0, self.height, 4)]
        )

    def _character(self, x: int, y: int) -> str:
        dots = 0
        for column in range(2):
            for row in range(4):
                if x + column < self.width and y + row < self.height and self._points[y + row][x + column]:
                    dots |= _DOTS[column][row]
        return chr(_BRAILLE + dots)


def squares(columns: int, across: int, down: int, random: Random) -> str:
    """Return rows of squares on `columns` characters; the lower a row, the less its squares keep their places."""
    width = columns * 2
    margin = _MARGIN if width > 2 * _MARGIN else 0
    side = (width - 2 * margin) / across
    canvas = Canvas(width, int(side * down) + 2 * margin)
    for row in range(down):
        disorder = row / down
        for column in range(across):
            turn = random.uniform(-1, 1) * _LARGEST_TURN * disorder * disorder
            shift_x, shift_y = (random.uniform(-1, 1) * _LARGEST_SHIFT * disorder for _ in range(2))
            x = margin + side * (column + 0.5) + shift_x
            canvas.square(x, margin + side * (row + 0.5) + shift_y, side, turn)
    return canvas.text()


def skyline(columns: int, rows: int, random: Random) -> str:
    """Return a town of three rows of houses, one in front of the other, before a white sky."""
    shades = [[0] * columns for _ in range(rows)]
    for shade in range(1, len(_SHADES)):
        column = 0
        while column < columns:
            house = range(column, min(columns, column + random.randint(3, 9)))
            # The nearer, the lower.
            top = rows * random.randint(shade, shade + 2) // (len(_SHADES) + 1)
            for row in range(top, rows):
                for place in house:
                    shades[row][place] = shade
            column = house.stop
    return "".join(["".join([f"\x1b[{_SHADES[shade]}m \x1b[0m" for shade in line]) + "\n" for line in shades])
