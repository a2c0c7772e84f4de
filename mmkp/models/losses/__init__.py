# Copyright (c) mmkp authors. Licensed under Apache-2.0.
