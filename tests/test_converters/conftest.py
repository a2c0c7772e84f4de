from tiny import quick_mmengine  # noqa: F401  used by every test of this folder
