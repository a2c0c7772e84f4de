from tiny import plain_config_text  # noqa: F401  used by every test of this folder
