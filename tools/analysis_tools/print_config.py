"""Print a config with everything that it inherits."""

import argparse

from mmkp.engine.cli import add_config_arguments, config_from_arguments, run_tool


def main() -> None:
    """Print."""
    parser = argparse.ArgumentParser(description='Print the whole config')
    cfg = config_from_arguments(add_config_arguments(parser).parse_args())
    print(cfg.pretty_text)


if __name__ == '__main__':
    run_tool(main)
