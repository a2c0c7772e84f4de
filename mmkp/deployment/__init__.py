# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Models out of Python: graphs with the decoding inside, their files, their runner."""
