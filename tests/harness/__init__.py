"""The driver of the test suite: runs the stages, keeps their output, prints one table."""
