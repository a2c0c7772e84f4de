"""``python -m mmkp`` is the ``mmkp`` command."""

from mmkp.cli.main import main

if __name__ == '__main__':
    main()
