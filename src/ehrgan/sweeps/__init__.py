"""Many runs of one notebook, on this machine or a cluster."""
