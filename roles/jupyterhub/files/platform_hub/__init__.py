"""The hub's own configuration of the platform, as plain Python.

It is mounted into the hub's pod from a ConfigMap, so that a change of it, like a change of a profile, needs a restart
of the hub and no new image.
"""
