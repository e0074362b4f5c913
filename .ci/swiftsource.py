"""Reads Swift source just far enough for the rules of the house: what is code, and where functions begin and end."""

import re
from typing import Iterator, NamedTuple


def code_only(text: str) -> str:
    """The text with comments and string literals turned into blanks. Lines and columns stay where they are."""
    out = list(text)
    position = 0
    while position < len(text):
        end = _skipped(text, position)
        if end is None:
            position += 1
            continue
        for index in range(position, min(end, len(text))):
            if out[index] != "\n":
                out[index] = " "
        position = end
    return "".join(out)


def _skipped(text: str, start: int) -> int | None:
    """Where the comment or string that begins at `start` ends; nothing when none begins there."""
    if text.startswith("//", start):
        end = text.find("\n", start)
        return len(text) if end < 0 else end
    if text.startswith("/*", start):
        return _comment_end(text, start)
    opening = re.compile(r'(#*)("""|")').match(text, start)
    if opening and (start == 0 or text[start - 1] != "#"):
        return _string_end(text, opening.end(), opening[1], opening[2])
    return None


def _comment_end(text: str, start: int) -> int:
    depth, position = 1, start + 2
    while depth and position < len(text):
        if text.startswith("/*", position):
            depth, position = depth + 1, position + 2
        elif text.startswith("*/", position):
            depth, position = depth - 1, position + 2
        else:
            position += 1
    return position


def _string_end(text: str, position: int, hashes: str, quote: str) -> int:
    while position < len(text):
        if text.startswith(quote + hashes, position):
            return position + len(quote + hashes)
        if text.startswith("\\" + hashes + "(", position):
            position = _interpolation_end(text, position + len(hashes) + 2)
        elif text[position] == "\\" and not hashes:
            position += 2
        elif text[position] == "\n" and quote == '"':
            return position
        else:
            position += 1
    return position


def _interpolation_end(text: str, position: int) -> int:
    depth = 1
    while depth and position < len(text):
        inner = _skipped(text, position)
        if inner is not None:
            position = inner
            continue
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        position += 1
    return position


class Function(NamedTuple):
    name: str
    line: int
    parameters: int
    lines: int


_DECLARATION = re.compile(r"(?<![.\w])(?:func\s+([^\s(<]+)|(init)\b[?!]?|(subscript))\s*(?=[(<])")
_SIGNATURE_GOES_ON = re.compile(r"\s*(async|throws|rethrows|->|where\b|\{|isolated|sending)")


def functions(code: str) -> Iterator[Function]:
    """All functions, initialisers and subscripts of `code` (the result of `code_only`)."""
    for declaration in _DECLARATION.finditer(code):
        opening = code.find("(", declaration.end())
        if opening < 0:
            continue
        closing = _matching(code, opening)
        line = code.count("\n", 0, declaration.start()) + 1
        body = _body(code, closing)
        last = code.count("\n", 0, _matching(code, body)) + 1 if body is not None else line
        name = declaration[1] or declaration[2] or declaration[3]
        yield Function(name, line, _count(code[opening + 1 : closing]), last - line + 1)


def _matching(code: str, opening: int) -> int:
    """The index of the bracket that closes the one at `opening`."""
    pairs, depth = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}, 0
    for index in range(opening, len(code)):
        depth += pairs.get(code[index], 0)
        if depth == 0:
            return index
    return len(code) - 1


def _count(parameters: str) -> int:
    """How many parameters stand in a list: the commas outside of any brackets, and one more."""
    depth, count = 0, 1 if parameters.strip() else 0
    for index, character in enumerate(parameters):
        if character in "([{<":
            depth += 1
        elif character in ")]}" or (character == ">" and parameters[index - 1] != "-"):
            depth -= 1
        elif character == "," and depth == 0 and parameters[index + 1 :].strip():
            count += 1
    return count


def _body(code: str, closing: int) -> int | None:
    """Where the body opens after a parameter list that closes at `closing`; nothing for a requirement of a protocol."""
    index = closing + 1
    while index < len(code):
        character = code[index]
        if character == "{":
            return index
        if character in "};":
            return None
        if character in "([":
            index = _matching(code, index)
        if character == "\n" and not _SIGNATURE_GOES_ON.match(code, index):
            if code[:index].rstrip()[-1:] not in ",&:>=(":
                return None
        index += 1
    return None
