"""Where the installed ``mmkp`` command begins, outside the package.

Importing the package raises where something is missing; here that becomes one sentence.
"""

import sys


def main() -> int:
    """Run the command and return its exit status."""
    try:
        from mmkp.cli.main import main as run
    except ImportError as error:
        if error.name is not None:  # of an import statement, not of the check
            raise
        print(f'error: {error}', file=sys.stderr)
        return 2
    run()
    return 0
