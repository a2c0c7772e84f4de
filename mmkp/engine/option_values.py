"""What ``--cfg-options key=value`` says, with every character of the value."""

import argparse
import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_BRACKETS = {'[': ']', '(': ')', '{': '}'}


#: Brackets in each other that are read; each level is parsed anew.
_MAX_DEPTH = 32


class OptionText(str):
    """A value as it was typed; its meaning depends on what it replaces."""


class OptionAction(argparse.Action):
    """Collects ``KEY=VALUE``, with the blanks that MMEngine's leaves out."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add the values to the dictionary of the namespace."""
        options = dict(getattr(namespace, self.dest, None) or {})
        for item in values or ():
            key, separator, text = str(item).partition('=')
            if not separator or not key:
                parser.error(
                    f"{option_string} takes KEY=VALUE, got '{item}'; a value with "
                    'blanks is written key="my value"'
                )
            options[key.strip()] = OptionText(text)
        setattr(namespace, self.dest, options)


def meant_value(value: Any, current: Any = None) -> Any:
    """Turn what was typed into the value that is meant.

    Args:
        value: an :class:`OptionText`; anything else is returned as it is.
        current: what it replaces. A text in place of a text is taken as it stands, so
            that any path survives, unless it is None or a list in brackets.

    Returns:
        Number, True, False, None, text, or a list or tuple of them.
    """
    if not isinstance(value, OptionText):
        return value
    text = str(value)
    is_list = text[:1] in ('[', '(') and text[-1:] == _BRACKETS[text[0]]
    if isinstance(current, str) and not is_list:
        quoted = _literal(text)
        if isinstance(quoted, str):
            return quoted
        return None if text == 'None' else text
    try:
        is_path = len(text) > 1 and Path(text).exists() and not _is_number(text)
    except (OSError, ValueError):
        is_path = False
    try:
        return text if is_path else _parse(text)
    except RecursionError:
        return text


def _parse(text: str, depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        raise RecursionError
    text = text.strip()
    if text.lower() in ('true', 'false'):
        return text.lower() == 'true'
    found = _literal(text)
    if found is not None or text == 'None':
        return found
    if _is_number(text):
        return float(text)
    inner = text
    if text[:1] in ('[', '(') and text[-1:] == _BRACKETS[text[0]]:
        inner = text[1:-1]
    elif ',' not in text:
        return text
    parts = _split(inner)
    if parts == [text]:  # all its commas are behind a bracket that is not closed
        return text
    items = [_parse(part, depth + 1) for part in parts if part.strip()]
    return tuple(items) if text[:1] == '(' else items


def _literal(text: str) -> Any:
    """A number, quoted text or list in Python's own spelling; None for others."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    # 1,2 is a tuple in Python, a list in MMEngine.
    return list(found) if isinstance(found, tuple) and text[0] != '(' else found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _split(text: str) -> list[str]:
    """Cut at commas outside of brackets."""
    parts, depth = [''], 0
    for character in text:
        depth += (character in _BRACKETS) - (character in _BRACKETS.values())
        if character == ',' and depth == 0:
            parts.append('')
        else:
            parts[-1] += character
    return parts
