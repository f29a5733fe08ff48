"""Contract tests that every store must pass; for those who write one."""
