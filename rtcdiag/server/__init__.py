"""The embedded STUN and TURN server, on the same wire core as the probes."""
