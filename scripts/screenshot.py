#!/usr/bin/env python3
"""Draws a terminal screen, as `tmux capture-pane -e -p` prints it, as an SVG picture.

usage: screenshot.py COLUMNS ROWS <capture >picture.svg
"""
import html
import re
import sys
import unicodedata

CELL_W, CELL_H, FONT = 8.4, 18, 14
BASIC = ["#1d1f21", "#cc6666", "#8abe6a", "#e0b25e", "#6a9fd8", "#b294bb", "#6fb8b0", "#c5c8c6",
         "#707880", "#e07a7a", "#a5d67f", "#f5d77a", "#86b8f0", "#cfaee0", "#8fd8d0", "#ffffff"]
FOREGROUND, BACKGROUND = "#d4d4d4", "#16181d"


def palette(index):
    if index < 16:
        return BASIC[index]
    if index < 232:
        index -= 16
        levels = [0, 95, 135, 175, 215, 255]
        return "#%02x%02x%02x" % (levels[index // 36], levels[index // 6 % 6], levels[index % 6])
    grey = 8 + 10 * (index - 232)
    return "#%02x%02x%02x" % (grey, grey, grey)


class Pen:
    def __init__(self):
        self.reset()

    def reset(self):
        self.fg = self.bg = None
        self.bold = self.dim = self.italic = self.underline = self.reverse = False

    def apply(self, text):
        codes = [int(c or 0) for c in re.split("[;:]", text)]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in (38, 48) and codes:
                kind = codes.pop(0)
                color = palette(codes.pop(0)) if kind == 5 else "#%02x%02x%02x" % tuple(codes[:3])
                if kind == 2:
                    del codes[:3]
                setattr(self, "fg" if code == 38 else "bg", color)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.fg = palette(code - 30 if code < 90 else code - 82)
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.bg = palette(code - 40 if code < 100 else code - 92)
            elif code in (39, 49):
                setattr(self, "fg" if code == 39 else "bg", None)
            else:
                for on, off, name in ((1, 22, "bold"), (2, 22, "dim"), (3, 23, "italic"),
                                      (4, 24, "underline"), (7, 27, "reverse")):
                    if code in (on, off):
                        setattr(self, name, code == on)

    def colors(self):
        fg, bg = self.fg or FOREGROUND, self.bg
        return (bg or BACKGROUND, fg) if self.reverse else (fg, bg)


def width(char):
    if unicodedata.combining(char) or char in "\u200d\ufe0e\ufe0f" or "\U0001f3fb" <= char <= "\U0001f3ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def runs_of(line, pen):
    """Yields (column, columns, text, style) with one style each."""
    col = 0
    for piece in re.split(r"(\x1b\[[0-9;:]*m|\x1b\][^\x1b\x07]*(?:\x1b\\|\x07)|\x0e|\x0f)", line):
        if piece.startswith("\x1b["):
            pen.apply(piece[2:-1])
        elif piece and not piece.startswith(("\x1b]", "\x0e", "\x0f")):
            start, text = col, ""
            for char in piece:
                if width(char) == 2 and text:
                    yield start, col - start, text
                    start, text = col, ""
                text += char
                col += width(char)
                if width(char) == 2:
                    yield start, 2, text
                    start, text = col, ""
            if text:
                yield start, col - start, text


def main():
    cols, rows = int(sys.argv[1]), int(sys.argv[2])
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="DejaVu Sans Mono, '
           'Menlo, Consolas, monospace" font-size="%d">' % (cols * CELL_W + 20, rows * CELL_H + 20, FONT),
           '<rect width="100%%" height="100%%" rx="8" fill="%s"/>' % BACKGROUND]
    pen = Pen()
    for row, line in enumerate(sys.stdin.read().split("\n")[:rows]):
        for col, columns, text in runs_of(line, pen):
            fg, bg = pen.colors()
            x, y = 10 + col * CELL_W, 10 + row * CELL_H
            if bg:
                out.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>'
                           % (x, y, columns * CELL_W + 0.3, CELL_H, bg))
            if text.strip():
                style = "".join((' font-weight="bold"' if pen.bold else "", ' font-style="italic"' if pen.italic else "",
                                 ' opacity="0.6"' if pen.dim else "", ' text-decoration="underline"' if pen.underline else ""))
                out.append('<text x="%.1f" y="%.1f" fill="%s" textLength="%.1f" xml:space="preserve"%s>%s</text>'
                           % (x, y + CELL_H * 0.74, fg, columns * CELL_W, style, html.escape(text)))
    out.append("</svg>")
    print("\n".join(out))


main()
