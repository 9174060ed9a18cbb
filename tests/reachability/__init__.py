"""Who can reach whom in the platform: computed from the policies, probed with packets, written into docs/security.md."""
