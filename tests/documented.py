"""Commands that the pages print, read as a person reads them."""

import glob
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What stands for a thing of the reader's own, where the form of a command is told.
PLACEHOLDER = re.compile(r'(?<![\w./-])[A-Z][A-Z_]*(\.npz)?(?![\w./-])')


@dataclass(frozen=True)
class Command:
    """A command, and where it stands."""

    page: Path
    line: int
    text: str

    @property
    def is_form(self) -> bool:
        """Whether it has places to fill in, such as CONFIG."""
        return bool(PLACEHOLDER.search(self.text)) or '{' in self.text

    def words(self, folder: Path) -> list[str]:
        """Split it as a shell does in a folder, files of that folder included."""
        words = []
        for word in shlex.split(self.text, comments=True):
            found = sorted(glob.glob(word, root_dir=folder)) if '*' in word else []
            words += found or [word]
        return words


def pages() -> list[Path]:
    """Every page of the repository that prints a command."""
    found = [*ROOT.glob('*.md')]
    for folder in ('docs', 'configs', 'tools'):
        found += (ROOT / folder).rglob('*.md')
    return sorted(page for page in found if commands(page))


def commands(page: Path) -> list[Command]:
    """All commands of a page, in its order."""
    text = page.read_text(encoding='utf-8')
    found: list[Command] = []
    values: dict[str, str] = {}
    for block in re.finditer(r'^```sh\n(.*?)^```', text, re.S | re.M):
        start = text[: block.start(1)].count('\n') + 1
        found += [
            Command(page, start + offset, line)
            for offset, line in _shell_lines(block[1], values)
        ]
    # Code in a line of text, outside of blocks.
    blocks = re.compile(r'^```.*?^```', re.S | re.M)
    plain = blocks.sub(lambda block: '\n' * block[0].count('\n'), text)
    for code in re.finditer(r'`((?:python|make|mmkp|pip) [^`]+)`', plain):
        line = plain[: code.start()].count('\n') + 1
        found.append(Command(page, line, ' '.join(code[1].split())))
    return sorted(found, key=lambda command: command.line)


def _shell_lines(block: str, values: dict[str, str]) -> list[tuple[int, str]]:
    """Commands of a block: variables filled in, a loop run for its first value."""
    lines, offset = [], 0
    for line in re.split(r'(?<!\\)\n', block):
        here, offset = offset, offset + line.count('\n') + 1
        line = ' '.join(line.replace('\\\n', ' ').split())
        while loop := re.match(r'for (\w+) in (\S+)[^;]*; do ?', line):
            values[loop[1]] = loop[2]
            line = line[loop.end() :]
        line = re.sub(r'\$\{?(\w+)\}?', lambda name: values.get(name[1], name[0]), line)
        # What is optional is given.
        line = re.sub(r'\[(--[^\]]*)\]', r'\1', line)
        if assignment := re.fullmatch(r'(\w+)=(\S+)', line):
            values[assignment[1]] = assignment[2]
        elif line and not line.startswith('#') and not re.match(r'done\b', line):
            lines.append((here, line))
    return lines
